//! Rows beside the logs: client ids, places of users, cursors of devices.

use super::{FINDINGS_MAX, Finding, Kind};
use crate::id::{ConvId, GroupId, Seq, UserId};
use crate::store::shared::{Row, Value};
use crate::store::{Store, StoreError};

/// Client ids that are read together.
const CLIENT_IDS: u32 = 2000;
/// Users whose rows are looked at together.
const USERS: u32 = 256;

/// Looks for a sender's client id that stands for two entries: walks in the order of the key that
/// should keep that from happening.
#[derive(Debug, Default)]
pub(super) struct ClientIds {
    /// The entries of senders up to here were looked at.
    after: Option<i64>,
    /// The sender whose entries are being looked at, and from which client id on.
    at: Option<(i64, Option<Value>)>,
}

#[derive(Clone, Debug)]
struct ClientIdRow {
    /// As it is stored: bytes or text.
    client_id: Value,
    conv: ConvId,
    seq: Seq,
}

impl ClientIds {
    pub(super) async fn next(
        &mut self,
        store: &dyn Store,
    ) -> Result<Option<Vec<Finding>>, StoreError> {
        let (sender, from) = match self.at.take() {
            Some(at) => at,
            None => match next_sender(store, self.after.unwrap_or(-1)).await? {
                Some(sender) => (sender, None),
                None => return Ok(None),
            },
        };
        let mut rows = some(store, sender, from.as_ref()).await?;
        let is_full = u32::try_from(rows.len()).is_ok_and(|found| found >= CLIENT_IDS);
        let last = rows.last().map(|row| row.client_id.clone());
        if is_full && last != from {
            // The entries of the last client id may go on: they are all looked at in the next piece.
            rows.retain(|row| Some(&row.client_id) != last.as_ref());
            self.at = Some((sender, last));
        } else {
            self.after = Some(sender);
        }
        let mut findings = Vec::new();
        for (before, row) in rows.iter().zip(rows.iter().skip(1)) {
            if before.client_id == row.client_id {
                findings.push(Finding::new(
                    Kind::DoubleClientId,
                    row.conv,
                    format_args!(
                        "user {sender} used one client id for entry {} of conversation {} and \
                         entry {} of conversation {}",
                        before.seq, before.conv, row.seq, row.conv
                    ),
                ));
            }
        }
        Ok(Some(findings))
    }
}

/// A sender's next client ids.
async fn some(
    store: &dyn Store,
    sender: i64,
    from: Option<&Value>,
) -> Result<Vec<ClientIdRow>, StoreError> {
    let mut sql = "SELECT f_client_id, f_conv, f_seq FROM t_chatmsg \
         WHERE f_senderid = ? AND f_conv IS NOT NULL"
        .to_owned();
    let mut values = vec![Value::Int(sender)];
    if let Some(from) = from {
        sql.push_str(" AND f_client_id >= ?");
        values.push(from.clone());
    }
    sql.push_str(" ORDER BY f_client_id LIMIT ?");
    values.push(CLIENT_IDS.into());
    let rows = store.select(&sql, values).await?;
    rows.iter()
        .map(|row| {
            Ok(ClientIdRow {
                client_id: row.0.first().cloned().unwrap_or(Value::Null),
                conv: row.conv(1)?,
                seq: row.seq(2)?,
            })
        })
        .collect()
}

async fn next_sender(store: &dyn Store, after: i64) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT MIN(f_senderid) FROM t_chatmsg WHERE f_senderid > ?";
    let rows = store.select(sql, vec![after.into()]).await?;
    match rows.first() {
        Some(row) => row.maybe_int(0),
        None => Ok(None),
    }
}

/// Looks at the places of users and at the cursors of their devices.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// The rows of users up to here were looked at.
    after: u32,
    /// The largest number that has such rows.
    last: Option<u32>,
}

impl Places {
    pub(super) async fn next(
        &mut self,
        store: &dyn Store,
    ) -> Result<Option<Vec<Finding>>, StoreError> {
        let last = match self.last {
            Some(last) => last,
            None => {
                let last = last_user(store).await?;
                *self.last.insert(last)
            }
        };
        if self.after >= last {
            return Ok(None);
        }
        let until = self.after.saturating_add(USERS);
        let mut findings = Vec::new();
        check_cursors(store, (self.after, until), &mut findings).await?;
        check_places(store, (self.after, until), &mut findings).await?;
        self.after = until;
        Ok(Some(findings))
    }
}

