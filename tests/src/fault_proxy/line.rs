//! One connection through the proxy: two sockets, and what passes between them.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::plan::{Fate, Fault, Moment, Way};
use crate::dice::Dice;

/// What is read at once.
const PIECE_BYTES: usize = 16 * 1024;
/// So many slices are made of a piece; the rest goes at once. Otherwise the end of a client that
/// said much would come through seconds late.
const SLICES_MAX: u32 = 64;
/// What is held back of one way while nothing comes through; more is not read.
const HELD_BYTES_MAX: usize = 256 * 1024;
/// A half-open connection that nobody gives up ends after this time.
const HALF_OPEN_MAX: Duration = Duration::from_secs(90);
/// When one side has ended, the other one has so long to end too.
const HALF_CLOSED_MAX: Duration = Duration::from_secs(10);
/// How long the lost answer may take; then there was none.
const ANSWER_MAX: Duration = Duration::from_secs(1);

/// What is done with bytes of one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passage {
    Open,
    /// Kept until it is open again.
    Held,
    /// Read and thrown away.
    Nowhere,
    /// The reader is told that there is no more, and nothing is passed on.
    Ended,
}

/// Both ways, and what went through them.
#[derive(Clone, Copy, Debug)]
struct State {
    up: Passage,
    down: Passage,
    /// Bytes that came from the client and from the server.
    said: u64,
    answered: u64,
    /// Bytes that reached the server.
    delivered: u64,
    /// When the client has said more than this, nothing comes back any more.
    loses_after: Option<u64>,
    /// What comes next this way is damaged.
    corrupts: Option<Way>,
}

impl State {
    fn passage(&self, way: Way) -> Passage {
        match way {
            Way::Up => self.up,
            Way::Down if self.loses_after.is_some_and(|said| self.said > said) => Passage::Nowhere,
            Way::Down => self.down,
        }
    }
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Both sides were done.
    Over,
    Cut,
    Reset,
}

/// What the owner of a line hears of it.
pub(super) trait Witness: Sync {
    /// The first bytes that the client says.
    fn begins(&self, first: &[u8]);
    /// So many bytes more reached the server.
    fn delivered(&self, count: u64);
    /// A bit was flipped.
    fn damaged(&self);
    /// The client's side of the connection has ended.
    fn client_left(&self);
}

/// Carries everything between the two, until one of them ends, or fate strikes.
pub(super) async fn carry(
    client: &mut TcpStream,
    server: &mut TcpStream,
    fate: Fate,
    mut dice: Dice,
    healed: watch::Receiver<bool>,
    witness: &impl Witness,
) -> End {
    let (state, _) = watch::channel(State {
        up: Passage::Open,
        down: Passage::Open,
        said: 0,
        answered: 0,
        delivered: 0,
        loses_after: None,
        corrupts: None,
    });
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let pump = |way, dice| Pump {
        way,
        fate,
        dice,
        state: &state,
        healed: healed.clone(),
        witness,
    };
    let up = pump(Way::Up, Dice::new(dice.next(), 1)).run(from_client, to_server);
    let down = pump(Way::Down, Dice::new(dice.next(), 2)).run(from_server, to_client);
    let end = tokio::select! {
        end = both(up, down) => end,
        end = strike(fate, &state, healed.clone()) => end,
    };
    if end != End::Over {
        witness.client_left();
    }
    end
}

/// Waits until both ways have ended; when one has, the other does not have for ever.
async fn both(
    up: impl Future<Output = io::Result<()>>,
    down: impl Future<Output = io::Result<()>>,
) -> End {
    tokio::pin!(up, down);
    let (first, up_is_over) = tokio::select! {
        first = &mut up => (first, true),
        first = &mut down => (first, false),
    };
    if first.is_err() {
        return End::Reset;
    }
    let second = async { if up_is_over { down.await } else { up.await } };
    match timeout(HALF_CLOSED_MAX, second).await {
        Ok(Ok(())) => End::Over,
        Ok(Err(_)) => End::Reset,
        Err(_late) => End::Cut,
    }
}

/// Waits for the moment and does the damage. Ends only if that ends the connection.
async fn strike(
    fate: Fate,
    state: &watch::Sender<State>,
    mut healed: watch::Receiver<bool>,
) -> End {
    let never = std::future::pending::<End>();
    tokio::select! {
        () = wait_for(fate.moment, state) => {}
        () = healing(&mut healed) => return never.await,
    }
    match fate.fault {
        Fault::None => never.await,
        Fault::Cut => End::Cut,
        Fault::Reset => End::Reset,
        Fault::HalfOpen { up, down } => {
            state.send_modify(|state| {
                if up {
                    state.up = Passage::Nowhere;
                }
                if down {
                    state.down = Passage::Nowhere;
                }
            });
            sleep(HALF_OPEN_MAX).await;
            End::Cut
        }
        Fault::BlackHole(time) => {
            state.send_modify(|state| (state.up, state.down) = (Passage::Held, Passage::Held));
            sleep(time).await;
            state.send_modify(|state| (state.up, state.down) = (Passage::Open, Passage::Open));
            never.await
        }
        Fault::HalfClose => {
            state.send_modify(|state| state.down = Passage::Ended);
            sleep(HALF_OPEN_MAX).await;
            End::Cut
        }
        Fault::Corrupt(way) => {
            state.send_modify(|state| state.corrupts = Some(way));
            never.await
        }
        Fault::LoseAnswer => {
            let mut seen = state.subscribe();
            let delivered = seen.borrow().delivered;
            state.send_modify(|state| state.loses_after = Some(state.said));
            let said_more = |state: &State| state.delivered > delivered;
            if seen.wait_for(said_more).await.is_err() {
                return End::Cut;
            }
            let answered = seen.borrow().answered;
            let answer = seen.wait_for(|state| state.answered > answered);
            // Without an answer in time there is nothing to lose but the connection.
            let _ = timeout(ANSWER_MAX, answer).await;
            End::Cut
        }
    }
}

