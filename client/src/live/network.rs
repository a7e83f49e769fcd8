//! Notices that the machine got on a network.

use std::time::Duration;

use futures_util::StreamExt;
use if_watch::IfEvent;
use if_watch::tokio::IfWatcher;
use tokio::time::Instant;

/// A new watcher first tells of the addresses that were there before.
const OLD_NEWS: Duration = Duration::from_secs(1);

/// Watches from the first time that somebody waits.
#[derive(Default)]
pub(super) struct Network {
    watcher: Option<Result<IfWatcher, Failed>>,
    news_from: Option<Instant>,
}

/// There will be no news; the clock alone says when to try again.
struct Failed;

impl Network {
    /// There is never any news.
    pub(super) fn unwatched() -> Self {
        Self {
            watcher: Some(Err(Failed)),
            news_from: None,
        }
    }

    /// Completes when the machine has a new address. Never does where this cannot be known.
    pub(super) async fn up(&mut self) {
        let news_from = *self
            .news_from
            .get_or_insert_with(|| Instant::now() + OLD_NEWS);
        let watcher = self.watcher.get_or_insert_with(|| {
            IfWatcher::new().map_err(|error| {
                tracing::debug!(%error, "changes of the network cannot be watched");
                Failed
            })
        });
        if let Ok(watcher) = watcher {
            loop {
                match watcher.next().await {
                    Some(Ok(IfEvent::Up(_))) if Instant::now() >= news_from => return,
                    Some(Ok(_)) => {}
                    Some(Err(error)) => {
                        tracing::debug!(%error, "changes of the network are not watched any more");
                        break;
                    }
                    None => break,
                }
            }
            self.watcher = Some(Err(Failed));
        }
        std::future::pending().await
    }
}
