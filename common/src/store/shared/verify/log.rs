//! The logs themselves: numbers without a gap, times that do not run backwards, heads that are the
//! last number; and what is known about single entries.

use std::collections::BTreeMap;

use super::{FINDINGS_MAX, Finding, Kind};
use crate::id::{ConvId, Millis, Seq};
use crate::store::shared::Value;
use crate::store::{Store, StoreError};

/// Conversations whose heads are read together.
const CONVERSATIONS: u32 = 200;
/// Entries that are read together.
const ENTRIES: u32 = 2000;

/// What a piece came to.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub(super) conversations: u64,
    pub(super) entries: u64,
    pub(super) findings: Vec<Finding>,
}

/// Where the walk through all logs is.
#[derive(Debug, Default)]
pub(super) struct Logs {
    /// Everything up to here was looked at.
    after: u64,
    page: Page,
    is_over: bool,
}

/// Some conversations, and how far their entries were walked.
#[derive(Debug, Default)]
struct Page {
    conversations: BTreeMap<ConvId, Conversation>,
    /// The last number of the page; 0 between two pages. Everything behind the last conversation of
    /// all belongs to the last page.
    until: u64,
    /// The entry that was looked at last.
    at: Option<(ConvId, Seq)>,
}

/// A conversation as its row says, and how far its entries were walked.
#[derive(Clone, Copy, Debug)]
struct Conversation {
    head: Seq,
    /// The time that the row has for the last entry.
    time: Millis,
    seq: Seq,
    last_time: Millis,
}

/// One entry.
#[derive(Clone, Copy, Debug)]
struct Seen {
    conv: ConvId,
    seq: Seq,
    time: Millis,
}

impl Logs {
    pub(super) async fn next(&mut self, store: &dyn Store) -> Result<Option<Piece>, StoreError> {
        let mut piece = Piece::default();
        if self.page.until == 0 {
            if self.is_over {
                return Ok(None);
            }
            self.begin_page(store, &mut piece).await?;
            return Ok(Some(piece));
        }
        let entries = whole_numbers(self.some_entries(store).await?);
        let Some(last) = entries.last() else {
            // The next piece belongs to the next conversations.
            self.end_page(store, &mut piece).await?;
            return Ok(Some(piece));
        };
        self.page.at = Some((last.conv, last.seq));
        let mut strangers: Vec<ConvId> = Vec::new();
        for entry in &entries {
            match self.page.conversations.get_mut(&entry.conv) {
                Some(conversation) => {
                    let counts = check(conversation, entry, &mut piece.findings);
                    piece.entries += u64::from(counts);
                }
                None if strangers.last() != Some(&entry.conv) => strangers.push(entry.conv),
                None => {}
            }
        }
        for conv in strangers {
            check_stranger(store, conv, &mut piece.findings).await?;
            if conv == last.conv {
                // Its other entries are no news.
                self.page.at = Some((conv, Seq(i64::MAX.unsigned_abs())));
            }
        }
        Ok(Some(piece))
    }

    /// Reads the heads of the next conversations, each with its last number at the same moment.
    async fn begin_page(&mut self, store: &dyn Store, piece: &mut Piece) -> Result<(), StoreError> {
        let sql = "SELECT v.f_conv, v.f_head, v.f_time, \
             COALESCE((SELECT MAX(m.f_seq) FROM t_chatmsg m WHERE m.f_conv = v.f_conv), 0) \
             FROM t_conversation v WHERE v.f_conv > ? ORDER BY v.f_conv LIMIT ?";
        let values = vec![ConvId(self.after).into(), CONVERSATIONS.into()];
        let rows = store.select(sql, values).await?;
        let mut conversations = BTreeMap::new();
        let mut findings = Vec::new();
        for row in &rows {
            let (conv, head, time, last) = (row.conv(0)?, row.seq(1)?, row.millis(2)?, row.seq(3)?);
            if head != last {
                findings.push(Finding::new(
                    Kind::WrongHead,
                    conv,
                    format_args!(
                        "conversation {conv} says that its last entry is {head}, but it is {last}"
                    ),
                ));
            }
            let fresh = Conversation {
                // What stands behind the head was told; what is missing before it is no second
                // finding.
                head: head.min(last),
                time,
                seq: Seq(0),
                last_time: Millis(i64::MIN),
            };
            conversations.insert(conv, fresh);
        }
        let is_last = u32::try_from(rows.len()).is_ok_and(|found| found < CONVERSATIONS);
        let until = match conversations.last_key_value() {
            Some((last, _)) if !is_last => last.0,
            _ => i64::MAX.unsigned_abs(),
        };
        piece.conversations += u64::try_from(conversations.len()).unwrap_or(0);
        piece.findings.extend(findings);
        self.page = Page {
            conversations,
            until,
            at: None,
        };
        Ok(())
    }

