//! Tests of the outbox: whatever happens, order is kept and nothing is lost.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::model::{GroupId, Segment};

const ME: UserId = UserId(7);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn outgoing(name: &str, to: Target, expires_at: Option<i64>) -> Outgoing {
    Outgoing {
        client_id: name.to_owned(),
        to,
        segments: vec![Segment::text(name)],
        reply_to: None,
        accepted_at: at(0),
        expires_at: expires_at.map(at),
        attempted: false,
        failed: None,
    }
}

fn names(started: Vec<Started>) -> Vec<String> {
    started.into_iter().map(|it| it.client_id).collect()
}

#[test]
fn a_user_and_the_conversation_with_the_user_are_one_lane_once_it_is_known_who_sends() {
    let direct = Target::Conversation(ConversationId::direct(ME, UserId(9)));
    let items = vec![
        outgoing("a", UserId(9).into(), None),
        outgoing("b", direct, None),
    ];
    let now = Instant::now();
    let mut unknown = Outbox::new(items, None);
    unknown.set_me(ME);
    assert_eq!(names(unknown.start(now)), ["a"]);
    unknown.remove("a");
    assert_eq!(names(unknown.start(now)), ["b"]);
}

#[test]
fn no_more_than_the_limit_are_in_flight() {
    let group = |n: u32| Target::Group(GroupId(268_435_456 + n));
    let items = (0..100).map(|n| outgoing(&n.to_string(), group(n), None));
    let mut outbox = Outbox::new(items.collect(), Some(ME));
    let now = Instant::now();
    assert_eq!(outbox.start(now).len(), IN_FLIGHT_MAX);
    assert_eq!(outbox.start(now).len(), 0);
    outbox.remove("3");
    assert_eq!(names(outbox.start(now)), ["64"]);
}

#[test]
fn what_failed_and_is_retried_goes_behind_the_others() {
    let to = Target::Group(GroupId(268_435_456));
    let items = ["a", "b", "c"].map(|name| outgoing(name, to, None));
    let mut outbox = Outbox::new(items.into(), Some(ME));
    let now = Instant::now();
    outbox.start(now);
    outbox.fail("a", "muted: no");
    assert!(!outbox.retry("b", None));
    assert!(outbox.retry("a", None));
    let mut order = Vec::new();
    while let [started] = &outbox.start(now)[..] {
        order.push((started.client_id.clone(), started.is_first));
        outbox.remove(&started.client_id);
    }
    let wanted = [("b", true), ("c", true), ("a", false)];
    assert_eq!(order, wanted.map(|(name, first)| (name.to_owned(), first)));
}

#[test]
fn of_those_that_failed_only_the_last_ones_are_kept() {
    let group = |n: u32| Target::Group(GroupId(268_435_456 + n));
    let failed = (0..u32::try_from(FAILED_MAX).unwrap()).map(|n| Outgoing {
        failed: Some("muted: no".to_owned()),
        ..outgoing(&n.to_string(), group(n), None)
    });
    let waiting = ["a", "b"].map(|name| outgoing(name, group(0), None));
    let mut outbox = Outbox::new(waiting.into_iter().chain(failed).collect(), Some(ME));
    assert_eq!(outbox.forget_failed(), [""; 0]);
    // It was accepted before the others, and fails after them.
    outbox.fail("a", "muted: no");
    assert_eq!(outbox.forget_failed(), ["0"]);
    assert!(outbox.find("0").is_none() && outbox.find("a").is_some());
    outbox.remove("1");
    outbox.retry("2", None);
    outbox.fail("b", "muted: no");
    outbox.fail("2", "muted: no");
    assert_eq!(outbox.forget_failed(), [""; 0]);
    outbox.accept(outgoing("c", group(0), None));
    outbox.fail("c", "muted: no");
    assert_eq!(outbox.forget_failed(), ["3"]);
    assert_eq!(outbox.list().len(), FAILED_MAX);
}

#[test]
fn what_expired_on_its_way_is_asked_after_and_holds_up_its_lane() {
    let to = Target::Group(GroupId(268_435_456));
    let items = vec![
        outgoing("a", to, Some(10)),
        outgoing("b", to, Some(10)),
        outgoing("c", to, None),
    ];
    let mut outbox = Outbox::new(items, Some(ME));
    let now = Instant::now();
    assert_eq!(names(outbox.start(now)), ["a"]);
    // "a" is on its way: its answer may come.
    assert_eq!(outbox.expire(at(10), true), [Expired::Never("b".into())]);
    outbox.fail("b", "expired: late");
    outbox.lost();
    assert_eq!(outbox.expire(at(11), false), []);
    assert_eq!(outbox.expires_at(), None);
    assert_eq!(outbox.start(now), []);
    assert_eq!(outbox.expire(at(11), true), [Expired::Perhaps("a".into())]);
    assert_eq!(outbox.expire(at(11), true), []);
    outbox.lost();
    assert_eq!(outbox.expire(at(11), true), [Expired::Perhaps("a".into())]);
    outbox.fail("a", "expired: late");
    assert_eq!(names(outbox.start(now)), ["c"]);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Accept(u32, Option<i64>),
    Start,
    Stored(usize),
    Refused(usize),
    Delayed(usize),
    Lost,
    Later(i64),
    Retry(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_u32..4, prop::option::of(1_i64..60)).prop_map(|(to, after)| Step::Accept(to, after)),
        4 => Just(Step::Start),
        3 => any::<usize>().prop_map(Step::Stored),
        1 => any::<usize>().prop_map(Step::Refused),
        2 => any::<usize>().prop_map(Step::Delayed),
        1 => Just(Step::Lost),
        2 => (1_i64..20).prop_map(Step::Later),
        1 => any::<usize>().prop_map(Step::Retry),
    ]
}

