//! Good histories are found good, each way to spoil one is found, and the Python checker agrees.

use proptest::prelude::*;

use myim_tests::dice::Dice;
use myim_tests::proof::check::{Violation, check};
use myim_tests::proof::history::{self, Event, Line};
use myim_tests::proof::second_check;

const TALK: &str = "talk";

/// Both checkers on one history, sentence by sentence.
fn both(history: &[Event]) -> Vec<Violation> {
    let found = check(history);
    let theirs = second_check::check(history).unwrap();
    assert_eq!(
        second_check::keys(&found),
        theirs,
        "the checkers disagree\n{history:#?}"
    );
    found
}

/// A world that does everything right, and writes its history.
struct World {
    dice: Dice,
    history: Vec<Event>,
    log: Vec<(String, String, Option<String>)>,
    sent: u64,
    life: u64,
    /// The receiver's cursor, what it was shown on this connection, and what it confirmed.
    cursor: u64,
    shown: u64,
    confirmed: u64,
    /// The old client's place.
    old: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let device = |device: &str, user: &str, acknowledges| Event::Device {
            device: device.to_owned(),
            user: user.to_owned(),
            acknowledges,
        };
        Self {
            dice: Dice::new(seed, 0),
            history: vec![
                device("ann/laptop", "1", true),
                device("bob/phone", "2", true),
                device("cid/pc", "3", false),
            ],
            log: Vec::new(),
            sent: 0,
            life: 1,
            cursor: 0,
            shown: 0,
            confirmed: 0,
            old: 0,
        }
    }

    fn note(&mut self, event: Event) {
        self.history.push(event);
    }

    /// Ann writes; sometimes the answer is lost and she sends again.
    fn send(&mut self) {
        self.sent += 1;
        let (id, content) = (format!("c{}", self.sent), format!("content {}", self.sent));
        let sending = Event::Sending {
            device: "ann/laptop".to_owned(),
            conversation: TALK.to_owned(),
            client_id: Some(id.clone()),
            content: content.clone(),
        };
        self.note(sending.clone());
        if self.dice.percent(20) {
            // It never got there, and she does not try again.
            return;
        }
        self.log
            .push(("1".to_owned(), id.clone(), Some(content.clone())));
        if self.dice.percent(20) {
            self.note(sending);
        }
        let seq = self.head();
        self.note(Event::Acknowledged {
            device: "ann/laptop".to_owned(),
            conversation: TALK.to_owned(),
            client_id: Some(id),
            content,
            seq: Some(seq),
        });
    }

    /// An old client writes: without a number, and sometimes without an answer.
    fn send_old(&mut self) {
        self.sent += 1;
        let content = format!("content {}", self.sent);
        let (device, conversation) = ("cid/pc".to_owned(), TALK.to_owned());
        self.note(Event::Sending {
            device: device.clone(),
            conversation: conversation.clone(),
            client_id: None,
            content: content.clone(),
        });
        let id = format!("made up {}", self.sent);
        self.log.push(("3".to_owned(), id, Some(content.clone())));
        if self.dice.percent(50) {
            self.note(Event::Acknowledged {
                device,
                conversation,
                client_id: None,
                content,
                seq: None,
            });
        }
    }

    fn notice(&mut self) {
        let id = format!("notice {}", self.log.len());
        self.log.push(("1".to_owned(), id, None));
    }

    fn head(&self) -> u64 {
        u64::try_from(self.log.len()).unwrap()
    }

    fn entry(&self, seq: u64) -> (String, String, Option<String>) {
        self.log[usize::try_from(seq - 1).unwrap()].clone()
    }

    fn deliver(&mut self) {
        while self.shown < self.head() {
            self.shown += 1;
            let (_, _, content) = self.entry(self.shown);
            self.note(Event::Received {
                device: "bob/phone".to_owned(),
                conversation: TALK.to_owned(),
                seq: Some(self.shown),
                content,
            });
            if self.dice.percent(30) {
                break;
            }
        }
        while self.old < self.head() {
            self.old += 1;
            let (sender, _, content) = self.entry(self.old);
            if sender != "3" && content.is_some() {
                self.note(Event::Received {
                    device: "cid/pc".to_owned(),
                    conversation: TALK.to_owned(),
                    seq: None,
                    content,
                });
            }
        }
    }

    fn confirm(&mut self) {
        if self.shown == self.confirmed {
            return;
        }
        let place = |seq| ("bob/phone".to_owned(), TALK.to_owned(), seq);
        let (device, conversation, seq) = place(self.shown);
        self.note(Event::Confirming {
            device,
            conversation,
            seq,
        });
        let (device, conversation, seq) = place(self.shown);
        self.note(Event::Confirmed {
            device,
            conversation,
            seq,
        });
        self.confirmed = self.shown;
    }

    fn reconnect(&mut self) {
        let is_crash = self.dice.percent(50);
        if is_crash {
            self.note(Event::Crashed {
                how: "kill -9".to_owned(),
            });
            self.life += 1;
            self.note(Event::Restarted { life: self.life });
        }
        // A crash may cost the last confirmations, never what an earlier connection began with.
        if !is_crash || self.dice.percent(50) {
            self.cursor = self.confirmed;
        }
        self.confirmed = self.cursor;
        self.shown = self.cursor;
        for device in ["bob/phone", "cid/pc"] {
            self.note(Event::Connected {
                device: device.to_owned(),
                life: Some(self.life),
            });
        }
    }

    fn end(mut self) -> Vec<Event> {
        while self.shown < self.head() || self.old < self.head() {
            self.deliver();
        }
        for device in ["bob/phone", "cid/pc"] {
            self.note(Event::Waited {
                device: device.to_owned(),
            });
        }
        for user in ["1", "2", "3"] {
            self.note(Event::Member {
                conversation: TALK.to_owned(),
                user: user.to_owned(),
                after: 0,
                until: None,
            });
        }
        for (seq, (sender, client_id, content)) in (1..).zip(self.log.clone()) {
            self.note(Event::Stored {
                conversation: TALK.to_owned(),
                seq,
                sender,
                client_id,
                content,
            });
        }
        self.history
    }
}

