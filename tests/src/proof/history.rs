//! The history of a run: one JSON object a line, in the order in which it happened.
//!
//! What goes out is written down before it is sent, what comes in after it was read; so whatever a
//! line says, had happened when the next one was written. The last lines are the dump of the store.

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};

/// A line of a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Milliseconds since the run began: for people, the checker does not look at it.
    pub at_ms: u64,
    #[serde(flatten)]
    pub event: Event,
}

/// What happened. A device is called by a name that is its own in the whole history; `content` is
/// the SHA-256 of a message's text, and nothing where the entry is a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// What was played.
    Run {
        seed: u64,
        store: String,
        fault: String,
    },
    /// A device of a user. One that does not acknowledge (the old protocol) has received what it
    /// read.
    Device {
        device: String,
        user: String,
        acknowledges: bool,
    },
    /// A device is connected. `life` numbers the starts of the server; nothing if it may have been
    /// started again while the device connected.
    Connected { device: String, life: Option<u64> },
    /// About to be sent, for the first time or again. The old protocol has no client ids.
    Sending {
        device: String,
        conversation: String,
        client_id: Option<String>,
        content: String,
    },
    /// The server said that it is stored, and where; the old protocol does not say where.
    Acknowledged {
        device: String,
        conversation: String,
        client_id: Option<String>,
        content: String,
        seq: Option<u64>,
    },
    /// The server said that it will never be stored.
    Refused {
        device: String,
        conversation: String,
        client_id: String,
        code: String,
    },
    /// An entry came. The old protocol does not say where it stands, and shows only messages.
    Received {
        device: String,
        conversation: String,
        seq: Option<u64>,
        content: Option<String>,
    },
    /// About to say that everything up to here was received.
    Confirming {
        device: String,
        conversation: String,
        seq: u64,
    },
    /// The server said that it knows.
    Confirmed {
        device: String,
        conversation: String,
        seq: u64,
    },
    /// Everybody else is silent, and this device has waited until it had all, or in vain.
    Waited { device: String },
    /// The server said that it keeps this file, called by the SHA-256 of its content.
    Uploaded { file: String, bytes: u64 },
    /// The server is dead.
    Crashed { how: String },
    /// It takes connections again.
    Restarted { life: u64 },
    /// Of the dump: an entry of the log.
    Stored {
        conversation: String,
        seq: u64,
        sender: String,
        client_id: String,
        content: Option<String>,
    },
    /// Of the dump: the user may read what stands behind `after`, up to and with `until`.
    Member {
        conversation: String,
        user: String,
        after: u64,
        until: Option<u64>,
    },
    /// Of the dump: a file, and the SHA-256 of what is in it.
    Kept {
        file: String,
        bytes: u64,
        sha256: String,
    },
}

/// Reads a history.
///
/// # Errors
/// When a line cannot be read, or is none of a history.
pub fn read(from: impl BufRead) -> io::Result<Vec<Event>> {
    let mut events = Vec::new();
    for (number, line) in from.lines().enumerate() {
        let line: Line = serde_json::from_str(&line?)
            .map_err(|error| io::Error::other(format!("line {}: {error}", number + 1)))?;
        events.push(line.event);
    }
    Ok(events)
}

/// Writes a line.
///
/// # Errors
/// When it cannot be written.
pub fn write(to: &mut impl Write, line: &Line) -> io::Result<()> {
    serde_json::to_writer(&mut *to, line)?;
    to.write_all(b"\n")
}
