//! How many messages of others a user has not read, of many conversations at once.
//!
//! One statement asks about many conversations, each by numbers of its own: a statement that took
//! the numbers from a table would make MySQL look at the whole history of each conversation.

use super::place::{Place, UNREAD_MAX};
use super::{Row, Value};
use crate::id::{ConvId, Seq, UserId};
use crate::store::{Store, StoreError};

/// Conversations of one statement at most. They come in powers of two, so that there are few
/// statements to keep prepared.
const ASKED_MAX: usize = 32;

/// The values of one conversation in a statement.
const VALUES: usize = 7;

/// The messages of others behind a place. Where more entries than [`UNREAD_MAX`] stand behind it,
/// counting stops there.
const FEW: &str = "(SELECT COUNT(*) FROM t_chatmsg m \
     WHERE m.f_conv = ? AND m.f_seq > ? AND m.f_kind <> 0 AND m.f_senderid <> ?)";
const MANY: &str = "(SELECT COUNT(*) FROM (SELECT 1 FROM t_chatmsg m \
     WHERE m.f_conv = ? AND m.f_seq > ? AND m.f_kind <> 0 AND m.f_senderid <> ? \
     LIMIT 999) AS found)";

/// Those of them that mention the user, or everybody. CROSS JOIN keeps SQLite from beginning with
/// the messages.
const MENTIONS: &str = "(SELECT COUNT(DISTINCT found.f_seq) FROM (SELECT n.f_seq \
     FROM t_mention n CROSS JOIN t_chatmsg m ON m.f_conv = n.f_conv AND m.f_seq = n.f_seq \
     WHERE n.f_conv = ? AND n.f_user_id IN (0, ?) AND n.f_seq > ? AND m.f_senderid <> ? \
     LIMIT 999) AS found)";

/// Fills in `unread` and `mentions`.
pub(super) async fn count(
    store: &dyn Store,
    user: UserId,
    places: &mut [Place],
) -> Result<(), StoreError> {
    let behind = |place: &Place| place.head.0.saturating_sub(place.read.0);
    let (mut few, mut many) = (Vec::new(), Vec::new());
    for place in places.iter_mut().filter(|place| behind(place) > 0) {
        if behind(place) <= u64::from(UNREAD_MAX) {
            few.push(place);
        } else {
            many.push(place);
        }
    }
    for (places, messages) in [(&mut few, FEW), (&mut many, MANY)] {
        for places in places.chunks_mut(ASKED_MAX) {
            count_some(store, user, places, messages).await?;
        }
    }
    Ok(())
}

async fn count_some(
    store: &dyn Store,
    user: UserId,
    places: &mut [&mut Place],
    messages: &str,
) -> Result<(), StoreError> {
    let width = places.len().next_power_of_two();
    let sql = statement(width, messages);
    let mut values = Vec::with_capacity(width * VALUES);
    for nth in 0..width {
        // What fills the statement up asks about a conversation that never is.
        let (conv, read) = places
            .get(nth)
            .map_or((ConvId(0), Seq(0)), |place| (place.conv, place.read));
        let of_place: [Value; VALUES] = [
            conv.into(),
            read.into(),
            user.into(),
            conv.into(),
            user.into(),
            read.into(),
            user.into(),
        ];
        values.extend(of_place);
    }
    for row in &store.select(&sql, values).await? {
        fill(places, row)?;
    }
    Ok(())
}

fn statement(width: usize, messages: &str) -> String {
    let one = |nth: usize| format!("SELECT {nth} AS n, {messages}, {MENTIONS}");
    let all: Vec<String> = (0..width).map(one).collect();
    all.join(" UNION ALL ")
}

fn fill(places: &mut [&mut Place], row: &Row) -> Result<(), StoreError> {
    let nth = usize::try_from(row.unsigned(0)?).unwrap_or(usize::MAX);
    if let Some(place) = places.get_mut(nth) {
        place.unread = row.u32(1)?.min(UNREAD_MAX);
        place.mentions = row.u32(2)?.min(place.unread);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statements_stop_where_the_limit_says() {
        let limit = format!("LIMIT {UNREAD_MAX})");
        assert!(MANY.contains(&limit) && MENTIONS.contains(&limit));
        let sql = statement(2, FEW);
        assert_eq!(sql.matches('?').count(), 2 * VALUES);
    }
}
