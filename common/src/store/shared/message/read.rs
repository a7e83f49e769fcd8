//! Looking at messages again.

use std::collections::{BTreeMap, HashMap};

use super::target::content;
use super::{MessageState, REACTION_USERS_MAX, Reaction};
use crate::api::Entry;
use crate::id::{ClientId, ConvId, Millis, Seq, UserId};
use crate::store::bulk::lookups;
use crate::store::shared::entry_row::{ENTRY, entry};
use crate::store::shared::{Row, Value};
use crate::store::{Store, StoreError};

/// The last `limit` entries before `before` and behind `since`, ascending.
///
/// # Errors
/// When the database cannot be asked.
pub async fn before(
    store: &dyn Store,
    conv: ConvId,
    before: Seq,
    since: Seq,
    limit: u32,
) -> Result<Vec<Entry>, StoreError> {
    let sql = format!(
        "SELECT {ENTRY} FROM t_chatmsg WHERE f_conv = ? AND f_seq < ? AND f_seq > ? \
         ORDER BY f_seq DESC LIMIT ?"
    );
    let values = vec![conv.into(), before.into(), since.into(), limit.into()];
    let rows = store.select(&sql, values).await?;
    rows.iter().rev().map(entry).collect()
}

/// The entries at these places that there are, in the order asked.
///
/// # Errors
/// When the database cannot be asked.
pub async fn at(store: &dyn Store, places: &[(ConvId, Seq)]) -> Result<Vec<Entry>, StoreError> {
    let mut found: HashMap<(ConvId, Seq), Entry> = HashMap::new();
    for keys in lookups(places) {
        // Both databases step into the index once for each of the alternatives.
        let one = "(f_conv = ? AND f_seq = ?)";
        let sql = format!(
            "SELECT {ENTRY} FROM t_chatmsg WHERE {}",
            vec![one; keys.len()].join(" OR ")
        );
        let values = keys
            .into_iter()
            .flat_map(|(conv, seq)| [conv.into(), seq.into()])
            .collect();
        for row in store.select(&sql, values).await? {
            let entry = entry(&row)?;
            found.insert((entry.conv, entry.seq), entry);
        }
    }
    Ok(places
        .iter()
        .filter_map(|place| found.get(place).cloned())
        .collect())
}

/// What a user saved under this name.
///
/// # Errors
/// When the database cannot be asked.
pub async fn sent(
    store: &dyn Store,
    sender: UserId,
    client_id: &ClientId,
) -> Result<Option<Entry>, StoreError> {
    let sql = format!("SELECT {ENTRY} FROM t_chatmsg WHERE f_senderid = ? AND f_client_id = ?");
    let values = vec![sender.into(), client_id.as_str().into()];
    let rows = store.select(&sql, values).await?;
    rows.first().map(entry).transpose()
}

/// In which conversations those of these names stand that were saved.
///
/// # Errors
/// When the database cannot be asked.
pub async fn places(
    store: &dyn Store,
    names: &[(UserId, ClientId)],
) -> Result<HashMap<(UserId, ClientId), ConvId>, StoreError> {
    let mut places = HashMap::new();
    for keys in lookups(names) {
        // As in [`at`].
        let one = "(f_senderid = ? AND f_client_id = ?)";
        let sql = format!(
            "SELECT f_senderid, f_client_id, f_conv FROM t_chatmsg WHERE {}",
            vec![one; keys.len()].join(" OR ")
        );
        let values = keys
            .iter()
            .flat_map(|(user, client_id)| [Value::from(*user), client_id.as_str().into()])
            .collect();
        for row in store.select(&sql, values).await? {
            // Client ids are compared byte by byte, so it is one of those asked for.
            if let Some(client_id) = ClientId::new(row.text(1)?) {
                places.insert((row.user(0)?, client_id), row.conv(2)?);
            }
        }
    }
    Ok(places)
}

