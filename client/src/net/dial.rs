//! Ways to a server other than this machine's TCP.

use std::fmt;
use std::io;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};

/// Bytes in both directions.
pub trait Io: AsyncRead + AsyncWrite + fmt::Debug + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + fmt::Debug + Send + Unpin> Io for T {}

/// Opens connections in its own way: through a tunnel or a proxy, or inside of a test.
#[async_trait]
pub trait Dial: Send + Sync {
    /// A connection to this port of this host. TLS, if the address asks for it, comes on top.
    ///
    /// # Errors
    /// Whatever keeps it from connecting.
    async fn dial(&self, host: &str, port: u16) -> io::Result<Box<dyn Io>>;
}
