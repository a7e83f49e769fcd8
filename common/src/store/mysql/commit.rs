//! One transaction per batch.

use std::time::Duration;

use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use tokio::time::{Instant, sleep, timeout_at};

use super::append::append_all;
use super::connections::{CALL_LIMIT, Connections, Lease, Purpose, silent, write};
use super::fault::Fault;
use super::{account, blob, device, friend, group, shared, team};
use crate::store::{Append, Change, Outcome, StoreError};

/// How often a transaction that met another one is repeated; with the pauses between, under the
/// limit of one call.
const ATTEMPTS_MAX: u32 = 12;

/// The pause before the first repetition; later ones are longer in proportion.
const PAUSE: Duration = Duration::from_millis(3);

/// Applies the batch in one transaction and makes it durable.
pub(super) async fn commit(
    connections: &Connections,
    batch: &[Change],
) -> Result<Vec<Outcome>, StoreError> {
    let deadline = Instant::now() + CALL_LIMIT;
    let mut attempt = 0;
    let mut in_the_way = None;
    loop {
        attempt += 1;
        let mut reused = false;
        let prepared = timeout_at(deadline, prepare(connections, batch, &mut reused)).await;
        let fault = match prepared {
            Ok(Ok((lease, outcomes))) => match seal(lease, deadline).await? {
                Sealed::Durable => return Ok(outcomes),
                Sealed::UndoneBy(fault) => fault,
            },
            Ok(Err(fault)) => fault,
            Err(_elapsed) => {
                connections.forget_idle();
                // It did answer, and what it said tells more.
                return Err(in_the_way.map_or_else(silent, StoreError::from));
            }
        };
        match fault {
            fault @ Fault::Contended(_) if attempt < ATTEMPTS_MAX => {
                in_the_way = Some(fault);
                sleep(PAUSE * attempt).await;
            }
            Fault::Lost(_) if reused => connections.forget_idle(),
            fault => return Err(fault.into()),
        }
    }
}

/// Everything but the COMMIT.
async fn prepare<'a>(
    connections: &'a Connections,
    batch: &[Change],
    reused: &mut bool,
) -> Result<(Lease<'a>, Vec<Outcome>), Fault> {
    let mut lease = connections.take(Purpose::Write).await?;
    *reused = lease.reused;
    match transact(&mut lease.conn, batch).await {
        Ok(outcomes) => Ok((lease, outcomes)),
        Err(fault @ Fault::Contended(_)) => {
            lease.conn.query_drop("ROLLBACK").await?;
            lease.give_back();
            Err(fault)
        }
        Err(fault) => Err(fault),
    }
}

async fn transact(conn: &mut Conn, batch: &[Change]) -> Result<Vec<Outcome>, Fault> {
    conn.query_drop("START TRANSACTION").await?;
    let outcomes = apply(conn, batch).await?;
    if needs_barrier(&outcomes) {
        // What another server just committed is seen before it is on disk. Before we repeat its
        // promise, something of ours must follow it there.
        let sql = "UPDATE t_id SET f_next = f_next + 1 WHERE f_kind = 'barrier'";
        write(conn, sql, ()).await?;
    }
    Ok(outcomes)
}

/// Whether the batch repeats a promise and writes nothing itself.
fn needs_barrier(outcomes: &[Outcome]) -> bool {
    let wrote = |outcome: &Outcome| matches!(outcome, Outcome::Done { .. });
    let repeats = |outcome: &Outcome| matches!(outcome, Outcome::AlreadyThere { .. });
    outcomes.iter().any(repeats) && !outcomes.iter().any(wrote)
}

enum Sealed {
    Durable,
    UndoneBy(Fault),
}

/// The COMMIT: from here on a lost connection means that nobody knows.
async fn seal(mut lease: Lease<'_>, deadline: Instant) -> Result<Sealed, StoreError> {
    let committed = timeout_at(deadline, lease.conn.query_drop("COMMIT")).await;
    match committed.map(|answer| answer.map_err(Fault::from)) {
        Ok(Ok(())) => {
            lease.give_back();
            Ok(Sealed::Durable)
        }
        Ok(Err(fault @ Fault::Contended(_))) => Ok(Sealed::UndoneBy(fault)),
        Ok(Err(Fault::Lost(text) | Fault::Unwilling(text) | Fault::Broken(text))) => {
            Err(StoreError::OutcomeUnknown(text))
        }
        Err(_elapsed) => Err(StoreError::OutcomeUnknown(format!(
            "no answer to COMMIT within {} ms",
            CALL_LIMIT.as_millis()
        ))),
    }
}

