//! The words of messages, and who was mentioned in them.
//!
//! The index is filled behind the log, by the chat server's indexer; `t_conversation.f_indexed`
//! says how far it got. It may hold words of messages that were edited or taken back since: who
//! reads a hit looks at the message again.

use super::{Tx, Value};
use crate::id::{ConvId, Millis, Seq, UserId};
use crate::store::bulk::{groups, lookups, marks, pieces};
use crate::store::{Outcome, Store, StoreError};

/// Conversations that a statement names at most; of users with more all are joined.
const LISTED_MAX: u32 = 512;

/// Greater than every letter: what begins with a text stands before the text with this behind it.
const LAST_LETTER: char = char::MAX;

/// A write to the index. Writing the same again changes nothing. Never refused.
#[derive(Clone, Debug)]
pub struct SearchChange {
    pub conv: ConvId,
    /// Everything up to here is in the index now.
    pub upto: Seq,
    pub words: Vec<Indexed>,
    /// Which messages mention whom; `None` is everybody.
    pub mentions: Vec<(Seq, Option<UserId>)>,
}

/// The words of one message, each once.
#[derive(Clone, Debug)]
pub struct Indexed {
    pub seq: Seq,
    pub at: Millis,
    pub words: Vec<String>,
}

/// What a word of the index has to be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Wanted {
    Word(String),
    /// A word that begins so.
    Prefix(String),
}

/// A message in whose text all words are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    pub conv: ConvId,
    pub seq: Seq,
    pub at: Millis,
}

pub(super) async fn apply<T: Tx>(tx: &mut T, change: &SearchChange) -> Result<Outcome, T::Fault> {
    let conv = Value::from(change.conv);
    let mut words: Vec<(&str, Seq, Millis)> = Vec::new();
    for indexed in &change.words {
        let of_message = |word| (word, indexed.seq, indexed.at);
        words.extend(indexed.words.iter().map(String::as_str).map(of_message));
    }
    // In the order of the key: neighbours go into one page, and two servers lock alike.
    words.sort_unstable();
    for piece in pieces(&words) {
        let sql = format!(
            "{} INTO t_word (f_conv, f_word, f_seq, f_time) VALUES {}",
            T::INSERT_IGNORE,
            groups(piece.len(), 4)
        );
        let row = |(word, seq, at): &(&str, Seq, Millis)| -> [Value; 4] {
            [conv.clone(), (*word).into(), (*seq).into(), (*at).into()]
        };
        tx.execute(&sql, piece.iter().flat_map(row).collect())
            .await?;
    }
    let mut mentions = change.mentions.clone();
    mentions.sort_unstable_by_key(|(seq, user)| (*user, *seq));
    for piece in pieces(&mentions) {
        let sql = format!(
            "{} INTO t_mention (f_conv, f_user_id, f_seq) VALUES {}",
            T::INSERT_IGNORE,
            groups(piece.len(), 3)
        );
        let row = |(seq, user): &(Seq, Option<UserId>)| -> [Value; 3] {
            [
                conv.clone(),
                user.unwrap_or(UserId(0)).into(),
                (*seq).into(),
            ]
        };
        tx.execute(&sql, piece.iter().flat_map(row).collect())
            .await?;
    }
    // Last, because this locks the conversation: who writes there waits for it.
    let sql = "UPDATE t_conversation SET f_indexed = ? WHERE f_conv = ? AND f_indexed < ?";
    let upto = Value::from(change.upto);
    tx.execute(sql, vec![upto.clone(), conv, upto]).await?;
    Ok(Outcome::done())
}

/// The conversations with entries that are not in the index yet, and how far each is; ascending,
/// behind `after`. Looks at all conversations: for the start of a server.
///
/// # Errors
/// When the database cannot be asked.
pub async fn behind(
    store: &dyn Store,
    after: Option<ConvId>,
    limit: u32,
) -> Result<Vec<(ConvId, Seq)>, StoreError> {
    let sql = "SELECT f_conv, f_indexed FROM t_conversation \
         WHERE f_conv > ? AND f_head > f_indexed ORDER BY f_conv LIMIT ?";
    let after = after.unwrap_or(ConvId(0));
    let rows = store.select(sql, vec![after.into(), limit.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.conv(0)?, row.seq(1)?)))
        .collect()
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
    let mut convs = Vec::new();
    if conv.is_none() && wanted.iter().any(|one| matches!(one, Wanted::Prefix(_))) {
        let sql = "SELECT f_conv FROM t_place WHERE f_user_id = ? LIMIT ?";
        let values = vec![user.into(), LISTED_MAX.saturating_add(1).into()];
        for row in &store.select(sql, values).await? {
            convs.push(row.conv(0)?);
        }
        if convs.len() > usize::try_from(LISTED_MAX).unwrap_or(usize::MAX) {
            convs.clear();
        }
    }
    convs.extend(conv);
    let listed = Listed(lookups(&convs).into_iter().next().unwrap_or_default());
    let Some((sql, values)) = question(user, &listed, wanted, after, limit) else {
        return Ok(Vec::new());
    };
    let rows = store.select(&sql, values).await?;
    rows.iter()
        .map(|row| {
            Ok(Hit {
                conv: row.conv(0)?,
                seq: row.seq(1)?,
                at: row.millis(2)?,
            })
        })
        .collect()
}

