//! The words of messages, and who was mentioned in them.
//!
//! The index is filled behind the log, by the chat server's indexer; `t_conversation.f_indexed`
//! says how far it got. It may hold words of messages that were edited or taken back since: who
//! reads a hit looks at the message again.

mod find;
mod rare;
mod term;
mod walk;

pub use self::find::find;
pub(in crate::store) use self::term::{different_words, end_of};
use super::{Tx, Value};
use crate::id::{ConvId, Millis, Seq, UserId};
use crate::store::bulk::{groups, pieces};
use crate::store::{Outcome, Store, StoreError};

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
