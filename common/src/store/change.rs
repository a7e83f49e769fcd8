//! What can be written, and what comes of it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::admin::AdminChange;
use super::audit::Record;
use super::block::BlockChange;
use super::bot::BotChange;
use super::file::FileChange;
use super::group::GroupChange;
use super::incoming_hook::IncomingHookChange;
use super::invite::InviteChange;
use super::message::MessageChange;
use super::meta::MetaChange;
use super::outgoing_hook::OutgoingHookChange;
use super::people::PeopleChange;
use super::place::PlaceChange;
use super::search::SearchChange;
use super::session::SessionChange;
use super::upgrade::UpgradeChange;
use crate::api::{BlobClass, Body, Dialect, Entry, NewAccount, Origin, Profile, Refusal, TeamEdit};
use crate::id::{BlobId, ConvId, DeviceId, GroupId, Millis, Peer, Seq, UserId};

/// One write. Each is applied wholly or refused wholly.
///
/// The notices that a change causes (see [`crate::api::Notice`]) are appended in the same
/// transaction and come back in [`Outcome::Done`]. Every notice carries the `origin` of the change
/// that caused it; where one change causes more, only the first one has the change's client id.
#[derive(Clone, Debug)]
pub enum Change {
    Append(Append),

    /// Done with the new user's id. Refused: `UsernameTaken` (groups' names count too, and names
    /// that look alike).
    CreateAccount {
        account: NewAccount,
        at: Millis,
    },
    /// Replaces the hash and forgets a plain-text password. Refused: `NoSuchUser`.
    SetPassword {
        user: UserId,
        password_hash: String,
    },
    /// Replaces everything but id and user name. A picture that is stored under the avatar's name
    /// is kept as long as it is shown. Refused: `NoSuchUser`.
    SetProfile {
        profile: Profile,
        at: Millis,
    },

    /// Remembers that `origin.user` asks `to`, and appends `FriendRequested` to the inbox of `to`.
    /// Asking again while a request is open appends again (the other may have missed it).
    /// Refused: `Oneself`, `NoSuchUser`, `Blocked` (by the asked one), `AlreadyFriends`, `TooMany`
    /// (open requests of the asker).
    RequestFriend {
        origin: Origin,
        username: String,
        to: UserId,
        /// What the asker says about it; empty for nothing.
        note: String,
        limit: u32,
    },
    /// `origin.user` answers the open request of `to`; the request is closed either way. Appends
    /// `FriendAnswered` to the inbox of `to`; if accepted, `ContactsChanged` to the own inbox too.
    /// Refused: `NotRequested`, `AlreadyFriends`, `TooMany` (contacts of either).
    AnswerFriend {
        origin: Origin,
        username: String,
        to: UserId,
        accepted: bool,
        limit: u32,
    },
    /// Appends `FriendRemoved` to the inbox of `friend`, `ContactsChanged` to the own one.
    /// Open requests between the two are closed. Refused: `NotFriends`.
    RemoveFriend {
        origin: Origin,
        username: String,
        friend: UserId,
    },

    /// Done with the new group's id; `origin.user` owns it and is its first member; appends
    /// `GroupCreated` to the group. Refused: `TooMany` (contacts of the owner).
    CreateGroup {
        origin: Origin,
        name: String,
        limit: u32,
    },
    /// Appends `MemberJoined` to the group; the new member sees the log from this entry on.
    /// Refused: `NoSuchGroup`, `AlreadyMember`, `TooMany` (contacts of the user, members of the
    /// group), `ApprovalNeeded` and `JoinClosed` by the group's rules.
    JoinGroup {
        origin: Origin,
        group: GroupId,
        contacts_max: u32,
        members_max: u32,
    },
    /// Appends `MemberLeft` to the group, `ContactsChanged` to the own inbox; the user's place and
    /// cursors in the group are forgotten. If the owner leaves, the group passes to who has been
    /// an admin, else a member, for the longest time, and `OwnerChanged` follows; the last one
    /// leaves it empty. Refused: `NotAMember`.
    LeaveGroup {
        origin: Origin,
        group: GroupId,
    },

    /// Refused: `TeamExists`, `NoSuchTeam`, `DefaultTeam`, `TooMany`.
    EditTeams {
        user: UserId,
        edit: TeamEdit,
        limit: u32,
    },
    /// The user's own remark for a friend or group; empty clears. Refused: `NotFriends`.
    SetRemark {
        user: UserId,
        peer: Peer,
        remark: String,
    },
    /// Refused: `NotFriends`, `NoSuchTeam` (either one).
    MoveContact {
        user: UserId,
        peer: Peer,
        from: String,
        to: String,
    },

