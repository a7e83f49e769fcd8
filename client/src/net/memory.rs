//! Connections inside of one test: their time is the test's own, as the kernel has no part in them.

use std::collections::HashMap;
use std::io;
use std::sync::{LazyLock, Mutex, PoisonError};

use tokio::io::{DuplexStream, duplex};
use tokio::sync::mpsc;

use crate::server::Server;

/// The host of all listeners; the port tells them apart.
pub(crate) const HOST: &str = "memory.test";
/// What a connection holds that nobody reads, in bytes.
const BUFFER_BYTES: usize = 64 * 1024;
/// Connections that wait for a listener.
const BACKLOG: usize = 16;

type Listeners = HashMap<u16, mpsc::Sender<DuplexStream>>;

static LISTENERS: LazyLock<Mutex<Listeners>> = LazyLock::new(Mutex::default);

/// Takes connections.
pub(crate) struct Listener {
    pub(crate) port: u16,
    connections: mpsc::Receiver<DuplexStream>,
}

impl Listener {
    pub(crate) fn new() -> Self {
        let (sender, connections) = mpsc::channel(BACKLOG);
        let mut listeners = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
        let free = (1..=u16::MAX).find(|port| !listeners.contains_key(port));
        let port = free.expect("fewer tests than ports");
        listeners.insert(port, sender);
        Self { port, connections }
    }

    pub(crate) async fn accept(&mut self) -> DuplexStream {
        let accepted = self.connections.recv().await;
        accepted.expect("the listener stands in the list")
    }
}

/// A connection to a listener; `None` if the server is a real one.
pub(super) fn connect(server: &Server) -> Option<io::Result<DuplexStream>> {
    if &*server.host != HOST {
        return None;
    }
    let listeners = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
    let (ours, theirs) = duplex(BUFFER_BYTES);
    let accepted = listeners
        .get(&server.port)
        .is_some_and(|listener| listener.try_send(theirs).is_ok());
    let refused = || io::ErrorKind::ConnectionRefused.into();
    Some(accepted.then_some(ours).ok_or_else(refused))
}
