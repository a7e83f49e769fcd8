//! Why a WebSocket ends, and how its client is told.

use common::telemetry::metrics;

use super::shape::event;
use crate::app::App;
use crate::hub::End;

/// See the module's description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CloseReason {
    /// The client closed the connection, or it broke.
    Gone,
    /// The client took no data for too long.
    Stalled,
    /// The client is silent: most likely it is not there any more.
    Silent,
    /// What the client sent is nothing that it may send.
    Protocol(&'static str),
    /// The client's frames are none, by RFC 6455; with the code that the standard has for it.
    Frames {
        code: u16,
        reason: String,
    },
    NoHello,
    Unauthenticated,
    /// The sign-in is older than sign-ins may be.
    Expired,
    Revoked,
    /// The same device connected again.
    Replaced,
    RateLimited,
    /// The database cannot be asked.
    Unavailable,
    Draining {
        reconnect_after_ms: u64,
    },
}

impl From<End> for CloseReason {
    fn from(end: End) -> Self {
        match end {
            End::Replaced { .. } => Self::Replaced,
            End::Revoked => Self::Revoked,
        }
    }
}

impl CloseReason {
    /// What is said before the connection is closed.
    pub(super) fn last_event(&self) -> Option<String> {
        match self {
            Self::Expired | Self::Revoked => Some(event::session_revoked()),
            Self::Draining { reconnect_after_ms } => {
                Some(event::server_draining(*reconnect_after_ms))
            }
            _ => None,
        }
    }

    /// The close code and its name; `None` if there is nobody to tell.
    pub(super) fn code(&self) -> Option<(u16, &'static str)> {
        match self {
            Self::Gone | Self::Stalled => None,
            // "Going away", as RFC 6455 has it.
            Self::Silent => Some((1001, "silent")),
            Self::Unauthenticated | Self::Expired => Some((4001, "unauthenticated")),
            Self::Revoked => Some((4002, "session_revoked")),
            Self::Protocol(_) => Some((4003, "protocol_error")),
            Self::Frames { code, .. } => Some((*code, "protocol_error")),
            Self::NoHello => Some((4004, "too_slow_handshake")),
            Self::RateLimited => Some((4008, "rate_limited")),
            Self::Replaced => Some((4009, "replaced")),
            Self::Draining { .. } => Some((1012, "draining")),
            // "Try again later", as registered with IANA.
            Self::Unavailable => Some((1013, "storage_unavailable")),
        }
    }

    /// Writes the reason to the log, and counts what is the client's fault.
    pub(super) fn log(&self) {
        match self {
            Self::Stalled => metrics::SLOW_CONSUMER_DISCONNECTS.increment(1),
            Self::Silent => metrics::protocol_error("websocket", "silent"),
            Self::Protocol(_) | Self::Frames { .. } => {
                metrics::protocol_error("websocket", "bad_frame");
            }
            Self::NoHello => metrics::protocol_error("websocket", "timed_out"),
            Self::RateLimited => metrics::protocol_error("websocket", "rate_limited"),
            Self::Gone
            | Self::Unauthenticated
            | Self::Expired
            | Self::Revoked
            | Self::Replaced
            | Self::Unavailable
            | Self::Draining { .. } => {}
        }
        match self {
            Self::Gone | Self::Replaced | Self::Draining { .. } => {
                tracing::debug!(reason = ?self, "WebSocket ended");
            }
            _ => tracing::info!(reason = ?self, "WebSocket closed"),
        }
    }
}

/// After how many milliseconds a client comes back: a random time, so that not all come at once,
/// up to 5 s and longer where many were connected.
pub(super) fn reconnect_after_ms(app: &App) -> u64 {
    spread(app.hub.users_count(), (app.random)())
}

fn spread(sessions: usize, random: u64) -> u64 {
    /// What everybody spreads over at the least.
    const SPREAD_MS_MIN: u64 = 5_000;
    /// 200 come back in a second: each takes a few reads from the database.
    const PER_SESSION_MS: u64 = 5;
    let sessions = u64::try_from(sessions).unwrap_or(u64::MAX);
    let spread = SPREAD_MS_MIN.max(sessions.saturating_mul(PER_SESSION_MS));
    random % spread
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_come_back_one_after_the_other() {
        let random = || crate::app::random();
        assert!((0..1000).all(|_| spread(3, random()) < 5_000));
        assert!((0..1000).any(|_| spread(10_000, random()) >= 5_000));
        let last = CloseReason::Draining {
            reconnect_after_ms: 17,
        };
        let event = last.last_event().unwrap();
        assert_eq!(
            event,
            r#"{"event":"server.draining","reconnect_after_ms":17}"#
        );
        assert_eq!(last.code(), Some((1012, "draining")));
    }
}
