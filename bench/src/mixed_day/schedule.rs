//! Who does what at which moment: decided before, whatever the server does meanwhile.
//!
//! Knows nothing of connections. What is due comes out at its time, as long as somebody takes it.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use common::id::Peer;
use tokio::sync::mpsc;

use super::office::{Office, TEAMS};
use super::ratios::{ACTIVE_ONE_IN, Deed, deed_at, deeds_an_hour, team_at};
use crate::line::now_us;
use crate::spread::count_as_f64;

const HOUR_US: f64 = 3_600_000_000.0;

/// Something that somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Act {
    /// No other act has the same moment: it serves as a name, too.
    pub due_us: u64,
    pub person: usize,
    pub deed: Deed,
    /// Whom it is written to, or what is looked at.
    pub to: Peer,
    /// Who hears it.
    pub hearers: usize,
    /// Anything, for what is chosen by those who carry it out.
    pub chance: u64,
}

/// When the parts of the day begin and end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub morning_us: u64,
    pub day_us: u64,
    pub evening_us: u64,
}

pub(super) struct Schedule {
    office: Arc<Office>,
    times: Times,
    dice: fastrand::Rng,
    /// Those who write.
    active: Vec<usize>,
    /// Between two acts, on the average.
    pause_us: f64,
    /// Who has not come yet, and when he does; the last comes first.
    arrivals: Vec<(u64, usize)>,
    last_us: u64,
}

impl Schedule {
    /// An hour of the office goes by `faster` times as fast.
    pub(super) fn new(office: Arc<Office>, times: Times, faster: f64, seed: u64) -> Self {
        let mut dice = fastrand::Rng::with_seed(seed);
        let mut numbers: Vec<usize> = (0..office.people.len()).collect();
        dice.shuffle(&mut numbers);
        let mut arrivals: Vec<(u64, usize)> = numbers
            .iter()
            .map(|number| (dice.u64(times.morning_us..times.day_us), *number))
            .collect();
        arrivals.sort_unstable();
        arrivals.reverse();
        numbers.truncate(numbers.len().div_ceil(ACTIVE_ONE_IN));
        Self {
            pause_us: HOUR_US / faster / deeds_an_hour() / as_f64(numbers.len()),
            active: numbers,
            office,
            times,
            dice,
            arrivals,
            last_us: 0,
        }
    }

    /// Acts in a second, on the average.
    pub(super) fn acts_a_second(&self) -> f64 {
        1e6 / self.pause_us
    }

    /// Hands out each act when it is due, from a thread of its own: the clock of the runtime is
    /// only as fine as a millisecond, and is late when the runtime is busy.
    pub(super) fn start(self) -> mpsc::Receiver<Act> {
        /// What is handed out late is measured as late, so the bound is only for memory.
        const WAITING_MAX: usize = 1024;
        let (acts, due) = mpsc::channel(WAITING_MAX);
        thread::spawn(move || {
            for act in self {
                thread::sleep(Duration::from_micros(act.due_us.saturating_sub(now_us())));
                if acts.blocking_send(act).is_err() {
                    return;
                }
            }
        });
        due
    }

    /// How this person does it, if he does.
    fn fitting(&self, person: usize, deed: Deed) -> Option<Deed> {
        match self.office.people[person].is_flamingo {
            true => deed.with_flamingo(),
            false => Some(deed),
        }
    }

    fn act(&mut self, due_us: u64, person: usize, deed: Deed) -> Act {
        self.last_us = due_us.max(self.last_us + 1);
        let (to, hearers) = self.whom(person, deed);
        Act {
            due_us: self.last_us,
            person,
            deed,
            to,
            hearers,
            chance: self.dice.u64(..),
        }
    }