/// Applies the changes in order; runs of small ones are taken together.
async fn apply(conn: &mut Conn, batch: &[Change]) -> Result<Vec<Outcome>, Fault> {
    let mut outcomes = Vec::with_capacity(batch.len());
    for run in
        batch.chunk_by(|one, next| run_kind(one).is_some() && run_kind(one) == run_kind(next))
    {
        match run_kind(&run[0]) {
            Some(Run::Appends) => {
                let appends: Vec<&Append> = run.iter().filter_map(as_append).collect();
                outcomes.extend(append_all(conn, &appends).await?);
            }
            Some(Run::Cursors) => {
                device::move_cursors(conn, run).await?;
                outcomes.extend(run.iter().map(|_| Outcome::done()));
            }
            Some(Run::Logins) => {
                blob::note_logins(conn, run).await?;
                outcomes.extend(run.iter().map(|_| Outcome::done()));
            }
            Some(Run::Uploads) => {
                blob::count_uploads(conn, run).await?;
                outcomes.extend(run.iter().map(|_| Outcome::done()));
            }
            None => {
                for change in run {
                    outcomes.push(Box::pin(single(conn, change)).await?);
                }
            }
        }
    }
    Ok(outcomes)
}

/// Changes that come in numbers and are applied together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Run {
    Appends,
    Cursors,
    Logins,
    Uploads,
}

fn run_kind(change: &Change) -> Option<Run> {
    match change {
        Change::Append(_) => Some(Run::Appends),
        Change::MoveCursor { .. } => Some(Run::Cursors),
        Change::NoteLogin { .. } => Some(Run::Logins),
        Change::CountUpload { .. } => Some(Run::Uploads),
        _ => None,
    }
}

fn as_append(change: &Change) -> Option<&Append> {
    match change {
        Change::Append(append) => Some(append),
        _ => None,
    }
}

#[allow(clippy::too_many_lines, reason = "a table: one arm for each change")]
async fn single(conn: &mut Conn, change: &Change) -> Result<Outcome, Fault> {
    match change {
        Change::Append(append) => {
            let outcomes = append_all(conn, &[append]).await?;
            let only = outcomes.into_iter().next();
            only.ok_or_else(|| Fault::broken("an append has no outcome"))
        }
        Change::MoveCursor { .. } => {
            device::move_cursors(conn, std::slice::from_ref(change)).await?;
            Ok(Outcome::done())
        }
        Change::NoteLogin { .. } => {
            blob::note_logins(conn, std::slice::from_ref(change)).await?;
            Ok(Outcome::done())
        }
        Change::CountUpload { .. } => {
            blob::count_uploads(conn, std::slice::from_ref(change)).await?;
            Ok(Outcome::done())
        }
        Change::CreateAccount { account, at } => account::create(conn, account, *at).await,
        Change::SetPassword {
            user,
            password_hash,
        } => account::set_password(conn, *user, password_hash).await,
        Change::SetProfile { profile, at } => account::set_profile(conn, profile, *at).await,
        Change::RequestFriend {
            origin,
            username,
            to,
            note,
            limit,
        } => friend::request(conn, origin, (username, note), *to, *limit).await,
        Change::AnswerFriend {
            origin,
            username,
            to,
            accepted,
            limit,
        } => {
            let answer = friend::Answer {
                origin,
                username,
                to: *to,
                accepted: *accepted,
            };
            friend::answer(conn, &answer, *limit).await
        }
        Change::RemoveFriend {
            origin,
            username,
            friend,
        } => friend::remove(conn, origin, username, *friend).await,
        Change::CreateGroup {
            origin,
            name,
            limit,
        } => group::create(conn, origin, name, *limit).await,
        Change::EditTeams { user, edit, limit } => team::edit(conn, *user, edit, *limit).await,
        Change::SetRemark { user, peer, remark } => {
            team::set_remark(conn, *user, *peer, remark).await
        }
        Change::MoveContact {
            user,
            peer,
            from,
            to,
        } => team::move_contact(conn, *user, *peer, from, to).await,
        Change::RegisterDevice { user, device, at } => {
            device::register(conn, *user, *device, *at).await
        }
        Change::NameBlob {
            class,
            name,
            blob,
            size,
            verified,
            at,
        } => {
            let named = blob::Naming {
                class: *class,
                name,
                blob: *blob,
                size: *size,
                verified: *verified,
            };
            blob::name(conn, &named, *at).await
        }
        Change::Audited { change, record } => {
            if let Some(refusal) = shared::check_audited(conn, record).await? {
                return Ok(Outcome::Refused(refusal));
            }
            let outcome = Box::pin(single(conn, change)).await?;
            shared::note_audited(conn, record, &outcome).await?;
            Ok(outcome)
        }
        Change::Invited { change, code, at } => {
            if let Some(refusal) = shared::check_invite(conn, code, *at).await? {
                return Ok(Outcome::Refused(refusal));
            }
            let outcome = Box::pin(single(conn, change)).await?;
            if matches!(outcome, Outcome::Done { .. }) {
                shared::count_invite(conn, code).await?;
            }
            Ok(outcome)
        }
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
        | Change::Upgrade(_) => shared::apply(conn, change).await,
    }
}
