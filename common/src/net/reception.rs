//! What happens to a connection between its accept and its protocol: the first bytes are looked
//! at, TLS is begun, plain text is refused where it must be.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::time::timeout_at;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use super::listener::Connection;
use super::sniff::{Guess, Language, Port, guess};
use super::tls::{Alpn, TlsKeys};
use crate::telemetry::metrics;

/// What a listener asks of its connections.
#[derive(Clone, Debug, Default)]
pub struct Security {
    /// The certificate; without one TLS is refused.
    pub keys: Option<Arc<TlsKeys>>,
    /// Only this machine itself may speak in plain text.
    pub require_tls: bool,
}

/// Receives the connections of one port.
#[derive(Debug)]
pub struct Reception {
    port: Port,
    security: Security,
    first_bytes: Duration,
    transport: metrics::Transport,
}

/// Why a connection got no further.
#[derive(Debug, Error)]
enum Turned {
    #[error("nothing was sent")]
    Silent,
    #[error("the peer left without a word")]
    Left,
    #[error("the connection broke: {0}")]
    Broke(std::io::Error),
    #[error("TLS was asked for, but this server has no certificate: see --tls-cert")]
    NoCertificate,
    #[error("the TLS handshake failed: {0}")]
    Handshake(std::io::Error),
    #[error("plain text was refused: --require-tls is set")]
    PlainRefused,
    #[error("the server is stopping")]
    Stopping,
}

impl Turned {
    /// As a label of a metric.
    fn label(&self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Left => "left",
            Self::Broke(_) => "broke",
            Self::NoCertificate => "no_certificate",
            Self::Handshake(_) => "handshake",
            Self::PlainRefused => "plain_refused",
            Self::Stopping => "stopping",
        }
    }
}

impl Reception {
    /// Everything up to the first bytes of the protocol, TLS included, must have happened
    /// `first_bytes` after the accept.
    pub fn new(port: Port, security: Security, first_bytes: Duration) -> Self {
        let transport = match port {
            Port::Chat => metrics::Transport::Flamingo,
            Port::Transfer => metrics::Transport::Transfer,
        };
        Self {
            port,
            security,
            first_bytes,
            transport,
        }
    }

    /// The connection and what is spoken on it; nothing has been read from it that its socket does
    /// not give again. `None` if there is nobody to serve, which was logged.
    pub async fn receive(
        &self,
        mut connection: Connection,
        shutdown: &CancellationToken,
    ) -> Option<(Language, Connection)> {
        let until = connection.accepted + self.first_bytes;
        // In a box of its own, because a connection that is served needs it no more.
        let sniffing = Box::pin(timeout_at(until, self.sniff(&mut connection)));
        let received = tokio::select! {
            biased;
            received = sniffing => received.unwrap_or(Err(Turned::Silent)),
            () = shutdown.cancelled() => Err(Turned::Stopping),
        };
        let turned = match received {
            Ok(language) => {
                connection.permit.speaks(match language {
                    Language::Flamingo => self.transport,
                    Language::Http => metrics::Transport::Http,
                });
                if language == Language::Http {
                    connection.permit.greeted();
                }
                return Some((language, connection));
            }
            Err(turned) => turned,
        };
        metrics::protocol_error("reception", turned.label());
        match turned {
            Turned::Left | Turned::Broke(_) | Turned::Stopping => {
                debug!(reason = %turned, "connection ended");
            }
            Turned::Silent
            | Turned::NoCertificate
            | Turned::Handshake(_)
            | Turned::PlainRefused => info!(reason = %turned, "connection closed"),
        }
        None
    }

    async fn sniff(&self, connection: &mut Connection) -> Result<Language, Turned> {
        let peer = connection.socket.peer().ip();
        let socket = &mut connection.socket;
        match socket.sniff(|first| guess(self.port, first)).await {
            Ok(Guess::Tls) => {}
            Ok(Guess::Language(language)) => {
                return match plain_is_fine(self.security.require_tls, peer) {
                    true => Ok(language),
                    false => Err(Turned::PlainRefused),
                };
            }
            // The peer will send no more: the old code knows what half a packet is worth.
            Ok(Guess::Open) if self.port == Port::Transfer => return Ok(Language::Flamingo),
            Ok(Guess::Open) => return Err(Turned::Left),
            Err(error) => return Err(Turned::Broke(error)),
        }
        let keys = self.security.keys.as_ref().ok_or(Turned::NoCertificate)?;
        let began = tokio::time::Instant::now();
        let alpn = socket.begin_tls(keys).await.map_err(Turned::Handshake)?;
        metrics::HANDSHAKE_DURATION.record(began.elapsed().as_secs_f64());
        if alpn == Alpn::Http {
            return Ok(Language::Http);
        }
        match socket.sniff(|first| guess(self.port, first)).await {
            Ok(Guess::Language(language)) => Ok(language),
            // TLS inside of TLS is nothing that anybody wants.
            Ok(Guess::Tls | Guess::Open) => Ok(Language::Flamingo),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(Turned::Left),
            Err(error) => Err(Turned::Broke(error)),
        }
    }
}

/// Whether a peer may go on without TLS. What stays on this machine cannot be overheard.
fn plain_is_fine(require_tls: bool, peer: IpAddr) -> bool {
    !require_tls || peer.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_may_speak_plainly_when_tls_is_required() {
        for (peer, fine) in [
            ("127.0.0.1", true),
            ("127.8.9.1", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("192.0.2.1", false),
            ("10.0.0.1", false),
            ("::ffff:192.0.2.1", false),
            ("2001:db8::1", false),
            ("0.0.0.0", false),
        ] {
            let peer: IpAddr = peer.parse().unwrap();
            assert_eq!(plain_is_fine(true, peer), fine, "{peer}");
            assert!(plain_is_fine(false, peer), "{peer}");
        }
    }
}
