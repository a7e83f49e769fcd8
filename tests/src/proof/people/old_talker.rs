//! Somebody with an old client: no client ids, no acknowledgments. He writes, and asks with a
//! heartbeat whether the server lives: its answer comes after what he wrote before is stored.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use serde_json::Value;

use super::{Act, GLANCE, Stage};
use crate::dice::Dice;
use crate::files::sha256;
use crate::peer::{HEARTBEAT, Nothing, PATIENCE, Peer};
use crate::person::{Heard, login_data, message, password};
use crate::proof::history::Event;
use crate::wire::{Fields, Flavor, Packet};

/// A number of a heartbeat is no number of a message.
const HEARTBEAT_FIRST: i32 = 1_000_000;

/// A conversation as the old protocol names it.
#[derive(Clone, Debug)]
pub struct Address {
    /// The other user, or the group.
    pub target: i32,
    pub conversation: String,
}

/// One who writes and listens.
#[derive(Debug)]
pub struct OldTalker<'s> {
    stage: &'s Stage,
    device: String,
    name: String,
    /// Himself: what is for him is in the conversation with its sender.
    number: i32,
    addresses: Vec<Address>,
    dice: Dice,
    said: u64,
    asked: i32,
    /// What was written before each heartbeat.
    under_way: BTreeMap<i32, Vec<(String, String)>>,
    heard: BTreeSet<String>,
    is_busy: bool,
}

struct Closed;

impl<'s> OldTalker<'s> {
    pub fn new(stage: &'s Stage, name: &str, number: i32, addresses: Vec<Address>) -> Self {
        stage.is_busy();
        Self {
            stage,
            device: format!("{name}/pc"),
            name: name.to_owned(),
            number,
            addresses,
            dice: Dice::new(stage.seed, 200),
            said: 0,
            asked: HEARTBEAT_FIRST,
            under_way: BTreeMap::new(),
            heard: BTreeSet::new(),
            is_busy: true,
        }
    }

    /// Until he has heard the end of everything, or nothing comes any more.
    pub fn run(mut self) {
        let mut deadline = None;
        loop {
            if let Some(peer) = self.log_in() {
                let _closed = self.talk(peer, &mut deadline);
            } else {
                self.stage.pause();
            }
            if self.stage.is_abandoned() {
                return self.rest();
            }
            if self.has_ended(&mut deadline) {
                let device = self.device.clone();
                return self.stage.recorder.note(Event::Waited { device });
            }
        }
    }

    fn rest(&mut self) {
        if std::mem::take(&mut self.is_busy) {
            self.stage.is_done();
        }
    }

    fn has_ended(&mut self, deadline: &mut Option<Instant>) -> bool {
        let Act::End(last_words) = self.stage.act() else {
            return false;
        };
        let deadline = *deadline.get_or_insert_with(|| Instant::now() + PATIENCE);
        let mine = self.addresses.iter();
        let mut mine = mine.filter_map(|one| last_words.get(&one.conversation));
        mine.all(|words| self.heard.contains(words)) || Instant::now() > deadline
    }

    fn log_in(&mut self) -> Option<Peer> {
        let life = self.stage.life();
        let mut peer = Peer::try_connect(self.stage.chat, Flavor::Pc).ok()?;
        let (kind, status) = (peer.flavor.client_type(), peer.flavor.status());
        let data = login_data(&self.name, &password(&self.name), kind, status);
        let login = Fields::chat(1002, 0, data);
        if !peer.try_send_raw(&login.packed(peer.flavor)) {
            return None;
        }
        let reply = peer.try_next(PATIENCE).ok()?;
        if reply.cmd != 1002 || reply.json()["code"] != 0 {
            return None;
        }
        // Of what was not answered on the connection before nobody knows what became of it.
        self.under_way.clear();
        let is_same = self.stage.life() == life;
        self.stage.recorder.note(Event::Connected {
            device: self.device.clone(),
            life: is_same.then_some(life),
        });
        Some(peer)
    }

    fn talk(&mut self, mut peer: Peer, deadline: &mut Option<Instant>) -> Result<(), Closed> {
        loop {
            if !self.stage.is_storm() {
                if self.under_way.is_empty() {
                    self.rest();
                }
            } else if self.under_way.len() < 3 && !self.write(&mut peer) {
                // What it sent before it died is still to be read.
                self.drain(&mut peer);
                return Err(Closed);
            }
            match peer.try_next(GLANCE) {
                Ok(packet) => self.take(&packet),
                Err(Nothing::TimedOut) => {}
                Err(Nothing::Closed) => return Err(Closed),
            }
            if self.stage.is_abandoned() || self.has_ended(deadline) {
                return Ok(());
            }
        }
    }

    fn drain(&mut self, peer: &mut Peer) {
        while let Ok(packet) = peer.try_next(PATIENCE) {
            self.take(&packet);
        }
    }

    /// A few messages and a heartbeat; false when the connection is gone.
    fn write(&mut self, peer: &mut Peer) -> bool {
        let mut written = Vec::new();
        for _ in 0..self.dice.from(1, 6) {
            self.said += 1;
            let at = self
                .dice
                .from(0, u64::try_from(self.addresses.len() - 1).unwrap_or(0));
            let to = self.addresses[usize::try_from(at).unwrap_or(0)].clone();
            let text = format!("{} says {} of {}", self.device, self.said, self.stage.seed);
            let content = sha256(text.as_bytes());
            self.stage.recorder.note(Event::Sending {
                device: self.device.clone(),
                conversation: to.conversation.clone(),
                client_id: None,
                content: content.clone(),
            });
            let number = i32::try_from(self.said).unwrap_or(i32::MAX);
            let fields = Fields::chat(1100, number, message(&text)).int(to.target);
            if !peer.try_send_raw(&fields.packed(peer.flavor)) {
                return false;
            }
            written.push((to.conversation, content));
        }
        self.asked += 1;
        self.under_way.insert(self.asked, written);
        let heartbeat = Fields::chat(HEARTBEAT, self.asked, "");
        peer.try_send_raw(&heartbeat.packed(peer.flavor))
    }

    fn take(&mut self, packet: &Packet) {
        match packet.cmd {
            HEARTBEAT => {
                for (conversation, content) in
                    self.under_way.remove(&packet.seq).unwrap_or_default()
                {
                    self.stage.recorder.note(Event::Acknowledged {
                        device: self.device.clone(),
                        conversation,
                        client_id: None,
                        content,
                        seq: None,
                    });
                }
            }
            1100 => self.hear(&Heard::read(packet)),
            _ => {}
        }
    }

    fn hear(&mut self, heard: &Heard) {
        // A message to himself names its sender; one to a group names the group.
        let target = if heard.to == self.number {
            heard.from
        } else {
            heard.to
        };
        let mut addresses = self.addresses.iter();
        let Some(address) = addresses.find(|one| one.target == target) else {
            return;
        };
        let text: String = heard.json["content"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|item| item["msgText"].as_str())
            .collect();
        if heard.json["content"] == Value::Null {
            return;
        }
        let content = sha256(text.as_bytes());
        self.stage.recorder.note(Event::Received {
            device: self.device.clone(),
            conversation: address.conversation.clone(),
            seq: None,
            content: Some(content.clone()),
        });
        self.heard.insert(content);
    }
}
