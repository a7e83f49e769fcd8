//! Devices and how far they got.

use std::collections::BTreeMap;

use mysql_async::{Conn, Params, Value};

use super::connections::write;
use super::fault::Fault;
use crate::id::{DeviceId, Millis, UserId};
use crate::store::bulk::pieces;
use crate::store::{Change, Outcome};

pub(super) async fn register(
    conn: &mut Conn,
    user: UserId,
    device: DeviceId,
    at: Millis,
) -> Result<Outcome, Fault> {
    // `f_device = f_device` counts no row as touched: 1 means that the device is new.
    let fresh = write(
        conn,
        "INSERT INTO t_device (f_user_id, f_device, f_registered) VALUES (?, ?, ?) \
         ON DUPLICATE KEY UPDATE f_device = f_device",
        (user.0, device.0, at.0),
    )
    .await?;
    // One that acknowledges starts where the user may: it wants the history. What a webhook was
    // posted nobody has read.
    if fresh == 1 && !device.acknowledges() {
        write(
            conn,
            "INSERT INTO t_cursor (f_user_id, f_device, f_conv, f_seq) \
             SELECT f_user_id, CAST(? AS UNSIGNED), f_conv, f_furthest FROM ( \
                 SELECT c.f_user_id, c.f_conv, MAX(c.f_seq) AS f_furthest \
                 FROM t_cursor c \
                 JOIN t_place p ON p.f_user_id = c.f_user_id AND p.f_conv = c.f_conv \
                 LEFT JOIN t_outgoing_hook h \
                     ON h.f_user_id = c.f_user_id AND h.f_device = c.f_device \
                 WHERE c.f_user_id = ? AND h.f_hook IS NULL \
                 GROUP BY c.f_user_id, c.f_conv \
             ) AS reached \
             ON DUPLICATE KEY UPDATE f_seq = GREATEST(t_cursor.f_seq, VALUES(f_seq))",
            (device.0, user.0),
        )
        .await?;
    }
    Ok(Outcome::done())
}

/// Moves cursors; of several moves of one cursor the furthest counts.
pub(super) async fn move_cursors(conn: &mut Conn, moves: &[Change]) -> Result<(), Fault> {
    let mut furthest: BTreeMap<(u32, u64, u64), u64> = BTreeMap::new();
    for change in moves {
        if let Change::MoveCursor {
            user,
            device,
            conv,
            seq,
        } = change
        {
            let reached = furthest.entry((user.0, device.0, conv.0)).or_default();
            *reached = (*reached).max(seq.0);
        }
    }
    let wanted: Vec<[u64; 4]> = furthest
        .into_iter()
        .map(|((user, device, conv), seq)| [u64::from(user), device, conv, seq])
        .collect();
    for piece in pieces(&wanted) {
        let columns = "SELECT CAST(? AS UNSIGNED) AS w_user, CAST(? AS UNSIGNED) AS w_device, \
             CAST(? AS UNSIGNED) AS w_conv, CAST(? AS UNSIGNED) AS w_seq";
        let list = vec![columns; piece.len()].join(" UNION ALL ");
        let sql = format!(
            "INSERT INTO t_cursor (f_user_id, f_device, f_conv, f_seq) \
             SELECT p.f_user_id, w.w_device, p.f_conv, LEAST(w.w_seq, v.f_head) \
             FROM ({list}) AS w \
             JOIN t_place p ON p.f_user_id = w.w_user AND p.f_conv = w.w_conv \
             JOIN t_conversation v ON v.f_conv = p.f_conv \
             WHERE LEAST(w.w_seq, v.f_head) > p.f_since \
             ON DUPLICATE KEY UPDATE f_seq = GREATEST(t_cursor.f_seq, VALUES(f_seq))"
        );
        let values = piece.iter().flatten().map(|n| Value::from(*n)).collect();
        write(conn, &sql, Params::Positional(values)).await?;
    }
    Ok(())
}
