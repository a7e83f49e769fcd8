//! All messages with some words, sorted, if one of the words stands in few.

use std::collections::HashMap;

use super::find::{Page, Place, in_order};
use super::term::{Term, one_of};
use super::{Hit, Value};
use crate::id::{ConvId, Seq};
use crate::store::bulk::lookups;
use crate::store::{Row, Store, StoreError};

/// Messages with a word that stands in few. To read so many takes about as long as a page of each
/// of ten conversations.
const FEW_MAX: u32 = 512;
const TOO_MANY: u32 = FEW_MAX + 1;

/// Puts the term that stands in the fewest messages to the front; whether these are few. Of those
/// that stand in many all count as the same.
pub(super) async fn to_front(
    store: &dyn Store,
    places: &[Place],
    terms: &mut [Term],
) -> Result<bool, StoreError> {
    let mut fewest = (TOO_MANY, 0);
    for (nth, term) in terms.iter().enumerate() {
        fewest = fewest.min((count(store, places, term).await?, nth));
    }
    let (count, nth) = fewest;
    if let Some(before) = terms.get_mut(..=nth) {
        before.rotate_right(1);
    }
    Ok(count < TOO_MANY)
}

/// How often a term stands in the index, counted up to [`TOO_MANY`]. What was said before the user
/// came is counted too.
async fn count(store: &dyn Store, places: &[Place], term: &Term) -> Result<u32, StoreError> {
    let mut count = 0;
    for convs in pieces(places) {
        let (sql, mut values) = words("1 AS f_one", &convs, std::slice::from_ref(term));
        values.push(TOO_MANY.saturating_sub(count).into());
        let sql = format!("SELECT COUNT(*) FROM ({sql} LIMIT ?) AS counted");
        let rows = store.select(&sql, values).await?;
        count += rows.first().map_or(Ok(0), |row| row.u32(0))?;
        if count >= TOO_MANY {
            break;
        }
    }
    Ok(count)
}

/// The messages with all terms, if these or those with the first one are few.
pub(super) async fn newest(
    store: &dyn Store,
    places: &[Place],
    terms: &[Term],
    page: Page,
) -> Result<Option<Vec<Hit>>, StoreError> {
    let since: HashMap<ConvId, Seq> = places.iter().map(|one| (one.conv, one.since)).collect();
    let mut hits = Vec::new();
    for convs in pieces(places) {
        let (sql, mut values) = words("w.f_conv, w.f_seq, w.f_time", &convs, terms);
        values.push(TOO_MANY.into());
        let rows = store.select(&format!("{sql} LIMIT ?"), values).await?;
        for row in &rows {
            hits.push(hit(row)?);
        }
        if hits.len() >= usize::try_from(TOO_MANY).unwrap_or(usize::MAX) {
            return Ok(None);
        }
    }
    hits.retain(|hit| {
        let may_read = since.get(&hit.conv).is_some_and(|since| hit.seq > *since);
        may_read && page.after.is_none_or(|after| hit.age() < after.age())
    });
    in_order(&mut hits, page.limit);
    Ok(Some(hits))
}

fn pieces(places: &[Place]) -> Vec<Vec<ConvId>> {
    let convs: Vec<ConvId> = places.iter().map(|place| place.conv).collect();
    lookups(&convs)
}

/// The places of the first term in these conversations where the others stand too. MySQL and MariaDB
/// look for words that begin so only where the conversations are named: to those that come from
/// another table they join all words.
fn words(columns: &str, convs: &[ConvId], terms: &[Term]) -> (String, Vec<Value>) {
    let mut values = Vec::new();
    let mut sql = format!(
        "SELECT {columns} FROM t_word w WHERE w.f_conv {}",
        one_of(convs, &mut values)
    );
    for (nth, term) in terms.iter().enumerate() {
        sql += &match nth {
            0 => format!(" AND {}", term.wanted.condition("w", &mut values)),
            _ => term.also(convs, &mut values),
        };
    }
    (sql, values)
}

/// A row of conversation, number and time.
pub(super) fn hit(row: &Row) -> Result<Hit, StoreError> {
    Ok(Hit {
        conv: row.conv(0)?,
        seq: row.seq(1)?,
        at: row.millis(2)?,
    })
}