/// A history in which all is well.
fn good(seed: u64, steps: usize) -> Vec<Event> {
    let mut world = World::new(seed);
    world.reconnect();
    world.send();
    for _ in 0..steps {
        match world.dice.from(0, 9) {
            0..=2 => world.send(),
            3 => world.send_old(),
            4 => world.notice(),
            5..=6 => world.deliver(),
            7..=8 => world.confirm(),
            _ => world.reconnect(),
        }
    }
    world.end()
}

/// A way to spoil a history.
#[derive(Clone, Copy, Debug)]
enum Spoiled {
    Lost,
    Moved,
    Invented,
    Doubled,
    SameNumber,
    Changed,
    Gap,
    HeardTwice,
    NeverHeard,
    Refused,
    Outsider,
    AcknowledgedTwice,
    Back,
}

const SPOILED: [Spoiled; 13] = [
    Spoiled::Lost,
    Spoiled::Moved,
    Spoiled::Invented,
    Spoiled::Doubled,
    Spoiled::SameNumber,
    Spoiled::Changed,
    Spoiled::Gap,
    Spoiled::HeardTwice,
    Spoiled::NeverHeard,
    Spoiled::Refused,
    Spoiled::Outsider,
    Spoiled::AcknowledgedTwice,
    Spoiled::Back,
];

fn acknowledged(event: &Event) -> bool {
    matches!(event, Event::Acknowledged { seq: Some(_), .. })
}

fn is_stored(event: &Event) -> bool {
    matches!(event, Event::Stored { .. })
}

fn heard_by_phone(event: &Event) -> bool {
    matches!(event, Event::Received { device, seq: Some(_), .. } if device == "bob/phone")
}

/// The places of those that fit.
fn all(history: &[Event], fits: fn(&Event) -> bool) -> Vec<usize> {
    let places = history.iter().enumerate();
    let fitting = places.filter(|(_, event)| fits(event));
    fitting.map(|(at, _)| at).collect()
}

/// One of these places; nothing if there is none.
fn one(places: &[usize], pick: usize) -> Option<usize> {
    (!places.is_empty()).then(|| places[pick % places.len()])
}

