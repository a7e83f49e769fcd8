//! The driver's part that ends it.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::driver::{Driver, Phase};
use super::state::{Connection, Ended};

/// A client that is closed has so long to say what it has to say.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// The application closes the client.
pub(super) struct Closing {
    pub(super) answers: Vec<oneshot::Sender<()>>,
    pub(super) deadline: Instant,
}

impl Driver {
    /// The application wants no more, or everybody who could want something is gone.
    pub(super) fn end_if_closed(&mut self) -> Result<(), Ended> {
        if !self.is_commanded && self.handover.is_gone() {
            self.close(None);
        }
        let Some(closing) = &self.closing else {
            return Ok(());
        };
        let is_done = match &self.phase {
            Phase::Online(session) => !session.is_owed(),
            Phase::Opening(_) | Phase::Waiting { .. } => true,
        };
        if is_done || closing.deadline <= Instant::now() {
            return Err(Ended::Closed);
        }
        Ok(())
    }

    pub(super) fn close(&mut self, answer: Option<oneshot::Sender<()>>) {
        let closing = self.closing.get_or_insert_with(|| Closing {
            answers: Vec::new(),
            deadline: Instant::now() + CLOSE_TIMEOUT,
        });
        closing.answers.extend(answer);
    }

    pub(super) async fn finish(mut self, ended: Ended) {
        tracing::debug!(?ended, "the client ends");
        if !matches!(ended, Ended::Store(_)) {
            self.confirmed(None).await;
        }
        let Self {
            phase,
            commands,
            confirms,
            store,
            outcomes,
            closing,
            state,
            handover,
            ..
        } = self;
        if let Phase::Online(session) = phase {
            let second = Instant::now() + Duration::from_secs(1);
            let deadline = closing
                .as_ref()
                .map_or(second, |it| it.deadline.min(second));
            session.close(deadline).await;
        }
        // Before anybody is told: who is told may open the store again.
        drop((outcomes, store));
        empty(commands).await;
        empty(confirms).await;
        state.send_replace(Connection::Ended(ended.clone()));
        for answer in closing.into_iter().flat_map(|closing| closing.answers) {
            // Whoever asked may be gone.
            let _ = answer.send(());
        }
        handover.finish(Connection::Ended(ended)).await;
    }
}

/// Who asked while the client ended hears that it is closed. What is pushed at the very moment in
/// which a queue is only dropped would stay in it, and who asked would wait for ever.
async fn empty<T>(mut queue: mpsc::Receiver<T>) {
    queue.close();
    while queue.recv().await.is_some() {}
}