async fn last_user(store: &dyn Store) -> Result<u32, StoreError> {
    let mut last = 0;
    for table in ["t_place", "t_cursor"] {
        let sql = format!("SELECT COALESCE(MAX(f_user_id), 0) FROM {table}");
        for row in &store.select(&sql, Vec::new()).await? {
            last = last.max(row.u32(0)?);
        }
    }
    Ok(last)
}

type Users = (u32, u32);

/// A cursor and its head are read at the same moment, so that one that moves meanwhile is no
/// finding.
async fn check_cursors(
    store: &dyn Store,
    (after, until): Users,
    findings: &mut Vec<Finding>,
) -> Result<(), StoreError> {
    let sql = "SELECT c.f_user_id, c.f_conv, c.f_seq, COALESCE(v.f_head, 0) FROM t_cursor c \
         LEFT JOIN t_conversation v ON v.f_conv = c.f_conv \
         WHERE c.f_user_id > ? AND c.f_user_id <= ? AND c.f_seq > COALESCE(v.f_head, 0) LIMIT ?";
    let rows = store
        .select(sql, vec![after.into(), until.into(), FINDINGS_MAX.into()])
        .await?;
    for row in &rows {
        let (user, conv, seq, head) = (row.user(0)?, row.conv(1)?, row.seq(2)?, row.seq(3)?);
        findings.push(Finding::new(
            Kind::CursorBeyondHead,
            conv,
            format_args!(
                "a device of user {user} has entry {seq} of conversation {conv}, which ends at \
                 {head}"
            ),
        ));
    }
    more(
        &rows,
        "cursors beyond the end of their conversation",
        findings,
    );
    Ok(())
}

async fn check_places(
    store: &dyn Store,
    (after, until): Users,
    findings: &mut Vec<Finding>,
) -> Result<(), StoreError> {
    // A group that was adopted and in which nobody wrote yet has members and no conversation.
    let sql = "SELECT p.f_user_id, p.f_conv, p.f_since, p.f_read, v.f_head FROM t_place p \
         LEFT JOIN t_conversation v ON v.f_conv = p.f_conv \
         LEFT JOIN t_user g ON g.f_user_id = p.f_conv - ? \
         WHERE p.f_user_id > ? AND p.f_user_id <= ? \
         AND (p.f_since > COALESCE(v.f_head, 0) OR p.f_read > COALESCE(v.f_head, 0) \
         OR (v.f_conv IS NULL AND g.f_user_id IS NULL)) LIMIT ?";
    let first = ConvId::group(GroupId(0));
    let values = vec![
        first.into(),
        after.into(),
        until.into(),
        FINDINGS_MAX.into(),
    ];
    let rows = store.select(sql, values).await?;
    for row in &rows {
        findings.push(place(row)?);
    }
    more(&rows, "places that cannot be", findings);
    Ok(())
}

fn place(row: &Row) -> Result<Finding, StoreError> {
    let (user, conv): (UserId, ConvId) = (row.user(0)?, row.conv(1)?);
    let (since, read) = (row.seq(2)?, row.seq(3)?);
    let Some(head) = row.maybe_int(4)? else {
        let text = format!("user {user} has a place in conversation {conv}, which is not there");
        return Ok(Finding::new(Kind::PlaceWithoutConversation, conv, text));
    };
    let text = if i64::try_from(read.0).is_ok_and(|read| read > head) {
        format!("user {user} has read entry {read} of conversation {conv}, which ends at {head}")
    } else {
        format!(
            "user {user} may read conversation {conv} behind entry {since}, but it ends at {head}"
        )
    };
    Ok(Finding::new(Kind::PlaceBeyondHead, conv, text))
}

fn more(rows: &[Row], what: &str, findings: &mut Vec<Finding>) {
    if u32::try_from(rows.len()).is_ok_and(|found| found >= FINDINGS_MAX) {
        let text = format!("there may be more {what}");
        findings.push(Finding::new(Kind::More, None, text));
    }
}
