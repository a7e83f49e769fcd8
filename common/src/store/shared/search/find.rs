//! Finds the messages with some words: decides how.
//!
//! Words that stand in few messages are looked up whole, beginning with the rarest, and what is
//! found is sorted. Where all words stand in many messages only the newest of them are read.

use std::cmp::Reverse;

use super::term::Term;
use super::{Hit, Wanted, rare, walk};
use crate::id::{ConvId, Millis, Seq, UserId};
use crate::store::{Store, StoreError};

/// A conversation that the user may read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) conv: ConvId,
    /// The entry behind which he may read it.
    pub(super) since: Seq,
    /// No entry of it is newer.
    pub(super) newest: Millis,
}

/// Which of the messages that are found are wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    /// The hit behind which the page begins.
    pub(super) after: Option<Hit>,
    pub(super) limit: u32,
}

/// Messages that the user may read and that have all the words, the newest first, behind `after`.
/// None for no words.
///
/// # Errors
/// When the database cannot be asked.
pub async fn find(
    store: &dyn Store,
    user: UserId,
    conv: Option<ConvId>,
    wanted: &[Wanted],
    after: Option<Hit>,
    limit: u32,
) -> Result<Vec<Hit>, StoreError> {
    let page = Page { after, limit };
    let places = match wanted {
        [] => Vec::new(),
        _ => places(store, user, conv).await?,
    };
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let mut terms = Vec::with_capacity(wanted.len());
    for one in likely_rare_first(wanted) {
        let term = Term::of(store, &places, one).await?;
        if term.is_nowhere() {
            return Ok(Vec::new());
        }
        terms.push(term);
    }
    let may_be_rare = terms.len() == 1 || rare::to_front(store, &places, &mut terms).await?;
    if may_be_rare && let Some(hits) = rare::newest(store, &places, &terms, page).await? {
        return Ok(hits);
    }
    walk::newest(store, &places, &terms, page).await
}

async fn places(
    store: &dyn Store,
    user: UserId,
    conv: Option<ConvId>,
) -> Result<Vec<Place>, StoreError> {
    let mut sql =
        "SELECT p.f_conv, p.f_since, v.f_time FROM t_place p CROSS JOIN t_conversation v \
         ON v.f_conv = p.f_conv WHERE p.f_user_id = ?"
            .to_owned();
    let mut values = vec![user.into()];
    if let Some(conv) = conv {
        sql += " AND p.f_conv = ?";
        values.push(conv.into());
    }
    let rows = store.select(&sql, values).await?;
    rows.iter()
        .map(|row| {
            Ok(Place {
                conv: row.conv(0)?,
                since: row.seq(1)?,
                newest: row.millis(2)?,
            })
        })
        .collect()
}

/// The longest whole word is likely the rarest; the words that are most likely missing are asked
/// for first.
fn likely_rare_first(wanted: &[Wanted]) -> Vec<&Wanted> {
    let mut sorted: Vec<&Wanted> = wanted.iter().collect();
    sorted.sort_by_key(|wanted| match wanted {
        Wanted::Word(word) => (0, Reverse(word.chars().count())),
        Wanted::Prefix(start) => (1, Reverse(start.chars().count())),
    });
    sorted
}

/// Puts hits into the order of a page, each once, and cuts what is too many.
pub(super) fn in_order(hits: &mut Vec<Hit>, limit: u32) {
    hits.sort_unstable_by_key(|hit| Reverse(hit.age()));
    hits.dedup();
    hits.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
}

impl Hit {
    /// What hits are in the order of. Of messages of the same time those in conversations with higher
    /// numbers count as newer.
    pub(super) fn age(&self) -> (Millis, ConvId, Seq) {
        (self.at, self.conv, self.seq)
    }
}
