//! Why the server said no.

use thiserror::Error;

/// A request that was understood and refused; nothing was changed. The text is for people, the
/// variant is for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("this user name is taken, or looks too much like somebody's")]
    UsernameTaken,
    #[error("there is no such user")]
    NoSuchUser,
    #[error("there is no such group")]
    NoSuchGroup,
    #[error("you are not contacts; ask this user to be your contact first")]
    NotFriends,
    #[error("you are contacts already")]
    AlreadyFriends,
    #[error("this user has not asked to be your contact")]
    NotRequested,
    #[error("this user does not want to hear from you")]
    Blocked,
    #[error("you are not a member of this group")]
    NotAMember,
    #[error("this user is a member of the group already")]
    AlreadyMember,
    #[error("your role in this group does not allow this")]
    NotAllowed,
    #[error("an admin of the group has to agree first")]
    ApprovalNeeded,
    #[error("one becomes a member of this group only by being invited")]
    JoinClosed,
    #[error("you may not write to this group at the moment")]
    Muted,
    #[error("the owner has to hand the group over first")]
    OwnerMustStay,
    #[error("one cannot do this to oneself")]
    Oneself,
    #[error("there is no list of this name")]
    NoSuchTeam,
    #[error("there is a list of this name already")]
    TeamExists,
    #[error("the default list cannot be changed")]
    DefaultTeam,
    #[error("the limit is reached")]
    TooMany,
    #[error("the name already belongs to verified content")]
    NameVerified,
    #[error("the same client id was used for another message")]
    ClientIdConflict,
    #[error("there is no such message")]
    NoSuchMessage,
    #[error("only its author can do this")]
    NotTheAuthor,
    #[error("the time to do this is over")]
    TooLate,
    #[error("the message was taken back")]
    AlreadyRecalled,
    #[error("there is no such conversation")]
    NoSuchConversation,
    #[error("there is no such session")]
    NoSuchSession,
    #[error("there is no such bot, or it is not yours")]
    NoSuchBot,
    #[error("the bot has no such token")]
    NoSuchToken,
    #[error("there is no such webhook")]
    NoSuchWebhook,
    #[error("the password was changed at this moment")]
    PasswordChanged,
    #[error("this account is locked; ask an administrator of the server")]
    AccountDisabled,
    #[error("only administrators can do this")]
    NotAnAdmin,
    #[error("the last administrator has to make another one first")]
    LastAdmin,
    #[error("there is no such invite")]
    NoSuchInvite,
    #[error("this invite is unknown, used up or expired")]
    InviteInvalid,
    #[error("there is no such upgrade")]
    NoSuchUpgrade,
    #[error("this version is not above all that were published in this channel")]
    VersionTooLow,
    #[error("existing Windows clients, which compare letter by letter, do not take it for newer")]
    VersionTooLowForOld,
    #[error("there is no such file")]
    NoSuchFile,
    #[error("the file is still needed")]
    FileNeeded,
    #[error("the space for your files is used up")]
    QuotaUser,
    #[error("the space for all files is used up")]
    QuotaTotal,
}
