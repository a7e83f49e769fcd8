//! The log of every conversation: writing an entry, and reading entries again.
//!
//! This is the path of every message; an append is four short statements.

use rusqlite::{Connection, OptionalExtension, Row};

use super::fault::{Applied, Stop};
use super::{cursors, guard, number, shared};
use crate::api::{Body, Entry, Notice, Origin, Refusal};
use crate::id::{CLIENT_ID_BYTES_MAX, ClientId, ConvId, ConvKind, Millis, Seq, UserId};
use crate::store::{Append, Outcome, StoreError, stored};

/// Appends a message, if it is new and its guard holds.
pub(super) fn append(conn: &Connection, append: &Append) -> Applied {
    let Append {
        conv,
        origin,
        body,
        guard: needed,
        files,
    } = append;
    #[cfg(feature = "planted")]
    if let Some(outcome) = planted::append(conn, append) {
        return outcome;
    }
    check_new(conn, origin, *conv, body)?;
    if let Some(refusal) = guard::check(conn, origin.user, *conv, *needed, origin.at)? {
        return Err(refusal.into());
    }
    if files.is_empty() {
        return done(vec![write(conn, *conv, origin, body)?]);
    }
    let present = shared::present(conn, files)?;
    if append.lacks_files(&present) {
        return Err(Refusal::NoSuchFile.into());
    }
    let entry = write(conn, *conv, origin, body)?;
    shared::refer(conn, &entry, append.files_among(&present))?;
    done(vec![entry])
}

/// Done, with these entries.
pub(super) fn done(entries: Vec<Entry>) -> Applied {
    Ok(Outcome::Done { id: None, entries })
}

/// Stops if the client id was used before: with `AlreadyThere` if it stands for just this.
pub(super) fn check_new(
    conn: &Connection,
    origin: &Origin,
    conv: ConvId,
    body: &Body,
) -> Result<(), Stop> {
    match find(conn, origin.user, &origin.client_id)? {
        None => Ok(()),
        Some(entry) if entry.conv == conv && entry.body == *body => Err(already_there(&entry)),
        Some(_) => Err(Refusal::ClientIdConflict.into()),
    }
}

/// As [`check_new`], for a change that causes two notices.
pub(super) fn check_new_pair(
    conn: &Connection,
    origin: &Origin,
    conv: ConvId,
    body: &Body,
) -> Result<(), Stop> {
    check_new(conn, origin, conv, body)?;
    match find(conn, origin.user, &second(&origin.client_id))? {
        None => Ok(()),
        Some(_) => Err(Refusal::ClientIdConflict.into()),
    }
}

pub(super) fn already_there(entry: &Entry) -> Stop {
    Stop::With(Outcome::AlreadyThere {
        conv: entry.conv,
        seq: entry.seq,
        at: entry.origin.at,
    })
}

/// The client id of the second notice that a change causes. One of full length loses its last
/// character to the suffix.
fn second(client_id: &ClientId) -> ClientId {
    let mut text = client_id.as_str().to_owned();
    while text.len() >= CLIENT_ID_BYTES_MAX {
        text.pop();
    }
    text.push('+');
    ClientId::new(text).expect("neither empty nor longer than before")
}

/// Writes a notice.
pub(super) fn write_notice(
    conn: &Connection,
    conv: ConvId,
    origin: &Origin,
    notice: Notice,
) -> Result<Entry, StoreError> {
    write(conn, conv, origin, &Body::Notice(notice))
}

/// Writes the second notice of one change.
pub(super) fn write_second_notice(
    conn: &Connection,
    conv: ConvId,
    origin: &Origin,
    notice: Notice,
) -> Result<Entry, StoreError> {
    let origin = Origin {
        client_id: second(&origin.client_id),
        ..origin.clone()
    };
    write(conn, conv, &origin, &Body::Notice(notice))
}

/// Gives the entry the next number and stores it. All conditions were checked.
fn write(
    conn: &Connection,
    conv: ConvId,
    origin: &Origin,
    body: &Body,
) -> Result<Entry, StoreError> {
    let (head, time): (i64, i64) = conn
        .prepare_cached(
            "INSERT INTO t_conversation (f_conv, f_head, f_time) VALUES (?1, 1, ?2)
             ON CONFLICT (f_conv)
             DO UPDATE SET f_head = f_head + 1, f_time = max(f_time, excluded.f_time)
             RETURNING f_head, f_time",
        )?
        .query_row((number::from_conv(conv), origin.at.0), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let target = target(origin.user, conv)?;
    if head == 1 {
        cursors::make_first_places(conn, conv)?;
    }
    let (kind, content) = stored::columns(body)?;
    conn.prepare_cached(
        "INSERT INTO t_chatmsg (f_senderid, f_targetid, f_msgcontent, f_conv, f_seq, f_kind,
                                f_client_id, f_device, f_tag, f_time)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute((
        origin.user.0,
        target,
        &*content,
        number::from_conv(conv),
        head,
        kind,
        origin.client_id.as_str(),
        number::from_device(origin.device),
        origin.tag,
        time,
    ))?;
    Ok(Entry {
        conv,
        seq: number::to_seq(head)?,
        origin: Origin {
            at: Millis(time),
            ..origin.clone()
        },
        body: body.clone(),
    })
}

/// Whom an entry is for, in the one number space of users and groups.
pub(super) fn target(sender: UserId, conv: ConvId) -> Result<u32, StoreError> {
    match conv.kind() {
        Some(ConvKind::Direct(a, b)) if sender == a => Ok(b.0),
        Some(ConvKind::Direct(a, _)) => Ok(a.0),
        Some(ConvKind::Group(group)) => Ok(group.0),
        Some(ConvKind::Inbox(owner)) => Ok(owner.0),
        None => Err(StoreError::Broken(format!("{conv} is no conversation"))),
    }
}

/// The entries behind `after`.
pub(super) fn pull(
    conn: &Connection,
    conv: ConvId,
    after: Seq,
    limit: u32,
) -> Result<Vec<Entry>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT f_conv, f_seq, f_senderid, f_device, f_client_id, f_tag, f_time, f_kind,
                f_msgcontent
         FROM t_chatmsg WHERE f_conv = ?1 AND f_seq > ?2 ORDER BY f_seq LIMIT ?3",
    )?;
    let mut rows = statement.query((number::from_conv(conv), number::from_seq(after), limit))?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(entry(row)?);
    }
    Ok(entries)
}

