//! The logs: locking heads, giving entries their numbers, writing them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mysql_async::{Conn, Params, Row, Value};

use super::connections::{rows, write};
use super::fault::Fault;
use super::row::{ENTRY, entry};
use crate::api::{Body, Entry, Origin};
use crate::id::{ClientId, ConvId, ConvKind, Millis, Seq, UserId};
use crate::store::bulk::{groups, lookups, marks, pieces};
use crate::store::stored;

/// How much content one INSERT carries at most: a server takes 16 MiB at a time by default.
const INSERT_BYTES_MAX: usize = 4 << 20;

/// The last entry of a conversation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Last {
    pub(super) seq: Seq,
    at: Millis,
}

/// Locked conversations: while the transaction lasts nobody else appends to them.
#[derive(Debug, Default)]
pub(super) struct Heads {
    last: BTreeMap<ConvId, Last>,
    /// Conversations without a row in the database so far.
    missing: BTreeSet<ConvId>,
}

/// A sender and his name for a send.
pub(super) type SendKey = (UserId, String);

pub(super) fn send_key(origin: &Origin) -> SendKey {
    (origin.user, origin.client_id.as_str().to_owned())
}

impl Heads {
    /// Locks those of `convs` that exist, in ascending order, as everybody does it.
    pub(super) async fn lock(conn: &mut Conn, convs: &BTreeSet<ConvId>) -> Result<Self, Fault> {
        let mut heads = Self::default();
        heads.read(conn, convs).await?;
        let unknown = |conv: &&ConvId| !heads.last.contains_key(conv);
        heads.missing = convs.iter().filter(unknown).copied().collect();
        Ok(heads)
    }

    async fn read(&mut self, conn: &mut Conn, convs: &BTreeSet<ConvId>) -> Result<(), Fault> {
        let convs: Vec<Value> = convs.iter().map(|conv| conv.0.into()).collect();
        for keys in lookups(&convs) {
            let sql = format!(
                "SELECT f_conv, f_head, f_time FROM t_conversation FORCE INDEX (PRIMARY) \
                 WHERE f_conv IN ({}) \
                 ORDER BY f_conv FOR UPDATE",
                marks(keys.len())
            );
            let found: Vec<(u64, u64, i64)> = rows(conn, &sql, Params::Positional(keys)).await?;
            self.last.extend(found.into_iter().map(|(conv, seq, at)| {
                let (seq, at) = (Seq(seq), Millis(at));
                (ConvId(conv), Last { seq, at })
            }));
        }
        Ok(())
    }

    /// Makes and locks the rows of those of `convs` that had none. Another server may have made
    /// them meanwhile: then they are not empty.
    pub(super) async fn create(
        &mut self,
        conn: &mut Conn,
        convs: &BTreeSet<ConvId>,
    ) -> Result<(), Fault> {
        let wanted: BTreeSet<ConvId> = self.missing.intersection(convs).copied().collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let all: Vec<ConvId> = wanted.iter().copied().collect();
        for piece in pieces(&all) {
            let sql = format!(
                "INSERT INTO t_conversation (f_conv, f_head, f_time) VALUES {} \
                 ON DUPLICATE KEY UPDATE f_head = f_head",
                vec!["(?,0,0)"; piece.len()].join(",")
            );
            let keys = piece.iter().map(|conv| Value::from(conv.0)).collect();
            write(conn, &sql, Params::Positional(keys)).await?;
        }
        self.read(conn, &wanted).await?;
        self.missing = self.missing.difference(&wanted).copied().collect();
        Ok(())
    }

    pub(super) fn last(&self, conv: ConvId) -> Last {
        self.last.get(&conv).copied().unwrap_or_default()
    }

    /// Gives an entry the next number of its conversation, and a time that is not before the
    /// conversation's last.
    pub(super) fn number(&mut self, conv: ConvId, origin: &Origin, body: &Body) -> Entry {
        let last = self.last.entry(conv).or_default();
        last.at = last.at.max(origin.at);
        last.seq = last.seq.next();
        let mut origin = origin.clone();
        origin.at = last.at;
        Entry {
            conv,
            seq: last.seq,
            origin,
            body: body.clone(),
        }
    }
}

/// Writes numbered entries, their conversations' heads and, for first entries, the places of those
/// who take part.
pub(super) async fn write_entries(conn: &mut Conn, entries: &[Entry]) -> Result<(), Fault> {
    insert_entries(conn, entries).await?;
    let ends: BTreeMap<ConvId, &Entry> = entries.iter().map(|one| (one.conv, one)).collect();
    let head = |end: &Entry| (end.conv, end.seq, end.origin.at);
    let heads: Vec<(ConvId, Seq, Millis)> = ends.into_values().map(head).collect();
    write_heads(conn, &heads).await?;
    let firsts = entries.iter().filter(|entry| entry.seq == Seq(1));
    let places: BTreeSet<(UserId, ConvId, Seq)> = firsts
        .flat_map(|entry| {
            let users = match entry.conv.kind() {
                Some(ConvKind::Direct(a, b)) => vec![a, b],
                Some(ConvKind::Inbox(owner)) => vec![owner],
                Some(ConvKind::Group(_)) | None => Vec::new(),
            };
            users.into_iter().map(|user| (user, entry.conv, Seq(0)))
        })
        .collect();
    let places: Vec<(UserId, ConvId, Seq)> = places.into_iter().collect();
    write_places(conn, &places).await
}

