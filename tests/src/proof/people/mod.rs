//! Who makes the load of a storm: people whose server is killed again and again, and who go on.
//!
//! Each is a thread with a device of its own. `talker` speaks WebSocket, `old_talker` the old
//! protocol, `callers` HTTP: a poster, an uploader, and somebody who takes a member out and back.
//! None of them judges what comes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

use super::recorder::Recorder;

pub mod callers;
pub mod old_talker;
pub mod talker;

/// How long somebody waits for the next thing before he looks how the play stands.
const GLANCE: Duration = Duration::from_millis(20);

/// So many messages are under way at a time if nobody says otherwise.
const WINDOW_MAX: u64 = 12;

/// How far the play has got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Everybody writes, and the server dies now and then.
    Storm,
    /// Nobody begins anything new; what was begun is brought to its end.
    Heal,
    /// The last words of each conversation, by their content: whoever has heard them has all.
    End(BTreeMap<String, String>),
    /// The server will not come back.
    Abandoned,
}

#[derive(Debug)]
struct State {
    act: Act,
    life: u64,
    busy: usize,
}

/// What all of them share.
#[derive(Debug)]
pub struct Stage {
    pub chat: SocketAddr,
    pub file: SocketAddr,
    pub recorder: Recorder,
    pub seed: u64,
    /// The most messages that a talker has under way at a time.
    pub window_max: u64,
    state: Mutex<State>,
    changed: Condvar,
}

impl Stage {
    pub fn new(chat: SocketAddr, file: SocketAddr, recorder: Recorder, seed: u64) -> Self {
        Self {
            chat,
            file,
            recorder,
            seed,
            window_max: WINDOW_MAX,
            state: Mutex::new(State {
                act: Act::Storm,
                life: 1,
                busy: 0,
            }),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }

    pub fn act(&self) -> Act {
        self.lock().act.clone()
    }

    pub fn is_storm(&self) -> bool {
        self.lock().act == Act::Storm
    }

    pub fn is_abandoned(&self) -> bool {
        self.lock().act == Act::Abandoned
    }

    pub fn goes_to(&self, act: Act) {
        self.lock().act = act;
        self.changed.notify_all();
    }

    /// Which start of the server this is.
    pub fn life(&self) -> u64 {
        self.lock().life
    }

    /// The server is dead and will be started again; which start that will be.
    pub fn next_life(&self) -> u64 {
        let mut state = self.lock();
        state.life += 1;
        self.changed.notify_all();
        state.life
    }

    /// Somebody has something to bring to an end.
    pub fn is_busy(&self) {
        self.lock().busy += 1;
    }

    /// He has brought it to its end.
    pub fn is_done(&self) {
        self.lock().busy -= 1;
        self.changed.notify_all();
    }

    /// Waits until everybody has; says whether they had in time.
    pub fn all_done(&self, patience: Duration) -> bool {
        let waiting = |state: &mut State| state.busy > 0;
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), patience, waiting);
        !waited.expect("no holder of this lock panics").1.timed_out()
    }

    /// Waits a moment, or until something changes: what to do after a failure.
    pub fn pause(&self) {
        let state = self.lock();
        drop(self.changed.wait_timeout(state, GLANCE));
    }
}
