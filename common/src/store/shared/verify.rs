//! Looks through a whole database for what cannot be: gaps in logs, places beyond their end, rows
//! that point nowhere. The first look is the database's own, at its files.
//!
//! Read in small pieces, while the server goes on writing. Of a conversation only what stood in it
//! when its head was read is looked at.

mod log;
mod rows;

use std::fmt;
use std::sync::Arc;

use crate::id::ConvId;
use crate::store::{Store, StoreError};
use log::Logs;
use rows::{ClientIds, Places};

/// How many findings of one kind are told for one piece; more are only said to be there.
const FINDINGS_MAX: u32 = 100;

/// Something that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub kind: Kind,
    pub conv: Option<ConvId>,
    /// A sentence for people.
    pub text: String,
}

/// What cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The database's own file is not in order.
    DamagedFile,
    /// A number is missing in a log.
    Gap,
    /// The same number stands twice in a log.
    DoubleSeq,
    /// A log's time runs backwards.
    TimeRunsBack,
    /// The last number of a log is not the one that its conversation has.
    WrongHead,
    /// An entry belongs to no conversation.
    EntryWithoutConversation,
    /// A sender used a client id twice.
    DoubleClientId,
    /// A device got further than the log goes.
    CursorBeyondHead,
    /// A user has read further than the log goes, or may look only behind its end.
    PlaceBeyondHead,
    /// A user has a place in a conversation that is none.
    PlaceWithoutConversation,
    /// Something is known about a message that is not there.
    StateWithoutEntry,
    /// Somebody reacted to a message that is not there.
    ReactionWithoutEntry,
    /// There was more than is told.
    More,
}

impl Kind {
    /// The kind as a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DamagedFile => "damaged_file",
            Self::Gap => "gap",
            Self::DoubleSeq => "double_seq",
            Self::TimeRunsBack => "time_runs_back",
            Self::WrongHead => "wrong_head",
            Self::EntryWithoutConversation => "entry_without_conversation",
            Self::DoubleClientId => "double_client_id",
            Self::CursorBeyondHead => "cursor_beyond_head",
            Self::PlaceBeyondHead => "place_beyond_head",
            Self::PlaceWithoutConversation => "place_without_conversation",
            Self::StateWithoutEntry => "state_without_entry",
            Self::ReactionWithoutEntry => "reaction_without_entry",
            Self::More => "more",
        }
    }
}

impl Finding {
    fn new(kind: Kind, conv: impl Into<Option<ConvId>>, text: impl fmt::Display) -> Self {
        Self {
            kind,
            conv: conv.into(),
            text: text.to_string(),
        }
    }
}

/// One look through a database, piece by piece.
pub struct Verification {
    store: Arc<dyn Store>,
    stage: Stage,
    /// Conversations and entries that were looked at.
    pub conversations: u64,
    pub entries: u64,
}

impl fmt::Debug for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verification")
            .field("conversations", &self.conversations)
            .field("entries", &self.entries)
            .finish_non_exhaustive()
    }
}

enum Stage {
    Files,
    Logs(Logs),
    ClientIds(ClientIds),
    Places(Places),
    Over,
}

impl Verification {
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            stage: Stage::Files,
            conversations: 0,
            entries: 0,
        }
    }

    /// Looks at the next piece; `None` when everything was looked at.
    ///
    /// # Errors
    /// When the database cannot be asked. That is the end of it: what was half looked at would be
    /// looked at twice.
    pub async fn next(&mut self) -> Result<Option<Vec<Finding>>, StoreError> {
        let store = &*self.store;
        let findings = match &mut self.stage {
            Stage::Files => {
                self.stage = Stage::Logs(Logs::default());
                let told = store.look_at_files().await?;
                let told = told.iter();
                told.map(|text| Finding::new(Kind::DamagedFile, None, text))
                    .collect()
            }
            Stage::Logs(logs) => match logs.next(store).await? {
                Some(piece) => {
                    self.conversations += piece.conversations;
                    self.entries += piece.entries;
                    piece.findings
                }
                None => {
                    self.stage = Stage::ClientIds(ClientIds::default());
                    Vec::new()
                }
            },
            Stage::ClientIds(ids) => match ids.next(store).await? {
                Some(findings) => findings,
                None => {
                    self.stage = Stage::Places(Places::default());
                    Vec::new()
                }
            },
            Stage::Places(places) => match places.next(store).await? {
                Some(findings) => findings,
                None => {
                    self.stage = Stage::Over;
                    Vec::new()
                }
            },
            Stage::Over => return Ok(None),
        };
        Ok(Some(findings))
    }
}
