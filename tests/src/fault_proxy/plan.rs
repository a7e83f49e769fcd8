//! What happens to connections, as the seed says. Knows no sockets.

use std::time::Duration;

use crate::dice::Dice;

/// One of the two ways through a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// What breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Both sides see an orderly end.
    Cut,
    /// Both sides see a reset; what was on its way is lost.
    Reset,
    /// These ways lead nowhere from now on, and nobody is told.
    HalfOpen { up: bool, down: bool },
    /// Nothing comes through for a while; then all of it does.
    BlackHole(Duration),
    /// The client sees the end of what the server says; the server notices nothing.
    HalfClose,
    /// What the client says next reaches the server; the answer does not come back, because the
    /// connection is cut then. A client that wants to be sure has to repeat what it said.
    LoseAnswer,
    /// One bit of what comes next this way is another one. Checksums of TCP are over before a proxy
    /// sees anything, so only who encrypts can notice.
    Corrupt(Way),
}

/// When it breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// So long after the connection began.
    After(Duration),
    /// When the client has said so many bytes.
    Said(u64),
    /// When the server has answered so many bytes.
    Answered(u64),
}

/// What happens to one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fate {
    /// Each piece is late by this, and by up to `jitter` more.
    pub latency: Duration,
    pub jitter: Duration,
    /// Pieces are passed on in slices of 1 up to so many bytes.
    pub slice_max: u64,
    /// No more than so many go each way.
    pub bytes_per_s: u64,
    pub moment: Moment,
    pub fault: Fault,
}

/// How long the accepting side refuses and accepts, in turn.
const REFUSING_MS: (u64, u64) = (50, 400);
const ACCEPTING_MS: (u64, u64) = (800, 3000);

impl Fate {
    /// Everything comes through at once.
    pub const CLEAN: Self = Self {
        latency: Duration::ZERO,
        jitter: Duration::ZERO,
        slice_max: u64::MAX,
        bytes_per_s: u64::MAX,
        moment: Moment::After(Duration::ZERO),
        fault: Fault::None,
    };

    /// What the seed says about the connection of this number.
    pub fn drawn(seed: u64, number: u64) -> Self {
        let mut dice = Dice::new(seed, number + 1);
        let ms = Duration::from_millis;
        let slow = dice.percent(40);
        let sliced = dice.percent(40);
        let moment = match dice.from(0, 2) {
            0 => Moment::After(ms(dice.from(20, 700))),
            1 => Moment::Said(dice.from(150, 2500)),
            _ => Moment::Answered(dice.from(200, 3000)),
        };
        let fault = match dice.from(0, 99) {
            0..15 => Fault::Cut,
            15..30 => Fault::Reset,
            30..40 => dice.one(&[
                Fault::HalfOpen {
                    up: true,
                    down: true,
                },
                Fault::HalfOpen {
                    up: true,
                    down: false,
                },
                Fault::HalfOpen {
                    up: false,
                    down: true,
                },
            ]),
            40..50 => Fault::BlackHole(ms(dice.from(50, 1200))),
            50..58 => Fault::HalfClose,
            58..90 => Fault::LoseAnswer,
            _ => Fault::None,
        };
        Self {
            latency: ms(if slow { dice.from(1, 25) } else { 0 }),
            jitter: ms(if slow { dice.from(0, 15) } else { 0 }),
            slice_max: if sliced {
                dice.one(&[1, 7, 120, 1400])
            } else {
                u64::MAX
            },
            bytes_per_s: if dice.percent(20) {
                dice.one(&[8_000, 50_000])
            } else {
                u64::MAX
            },
            moment,
            fault,
        }
    }