/// Writes numbered entries and nothing else.
pub(super) async fn insert_entries(conn: &mut Conn, entries: &[Entry]) -> Result<(), Fault> {
    let mut rest = entries;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(prefix(rest));
        for piece in pieces(now) {
            insert(conn, piece).await?;
        }
        rest = later;
    }
    Ok(())
}

/// Sets the last number and time of conversations.
pub(super) async fn write_heads(
    conn: &mut Conn,
    heads: &[(ConvId, Seq, Millis)],
) -> Result<(), Fault> {
    for piece in pieces(heads) {
        let sql = format!(
            "INSERT INTO t_conversation (f_conv, f_head, f_time) VALUES {} \
             ON DUPLICATE KEY UPDATE f_head = VALUES(f_head), f_time = VALUES(f_time)",
            groups(piece.len(), 3)
        );
        let row = |(conv, seq, at): &(ConvId, Seq, Millis)| -> [Value; 3] {
            [conv.0.into(), seq.0.into(), at.0.into()]
        };
        let values = piece.iter().flat_map(row).collect();
        write(conn, &sql, Params::Positional(values)).await?;
    }
    Ok(())
}

/// Lets users read conversations behind an entry; who may already keeps his place.
pub(super) async fn write_places(
    conn: &mut Conn,
    places: &[(UserId, ConvId, Seq)],
) -> Result<(), Fault> {
    for piece in pieces(places) {
        let sql = format!(
            "INSERT INTO t_place (f_user_id, f_conv, f_since) VALUES {} \
             ON DUPLICATE KEY UPDATE f_since = f_since",
            groups(piece.len(), 3)
        );
        let row = |(user, conv, since): &(UserId, ConvId, Seq)| -> [Value; 3] {
            [user.0.into(), conv.0.into(), since.0.into()]
        };
        let values = piece.iter().flat_map(row).collect();
        write(conn, &sql, Params::Positional(values)).await?;
    }
    Ok(())
}

/// How many of the entries go together into INSERTs below [`INSERT_BYTES_MAX`]; at least one.
fn prefix(entries: &[Entry]) -> usize {
    let mut bytes = 0;
    let fits = entries.iter().take_while(|entry| {
        bytes += match &entry.body {
            Body::Message { content, .. } => content.len(),
            Body::Notice(_) => 0,
        };
        bytes <= INSERT_BYTES_MAX
    });
    fits.count().max(1)
}

async fn insert(conn: &mut Conn, entries: &[Entry]) -> Result<(), Fault> {
    let sql = format!(
        "INSERT INTO t_chatmsg (f_senderid, f_targetid, f_msgcontent, f_conv, f_seq, f_kind, \
         f_client_id, f_device, f_tag, f_time) VALUES {}",
        groups(entries.len(), 10)
    );
    let mut values: Vec<Value> = Vec::with_capacity(entries.len() * 10);
    for entry in entries {
        let (kind, content) = stored::columns(&entry.body)?;
        let origin = &entry.origin;
        values.extend([
            origin.user.0.into(),
            target(entry).into(),
            Value::Bytes(content.to_vec()),
            entry.conv.0.into(),
            entry.seq.0.into(),
            kind.into(),
            origin.client_id.as_str().into(),
            origin.device.0.into(),
            origin.tag.into(),
            origin.at.0.into(),
        ]);
    }
    write(conn, &sql, Params::Positional(values)).await?;
    Ok(())
}

/// To whom the entry went, as the original stored it.
fn target(entry: &Entry) -> u32 {
    match entry.conv.kind() {
        Some(ConvKind::Direct(a, b)) if b == entry.origin.user => a.0,
        Some(ConvKind::Direct(_, b)) => b.0,
        Some(ConvKind::Group(group)) => group.0,
        Some(ConvKind::Inbox(owner)) => owner.0,
        None => 0,
    }
}

/// The entries that were saved before under these names.
pub(super) async fn saved(
    conn: &mut Conn,
    keys: &[SendKey],
) -> Result<HashMap<SendKey, Entry>, Fault> {
    let mut found = HashMap::new();
    for keys in lookups(keys) {
        let sql = format!(
            "SELECT {ENTRY} FROM t_chatmsg FORCE INDEX (u_client_id) \
             WHERE (f_senderid, f_client_id) IN ({})",
            groups(keys.len(), 2)
        );
        let values = keys
            .into_iter()
            .flat_map(|(user, client_id)| -> [Value; 2] { [user.0.into(), client_id.into()] })
            .collect();
        let rows: Vec<Row> = rows(conn, &sql, Params::Positional(values)).await?;
        for row in rows {
            let entry = entry(row)?;
            found.insert(send_key(&entry.origin), entry);
        }
    }
    Ok(found)
}

/// The origin of a change's second notice: its client id gets the suffix `+`.
pub(super) fn second(origin: &Origin) -> Origin {
    let mut text = origin.client_id.as_str().to_owned();
    let mut origin = origin.clone();
    // A name that has no room for the suffix gives up its last character.
    loop {
        if let Some(client_id) = ClientId::new(format!("{text}+")) {
            origin.client_id = client_id;
            return origin;
        }
        text.pop();
    }
}