    /// Makes the device known. In every conversation that exists now, a device seen for the first
    /// time starts at the furthest place any of the user's devices reached (the account's oldest
    /// undelivered entry), or where the user may start if none did. One that acknowledges
    /// ([`DeviceId::acknowledges`]) always starts where the user may. Later calls change nothing.
    RegisterDevice {
        user: UserId,
        device: DeviceId,
        at: Millis,
    },
    /// The device holds everything up to `seq`. Never moves back, never past the head; a place
    /// that is gone (the user left the group) is ignored. Never refused.
    MoveCursor {
        user: UserId,
        device: DeviceId,
        conv: ConvId,
        seq: Seq,
    },

    /// An account logged in from this address. Never refused.
    NoteLogin {
        address: IpAddr,
        at: Millis,
    },

    /// The content is in the file cache under `blob`, and `name` (lower-case hexadecimal MD5 or
    /// what the uploader called it) stands for it. Refused: `NameVerified` if the name has verified
    /// content already; then that stays (also if the content is the same: that is `Done`).
    NameBlob {
        class: BlobClass,
        name: String,
        blob: BlobId,
        size: u64,
        verified: bool,
        at: Millis,
    },
    /// Adds to what an address uploaded on a day (days since 1970). Never refused.
    CountUpload {
        address: IpAddr,
        day: i64,
        bytes: u64,
    },

    /// Another change, and a line in the book of what administrators did; the line is written also
    /// when the change is refused. Refused: `NotAnAdmin` if the actor is none (any more), without a
    /// line; and as the change.
    Audited {
        change: Box<Change>,
        record: Record,
    },
    /// Another change, for which an invite is used once. Refused: `InviteInvalid`, and as the
    /// change; then the invite is not used.
    Invited {
        change: Box<Change>,
        code: String,
        at: Millis,
    },

    // What both databases do alike, by topic: see `store/shared/`.
    Admin(AdminChange),
    Block(BlockChange),
    Bot(BotChange),
    File(FileChange),
    Group(GroupChange),
    Invite(InviteChange),
    IncomingHook(IncomingHookChange),
    Message(MessageChange),
    Meta(MetaChange),
    OutgoingHook(OutgoingHookChange),
    People(PeopleChange),
    Place(PlaceChange),
    Search(SearchChange),
    Session(SessionChange),
    Upgrade(UpgradeChange),
}

impl Change {
    /// The change itself, without what stands around it.
    pub fn inner(&self) -> &Self {
        match self {
            Self::Audited { change, .. } | Self::Invited { change, .. } => change.inner(),
            other => other,
        }
    }
}

/// One message for one conversation. Done with the one entry, or [`Outcome::AlreadyThere`].
/// Refused by its guard, or `ClientIdConflict` if the client id stands for another conversation
/// or other content, or `NoSuchFile` if it is of segments and one of its files is not here (any
/// more). A direct or inbox conversation is made by its first entry.
#[derive(Clone, Debug)]
pub struct Append {
    pub conv: ConvId,
    pub origin: Origin,
    pub body: Body,
    pub guard: Guard,
    /// The files that the message refers to, which are kept as long as it is there.
    pub files: Vec<BlobId>,
}

impl Append {
    /// Whether a file is missing that must be here. What an old client says of files is taken as it
    /// is: it does not know which of them are here.
    pub(super) fn lacks_files(&self, present: &BTreeSet<BlobId>) -> bool {
        let dialect = match &self.body {
            Body::Message { dialect, .. } => *dialect,
            Body::Notice(_) => return false,
        };
        dialect == Dialect::Segments && !self.files.iter().all(|file| present.contains(file))
    }

    /// Those of its files that are here, each once.
    pub(super) fn files_among(&self, present: &BTreeSet<BlobId>) -> BTreeSet<BlobId> {
        let here = self.files.iter().filter(|file| present.contains(file));
        here.copied().collect()
    }
}

/// What must hold at the moment of the commit. Besides, and before `NotFriends`: nobody writes to a
/// user who blocked him (`Blocked`), nor to a group that silenced him (`Muted`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Direct: the two are friends (`NotFriends`). Group: the sender is a member (`NotAMember`).
    Contact,
    /// Direct: the other user exists (`NoSuchUser`). Group: the sender is a member.
    Exists,
}

/// What became of a [`Change`].
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Saved. `id` is the number of a new user or group; `entries` is what was appended.
    Done {
        id: Option<u32>,
        entries: Vec<Entry>,
    },
    /// The same (sender, client id) was saved before, as this place of this conversation.
    AlreadyThere { conv: ConvId, seq: Seq, at: Millis },
    /// Nothing was changed.
    Refused(Refusal),
}

impl Outcome {
    /// Saved, with nothing to tell.
    pub fn done() -> Self {
        Self::Done {
            id: None,
            entries: Vec::new(),
        }
    }
}
