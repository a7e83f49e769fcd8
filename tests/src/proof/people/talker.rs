//! Somebody at a WebSocket: sends several messages without waiting for the answers, sends what was
//! not answered again, and confirms some of what comes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use serde_json::{Value, json};

use super::{Act, GLANCE, Stage};
use crate::api_person::{said, segments};
use crate::dice::Dice;
use crate::files::sha256;
use crate::peer::PATIENCE;
use crate::proof::history::Event;
use crate::proof::line::{Broke, Line};
use crate::socket::PASSING;

/// How often of a hundred times somebody who tears does so when anything came, and when the answer to
/// a confirmation came: what was confirmed just then is what must not come again.
const TEARS: u64 = 1;
const TEARS_CONFIRMED: u64 = 30;

/// One who writes and listens.
#[derive(Debug)]
pub struct Talker<'s> {
    stage: &'s Stage,
    device: String,
    token: String,
    /// The conversations that he writes in; none for somebody who only listens.
    writes_in: Vec<String>,
    /// Those whose end he waits for.
    listens_to: Vec<String>,
    /// Cuts his connection now and then, whatever he has confirmed of what he heard.
    tears: bool,
    dice: Dice,
    said: u64,
    under_way: VecDeque<Sending>,
    heard: BTreeSet<String>,
    is_busy: bool,
}

#[derive(Clone, Debug)]
struct Sending {
    conversation: String,
    client_id: String,
    text: String,
    /// The request on this connection.
    request: u64,
}

/// What is under way on one connection.
#[derive(Debug, Default)]
struct Connection {
    confirming: BTreeMap<u64, String>,
}

impl<'s> Talker<'s> {
    pub fn new(stage: &'s Stage, device: &str, token: &str, number: u64) -> Self {
        stage.is_busy();
        Self {
            stage,
            device: device.to_owned(),
            token: token.to_owned(),
            writes_in: Vec::new(),
            listens_to: Vec::new(),
            tears: false,
            dice: Dice::new(stage.seed, 100 + number),
            said: 0,
            under_way: VecDeque::new(),
            heard: BTreeSet::new(),
            is_busy: true,
        }
    }

    #[must_use]
    pub fn writes_in(mut self, conversations: &[&str]) -> Self {
        self.writes_in = conversations.iter().map(|&one| one.to_owned()).collect();
        self
    }

    #[must_use]
    pub fn listens_to(mut self, conversations: &[&str]) -> Self {
        self.listens_to = conversations.iter().map(|&one| one.to_owned()).collect();
        self
    }

    #[must_use]
    pub fn tears(mut self) -> Self {
        self.tears = true;
        self
    }

