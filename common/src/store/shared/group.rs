//! Groups: members and their roles, rules, requests to join. Making one stands with each database.

mod join;
mod members;
mod read;
mod request;
mod rules;
mod scene;

use super::Tx;
use crate::api::{GroupSettings, Origin, Role};
use crate::id::{ClientId, GroupId, Millis, UserId};
use crate::store::Outcome;
use scene::Room;

pub(super) use join::{join, leave};
pub use read::{
    ListedGroup, deciders, join_request, join_requests, list, member, members, policy, sizes,
};
pub(super) use scene::{connected, role};

/// A write about a group. Refused, all of them: `NoSuchGroup`, `NotAMember` if `origin.user` is
/// none (but not for `RequestJoin`), `NotAllowed` if his role does not reach, `ClientIdConflict`.
#[derive(Clone, Debug)]
pub enum GroupChange {
    /// Makes somebody a member; he sees the log from this entry on. Appends `MemberAdded`, and
    /// `ContactsChanged` to his inbox. Refused: `NoSuchUser`, `AlreadyMember`, `TooMany` (contacts
    /// of the user, members of the group), `Blocked` (by him).
    Add {
        origin: Origin,
        group: GroupId,
        user: UserId,
        contacts_max: u32,
        members_max: u32,
    },
    /// Takes a member of lower role out. Appends `MemberRemoved`, and `ContactsChanged` to his inbox;
    /// his place and cursors are forgotten. Refused: `NoSuchUser` if he is no member.
    Remove {
        origin: Origin,
        group: GroupId,
        user: UserId,
    },
    /// Changes a member; what is `None` stays. Only the owner makes admins; admins silence members
    /// of lower role; one may name oneself, and admins those of lower role. Appends `MemberChanged`,
    /// or nothing if nothing is to change.
    /// Refused: `NoSuchUser` if he is no member.
    SetMember {
        origin: Origin,
        group: GroupId,
        user: UserId,
        role: Option<Role>,
        muted_until: Option<Millis>,
        nickname: Option<String>,
    },
    /// The owner hands the group to a member and is an admin from then on. Appends `OwnerChanged`.
    /// Refused: `NoSuchUser` if he is no member, `Oneself`.
    Transfer {
        origin: Origin,
        group: GroupId,
        to: UserId,
    },
    /// Changes name, picture, announcement or rules. Appends `GroupChanged`.
    Set {
        origin: Origin,
        group: GroupId,
        settings: GroupSettings,
    },
    /// The owner ends the group: nobody is a member any more, its log is read by nobody, and for
    /// every other change there is no such group; its number is not given out again. Appends
    /// `GroupDissolved` to the inbox of every member, the owner's own first.
    Dissolve { origin: Origin, group: GroupId },
    /// An administrator ends the group, as `Dissolve` does. What is appended says that the owner did
    /// it, or the eldest member of a group whose owner is gone.
    DissolveForeign {
        group: GroupId,
        client_id: ClientId,
        at: Millis,
    },
    /// Asks to become a member of a group where an admin has to agree. Appends `JoinRequested` to the
    /// inboxes of owner and admins. Asking again appends again. Refused: `AlreadyMember`, `JoinClosed`,
    /// `TooMany` (open requests of the group).
    RequestJoin {
        origin: Origin,
        group: GroupId,
        note: String,
        requests_max: u32,
    },
    /// An admin answers a request; it is closed either way. Appends `JoinAnswered` to the asker's
    /// inbox; if accepted, what `Add` appends. Refused: `NotRequested`, and as `Add`, but whether
    /// the asker blocked who answers does not matter.
    AnswerJoin {
        origin: Origin,
        group: GroupId,
        user: UserId,
        accepted: bool,
        contacts_max: u32,
        members_max: u32,
    },
}

/// An open request to become a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinRequest {
    pub user: UserId,
    pub note: String,
    pub at: Millis,
}

#[allow(clippy::too_many_lines, reason = "a table: one arm for each change")]
pub(super) async fn apply<T: Tx>(tx: &mut T, change: &GroupChange) -> Result<Outcome, T::Fault> {
    match change {
        GroupChange::Add {
            origin,
            group,
            user,
            contacts_max,
            members_max,
        } => {
            members::add(
                tx,
                origin,
                *group,
                *user,
                Room::new(*contacts_max, *members_max),
            )
            .await
        }
        GroupChange::Remove {
            origin,
            group,
            user,
        } => members::remove(tx, origin, *group, *user).await,
        GroupChange::SetMember {
            origin,
            group,
            user,
            role,
            muted_until,
            nickname,
        } => {
            let changed = members::Changed {
                user: *user,
                role: *role,
                muted_until: *muted_until,
                nickname: nickname.as_deref(),
            };
            members::set(tx, origin, *group, &changed).await
        }
        GroupChange::Transfer { origin, group, to } => {
            members::transfer(tx, origin, *group, *to).await
        }
        GroupChange::Set {
            origin,
            group,
            settings,
        } => rules::set(tx, origin, *group, settings).await,
        GroupChange::Dissolve { origin, group } => rules::dissolve(tx, origin, *group).await,
        GroupChange::DissolveForeign {
            group,
            client_id,
            at,
        } => rules::dissolve_foreign(tx, *group, client_id, *at).await,
        GroupChange::RequestJoin {
            origin,
            group,
            note,
            requests_max,
        } => request::ask(tx, origin, *group, note, *requests_max).await,
        GroupChange::AnswerJoin {
            origin,
            group,
            user,
            accepted,
            contacts_max,
            members_max,
        } => {
            let answer = request::Answer {
                user: *user,
                accepted: *accepted,
                room: Room::new(*contacts_max, *members_max),
            };
            request::answer(tx, origin, *group, &answer).await
        }
    }
}
