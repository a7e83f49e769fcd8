//! Connections inside of one test: their time is the test's own, as the kernel has no part in them.

use std::collections::HashMap;
use std::io;
use std::sync::{LazyLock, Mutex, PoisonError};

use async_trait::async_trait;
use tokio::io::{DuplexStream, duplex};
use tokio::sync::mpsc;

use super::dial::{Dial, Io};

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

/// Connects to these listeners.
pub(crate) struct InMemory;

#[async_trait]
impl Dial for InMemory {
    async fn dial(&self, host: &str, port: u16) -> io::Result<Box<dyn Io>> {
        assert_eq!(host, HOST, "no test goes elsewhere");
        let listeners = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
        let (ours, theirs) = duplex(BUFFER_BYTES);
        let accepted = listeners
            .get(&port)
            .is_some_and(|listener| listener.try_send(theirs).is_ok());
        if accepted {
            Ok(Box::new(ours))
        } else {
            Err(io::ErrorKind::ConnectionRefused.into())
        }
    }
}