/// The statement of [`find`]: from the user's places to the messages with one of the words, and
/// for each of these one step into the index for every other word. CROSS JOIN keeps SQLite to this
/// order.
fn question(
    user: UserId,
    listed: &Listed,
    wanted: &[Wanted],
    after: Option<Hit>,
    limit: u32,
) -> Option<(String, Vec<Value>)> {
    let (first, others) = sorted(wanted)?;
    let mut values = Vec::new();
    let mut sql = format!(
        "SELECT DISTINCT w.f_conv, w.f_seq, w.f_time FROM t_place p CROSS JOIN t_word w \
         ON w.f_conv = p.f_conv AND {} AND w.f_seq > p.f_since WHERE p.f_user_id = ?",
        first.condition("w", &mut values)
    );
    values.push(user.into());
    sql += &listed.condition("w", &mut values);
    if listed.0.len() == 1 {
        sql += &listed.condition("p", &mut values);
    }
    for other in others {
        let condition = other.condition("o", &mut values);
        sql += &match other {
            Wanted::Word(_) => format!(
                " AND EXISTS (SELECT 1 FROM t_word o \
                 WHERE o.f_conv = w.f_conv AND {condition} AND o.f_seq = w.f_seq)"
            ),
            // Many words may begin so: they are looked up once and not for each message.
            Wanted::Prefix(_) => {
                values.push(user.into());
                let listed = listed.condition("o", &mut values);
                format!(
                    " AND (w.f_conv, w.f_seq) IN (SELECT o.f_conv, o.f_seq \
                     FROM t_place q CROSS JOIN t_word o ON o.f_conv = q.f_conv AND {condition} \
                     WHERE q.f_user_id = ?{listed})"
                )
            }
        };
    }
    if let Some(Hit { conv, seq, at }) = after {
        sql += " AND (w.f_time < ? OR (w.f_time = ? AND (w.f_conv < ? \
             OR (w.f_conv = ? AND w.f_seq < ?))))";
        values.extend([at.into(), at.into(), conv.into(), conv.into(), seq.into()]);
    }
    sql += " ORDER BY w.f_time DESC, w.f_conv DESC, w.f_seq DESC LIMIT ?";
    values.push(limit.into());
    Some((sql, values))
}

/// The conversations to look in; none for all of the user's. MySQL and MariaDB look for the words
/// that begin so only where the conversations are named: to those that come from another table
/// they join all words.
struct Listed(Vec<ConvId>);

impl Listed {
    fn condition(&self, table: &str, values: &mut Vec<Value>) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        values.extend(self.0.iter().map(|conv| Value::from(*conv)));
        format!(" AND {table}.f_conv IN ({})", marks(self.0.len()))
    }
}

/// The word to begin with, and the others. The longest whole word is likely the rarest; the words
/// that are most likely missing are asked for first.
fn sorted(wanted: &[Wanted]) -> Option<(&Wanted, Vec<&Wanted>)> {
    let mut sorted: Vec<&Wanted> = wanted.iter().collect();
    sorted.sort_by_key(|wanted| match wanted {
        Wanted::Word(word) => (0, std::cmp::Reverse(word.chars().count())),
        Wanted::Prefix(start) => (1, std::cmp::Reverse(start.chars().count())),
    });
    let mut sorted = sorted.into_iter();
    let first = sorted.next()?;
    Some((first, sorted.collect()))
}

impl Wanted {
    /// What holds for such a word of the table with this short name.
    fn condition(&self, table: &str, values: &mut Vec<Value>) -> String {
        match self {
            Self::Word(word) => {
                values.push(word.as_str().into());
                format!("{table}.f_word = ?")
            }
            Self::Prefix(start) => {
                values.push(start.as_str().into());
                values.push(format!("{start}{LAST_LETTER}").into());
                format!("{table}.f_word >= ? AND {table}.f_word < ?")
            }
        }
    }
}
