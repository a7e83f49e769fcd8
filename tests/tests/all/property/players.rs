//! The devices of one case, on a real server.

use std::collections::{BTreeSet, HashMap};

use myim_tests::api_person::{ApiPerson, Device as WebDevice, said, segments, seq};
use myim_tests::person::Person;
use myim_tests::server::Server;
use myim_tests::wire::Flavor;
use serde_json::{Value, json};

use super::model::{DEVICES, Entry, GROUP, Kind, PAIRS, World, words};

/// A connection, whatever it speaks.
#[derive(Debug)]
enum Line {
    Web(Box<WebDevice>),
    /// With the numbers of the messages that it heard.
    Old(Box<Person>, BTreeSet<usize>),
}

/// The people of one case with whatever devices are connected.
#[derive(Debug)]
pub(super) struct Players {
    names: Vec<String>,
    /// A signed-in session of each web device.
    people: Vec<Option<ApiPerson>>,
    lines: Vec<Option<Line>>,
    /// The conversations' ids.
    convs: Vec<String>,
    group: String,
    /// How many entries each conversation had when the case began.
    base: Vec<u64>,
    client_ids: HashMap<usize, (String, String)>,
    sends: usize,
    /// Devices that have not connected since a crash: it may have cost them acknowledgments.
    crashed: BTreeSet<usize>,
}

impl Players {
    /// Three new users, friends of each other and members of one group.
    pub(super) fn new(server: &Server, case: usize) -> Self {
        let names: Vec<_> = ["ann", "bob", "cid"]
            .iter()
            .map(|name| format!("{name}{case}"))
            .collect();
        for name in &names {
            server.sign_up(name);
        }
        let people: Vec<_> = DEVICES
            .iter()
            .enumerate()
            .map(|(number, (user, kind))| {
                (*kind == Kind::Web)
                    .then(|| server.sign_in(&names[*user], &format!("device{number}")))
            })
            .collect();
        let first = |user: usize| {
            let at = DEVICES
                .iter()
                .position(|device| *device == (user, Kind::Web));
            people[at.unwrap()].as_ref().unwrap()
        };
        for (a, b) in PAIRS {
            first(a).befriend(first(b));
        }
        let group = first(0).create_group_with_members("Trio", &[first(1), first(2)]);
        let mut convs: Vec<_> = PAIRS
            .iter()
            .map(|(a, b)| first(*a).direct(&first(*b).user_id))
            .collect();
        convs.push(first(0).of_group(&group));
        let base = convs
            .iter()
            .zip([0, 0, 1, 0])
            .map(|(id, user)| head(first(user), id))
            .collect();
        let mut players = Self {
            names,
            lines: (0..DEVICES.len()).map(|_| None).collect(),
            people,
            convs,
            group,
            base,
            client_ids: HashMap::new(),
            sends: 0,
            crashed: BTreeSet::new(),
        };
        for device in [0, 2, 4] {
            players.connect(server, &World::new(), device);
        }
        players
    }

    pub(super) fn connect(&mut self, server: &Server, world: &World, device: usize) {
        let (user, kind) = DEVICES[device];
        let line = match kind {
            Kind::Web => {
                let mut web = self.person(device).connect();
                if self.crashed.remove(&device) {
                    let held = world.devices[device].held;
                    let held = self.convs.iter().zip(&self.base).zip(held);
                    let held = held.map(|((id, base), held)| {
                        (id.clone(), base + u64::try_from(held).unwrap())
                    });
                    web.resume(held.collect(), true);
                }
                Line::Web(Box::new(web))
            }
            Kind::Pc => old(server, &self.names[user], Flavor::Pc),
            Kind::Android => old(server, &self.names[user], Flavor::Android),
        };
        self.lines[device] = Some(line);
    }

    pub(super) fn disconnect(&mut self, device: usize) {
        match self.lines[device].take() {
            Some(Line::Web(web)) => web.cut(),
            Some(Line::Old(mut old, _)) => {
                // What it received is received: this protocol has no other acknowledgement.
                old.digest();
                old.hang_up();
            }
            None => panic!("device {device} is not connected"),
        }
    }

    /// The server is gone, and so is every connection.
    pub(super) fn lose_all(&mut self) {
        self.lines.iter_mut().for_each(|line| *line = None);
        self.crashed.extend(0..DEVICES.len());
    }