    /// As [`Self::drawn`], for connections through which much goes up: they break in the midst of
    /// it. No way is silent for ever, because programs of others may wait for ever.
    pub fn drawn_for_uploads(seed: u64, number: u64) -> Self {
        let mut dice = Dice::new(seed, number + 1);
        let ms = Duration::from_millis;
        let moment = match dice.from(0, 9) {
            0..6 => Moment::Said(dice.from(100, 700_000)),
            6..8 => Moment::Answered(dice.from(1, 900)),
            _ => Moment::After(ms(dice.from(5, 300))),
        };
        let fault = match dice.from(0, 99) {
            0..25 => Fault::Cut,
            25..50 => Fault::Reset,
            50..60 => Fault::BlackHole(ms(dice.from(50, 600))),
            60..70 => Fault::HalfClose,
            70..85 => Fault::LoseAnswer,
            _ => Fault::None,
        };
        let slow = dice.percent(40);
        Self {
            latency: ms(if slow { dice.from(1, 3) } else { 0 }),
            jitter: ms(if slow { dice.from(0, 3) } else { 0 }),
            slice_max: dice.one(&[7, 1400, u64::MAX, u64::MAX]),
            bytes_per_s: dice.one(&[1_000_000, u64::MAX, u64::MAX, u64::MAX]),
            moment,
            fault,
        }
    }

    /// As [`Self::drawn`], for connections that are encrypted: in most of them a bit is flipped.
    pub fn drawn_for_tls(seed: u64, number: u64) -> Self {
        let mut dice = Dice::new(seed, number + 1);
        let way = dice.one(&[Way::Up, Way::Down]);
        // In the handshake, or in what is said behind it.
        let bytes = dice.from(1, 5000);
        let moment = match way {
            Way::Up => Moment::Said(bytes),
            Way::Down => Moment::Answered(bytes),
        };
        let is_damaged = dice.percent(70);
        Self {
            moment,
            fault: if is_damaged {
                Fault::Corrupt(way)
            } else {
                Fault::None
            },
            ..Self::CLEAN
        }
    }
}

/// Whether new connections are refused so long after the beginning.
pub(super) fn refuses(seed: u64, elapsed: Duration) -> bool {
    let mut dice = Dice::new(seed, 0);
    let mut at = Duration::ZERO;
    loop {
        at += Duration::from_millis(dice.from(ACCEPTING_MS.0, ACCEPTING_MS.1));
        if elapsed < at {
            return false;
        }
        at += Duration::from_millis(dice.from(REFUSING_MS.0, REFUSING_MS.1));
        if elapsed < at {
            return true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_says_the_same_every_time() {
        for number in 0..50 {
            assert_eq!(Fate::drawn(3, number), Fate::drawn(3, number));
        }
        let other = (0..50).filter(|number| Fate::drawn(3, *number) != Fate::drawn(4, *number));
        assert!(other.count() > 40);
    }

    #[test]
    fn what_is_drawn_for_uploads_breaks_in_time() {
        for number in 0..400 {
            let fate = Fate::drawn_for_uploads(2, number);
            let is_silent = matches!(fate.fault, Fault::HalfOpen { .. });
            assert!(!is_silent, "{number}: {fate:?}");
        }
        let cut = |number: &u64| Fate::drawn_for_uploads(2, *number).fault == Fault::Cut;
        assert!((0..400).filter(cut).count() > 50);
    }

    #[test]
    fn every_kind_of_fault_is_drawn() {
        let drawn: Vec<_> = (0..400)
            .map(|number| Fate::drawn(1, number).fault)
            .collect();
        let kinds: [fn(&Fault) -> bool; 7] = [
            |fault| *fault == Fault::None,
            |fault| *fault == Fault::Cut,
            |fault| *fault == Fault::Reset,
            |fault| matches!(fault, Fault::HalfOpen { .. }),
            |fault| matches!(fault, Fault::BlackHole(_)),
            |fault| *fault == Fault::HalfClose,
            |fault| *fault == Fault::LoseAnswer,
        ];
        for (number, kind) in kinds.iter().enumerate() {
            assert!(drawn.iter().any(kind), "kind {number}");
        }
    }

    #[test]
    fn refusing_comes_and_goes() {
        let at = |ms| refuses(5, Duration::from_millis(ms));
        assert!(!at(0));
        assert!((0..20_000).step_by(10).any(at));
        assert!(!(0..20_000).step_by(10).all(at));
    }
}
