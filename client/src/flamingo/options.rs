//! How a client behaves: whose habits it has, how long it waits, how much it keeps.

use std::time::Duration;

use common::wire::chat::Encoding;
use common::wire::command::{client_type, status};
use common::wire::transfer::{
    CHUNK_BYTES, CHUNK_BYTES_CELLULAR, NET_BROADBAND, NET_CELLULAR, Style,
};

/// Which existing client to write like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Imitate {
    /// Compresses everything; moves files in large pieces.
    #[default]
    Pc,
    /// Sends plain bodies behind miscalculated headers; moves files in small pieces.
    Android,
}

impl Imitate {
    pub(crate) fn encoding(self) -> Encoding {
        match self {
            Self::Pc => Encoding::Zlib,
            Self::Android => Encoding::Android,
        }
    }

    pub(crate) fn style(self) -> Style {
        match self {
            Self::Pc => Style::Pc,
            Self::Android => Style::Android,
        }
    }

    /// How many bytes of a file go up at a time.
    pub fn chunk_bytes(self) -> usize {
        match self {
            Self::Pc => CHUNK_BYTES,
            Self::Android => CHUNK_BYTES_CELLULAR,
        }
    }

    /// What this client says about its network when it downloads.
    pub fn net_type(self) -> i32 {
        match self {
            Self::Pc => NET_BROADBAND,
            Self::Android => NET_CELLULAR,
        }
    }

    /// What this client calls itself at login.
    pub fn client_type(self) -> i32 {
        match self {
            Self::Pc => client_type::PC,
            Self::Android => client_type::ANDROID,
        }
    }

    /// The status this client always logs in with.
    pub fn status(self) -> i32 {
        match self {
            Self::Pc => status::PC_ONLINE,
            Self::Android => status::ANDROID_CELLULAR,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub imitate: Imitate,
    /// How long to wait for a connection, for room to write, and for a reply.
    pub timeout: Duration,
    /// How often to send a heartbeat; PC does it every 5 s.
    pub heartbeat: Option<Duration>,
    /// Events kept for [`super::Client::next_event`]. When it is full nothing more is read from
    /// the server, replies included, until an event is taken: the server is slowed, nothing lost.
    pub events_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            imitate: Imitate::Pc,
            timeout: Duration::from_secs(10),
            heartbeat: Some(Duration::from_secs(5)),
            events_max: 1024,
        }
    }
}