    fn person(&self, device: usize) -> &ApiPerson {
        self.people[device].as_ref().expect("a web device")
    }

    fn place(&self, conv: usize, entry: usize) -> u64 {
        self.base[conv] + u64::try_from(entry).unwrap() + 1
    }

    /// Sends what the model calls this number; the world is the one after the step.
    pub(super) fn send(&mut self, world: &World, device: usize, conv: usize) {
        self.sends += 1;
        let stored = world.readable_from(World::user(device), conv).is_some();
        let last = world.logs[conv].len().wrapping_sub(1);
        let text = match world.logs[conv].last() {
            Some(Entry::Message { number, .. }) if stored => words(*number, 0),
            _ => "nobody reads this".to_owned(),
        };
        let place = if stored { self.place(conv, last) } else { 0 };
        let (to, id) = (
            self.convs[conv].clone(),
            format!("p{}-{device}", self.sends),
        );
        match self.lines[device].as_mut().expect("on line") {
            Line::Web(web) => {
                let sent = web.try_send_to(&json!({"conversation": to}), &id, &segments(&text));
                match sent {
                    Ok(at) => assert!(stored && at == place, "at {at}, not {place}"),
                    Err(error) => {
                        assert!(!stored, "{error}");
                        assert_eq!(error["code"], "not_a_member");
                    }
                }
                if stored {
                    self.client_ids.insert(device, (id, text));
                }
            }
            Line::Old(old, _) => {
                let target = match PAIRS.get(conv) {
                    Some((a, b)) => {
                        let user = World::user(device);
                        let other = if *a == user { *b } else { *a };
                        let at = DEVICES.iter().position(|one| *one == (other, Kind::Web));
                        self.people[at.unwrap()].as_ref().unwrap().number()
                    }
                    None => self.group.parse().unwrap(),
                };
                old.say(target, &text);
                let before = old.barrier();
                old.keep(before);
            }
        }
    }

    pub(super) fn repeat(&mut self, world: &World, device: usize) {
        let (conv, entry) = world.devices[device].sent.expect("something was sent");
        let (id, text) = self.client_ids[&device].clone();
        let place = self.place(conv, entry);
        let to = json!({"conversation": self.convs[conv]});
        let Some(Line::Web(web)) = &mut self.lines[device] else {
            panic!("only web devices repeat");
        };
        let sent = web.try_send_to(&to, &id, &segments(&text));
        assert_eq!(sent, Ok(place), "a repeat is where the first one is");
    }

    pub(super) fn edit(&mut self, device: usize, conv: usize, entry: usize, text: &str) {
        let path = self.path(conv, entry);
        let answer = self
            .person(device)
            .patch(&path, &json!({"segments": segments(text)}));
        assert!(answer.status < 300, "{answer}");
    }

    pub(super) fn recall(&mut self, device: usize, conv: usize, entry: usize) {
        let path = format!("{}/recall", self.path(conv, entry));
        let answer = self.person(device).post(&path, &json!({}));
        assert!(answer.status < 300, "{answer}");
    }

    fn path(&self, conv: usize, entry: usize) -> String {
        format!(
            "/conversations/{}/messages/{}",
            self.convs[conv],
            self.place(conv, entry)
        )
    }

    pub(super) fn ack(&mut self, device: usize, conv: usize, held: usize) {
        let seq = self.base[conv] + u64::try_from(held).unwrap();
        let id = self.convs[conv].clone();
        if let Some(Line::Web(web)) = &mut self.lines[device] {
            let acked = web.ask("ack", json!({"conversation": id, "seq": seq}));
            if let Err(error) = acked {
                // Nobody has written there yet, or he is in the group no more.
                let code = error["code"].as_str().unwrap_or_default();
                let not_his = ["no_such_conversation", "not_a_member"];
                assert!(not_his.contains(&code), "{error}");
                assert!(!web.heads().contains_key(&id) || code == "not_a_member");
            }
        }
    }

    /// Ann changes who is in the group.
    pub(super) fn member(&mut self, user: usize, is_member: bool) {
        let at = DEVICES
            .iter()
            .position(|device| *device == (user, Kind::Web));
        let id = self.person(at.unwrap()).user_id.clone();
        let method = if is_member { "PUT" } else { "DELETE" };
        let path = format!("/groups/{}/members/{id}", self.group);
        let body = is_member.then(|| json!({}));
        let answer = self.person(0).call(method, &path, body.as_ref());
        assert!(answer.status < 300, "{answer}");
    }

