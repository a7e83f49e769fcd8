//! Asks the database to save something, for everybody who wants to know.
//!
//! One attempt at a time, however many ask: a database that hangs must not be asked ever more. An
//! attempt is never given up, because half a commit helps nobody; those who asked are.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::clock::{Clock, SystemClock};
use crate::store::{Change, Store, StoreError};

/// How long an answer may take. A database that needs longer is of no use to a chat.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// More cannot ask at the same time than have connections.
const WAITING_MAX: usize = 16;

/// Nobody logs in from here: the row that says when somebody did is ours to write.
const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

type Asker = oneshot::Sender<Result<(), StoreError>>;

/// The way to the task that asks.
#[derive(Clone, Debug)]
pub(super) struct Probe {
    ask: mpsc::Sender<Asker>,
    has_saved: Arc<AtomicBool>,
}

impl Probe {
    /// Starts the task; it ends with the last `Probe`.
    pub(super) fn start(store: Arc<dyn Store>) -> Self {
        let (ask, mut asked) = mpsc::channel::<Asker>(WAITING_MAX);
        let has_saved = Arc::new(AtomicBool::new(false));
        let saved = Arc::clone(&has_saved);
        tokio::spawn(async move {
            let mut askers = Vec::new();
            while asked.recv_many(&mut askers, WAITING_MAX).await > 0 {
                let answer = save(&*store).await;
                saved.fetch_or(answer.is_ok(), Ordering::Relaxed);
                for asker in askers.drain(..) {
                    // Who waited too long is gone.
                    let _ = asker.send(answer.clone());
                }
            }
        });
        Self { ask, has_saved }
    }

    /// Whether the database saves.
    pub(super) async fn ask(&self) -> Result<(), String> {
        let (asker, answer) = oneshot::channel();
        if self.ask.try_send(asker).is_err() {
            return Err("too many ask".to_owned());
        }
        match timeout(ANSWER_WITHIN, answer).await {
            Ok(Ok(saved)) => saved.map_err(|error| error.to_string()),
            Ok(Err(_)) => Err("the probe ended".to_owned()),
            Err(_) => Err(format!("no answer within {} s", ANSWER_WITHIN.as_secs())),
        }
    }

    /// Whether it ever saved anything: then it was opened, with all that is checked at that time.
    pub(super) fn has_saved(&self) -> bool {
        self.has_saved.load(Ordering::Relaxed)
    }
}

async fn save(store: &dyn Store) -> Result<(), StoreError> {
    let change = Change::NoteLogin {
        address: NOBODY,
        at: SystemClock.now(),
    };
    store.commit(&[change]).await.map(drop)
}