/// What a test knows of the outbox from outside.
struct Model {
    outbox: Outbox,
    start: Instant,
    seconds: i64,
    accepted: Vec<String>,
    lanes: HashMap<String, u32>,
    flying: Vec<String>,
    asking: Vec<String>,
    stored: Vec<String>,
    failed: Vec<String>,
    written: Vec<String>,
    retried: Vec<String>,
}

impl Model {
    fn now(&self) -> Instant {
        self.start + Duration::from_secs(self.seconds.unsigned_abs())
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Accept(to, after) => {
                let name = self.accepted.len().to_string();
                let target = match to {
                    0 => UserId(9).into(),
                    1 => ConversationId::direct(ME, UserId(9)).into(),
                    group => GroupId(268_435_456 + group).into(),
                };
                let expires = after.map(|after| self.seconds + after);
                self.outbox.accept(outgoing(&name, target, expires));
                // The first two are the same conversation.
                self.lanes.insert(name.clone(), to.max(1));
                self.accepted.push(name);
            }
            Step::Start => self.start(),
            Step::Stored(n) => {
                if let Some(name) = take(&mut self.flying, n) {
                    assert!(self.outbox.remove(&name));
                    self.stored.push(name);
                } else if let Some(name) = take(&mut self.asking, n) {
                    self.outbox.fail(&name, "expired: late");
                    self.failed.push(name);
                }
            }
            Step::Refused(n) => {
                if let Some(name) = take(&mut self.flying, n) {
                    self.outbox.fail(&name, "muted: no");
                    self.failed.push(name);
                }
            }
            Step::Delayed(n) => {
                if let Some(name) = take(&mut self.flying, n) {
                    let until = self.now() + Duration::from_secs(5);
                    self.outbox.delay(&name, until);
                }
            }
            Step::Lost => {
                self.outbox.lost();
                self.flying.clear();
                self.asking.clear();
            }
            Step::Later(seconds) => self.seconds += seconds,
            Step::Retry(n) => {
                if let Some(name) = take(&mut self.failed, n) {
                    assert!(self.outbox.retry(&name, None));
                    self.retried.push(name);
                }
            }
        }
    }

    fn start(&mut self) {
        for expired in self.outbox.expire(at(self.seconds), true) {
            match expired {
                Expired::Never(name) => {
                    assert!(!self.written.contains(&name), "{name} may be stored");
                    self.outbox.fail(&name, "expired: late");
                    self.failed.push(name);
                }
                Expired::Perhaps(name) => self.asking.push(name),
            }
        }
        for started in self.outbox.start(self.now()) {
            let name = started.client_id;
            assert_eq!(started.is_first, !self.written.contains(&name));
            self.check_turn(&name);
            self.written.push(name.clone());
            self.flying.push(name);
        }
    }

    /// Nothing else of its lane is on its way, and nothing before it waits.
    fn check_turn(&self, name: &str) {
        let lane = self.lanes[name];
        let busy = self.flying.iter().chain(&self.asking);
        for other in busy {
            assert_ne!(self.lanes[other], lane, "{name} beside {other}");
        }
        if self.retried.iter().any(|it| it == name) {
            return;
        }
        let before = self.accepted.iter().take_while(|it| *it != name);
        for other in before.filter(|it| self.lanes[*it] == lane) {
            let over = self.stored.contains(other)
                || self.failed.contains(other)
                || self.retried.contains(other);
            assert!(over, "{name} before {other}");
        }
    }

    /// Answers everything until nothing is left.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            self.step(Step::Start);
            if self.flying.is_empty() && self.asking.is_empty() {
                if self.outbox.unsent() == 0 {
                    return;
                }
                self.step(Step::Later(1));
            }
            self.step(Step::Stored(0));
        }
        panic!("{} wait for ever", self.outbox.unsent());
    }
}

fn take(from: &mut Vec<String>, n: usize) -> Option<String> {
    (!from.is_empty()).then(|| from.remove(n % from.len()))
}

proptest! {
    #[test]
    fn order_is_kept_and_nothing_is_lost(steps in prop::collection::vec(step(), 0..120)) {
        let mut model = Model {
            outbox: Outbox::new(Vec::new(), Some(ME)),
            start: Instant::now(),
            seconds: 0,
            accepted: Vec::new(),
            lanes: HashMap::new(),
            flying: Vec::new(),
            asking: Vec::new(),
            stored: Vec::new(),
            failed: Vec::new(),
            written: Vec::new(),
            retried: Vec::new(),
        };
        for step in steps {
            model.step(step);
            let kept = model.outbox.list().len();
            prop_assert_eq!(kept + model.stored.len(), model.accepted.len());
        }
        model.settle();
        let mut all = [model.stored, model.failed].concat();
        all.sort_by_key(|name| name.parse::<usize>().unwrap());
        prop_assert_eq!(all, model.accepted);
        prop_assert_eq!(model.outbox.in_flight, 0);
        prop_assert!(model.outbox.ready.is_empty() && model.outbox.overdue.is_empty());
        prop_assert!(model.outbox.blocked.is_empty() && model.outbox.expiries.is_empty());
        prop_assert!(model.outbox.lanes.is_empty());
    }
}