    /// The device notices what it has to notice, and nothing that is not its business.
    pub(super) fn notices(&mut self, world: &World, device: usize, before: &World) {
        for conv in 0..self.convs.len() {
            let earlier = &before.devices[device];
            let from = if earlier.online {
                earlier.told[conv]
            } else {
                world.devices[device].begun[conv]
            };
            for entry in world.due(device, conv, from) {
                self.notices_entry(world, device, conv, entry);
            }
        }
        let number = device;
        if let Some(Line::Web(web)) = &mut self.lines[number] {
            for event in web.take_waiting() {
                let place = self
                    .convs
                    .iter()
                    .position(|id| event["conversation"] == **id);
                if let Some(conv) = place {
                    may_be(world, number, conv, self.base[conv], &event);
                }
            }
        }
    }

    fn notices_entry(&mut self, world: &World, device: usize, conv: usize, entry: usize) {
        let (id, place) = (self.convs[conv].clone(), self.place(conv, entry));
        let log = &world.logs[conv];
        let of = match &log[entry] {
            Entry::Update { of, .. } => *of,
            _ => entry,
        };
        let Entry::Message {
            number,
            revision,
            recalled,
            ..
        } = log[of]
        else {
            panic!("only messages are updated");
        };
        match self.lines[device].as_mut().expect("on line") {
            Line::Web(web) => {
                let event = web.find(|event| event["conversation"] == *id && event["seq"] == place);
                let name = if of == entry {
                    "message"
                } else {
                    "message.updated"
                };
                assert_eq!(event["event"], name, "{event}");
                let message = &event["message"];
                assert_eq!(
                    seq(message),
                    self.base[conv] + u64::try_from(of).unwrap() + 1
                );
                if recalled {
                    assert_eq!(message["segments"], json!([]), "{event}");
                } else {
                    assert_eq!(said(message), words(number, revision), "{event}");
                }
            }
            Line::Old(old, heard) => {
                while !heard.contains(&number) {
                    let packet = old.find(|packet| packet.cmd == 1100);
                    heard.extend(numbers(packet.text()));
                }
            }
        }
    }
}

fn old(server: &Server, name: &str, flavor: Flavor) -> Line {
    Line::Old(Box::new(server.login(name, flavor)), BTreeSet::new())
}

/// What a device is told of and need not be: its own doing, notices, and what was recalled.
fn may_be(world: &World, device: usize, conv: usize, base: u64, event: &Value) {
    let Some(place) = event["seq"].as_u64().filter(|place| *place > base) else {
        return;
    };
    let name = event["event"].as_str().unwrap_or_default();
    if name != "message" && name != "message.updated" {
        return;
    }
    let entry = usize::try_from(place - base - 1).unwrap();
    let user = World::user(device);
    let is_own = match world.logs[conv].get(entry) {
        Some(Entry::Notice) => false,
        Some(Entry::Message {
            device: author,
            recalled,
            ..
        }) => {
            let fine = *author == device || *recalled;
            assert!(fine, "told twice or unasked: {event}");
            *author == device
        }
        Some(Entry::Update { device: author, of }) => {
            let hidden = world
                .readable_from(user, conv)
                .is_some_and(|since| *of < since);
            assert!(
                *author == device || hidden,
                "told twice or unasked: {event}"
            );
            *author == device
        }
        None => panic!("nobody did this: {event}"),
    };
    // Nobody waits for the word of his own doing: it may be on its way while he is taken out and let
    // in again.
    let was_there =
        is_own || conv != GROUP || world.since[user].is_none_or(|since| entry + 1 >= since);
    assert!(
        was_there || DEVICES[device].1 != Kind::Web,
        "from before he was let in: {event}"
    );
}

/// The numbers of the messages in a text: `m17.0.` is 17.
fn numbers(text: &str) -> Vec<usize> {
    let starts = text.match_indices('m').map(|(at, _)| &text[at + 1..]);
    starts
        .filter_map(|rest| rest.split_once('.')?.0.parse().ok())
        .collect()
}

fn head(person: &ApiPerson, conversation: &str) -> u64 {
    let listed = person.conversations();
    let found = listed.iter().find(|one| one["id"] == *conversation);
    found.map_or(0, |one| one["last_seq"].as_u64().expect("a number"))
}