/// Spoils a history; which sentence is broken then, nothing if this history cannot be spoiled so.
fn spoil(history: &mut Vec<Event>, how: Spoiled, pick: usize) -> Option<&'static str> {
    match how {
        Spoiled::Lost | Spoiled::Moved | Spoiled::Refused | Spoiled::AcknowledgedTwice => {
            spoil_answer(history, how, pick)
        }
        Spoiled::Invented | Spoiled::Doubled | Spoiled::SameNumber => spoil_log(history, how, pick),
        Spoiled::Changed
        | Spoiled::Gap
        | Spoiled::HeardTwice
        | Spoiled::NeverHeard
        | Spoiled::Outsider => spoil_hearing(history, how, pick),
        Spoiled::Back => spoil_place(history, pick),
    }
}

fn spoil_answer(history: &mut Vec<Event>, how: Spoiled, pick: usize) -> Option<&'static str> {
    let at = one(&all(history, acknowledged), pick)?;
    let mut again = history[at].clone();
    let Event::Acknowledged {
        device,
        conversation,
        client_id: Some(id),
        seq: Some(seq),
        ..
    } = &mut again
    else {
        unreachable!("just found");
    };
    match how {
        Spoiled::Lost => {
            history.retain(
                |event| !matches!(event, Event::Stored { client_id, .. } if client_id == id),
            );
            Some("I1")
        }
        Spoiled::Moved => {
            *seq += 1;
            history[at] = again;
            Some("I1")
        }
        Spoiled::Refused => {
            history.push(Event::Refused {
                device: device.clone(),
                conversation: conversation.clone(),
                client_id: id.clone(),
                code: "not_a_member".to_owned(),
            });
            Some("I7")
        }
        _ => {
            *seq += 7;
            history.insert(at + 1, again);
            Some("I3")
        }
    }
}

fn spoil_log(history: &mut Vec<Event>, how: Spoiled, pick: usize) -> Option<&'static str> {
    let places = all(history, is_stored);
    let at = one(&places, pick)?;
    let mut again = history[at].clone();
    let Event::Stored {
        conversation,
        seq,
        client_id,
        content,
        ..
    } = &mut again
    else {
        unreachable!("just found");
    };
    let broken = match how {
        Spoiled::Invented => {
            "other".clone_into(conversation);
            *seq = 1;
            client_id.push('x');
            *content = Some("never said".to_owned());
            "I2"
        }
        Spoiled::Doubled => {
            *seq = u64::try_from(places.len()).unwrap() + 1;
            "I3"
        }
        _ => {
            client_id.push('x');
            "I4"
        }
    };
    history.push(again);
    Some(broken)
}

fn spoil_hearing(history: &mut Vec<Event>, how: Spoiled, pick: usize) -> Option<&'static str> {
    let heard = all(history, heard_by_phone);
    let at = one(&heard, pick)?;
    match how {
        Spoiled::Changed => {
            if let Event::Received { content, .. } = &mut history[at] {
                *content = Some("something else".to_owned());
            }
            Some("I4")
        }
        Spoiled::Gap => {
            // Between two that came on one connection.
            let is_connected = |event: &Event| matches!(event, Event::Connected { .. });
            let inside = heard
                .windows(3)
                .filter(|three| !history[three[0]..three[2]].iter().any(is_connected));
            let inside: Vec<_> = inside.map(|three| three[1]).collect();
            history.remove(one(&inside, pick)?);
            Some("I6")
        }
        Spoiled::HeardTwice => {
            history.insert(at, history[at].clone());
            Some("I5")
        }
        Spoiled::NeverHeard => {
            let Event::Received { seq: wanted, .. } = history[*heard.last()?].clone() else {
                unreachable!("just found");
            };
            let is_it = |event: &Event| {
                heard_by_phone(event)
                    && matches!(event, Event::Received { seq, .. } if *seq == wanted)
            };
            history.retain(|event| !is_it(event));
            Some("I9")
        }
        _ => {
            history.retain(|event| !matches!(event, Event::Member { user, .. } if user == "2"));
            Some("I11")
        }
    }
}

