//! A word to look for, and the words of the index that it stands for.

use std::collections::BTreeSet;

use super::find::Place;
use super::{Value, Wanted};
use crate::id::ConvId;
use crate::store::bulk::{lookups, marks};
use crate::store::{Store, StoreError};

/// Words with one beginning, counted once for each conversation, that are told apart. One letter
/// begins more of them in a long conversation, two letters hardly.
const SPELLED_MAX: u32 = 1024;

/// Words that are looked up one by one for each message that has another word.
const LOOKED_UP_MAX: usize = 16;

/// Greater than every letter: what begins with a text stands before the text with this behind it.
const LAST_LETTER: char = char::MAX;

/// A word to look for.
#[derive(Debug)]
pub(super) struct Term {
    pub(super) wanted: Wanted,
    /// Of a beginning the words that begin so and where they stand, if they are not too many.
    pub(super) spelled: Option<Vec<(ConvId, String)>>,
}

/// Behind everything that begins with a text.
pub(in crate::store) fn end_of(start: &str) -> String {
    format!("{start}{LAST_LETTER}")
}

/// The statement that answers with the different words of these conversations that begin so. MySQL
/// and MariaDB jump from one word to the next.
pub(in crate::store) fn different_words(
    convs: &[ConvId],
    start: &str,
    limit: u32,
) -> (String, Vec<Value>) {
    let mut values = Vec::new();
    let convs = one_of(convs, &mut values);
    let sql = format!(
        "SELECT DISTINCT f_conv, f_word FROM t_word \
         WHERE f_conv {convs} AND f_word >= ? AND f_word < ? LIMIT ?"
    );
    values.extend([start.into(), end_of(start).into(), limit.into()]);
    (sql, values)
}

/// That a conversation is one of these.
pub(super) fn one_of(convs: &[ConvId], values: &mut Vec<Value>) -> String {
    values.extend(convs.iter().map(|conv| Value::from(*conv)));
    format!("IN ({})", marks(convs.len()))
}

impl Term {
    pub(super) async fn of(
        store: &dyn Store,
        places: &[Place],
        wanted: &Wanted,
    ) -> Result<Self, StoreError> {
        let spelled = match wanted {
            Wanted::Word(_) => None,
            Wanted::Prefix(start) => spelled(store, places, start).await?,
        };
        Ok(Self {
            wanted: wanted.clone(),
            spelled,
        })
    }

    /// Nothing in the index is meant.
    pub(super) fn is_nowhere(&self) -> bool {
        self.spelled.as_ref().is_some_and(Vec::is_empty)
    }

    /// That the message of `w`, which is in one of these conversations, has such a word too.
    pub(super) fn also(&self, convs: &[ConvId], values: &mut Vec<Value>) -> String {
        let Some(words) = self.looked_up() else {
            // They are found once and not for each message.
            let convs = one_of(convs, values);
            let condition = self.wanted.condition("o", values);
            return format!(
                " AND (w.f_conv, w.f_seq) IN (SELECT o.f_conv, o.f_seq FROM t_word o \
                 WHERE o.f_conv {convs} AND {condition})"
            );
        };
        // MariaDB would make a list of all messages with the word for EXISTS, and read more of the
        // index than it has to for several words at once.
        let has = "(SELECT 1 FROM t_word o \
             WHERE o.f_conv = w.f_conv AND o.f_word = ? AND o.f_seq = w.f_seq) IS NOT NULL";
        let sql = format!(" AND ({})", vec![has; words.len()].join(" OR "));
        values.extend(words.into_iter().map(Value::from));
        sql
    }

    /// The words that are meant if they are few, filled up as everywhere.
    fn looked_up(&self) -> Option<Vec<&str>> {
        let words: BTreeSet<&str> = match (&self.wanted, &self.spelled) {
            (Wanted::Word(word), _) => BTreeSet::from([word.as_str()]),
            (Wanted::Prefix(_), None) => return None,
            (Wanted::Prefix(_), Some(spelled)) => {
                spelled.iter().map(|(_, word)| word.as_str()).collect()
            }
        };
        let words: Vec<&str> = words.into_iter().collect();
        (words.len() <= LOOKED_UP_MAX).then(|| lookups(&words).concat())
    }
}

async fn spelled(
    store: &dyn Store,
    places: &[Place],
    start: &str,
) -> Result<Option<Vec<(ConvId, String)>>, StoreError> {
    let too_many = SPELLED_MAX.saturating_add(1);
    let convs: Vec<ConvId> = places.iter().map(|place| place.conv).collect();
    let mut spelled = Vec::new();
    for convs in lookups(&convs) {
        let (sql, values) = store.different_words(&convs, start, too_many);
        for row in store.select(&sql, values).await? {
            spelled.push((row.conv(0)?, row.text(1)?));
        }
        if spelled.len() > usize::try_from(SPELLED_MAX).unwrap_or(usize::MAX) {
            return Ok(None);
        }
    }
    Ok(Some(spelled))
}

impl Wanted {
    /// What holds for such a word of the table with this short name.
    pub(super) fn condition(&self, table: &str, values: &mut Vec<Value>) -> String {
        match self {
            Self::Word(word) => {
                values.push(word.as_str().into());
                format!("{table}.f_word = ?")
            }
            Self::Prefix(start) => {
                values.extend([start.as_str().into(), end_of(start).into()]);
                format!("{table}.f_word >= ? AND {table}.f_word < ?")
            }
        }
    }
}
