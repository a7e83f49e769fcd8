//! Why a worker ended that should not have: what it means for the picture, and what the operator
//! should hear of it.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use common::telemetry::metrics;
use rustix::process::Signal;
use tracing::{error, warn};

use crate::picture::Fault;
use crate::trouble::Trouble;

/// Why a worker ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// It called what decoding never calls.
    Forbidden,
    /// It wanted more memory than a picture can need.
    Memory,
    /// It took too long.
    Late,
    /// It said what is no answer, or ended without one.
    Nonsense,
    /// It failed as programs in C do.
    Crashed,
    /// Somebody else ended it: a person, or a system that was short of memory.
    Ended,
}

impl Cause {
    pub(super) fn of(status: ExitStatus) -> Self {
        let Some(signal) = status.signal().and_then(Signal::from_named_raw) else {
            return Self::Nonsense;
        };
        match signal {
            Signal::SYS => Self::Forbidden,
            // A decoder that fails in any other way panics, which is an answer.
            Signal::ABORT => Self::Memory,
            Signal::XCPU => Self::Late,
            Signal::KILL | Signal::TERM | Signal::INT | Signal::HUP => Self::Ended,
            _ => Self::Crashed,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::Memory => "memory",
            Self::Late => "late",
            Self::Nonsense => "nonsense",
            Self::Crashed => "crashed",
            Self::Ended => "ended",
        }
    }

    /// Counts it, writes it down, and says what it means for whoever waits.
    pub(super) fn told(self) -> Trouble {
        self.tell();
        match self {
            Self::Forbidden | Self::Nonsense | Self::Crashed => Fault::unreadable().into(),
            Self::Memory => Fault::too_much_memory().into(),
            Self::Late => Fault::Slow.into(),
            Self::Ended => Trouble::Ended,
        }
    }

    fn tell(self) {
        metrics::picture_worker_failed(self.word());
        match self {
            Self::Forbidden | Self::Nonsense | Self::Crashed => error!(
                cause = self.word(),
                "a process that decodes pictures did what none should, and was ended: a picture \
                 may have been made to take it over"
            ),
            Self::Memory | Self::Late | Self::Ended => warn!(
                cause = self.word(),
                "a process that decodes pictures ended before it had answered"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signal_says_why() {
        let of = |signal: Signal| Cause::of(ExitStatus::from_raw(signal.as_raw()));
        assert_eq!(of(Signal::SYS), Cause::Forbidden);
        assert_eq!(of(Signal::ABORT), Cause::Memory);
        assert_eq!(of(Signal::XCPU), Cause::Late);
        assert_eq!(of(Signal::KILL), Cause::Ended);
        assert_eq!(of(Signal::SEGV), Cause::Crashed);
        // Ended by itself, well or not.
        assert_eq!(Cause::of(ExitStatus::from_raw(0)), Cause::Nonsense);
        assert_eq!(Cause::of(ExitStatus::from_raw(1 << 8)), Cause::Nonsense);
    }
}
