//! One change inside the writer's transaction.
//!
//! Every change checks all its conditions before it writes its first row. So a refused change
//! leaves nothing to undo, and no savepoint is needed; `apply` holds every change to that.

use rusqlite::Connection;

use super::fault::{Applied, Stop};
use super::{accounts, blobs, cursors, friends, groups, log, shared, teams};
use crate::store::{Change, Outcome, StoreError};

/// Applies a change. An error means that the whole batch must be rolled back.
pub(super) fn apply(conn: &Connection, change: &Change) -> Result<Outcome, StoreError> {
    let written_before = conn.total_changes();
    match dispatch(conn, change) {
        Ok(outcome) => Ok(outcome),
        Err(Stop::Failed(error)) => Err(error),
        Err(Stop::With(outcome)) if conn.total_changes() == written_before => Ok(outcome),
        Err(Stop::With(outcome)) => Err(StoreError::Broken(format!(
            "a change ended with {outcome:?} after it had written"
        ))),
    }
}

#[allow(clippy::too_many_lines, reason = "a table: one arm for each change")]
fn dispatch(conn: &Connection, change: &Change) -> Applied {
    match change {
        Change::Append(append) => log::append(conn, append),
        Change::CreateAccount { account, at } => accounts::create(conn, account, *at),
        Change::SetPassword {
            user,
            password_hash,
        } => accounts::set_password(conn, *user, password_hash),
        Change::SetProfile { profile, at } => accounts::set_profile(conn, profile, *at),
        Change::RequestFriend {
            origin,
            username,
            to,
            note,
            limit,
        } => friends::request(conn, origin, (username, note), *to, *limit),
        Change::AnswerFriend {
            origin,
            username,
            to,
            accepted,
            limit,
        } => friends::answer(conn, origin, (username, *accepted), *to, *limit),
        Change::RemoveFriend {
            origin,
            username,
            friend,
        } => friends::remove(conn, origin, username, *friend),
        Change::CreateGroup {
            origin,
            name,
            limit,
        } => groups::create(conn, origin, name, *limit),
        Change::EditTeams { user, edit, limit } => teams::edit(conn, *user, edit, *limit),
        Change::SetRemark { user, peer, remark } => teams::set_remark(conn, *user, *peer, remark),
        Change::MoveContact {
            user,
            peer,
            from,
            to,
        } => teams::move_contact(conn, *user, *peer, from, to),
        Change::RegisterDevice { user, device, at } => cursors::register(conn, *user, *device, *at),
        Change::MoveCursor {
            user,
            device,
            conv,
            seq,
        } => cursors::advance(conn, *user, *device, *conv, *seq),
        Change::NoteLogin { address, at } => blobs::note_login(conn, *address, *at),
        Change::NameBlob {
            class,
            name,
            blob,
            size,
            verified,
            at,
        } => blobs::name_blob(conn, (*class, name), (*blob, *size), *verified, *at),
        Change::CountUpload {
            address,
            day,
            bytes,
        } => blobs::count_upload(conn, *address, *day, *bytes),
        Change::Audited { change, record } => shared::audited(conn, change, record),
        Change::Invited { change, code, at } => shared::invited(conn, change, code, *at),
        Change::Admin(_)
        | Change::Block(_)
        | Change::Bot(_)
        | Change::File(_)
        | Change::Group(_)
        | Change::IncomingHook(_)
        | Change::Invite(_)
        | Change::JoinGroup { .. }
        | Change::LeaveGroup { .. }
        | Change::Message(_)
        | Change::Meta(_)
        | Change::OutgoingHook(_)
        | Change::People(_)
        | Change::Place(_)
        | Change::Search(_)
        | Change::Session(_)
        | Change::Upgrade(_) => shared::apply(conn, change),
    }
}
