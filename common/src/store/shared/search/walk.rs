//! The newest messages with words that stand in very many, without reading the others.
//!
//! The index has the messages of a conversation with a word in the order of their numbers, and the
//! times of a conversation never run backwards. So the newest of each conversation stand together at
//! one end, and what is no newer than the page's last hit need not be looked at: conversations are
//! read in the order of their newest entries until that is so for all that are left.
//!
//! Only where too many words have one beginning to be followed one by one are the messages of a
//! conversation sorted.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::find::{Page, Place, in_order};
use super::rare::hit;
use super::term::Term;
use super::{Hit, Value, Wanted};
use crate::id::{ConvId, Seq};
use crate::store::bulk::lookups;
use crate::store::{Store, StoreError};

/// Streams that are read together at first, and at the most. Mostly the newest messages are in a few
/// conversations; whoever needs those of a thousand should not wait for a thousand answers.
const TOGETHER_MIN: usize = 4;
const TOGETHER_MAX: usize = 16;

/// Behind every message.
const END: i64 = i64::MAX;

/// The messages of a conversation with a word.
#[derive(Clone, Debug)]
struct Stream {
    place: Place,
    wanted: Wanted,
}

/// The newest messages with all terms; the first is followed.
pub(super) async fn newest(
    store: &dyn Store,
    places: &[Place],
    terms: &[Term],
    page: Page,
) -> Result<Vec<Hit>, StoreError> {
    let Some((first, others)) = terms.split_first() else {
        return Ok(Vec::new());
    };
    let length = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let streams = streams(first, places);
    let mut rest = streams.as_slice();
    let mut together = TOGETHER_MIN;
    let mut hits: Vec<Hit> = Vec::new();
    while let Some(next) = rest.first() {
        let last = length.checked_sub(1).and_then(|nth| hits.get(nth)).copied();
        if last.is_some_and(|last| next.place.newest < last.at) {
            break;
        }
        let (now, later) = rest.split_at(together.min(rest.len()));
        for streams in lookups(now) {
            let (sql, values) = question(&streams, others, page, last);
            for row in &store.select(&sql, values).await? {
                hits.push(hit(row)?);
            }
        }
        in_order(&mut hits, page.limit);
        together = (together * 2).min(TOGETHER_MAX);
        rest = later;
    }
    Ok(hits)
}

/// The streams of a term, those of the conversations with the newest entries first.
fn streams(term: &Term, places: &[Place]) -> Vec<Stream> {
    let mut streams: Vec<Stream> = match &term.spelled {
        Some(spelled) => {
            let places: HashMap<ConvId, Place> =
                places.iter().map(|place| (place.conv, *place)).collect();
            let stream = |(conv, word): &(ConvId, String)| {
                let (place, wanted) = (*places.get(conv)?, Wanted::Word(word.clone()));
                Some(Stream { place, wanted })
            };
            spelled.iter().filter_map(stream).collect()
        }
        None => {
            let stream = |place: &Place| Stream {
                place: *place,
                wanted: term.wanted.clone(),
            };
            places.iter().map(stream).collect()
        }
    };
    streams.sort_by_key(|stream| Reverse(stream.place.newest));
    streams
}

/// The newest of each stream that are newer than `last`. Those with one word are read from the end
/// of their part of the index.
fn question(
    streams: &[Stream],
    others: &[Term],
    page: Page,
    last: Option<Hit>,
) -> (String, Vec<Value>) {
    let mut values = Vec::new();
    let mut arms = Vec::with_capacity(streams.len());
    for Stream { place, wanted } in streams {
        let one_each = match wanted {
            Wanted::Word(_) => "",
            // Two words of a message may begin so.
            Wanted::Prefix(_) => "DISTINCT ",
        };
        values.push(place.conv.into());
        let condition = wanted.condition("w", &mut values);
        values.push(since(place, last).into());
        values.extend(end(place.conv, page.after).map(Value::from));
        let mut sql = format!(
            "SELECT * FROM (SELECT {one_each}w.f_conv, w.f_seq, w.f_time FROM t_word w \
             WHERE w.f_conv = ? AND {condition} AND w.f_seq > ? AND w.f_seq < ? AND w.f_time < ?"
        );
        for other in others {
            sql += &other.also(&[place.conv], &mut values);
        }
        sql += " ORDER BY w.f_seq DESC LIMIT ?) AS newest";
        values.push(page.limit.into());
        arms.push(sql);
    }
    (arms.join(" UNION ALL "), values)
}

/// The entry of a conversation behind which its messages are still of interest.
fn since(place: &Place, last: Option<Hit>) -> Seq {
    let last = last.filter(|last| last.conv == place.conv);
    last.map_or(place.since, |last| place.since.max(last.seq))
}

/// What the numbers and the times of a conversation's messages are below, behind a hit.
fn end(conv: ConvId, after: Option<Hit>) -> [i64; 2] {
    match after {
        None => [END, END],
        Some(hit) if conv == hit.conv => [i64::try_from(hit.seq.0).unwrap_or(END), END],
        Some(hit) if conv < hit.conv => [END, hit.at.0.saturating_add(1)],
        Some(hit) => [END, hit.at.0],
    }
}