/// Which of the messages from `from` to `to` (both included) were taken back. Ascending.
///
/// # Errors
/// When the database cannot be asked.
pub async fn recalled(
    store: &dyn Store,
    conv: ConvId,
    from: Seq,
    to: Seq,
) -> Result<Vec<Seq>, StoreError> {
    let sql = "SELECT f_seq FROM t_message_state \
         WHERE f_conv = ? AND f_seq BETWEEN ? AND ? AND f_recalled <> 0 ORDER BY f_seq";
    let values = vec![conv.into(), from.into(), to.into()];
    let rows = store.select(sql, values).await?;
    rows.iter().map(|row| row.seq(0)).collect()
}

/// What became of the messages from `from` to `to` (both included), but for reactions; messages that
/// nothing else happened to are left out. Ascending.
///
/// # Errors
/// When the database cannot be asked.
pub async fn changes(
    store: &dyn Store,
    conv: ConvId,
    from: Seq,
    to: Seq,
) -> Result<Vec<MessageState>, StoreError> {
    let sql = "SELECT f_seq, f_recalled, f_edited, f_content FROM t_message_state \
         WHERE f_conv = ? AND f_seq BETWEEN ? AND ? ORDER BY f_seq";
    let values = vec![conv.into(), from.into(), to.into()];
    let rows = store.select(sql, values).await?;
    rows.iter().map(changed).collect()
}

/// What became of the messages from `from` to `to` (both included); messages that nothing happened
/// to are left out. Ascending.
///
/// # Errors
/// When the database cannot be asked.
pub async fn states(
    store: &dyn Store,
    conv: ConvId,
    from: Seq,
    to: Seq,
) -> Result<Vec<MessageState>, StoreError> {
    let changes = changes(store, conv, from, to).await?;
    let mut states: BTreeMap<Seq, MessageState> = changes
        .into_iter()
        .map(|state| (state.seq, state))
        .collect();
    // In a large group thousands react to each of hundreds of messages: the database counts them.
    let sql = "SELECT f_seq, f_emoji, f_user_id, f_count FROM \
         (SELECT f_seq, f_emoji, f_user_id, f_time, \
          ROW_NUMBER() OVER (PARTITION BY f_seq, f_emoji ORDER BY f_time, f_user_id) AS f_nth, \
          COUNT(*) OVER (PARTITION BY f_seq, f_emoji) AS f_count \
          FROM t_reaction WHERE f_conv = ? AND f_seq BETWEEN ? AND ?) AS ranked \
         WHERE f_nth <= ? ORDER BY f_seq, f_time, f_emoji, f_user_id";
    let values: Vec<Value> = vec![
        conv.into(),
        from.into(),
        to.into(),
        REACTION_USERS_MAX.into(),
    ];
    for row in store.select(sql, values).await? {
        let (seq, emoji, user) = (row.seq(0)?, row.text(1)?, row.user(2)?);
        let state = states.entry(seq).or_insert_with(|| untouched(seq));
        let same = |reaction: &&mut Reaction| reaction.emoji == emoji;
        match state.reactions.iter_mut().find(same) {
            Some(reaction) => reaction.users.push(user),
            None => state.reactions.push(Reaction {
                emoji,
                users: vec![user],
                count: row.unsigned(3)?,
            }),
        }
    }
    Ok(states.into_values().collect())
}

/// A message that nothing happened to so far.
fn untouched(seq: Seq) -> MessageState {
    MessageState {
        seq,
        recalled_at: None,
        edited_at: None,
        segments: None,
        reactions: Vec::new(),
    }
}

/// Place, time of recall, time of the last edit, content after it.
fn changed(row: &Row) -> Result<MessageState, StoreError> {
    let time = |column| -> Result<Option<Millis>, StoreError> {
        Ok(Some(row.millis(column)?).filter(|at| *at != Millis(0)))
    };
    let edited = row.bytes(3)?.map(|json| content(&json)).transpose()?;
    Ok(MessageState {
        recalled_at: time(1)?,
        edited_at: time(2)?,
        segments: edited.map(|edited| edited.segments),
        ..untouched(row.seq(0)?)
    })
}
