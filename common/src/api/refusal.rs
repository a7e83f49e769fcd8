//! Why the server said no.

use thiserror::Error;

/// A request that was understood and refused; nothing was changed. The text is for people, the
/// variant is for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("this user name is taken")]
    UsernameTaken,
    #[error("there is no such user")]
    NoSuchUser,
    #[error("there is no such group")]
    NoSuchGroup,
    #[error("only friends can do this")]
    NotFriends,
    #[error("you are friends already")]
    AlreadyFriends,
    #[error("this user has not asked to be your friend")]
    NotRequested,
    #[error("you are not a member of this group")]
    NotAMember,
    #[error("you are a member of this group already")]
    AlreadyMember,
    #[error("one cannot do this to oneself")]
    Oneself,
    #[error("there is no list of this name")]
    NoSuchTeam,
    #[error("there is a list of this name already")]
    TeamExists,
    #[error("the default list cannot be changed")]
    DefaultTeam,
    #[error("the limit for this account is reached")]
    TooMany,
    #[error("the name already belongs to verified content")]
    NameVerified,
    #[error("the same client id was used for another message")]
    ClientIdConflict,
}
