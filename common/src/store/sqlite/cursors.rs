//! Who may read which conversation, and how far each device got.

use rusqlite::{Connection, OptionalExtension};

use super::fault::Applied;
use super::number;
use crate::id::{ConvId, ConvKind, DeviceId, Millis, Seq, UserId};
use crate::store::{Behind, Outcome, StoreError};

/// The conversations whose head is beyond the device's cursor. CROSS JOIN keeps SQLite to this
/// order: the user's places, then one step into an index for each of them.
pub(super) const BEHIND: &str = "SELECT p.f_conv, coalesce(c.f_seq, p.f_since), v.f_head, m.f_time
     FROM t_place p
     LEFT JOIN t_cursor c
          ON c.f_user_id = p.f_user_id AND c.f_conv = p.f_conv AND c.f_device = ?2
     CROSS JOIN t_conversation v
          ON v.f_conv = p.f_conv AND v.f_head > coalesce(c.f_seq, p.f_since)
     CROSS JOIN t_chatmsg m
          ON m.f_conv = p.f_conv AND m.f_seq = coalesce(c.f_seq, p.f_since) + 1
     WHERE p.f_user_id = ?1";

/// The last sequence number; 0 before the first entry.
pub(super) fn head(conn: &Connection, conv: ConvId) -> Result<Seq, StoreError> {
    let head: Option<i64> = conn
        .prepare_cached("SELECT f_head FROM t_conversation WHERE f_conv = ?1")?
        .query_row([number::from_conv(conv)], |row| row.get(0))
        .optional()?;
    number::to_seq(head.unwrap_or(0))
}

/// The places that come with a conversation's first entry. A group's members have theirs since
/// they joined.
pub(super) fn make_first_places(conn: &Connection, conv: ConvId) -> Result<(), StoreError> {
    match conv.kind() {
        Some(ConvKind::Direct(a, b)) => {
            make_place(conn, a, conv, Seq(0))?;
            make_place(conn, b, conv, Seq(0))
        }
        Some(ConvKind::Inbox(owner)) => make_place(conn, owner, conv, Seq(0)),
        Some(ConvKind::Group(_)) | None => Ok(()),
    }
}

/// Lets the user read the conversation behind `since`.
pub(super) fn make_place(
    conn: &Connection,
    user: UserId,
    conv: ConvId,
    since: Seq,
) -> Result<(), StoreError> {
    // Who talks to himself has one place there, not two.
    conn.prepare_cached(
        "INSERT OR IGNORE INTO t_place (f_user_id, f_conv, f_since) VALUES (?1, ?2, ?3)",
    )?
    .execute((user.0, number::from_conv(conv), number::from_seq(since)))?;
    Ok(())
}

/// Makes a device known. Conversations without any cursor need no row: there the device starts
/// where the user may.
pub(super) fn register(conn: &Connection, user: UserId, device: DeviceId, at: Millis) -> Applied {
    let acknowledges = device.acknowledges();
    let device = number::from_device(device);
    let new = conn
        .prepare_cached(
            "INSERT OR IGNORE INTO t_device (f_user_id, f_device, f_registered)
             VALUES (?1, ?2, ?3)",
        )?
        .execute((user.0, device, at.0))?;
    // One that acknowledges starts where the user may: it wants the history. What a webhook was
    // posted nobody has read.
    if new > 0 && !acknowledges {
        conn.prepare_cached(
            "INSERT INTO t_cursor (f_user_id, f_device, f_conv, f_seq)
             SELECT p.f_user_id, ?2, p.f_conv, max(c.f_seq)
             FROM t_place p CROSS JOIN t_cursor c
                  ON c.f_user_id = p.f_user_id AND c.f_conv = p.f_conv
             WHERE p.f_user_id = ?1 AND c.f_device NOT IN
                 (SELECT h.f_device FROM t_outgoing_hook h WHERE h.f_user_id = ?1)
             GROUP BY p.f_conv
             ON CONFLICT DO UPDATE SET f_seq = max(f_seq, excluded.f_seq)",
        )?
        .execute((user.0, device))?;
    }
    Ok(Outcome::done())
}

/// Moves a cursor forward, at most to the head.
pub(super) fn advance(
    conn: &Connection,
    user: UserId,
    device: DeviceId,
    conv: ConvId,
    seq: Seq,
) -> Applied {
    #[cfg(feature = "planted")]
    if crate::config::planted::has("cursor-not-written") {
        return Ok(Outcome::done());
    }
    conn.prepare_cached(
        "INSERT INTO t_cursor (f_user_id, f_device, f_conv, f_seq)
         SELECT p.f_user_id, ?2, p.f_conv, min(?4, v.f_head)
         FROM t_place p CROSS JOIN t_conversation v ON v.f_conv = p.f_conv
         WHERE p.f_user_id = ?1 AND p.f_conv = ?3 AND min(?4, v.f_head) > p.f_since
         ON CONFLICT DO UPDATE SET f_seq = excluded.f_seq WHERE excluded.f_seq > f_seq",
    )?
    .execute((
        user.0,
        number::from_device(device),
        number::from_conv(conv),
        number::from_seq(seq),
    ))?;
    Ok(Outcome::done())
}

/// How far the device got, or how far back the user may look.
pub(super) fn cursor(
    conn: &Connection,
    user: UserId,
    device: DeviceId,
    conv: ConvId,
) -> Result<Option<Seq>, StoreError> {
    let found: Option<i64> = conn
        .prepare_cached(
            "SELECT coalesce(c.f_seq, p.f_since) FROM t_place p
             LEFT JOIN t_cursor c ON c.f_user_id = p.f_user_id AND c.f_conv = p.f_conv
                 AND c.f_device = ?2
             WHERE p.f_user_id = ?1 AND p.f_conv = ?3",
        )?
        .query_row(
            (user.0, number::from_device(device), number::from_conv(conv)),
            |row| row.get(0),
        )
        .optional()?;
    found.map(number::to_seq).transpose()
}

/// The conversations whose head is beyond the device's cursor.
pub(super) fn behind(
    conn: &Connection,
    user: UserId,
    device: DeviceId,
) -> Result<Vec<Behind>, StoreError> {
    let mut statement = conn.prepare_cached(BEHIND)?;
    let mut rows = statement.query((user.0, number::from_device(device)))?;
    let mut behind = Vec::new();
    while let Some(row) = rows.next()? {
        behind.push(Behind {
            conv: ConvId(number::to_u64(row.get(0)?)?),
            cursor: number::to_seq(row.get(1)?)?,
            head: number::to_seq(row.get(2)?)?,
            next_at: Millis(row.get(3)?),
        });
    }
    Ok(behind)
}