/// The entry that stands for a sender's client id.
pub(super) fn find(
    conn: &Connection,
    sender: UserId,
    client_id: &ClientId,
) -> Result<Option<Entry>, StoreError> {
    conn.prepare_cached(
        "SELECT f_conv, f_seq, f_senderid, f_device, f_client_id, f_tag, f_time, f_kind,
                f_msgcontent
         FROM t_chatmsg WHERE f_senderid = ?1 AND f_client_id = ?2",
    )?
    .query_row((sender.0, client_id.as_str()), |row| Ok(entry(row)))
    .optional()?
    .transpose()
}

fn entry(row: &Row<'_>) -> Result<Entry, StoreError> {
    let kind: i64 = row.get("f_kind")?;
    let content = row.get_ref("f_msgcontent")?.as_bytes().map_err(broken)?;
    let body = stored::body(kind, content.to_vec())?;
    let client_id: String = row.get("f_client_id")?;
    Ok(Entry {
        conv: ConvId(number::to_u64(row.get("f_conv")?)?),
        seq: number::to_seq(row.get("f_seq")?)?,
        origin: Origin {
            user: number::to_user(row.get("f_senderid")?)?,
            device: number::to_device(row.get("f_device")?),
            client_id: ClientId::new(client_id).ok_or_else(|| broken("a client id"))?,
            tag: row.get("f_tag")?,
            at: Millis(row.get("f_time")?),
        },
        body,
    })
}

fn broken(error: impl std::fmt::Display) -> StoreError {
    StoreError::Broken(format!("an entry that cannot be read: {error}"))
}

#[cfg(feature = "planted")]
mod planted {
    //! Ways to append wrongly, see `common::config::planted`.

    use super::{
        Append, Applied, ClientId, Connection, Origin, Outcome, Stop, check_new, done, guard,
        number, write,
    };
    use crate::config::planted::has;

    /// Another way to append, if it is to have such a bug.
    pub(super) fn append(conn: &Connection, append: &Append) -> Option<Applied> {
        let Append {
            conv, origin, body, ..
        } = append;
        if has("membership-unchecked") {
            let is_new = check_new(conn, origin, *conv, body);
            return Some(is_new.and_then(|()| done(vec![write(conn, *conv, origin, body)?])));
        }
        let found = check_new(conn, origin, *conv, body);
        let at = match found {
            Err(Stop::With(Outcome::AlreadyThere { conv, seq, at })) => Some((conv, seq, at)),
            _ => None,
        };
        if has("numbers-from-memory") {
            let refused = guard::check(conn, origin.user, *conv, append.guard, origin.at);
            if at.is_none() && matches!(refused, Ok(Some(_))) {
                let sql = "UPDATE t_conversation SET f_head = f_head + 1 WHERE f_conv = ?1";
                let taken = conn.execute(sql, [number::from_conv(*conv)]);
                return Some(taken.map_err(Into::into).and_then(|_| done(Vec::new())));
            }
        }
        let (conv, seq, at) = at?;
        if has("repeats-elsewhere") {
            let seq = seq.next();
            return Some(Err(Stop::With(Outcome::AlreadyThere { conv, seq, at })));
        }
        let client_id = ClientId::new(format!("again {}", conn.last_insert_rowid()))?;
        let again = Origin {
            client_id,
            ..origin.clone()
        };
        has("repeats-forgotten").then(|| done(vec![write(conn, conv, &again, body)?]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_client_id_is_never_too_long() {
        let second_of = |text: &str| second(&ClientId::new(text).unwrap());
        assert_eq!(second_of("a").as_str(), "a+");
        assert_eq!(second_of(&"x".repeat(63)).as_str(), "x".repeat(63) + "+");
        assert_eq!(second_of(&"x".repeat(64)).as_str(), "x".repeat(63) + "+");
        assert_eq!(second_of(&"😀".repeat(16)).as_str(), "😀".repeat(15) + "+");
    }
}