    fn whom(&mut self, person: usize, deed: Deed) -> (Peer, usize) {
        let is_to_one = match deed {
            Deed::TextToTeam | Deed::TextToAll => false,
            Deed::TextToOne => true,
            _ => self.dice.bool(),
        };
        let colleague = &self.office.people[person];
        if is_to_one {
            let friend = self.dice.choice(&colleague.friends).copied();
            let friend = &self.office.people[friend.unwrap_or_default()];
            return (Peer::User(friend.user), 1);
        }
        let team = match deed {
            Deed::TextToAll => TEAMS.len(),
            _ => team_at(self.dice.f64()),
        };
        let team = colleague.teams[team];
        let group = self.office.teams[team].group;
        (Peer::Group(group), self.office.hearers(team))
    }
}

impl Iterator for Schedule {
    type Item = Act;

    fn next(&mut self) -> Option<Act> {
        if let Some((due_us, person)) = self.arrivals.pop() {
            let deed = self.fitting(person, Deed::Arrive)?;
            return Some(self.act(due_us, person, deed));
        }
        // As in life, what one does says nothing of when another does something.
        let pause = -self.pause_us * (1.0 - self.dice.f64()).ln();
        let pause = Duration::from_secs_f64(pause / 1e6);
        let from_us = self.last_us.max(self.times.day_us);
        let due_us = from_us + u64::try_from(pause.as_micros()).unwrap_or(u64::MAX);
        if due_us >= self.times.evening_us {
            return None;
        }
        let deed = deed_at(self.dice.f64());
        // Of the active four in five have a client that can do it.
        loop {
            let person = self.active[self.dice.usize(..self.active.len())];
            if let Some(deed) = self.fitting(person, deed) {
                return Some(self.act(due_us, person, deed));
            }
        }
    }
}

pub(super) fn as_f64(count: usize) -> f64 {
    count_as_f64(u64::try_from(count).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use common::id::{GroupId, UserId};

    use super::*;
    use crate::mixed_day::office::{Colleague, Team};
    use crate::web::WebPerson;

    const PEOPLE: usize = 50;

    fn day(seed: u64) -> Vec<Act> {
        let server = ([127, 0, 0, 1], 1).into();
        let colleague = |number: usize| Colleague {
            name: String::new(),
            user: UserId(u32::try_from(number).unwrap() + 1),
            web: WebPerson::guest(server),
            is_flamingo: number % 5 == 4,
            friends: vec![(number + 1) % PEOPLE],
            teams: vec![0, 1, 2, 3],
        };
        let team = |number| Team {
            group: GroupId(number),
            maker: 0,
            members: PEOPLE,
        };
        let office = Office {
            chat: server,
            file: server,
            image: server,
            people: (0..PEOPLE).map(colleague).collect(),
            teams: (0..4).map(team).collect(),
        };
        let times = Times {
            morning_us: 0,
            day_us: 1_000_000,
            evening_us: 61_000_000,
        };
        Schedule::new(Arc::new(office), times, 3_600.0, seed).collect()
    }

    #[test]
    fn a_seed_makes_a_day_in_which_no_two_moments_are_the_same() {
        let acts = day(1);
        assert_eq!(acts, day(1));
        assert_ne!(acts, day(2));
        assert!(acts.is_sorted_by(|one, other| one.due_us < other.due_us));
        let is_arrival = |act: &Act| matches!(act.deed, Deed::Arrive | Deed::ArriveWithPassword);
        assert_eq!(acts.iter().filter(|act| is_arrival(act)).count(), PEOPLE);
        assert!(acts[..PEOPLE].iter().all(is_arrival));
        // 13 active people and 60 of their hours.
        let (done, expected) = (as_f64(acts.len() - PEOPLE), 13.0 * 60.0 * deeds_an_hour());
        assert!((done / expected - 1.0).abs() < 0.05, "{done} of {expected}");
    }

    #[test]
    fn existing_clients_do_what_they_can() {
        for act in day(1).iter().filter(|act| act.person % 5 == 4) {
            assert_eq!(act.deed.with_flamingo(), Some(act.deed));
        }
    }
}
