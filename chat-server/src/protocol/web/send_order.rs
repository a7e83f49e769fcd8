//! The order of the sends of one connection, where some of them wait for their files.
//!
//! Messages are numbered in the order in which they were sent: what comes behind one that waits is
//! handed in behind it. They wait side by side, so that their times do not add up.

use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct SendOrder {
    /// Ends when the last send that had to wait was handed in, or given up.
    last: Option<oneshot::Receiver<()>>,
}

/// A place in the order. It is given up when this is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    before: Option<oneshot::Receiver<()>>,
    _handed_in: oneshot::Sender<()>,
}

impl SendOrder {
    /// Whether nothing waits to be handed in.
    pub(super) fn is_free(&mut self) -> bool {
        let waits = |last: &mut oneshot::Receiver<()>| last.try_recv() == Err(TryRecvError::Empty);
        !self.last.as_mut().is_some_and(waits)
    }

    /// The next place.
    pub(super) fn queue(&mut self) -> Turn {
        let (handed_in, last) = oneshot::channel();
        Turn {
            before: self.last.replace(last),
            _handed_in: handed_in,
        }
    }
}

impl Turn {
    /// Waits until everything before was handed in.
    pub(super) async fn comes(&mut self) {
        if let Some(before) = self.before.take() {
            // Nothing is ever sent: the other end is dropped.
            let _ = before.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn what_waits_is_handed_in_in_order() {
        let mut order = SendOrder::default();
        assert!(order.is_free());
        let mut first = order.queue();
        let mut second = order.queue();
        let mut third = order.queue();
        assert!(!order.is_free());
        assert!(first.comes().now_or_never().is_some());
        assert!(third.comes().now_or_never().is_none());
        // One that is given up holds up nobody.
        drop(first);
        assert!(second.comes().now_or_never().is_some());
        assert!(!order.is_free());
        drop(second);
        drop(third);
        assert!(order.is_free());
    }
}