/// Waits until the proxy is healed, or ends, and this task with it.
async fn healing(healed: &mut watch::Receiver<bool>) {
    let _ = healed.wait_for(|healed| *healed).await;
}

async fn wait_for(moment: Moment, state: &watch::Sender<State>) {
    let mut seen = state.subscribe();
    // The sender outlives this: the errors cannot happen.
    match moment {
        Moment::After(time) => sleep(time).await,
        Moment::Said(bytes) => drop(seen.wait_for(|state| state.said >= bytes).await),
        Moment::Answered(bytes) => drop(seen.wait_for(|state| state.answered >= bytes).await),
    }
}

fn whole(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).expect("it is in memory")
}

/// Carries one way.
struct Pump<'a, W> {
    way: Way,
    fate: Fate,
    dice: Dice,
    state: &'a watch::Sender<State>,
    healed: watch::Receiver<bool>,
    witness: &'a W,
}

impl<W: Witness> Pump<'_, W> {
    async fn run(mut self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> io::Result<()> {
        let mut changes = self.state.subscribe();
        let mut piece = vec![0; PIECE_BYTES];
        let mut held = Vec::new();
        let mut is_first = true;
        let mut has_ended = false;
        loop {
            let passage = changes.borrow_and_update().passage(self.way);
            // Before anything that came later.
            if passage == Passage::Open && !held.is_empty() {
                self.pass(&mut held, &mut to).await?;
                held.clear();
            }
            if passage == Passage::Ended && !has_ended {
                to.shutdown().await?;
                has_ended = true;
            }
            let count = tokio::select! {
                count = from.read(&mut piece), if held.len() < HELD_BYTES_MAX => count,
                changed = changes.changed() => match changed {
                    Ok(()) => continue,
                    Err(_over) => return Ok(()),
                },
            };
            let count = match count {
                Ok(count) if count > 0 => count,
                end => {
                    if self.way == Way::Up {
                        self.witness.client_left();
                    }
                    end?;
                    break;
                }
            };
            if is_first && self.way == Way::Up {
                self.witness.begins(&piece[..count]);
            }
            is_first = false;
            self.note(count);
            // Asked again: what struck because of this piece is for this piece too.
            match self.state.borrow().passage(self.way) {
                Passage::Open if held.is_empty() => {}
                // It opened this moment: what was held comes first, at the top of the loop.
                Passage::Open | Passage::Held => {
                    held.extend_from_slice(&piece[..count]);
                    continue;
                }
                Passage::Nowhere | Passage::Ended => continue,
            }
            self.pass(&mut piece[..count], &mut to).await?;
        }
        if !has_ended {
            // The other side may be gone already.
            let _ = to.shutdown().await;
        }
        Ok(())
    }

    fn note(&self, count: usize) {
        let count = u64::try_from(count).expect("a piece is small");
        self.state.send_modify(|state| match self.way {
            Way::Up => state.said += count,
            Way::Down => state.answered += count,
        });
    }

    async fn pass(&mut self, bytes: &mut [u8], to: &mut WriteHalf<'_>) -> io::Result<()> {
        self.damage(bytes);
        if *self.healed.borrow() {
            to.write_all(bytes).await?;
        } else {
            self.pass_slowly(bytes, to).await?;
        }
        if self.way == Way::Up {
            let count = whole(bytes);
            self.state.send_modify(|state| state.delivered += count);
            self.witness.delivered(count);
        }
        Ok(())
    }

    /// Flips a bit if it is time to.
    fn damage(&mut self, bytes: &mut [u8]) {
        let way = self.way;
        let is_due = self.state.send_if_modified(|state| {
            let is_due = state.corrupts == Some(way);
            state.corrupts = state.corrupts.filter(|corrupts| *corrupts != way);
            is_due
        });
        let at = usize::try_from(self.dice.next()).unwrap_or(0) % bytes.len().max(1);
        if let (true, Some(byte)) = (is_due, bytes.get_mut(at)) {
            *byte ^= 1 << self.dice.from(0, 7);
            self.witness.damaged();
        }
    }

    /// Waits for so long, and not when everything is healed.
    async fn wait(&mut self, time: Duration) {
        let _ = timeout(time, healing(&mut self.healed)).await;
    }

    async fn pass_slowly(&mut self, mut bytes: &[u8], to: &mut WriteHalf<'_>) -> io::Result<()> {
        let jitter_us = u64::try_from(self.fate.jitter.as_micros()).expect("it is short");
        let late = self.fate.latency + Duration::from_micros(self.dice.from(0, jitter_us));
        if !late.is_zero() {
            self.wait(late).await;
        }
        let limit = self.fate.bytes_per_s;
        if let Some(takes_us) = whole(bytes).checked_mul(1_000_000).map(|us| us / limit)
            && takes_us > 0
        {
            self.wait(Duration::from_micros(takes_us)).await;
        }
        for number in 0.. {
            if number == SLICES_MAX {
                return to.write_all(bytes).await;
            }
            let slice = self.dice.from(1, self.fate.slice_max);
            let slice = usize::try_from(slice)
                .unwrap_or(usize::MAX)
                .min(bytes.len());
            let (now, later) = bytes.split_at(slice);
            to.write_all(now).await?;
            bytes = later;
            if bytes.is_empty() {
                break;
            }
            // The next slice is a write of its own, and mostly a segment of its own.
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}