    /// Until he has heard the end of everything, or nothing comes any more.
    pub fn run(mut self) {
        let mut deadline = None;
        loop {
            let life = self.stage.life();
            if let Ok(line) = Line::open(self.stage.chat, &self.token) {
                let is_same = self.stage.life() == life;
                self.stage.recorder.note(Event::Connected {
                    device: self.device.clone(),
                    life: is_same.then_some(life),
                });
                // Broken or torn: the next turn connects again.
                let _ = self.talk(line, &mut deadline);
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

    /// Whether he has heard all the last words, or has waited for them long enough.
    fn has_ended(&mut self, deadline: &mut Option<Instant>) -> bool {
        let Act::End(last_words) = self.stage.act() else {
            return false;
        };
        let deadline = *deadline.get_or_insert_with(|| Instant::now() + PATIENCE);
        let mut mine = self.listens_to.iter().filter_map(|one| last_words.get(one));
        mine.all(|words| self.heard.contains(words)) || Instant::now() > deadline
    }

    fn talk(&mut self, mut line: Line, deadline: &mut Option<Instant>) -> Result<(), Broke> {
        let mut connection = Connection::default();
        for at in 0..self.under_way.len() {
            self.under_way[at].request = self.send(&mut line, &self.under_way[at].clone())?;
        }
        loop {
            if self.stage.is_storm() {
                let window = self.dice.from(1, self.stage.window_max);
                while !self.writes_in.is_empty() && self.under_way_is_below(window) {
                    self.say(&mut line)?;
                }
            } else if self.under_way.is_empty() {
                self.rest();
            }
            if let Some(value) = line.receive(GLANCE)? {
                let waiting = connection.confirming.len();
                self.take(&mut line, &mut connection, &value)?;
                let is_confirmed = connection.confirming.len() < waiting;
                let chance = if is_confirmed { TEARS_CONFIRMED } else { TEARS };
                if self.tears && self.stage.is_storm() && self.dice.percent(chance) {
                    return Ok(());
                }
            }
            if self.stage.is_abandoned() || self.has_ended(deadline) {
                return Ok(());
            }
        }
    }

    fn under_way_is_below(&self, window: u64) -> bool {
        u64::try_from(self.under_way.len()).is_ok_and(|count| count < window)
    }

    fn say(&mut self, line: &mut Line) -> Result<(), Broke> {
        self.said += 1;
        let at = self
            .dice
            .from(0, u64::try_from(self.writes_in.len() - 1).unwrap_or(0));
        let conversation = self.writes_in[usize::try_from(at).unwrap_or(0)].clone();
        let mut sending = Sending {
            conversation,
            client_id: format!("{}-{}", self.device.replace('/', "-"), self.said),
            text: format!("{} says {} of {}", self.device, self.said, self.stage.seed),
            request: 0,
        };
        self.under_way.push_back(sending.clone());
        sending.request = self.send(line, &sending)?;
        if let Some(last) = self.under_way.back_mut() {
            last.request = sending.request;
        }
        Ok(())
    }

    fn send(&self, line: &mut Line, sending: &Sending) -> Result<u64, Broke> {
        self.stage.recorder.note(Event::Sending {
            device: self.device.clone(),
            conversation: sending.conversation.clone(),
            client_id: Some(sending.client_id.clone()),
            content: sha256(sending.text.as_bytes()),
        });
        let fields = json!({
            "to": {"conversation": sending.conversation},
            "client_id": sending.client_id,
            "segments": segments(&sending.text),
        });
        line.request("message.send", fields)
    }

    fn take(
        &mut self,
        line: &mut Line,
        connection: &mut Connection,
        value: &Value,
    ) -> Result<(), Broke> {
        match (value["id"].as_u64(), value["event"].as_str()) {
            (Some(id), _) => self.answered(connection, id, value),
            (None, Some(name)) if !PASSING.contains(&name) => self.hear(line, connection, value),
            _ => Ok(()),
        }
    }

    fn answered(
        &mut self,
        connection: &mut Connection,
        id: u64,
        value: &Value,
    ) -> Result<(), Broke> {
        if let Some(conversation) = connection.confirming.remove(&id) {
            if let Some(seq) = value["ok"]["seq"].as_u64() {
                let device = self.device.clone();
                self.stage.recorder.note(Event::Confirmed {
                    device,
                    conversation,
                    seq,
                });
            }
            return Ok(());
        }
        let Some(at) = self.under_way.iter().position(|one| one.request == id) else {
            return Ok(());
        };
        let error = value["error"]["code"].as_str();
        if error.is_some_and(may_pass) {
            // Whatever became of it: on the next connection it is sent again, in its order.
            return Err(Broke);
        }
        let Some(sending) = self.under_way.remove(at) else {
            return Ok(());
        };
        self.stage.recorder.note(match error {
            None => Event::Acknowledged {
                device: self.device.clone(),
                conversation: text_of(&value["ok"]["conversation"]),
                client_id: Some(text_of(&value["ok"]["client_id"])),
                content: sha256(sending.text.as_bytes()),
                seq: value["ok"]["seq"].as_u64(),
            },
            Some(code) => Event::Refused {
                device: self.device.clone(),
                conversation: sending.conversation,
                client_id: sending.client_id,
                code: code.to_owned(),
            },
        });
        Ok(())
    }

    fn hear(
        &mut self,
        line: &mut Line,
        connection: &mut Connection,
        event: &Value,
    ) -> Result<(), Broke> {
        let (Some(conversation), Some(seq)) =
            (event["conversation"].as_str(), event["seq"].as_u64())
        else {
            return Ok(());
        };
        let is_message = event["event"] == "message";
        let content = is_message.then(|| sha256(said(&event["message"]).as_bytes()));
        self.stage.recorder.note(Event::Received {
            device: self.device.clone(),
            conversation: conversation.to_owned(),
            seq: Some(seq),
            content: content.clone(),
        });
        self.heard.extend(content);
        if self.dice.percent(20) {
            self.stage.recorder.note(Event::Confirming {
                device: self.device.clone(),
                conversation: conversation.to_owned(),
                seq,
            });
            let fields = json!({"conversation": conversation, "seq": seq});
            let id = line.request("ack", fields)?;
            connection.confirming.insert(id, conversation.to_owned());
        }
        Ok(())
    }
}

/// Whether an error says nothing of what becomes of a message that is sent again.
pub(super) fn may_pass(code: &str) -> bool {
    let passing = [
        "internal",
        "rate_limited",
        "shutting_down",
        "storage_unavailable",
        "timed_out",
    ];
    passing.contains(&code)
}

pub(super) fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