/// What was confirmed comes again on the next connection to the same life of the server.
fn spoil_place(history: &mut Vec<Event>, pick: usize) -> Option<&'static str> {
    let confirmed = |event: &Event| matches!(event, Event::Confirmed { .. });
    let at = one(&all(history, confirmed), pick)?;
    let Event::Confirmed { seq, .. } = history[at] else {
        unreachable!("just found");
    };
    let mut before = history[..at].iter().rev();
    let connected = before.clone().find_map(|event| match event {
        Event::Connected { life, .. } => Some(*life),
        _ => None,
    });
    let is_it = |event: &&Event| {
        heard_by_phone(event)
            && matches!(event, Event::Received { seq: place, .. } if *place == Some(seq))
    };
    let again = before.find(is_it)?.clone();
    let device = "bob/phone".to_owned();
    let connected = Event::Connected {
        device,
        life: connected?,
    };
    history.splice(at + 1..at + 1, [connected, again]);
    Some("I6")
}

#[test]
fn every_kind_of_violation_is_found_by_both_checkers() {
    for (number, how) in SPOILED.into_iter().enumerate() {
        let mut history = good(u64::try_from(number).unwrap(), 80);
        assert_eq!(both(&history), []);
        let wanted = spoil(&mut history, how, 3).expect("long enough to be spoiled in every way");
        let found = both(&history);
        let is_found = found.iter().any(|one| one.invariant == wanted);
        assert!(is_found, "{how:?}: {found:#?}");
    }
}

#[test]
fn files_are_judged() {
    let kept = |file: &str, bytes, sha256: &str| Event::Kept {
        file: file.to_owned(),
        bytes,
        sha256: sha256.to_owned(),
    };
    let uploaded = |file: &str| Event::Uploaded {
        file: file.to_owned(),
        bytes: 3,
    };
    let mut history = vec![uploaded("a"), uploaded("b"), uploaded("c"), uploaded("d")];
    history.extend([kept("a", 3, "a"), kept("c", 2, "c"), kept("d", 3, "e")]);
    let found = both(&history);
    let places: Vec<_> = found.iter().map(|one| one.place.as_str()).collect();
    assert_eq!(places, ["b", "c", "d"], "{found:?}");
    assert!(found.iter().all(|one| one.invariant == "I10"));
}

#[test]
fn a_sentence_says_what_where_and_who() {
    let mut history = good(4, 60);
    spoil(&mut history, Spoiled::Lost, 0).expect("something was acknowledged");
    let found = check(&history);
    let mut lost = found.iter().filter(|one| one.invariant == "I1");
    let lost = lost.find(|one| one.seq.is_some()).unwrap();
    let told = lost.to_string();
    assert!(told.starts_with("I1 talk:"), "{told}");
    assert!(
        told.contains("ann/laptop") || told.contains("bob/phone"),
        "{told}"
    );
    assert!(
        told.contains("lost") || told.contains("not stored"),
        "{told}"
    );
}

#[test]
fn who_was_taken_out_in_the_middle_hears_no_more() {
    let mut history = good(9, 60);
    for event in &mut history {
        if let Event::Member { user, until, .. } = event
            && user == "2"
        {
            *until = Some(2);
        }
    }
    let found = both(&history);
    assert!(
        found
            .iter()
            .all(|one| one.invariant == "I11" && one.seq > Some(2)),
        "{found:?}"
    );
    assert!(!found.is_empty());
}

proptest! {
    // Each is a whole history.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn good_histories_are_good_and_spoiled_ones_are_not(
        seed in any::<u64>(), steps in 20_usize..200, how in 0..SPOILED.len(), pick in any::<usize>(),
    ) {
        let mut history = good(seed, steps);
        prop_assert_eq!(check(&history), vec![]);
        if let Some(wanted) = spoil(&mut history, SPOILED[how], pick % 1_000_000) {
            let found = check(&history);
            let is_found = found.iter().any(|one| one.invariant == wanted);
            prop_assert!(is_found, "{:?}: {:#?}", SPOILED[how], found);
        }
    }

    #[test]
    fn a_line_survives_being_written(seed in any::<u64>()) {
        let history = good(seed, 30);
        let mut text = Vec::new();
        for event in &history {
            history::write(&mut text, &Line { at_ms: 5, event: event.clone() }).unwrap();
        }
        prop_assert_eq!(history::read(&text[..]).unwrap(), history);
    }
}