    /// The next entries of these conversations: first the rest of the one that was begun, then of
    /// those behind it.
    async fn some_entries(&self, store: &dyn Store) -> Result<Vec<Seen>, StoreError> {
        let columns = "SELECT f_conv, f_seq, f_time FROM t_chatmsg WHERE";
        let order = "ORDER BY f_conv, f_seq LIMIT ?";
        let read = async |condition: &str, values: Vec<Value>| -> Result<Vec<Seen>, StoreError> {
            let sql = format!("{columns} {condition} {order}");
            let rows = store.select(&sql, values).await?;
            rows.iter()
                .map(|row| {
                    Ok(Seen {
                        conv: row.conv(0)?,
                        seq: row.seq(1)?,
                        time: row.millis(2)?,
                    })
                })
                .collect()
        };
        let mut after = ConvId(self.after);
        if let Some((conv, seq)) = self.page.at {
            let values = vec![conv.into(), seq.into(), ENTRIES.into()];
            let rest = read("f_conv = ? AND f_seq > ?", values).await?;
            if !rest.is_empty() {
                return Ok(rest);
            }
            after = conv;
        }
        let values = vec![after.into(), ConvId(self.page.until).into(), ENTRIES.into()];
        read("f_conv > ? AND f_conv <= ?", values).await
    }

    /// Looks at what is left to be said of these conversations, and goes on to the next ones.
    async fn end_page(&mut self, store: &dyn Store, piece: &mut Piece) -> Result<(), StoreError> {
        let range: [Value; 2] = [ConvId(self.after).into(), ConvId(self.page.until).into()];
        for (table, kind, what) in [
            ("t_message_state", Kind::StateWithoutEntry, "a state"),
            ("t_reaction", Kind::ReactionWithoutEntry, "a reaction"),
        ] {
            let sql = format!(
                "SELECT s.f_conv, s.f_seq FROM {table} s LEFT JOIN t_chatmsg m \
                 ON m.f_conv = s.f_conv AND m.f_seq = s.f_seq \
                 WHERE s.f_conv > ? AND s.f_conv <= ? AND m.f_conv IS NULL \
                 ORDER BY s.f_conv, s.f_seq LIMIT ?"
            );
            let values = [range.to_vec(), vec![FINDINGS_MAX.into()]].concat();
            let rows = store.select(&sql, values).await?;
            for row in &rows {
                let (conv, seq) = (row.conv(0)?, row.seq(1)?);
                piece.findings.push(Finding::new(
                    kind,
                    conv,
                    format_args!(
                        "conversation {conv} has {what} of entry {seq}, which is not there"
                    ),
                ));
            }
            if u32::try_from(rows.len()).is_ok_and(|found| found >= FINDINGS_MAX) {
                let text = format!("there may be more rows of {table} without their entry");
                piece.findings.push(Finding::new(Kind::More, None, text));
            }
        }
        for (conv, conversation) in &self.page.conversations {
            finish(*conv, conversation, &mut piece.findings);
        }
        self.is_over = self.page.until == i64::MAX.unsigned_abs();
        self.after = self.page.until;
        self.page = Page::default();
        Ok(())
    }
}

/// Leaves the last number of a full piece to the next one: it may stand there once more. A piece of
/// one number alone is more damage than can be told.
fn whole_numbers(mut entries: Vec<Seen>) -> Vec<Seen> {
    let place = |entry: &Seen| (entry.conv, entry.seq);
    let is_full = u32::try_from(entries.len()).is_ok_and(|read| read >= ENTRIES);
    let (first, last) = (entries.first().map(place), entries.last().map(place));
    if is_full && first != last {
        entries.retain(|entry| Some(place(entry)) != last);
    }
    entries
}

/// An entry whose conversation was not among those that were read: it is new, or not there.
async fn check_stranger(
    store: &dyn Store,
    conv: ConvId,
    findings: &mut Vec<Finding>,
) -> Result<(), StoreError> {
    let sql = "SELECT f_head FROM t_conversation WHERE f_conv = ?";
    if store.select(sql, vec![conv.into()]).await?.is_empty() {
        findings.push(Finding::new(
            Kind::EntryWithoutConversation,
            conv,
            format_args!("there are entries of conversation {conv}, but no such conversation"),
        ));
    }
    Ok(())
}

/// Looks at the next entry of a conversation; `false` if it is newer than the head that was read.
fn check(conversation: &mut Conversation, entry: &Seen, findings: &mut Vec<Finding>) -> bool {
    let Seen { conv, seq, time } = *entry;
    if seq > conversation.head {
        return false;
    }
    let wanted = Seq(conversation.seq.0 + 1);
    if seq == conversation.seq {
        findings.push(Finding::new(
            Kind::DoubleSeq,
            conv,
            format_args!("conversation {conv} has two entries {seq}"),
        ));
    } else if seq != wanted {
        findings.push(Finding::new(
            Kind::Gap,
            conv,
            match seq.0 - 1 {
                last if last == wanted.0 => format!("conversation {conv} has no entry {wanted}"),
                last => format!("conversation {conv} has no entries {wanted} to {last}"),
            },
        ));
    }
    if time < conversation.last_time {
        findings.push(Finding::new(
            Kind::TimeRunsBack,
            conv,
            format_args!("entry {seq} of conversation {conv} is older than the one before it"),
        ));
    }
    conversation.seq = seq;
    conversation.last_time = conversation.last_time.max(time);
    true
}

/// Looks at a conversation whose entries were all looked at.
fn finish(conv: ConvId, conversation: &Conversation, findings: &mut Vec<Finding>) {
    let Conversation {
        head,
        time,
        seq,
        last_time,
    } = *conversation;
    if seq < head {
        findings.push(Finding::new(
            Kind::Gap,
            conv,
            format_args!("conversation {conv} ends at entry {seq}, but had {head} a moment before"),
        ));
    }
    if head.0 > 0 && time < last_time {
        findings.push(Finding::new(
            Kind::TimeRunsBack,
            conv,
            format_args!("conversation {conv} says that its last entry is older than it is"),
        ));
    }
}
