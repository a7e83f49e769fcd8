//! Turn after turn: what happened, then what follows, then the screen.
//!
//! An idle screen waits for an input and nothing else. A busy one is drawn at most 20 times a
//! second, with everything that came meanwhile.

use std::pin::Pin;
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::{Signal, kill_current_process_group};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::network::Network;
use super::now;
use super::screen::Screen;
use crate::chat::message::{Effect, Input};
use crate::chat::state::State;
use crate::chat::update::update;

/// Between two frames.
const FRAME: Duration = Duration::from_millis(50);
/// Inputs between two looks at the clock and the screen, at most.
const INPUTS_A_TURN_MAX: usize = 512;
/// Bells are not a drum.
const BELL_EVERY: Duration = Duration::from_secs(1);
/// A process that is alone in its session cannot be suspended; then it goes on.
const STOPPED_WITHIN: Duration = Duration::from_millis(300);

/// What happened while nothing was done.
enum Woken {
    Input(Input),
    /// A frame is due, or the clock changes the screen.
    Time,
    Continued,
    End,
}

struct Turns<'a> {
    state: State,
    screen: &'a mut Screen,
    network: &'a Network,
    drawn: Instant,
    rang: Option<Instant>,
    dirty: bool,
    over: bool,
}

/// Until the user leaves, or a signal or a lost terminal says so.
pub(super) async fn take(
    state: State,
    screen: &mut Screen,
    mut inputs: mpsc::Receiver<Input>,
    network: &Network,
    gone: &CancellationToken,
) -> anyhow::Result<()> {
    let wanted = |kind| signal(kind).context("signals");
    let mut terminate = wanted(SignalKind::terminate())?;
    let mut hang_up = wanted(SignalKind::hangup())?;
    let mut interrupt = wanted(SignalKind::interrupt())?;
    let continued = SignalKind::from_raw(Signal::CONT.as_raw());
    let mut continued = wanted(continued)?;
    let mut turns = Turns {
        state,
        screen,
        network,
        drawn: Instant::now(),
        rang: None,
        dirty: false,
        over: false,
    };
    turns.draw()?;
    while !turns.over {
        let pause = turns.pause();
        let woken = tokio::select! {
            biased;
            () = gone.cancelled() => Woken::End,
            _ = terminate.recv() => Woken::End,
            _ = hang_up.recv() => Woken::End,
            _ = interrupt.recv() => Woken::End,
            _ = continued.recv() => Woken::Continued,
            input = inputs.recv() => input.map_or(Woken::End, Woken::Input),
            () = wait(pause) => Woken::Time,
        };
        match woken {
            Woken::End => break,
            Woken::Time => turns.one(Vec::new()).await?,
            Woken::Continued => turns.come_back()?,
            Woken::Input(first) => {
                let mut all = vec![first];
                while let Ok(input) = inputs.try_recv() {
                    all.push(input);
                    if all.len() >= INPUTS_A_TURN_MAX {
                        break;
                    }
                }
                turns.one(all).await?;
            }
        }
    }
    Ok(())
}

async fn wait(pause: Option<Pin<Box<Sleep>>>) {
    match pause {
        Some(pause) => pause.await,
        None => std::future::pending().await,
    }
}

impl Turns<'_> {
    /// How long nothing has to be done if nothing happens.
    fn pause(&self) -> Option<Pin<Box<Sleep>>> {
        if self.dirty {
            return Some(Box::pin(tokio::time::sleep_until(self.drawn + FRAME)));
        }
        let next = self.state.next_change()?;
        let left = next.duration_since(now()).unsigned_abs();
        let left = if next > now() { left } else { Duration::ZERO };
        Some(Box::pin(sleep(left.max(FRAME))))
    }

    async fn one(&mut self, inputs: Vec<Input>) -> anyhow::Result<()> {
        let clock = Input::Clock(now());
        let changes_by_itself = self.state.next_change().is_some_and(|next| next <= now());
        self.dirty |= !inputs.is_empty() || changes_by_itself;
        for input in std::iter::once(clock).chain(inputs) {
            for effect in update(&mut self.state, input) {
                self.carry_out(effect).await?;
            }
        }
        if self.dirty && !self.over && self.drawn.elapsed() >= FRAME {
            self.draw()?;
        }
        Ok(())
    }

    async fn carry_out(&mut self, effect: Effect) -> anyhow::Result<()> {
        match effect {
            Effect::Quit => self.over = true,
            Effect::Redraw => self.screen.redraw()?,
            Effect::Suspend => self.suspend().await?,
            Effect::Bell => self.ring()?,
            other => self.network.carry_out(other),
        }
        Ok(())
    }

    fn draw(&mut self) -> anyhow::Result<()> {
        // The size may have changed before the news of it came.
        let (width, height) = self.screen.size()?;
        if (width, height) != self.state.size {
            for effect in update(&mut self.state, Input::Resize(width, height)) {
                self.network.carry_out(effect);
            }
        }
        self.screen.draw(&self.state)?;
        self.drawn = Instant::now();
        self.dirty = false;
        Ok(())
    }

    fn ring(&mut self) -> anyhow::Result<()> {
        let soon = self.rang.is_some_and(|rang| rang.elapsed() < BELL_EVERY);
        if !self.state.setting.bell || soon {
            return Ok(());
        }
        self.rang = Some(Instant::now());
        self.screen.bell()
    }

    /// Gives the terminal to the shell until `fg`.
    async fn suspend(&mut self) -> anyhow::Result<()> {
        let continued = SignalKind::from_raw(Signal::CONT.as_raw());
        let mut continued = signal(continued).context("signals")?;
        self.screen.close();
        kill_current_process_group(Signal::TSTP).context("cannot suspend")?;
        let _ = timeout(STOPPED_WITHIN, continued.recv()).await;
        self.come_back()
    }

    fn come_back(&mut self) -> anyhow::Result<()> {
        self.screen.enter()?;
        self.network.carry_out(Effect::Wake);
        self.draw()
    }
}
