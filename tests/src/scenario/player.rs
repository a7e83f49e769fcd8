//! What every actor of a play can do, whatever protocol he speaks.
//!
//! Users and groups are numbers here. Each call is what one click does; a call that notices
//! something fails when it is not noticed in time.

use std::collections::BTreeMap;
use std::fmt::Debug;

use crate::server::Server;
use crate::wire::Flavor;

/// How a device talks to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Flamingo(Flavor),
    WebSocket,
}

/// Who plays the devices that a play declares `any`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cast {
    All(Protocol),
    /// The accounts take turns, beginning with this one; a PC and a WebSocket.
    Mixed(Protocol),
}

impl Cast {
    /// The protocol of the account of this number in the play, counted from 0.
    pub(super) fn of(self, account: usize) -> Protocol {
        const PC: Protocol = Protocol::Flamingo(Flavor::Pc);
        match self {
            Self::All(protocol) => protocol,
            Self::Mixed(first) if account.is_multiple_of(2) => first,
            Self::Mixed(Protocol::WebSocket) => PC,
            Self::Mixed(Protocol::Flamingo(_)) => Protocol::WebSocket,
        }
    }
}

/// What a device had acknowledged when its connection ended: conversation and place.
pub(super) type Held = BTreeMap<String, u64>;

/// A message of several kinds, as a play names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Thing {
    Text(String),
    Face(u32),
    Nudge,
    /// Pictures and files are made from their names, the same on both sides.
    Picture(String),
    File(String),
}

/// What happens to a message after it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Recalled,
    /// It reads like this now.
    Edited(String),
    /// The one who noticed is told of this reaction.
    Reacted(String),
}

/// A connected device.
pub(super) trait Player: Debug {
    /// The account's number.
    fn number(&self) -> i32;
    fn held(&self) -> Held;
    /// Ends the connection.
    fn leave(self: Box<Self>);
    /// The server ends the connection because another one took its place.
    fn is_kicked(self: Box<Self>);

    fn ask(&mut self, who: i32, note: &str);
    fn is_asked_by(&mut self, who: i32, note: &str);
    fn answer(&mut self, who: i32, yes: bool);
    fn is_answered_by(&mut self, who: i32, yes: bool);
    fn unfriend(&mut self, who: i32);
    fn is_unfriended_by(&mut self, who: i32);
    fn block(&mut self, who: i32, on: bool);

    /// A refusal is no failure: the play says what arrives.
    fn send(&mut self, to: i32, what: &Thing, server: &Server);
    fn send_to_all(&mut self, to: &[i32], text: &str);
    /// Sends the newest message of this text once more, as after a lost answer.
    fn repeat(&mut self, to: i32, text: &str);
    /// The next message is this one; `to` is the own number or a group's.
    fn hear(&mut self, from: i32, to: i32, what: &Thing, server: &Server);
    /// No message is there that was not heard yet.
    fn hear_nothing(&mut self);
    /// Changes the newest message of this text that this account or somebody else said.
    fn change(&mut self, to: i32, text: &str, change: &Change);
    /// Notices that this message of that user was changed.
    fn sees(&mut self, from: i32, to: i32, text: &str, change: &Change);

    fn create_group(&mut self, name: &str) -> i32;
    fn join(&mut self, group: i32);
    fn leave_group(&mut self, group: i32);
    fn invite(&mut self, who: i32, group: i32);
    fn remove(&mut self, who: i32, group: i32);

    fn add_team(&mut self, team: &str);
    fn put(&mut self, who: i32, team: &str);
    fn call(&mut self, who: i32, name: &str);
    /// Friends and groups, in any order.
    fn contacts(&mut self) -> Vec<i32>;
    fn team_of(&mut self, who: i32) -> String;
    fn name_of(&mut self, who: i32) -> String;

    fn sees_presence(&mut self, who: i32, online: bool);
    /// Whether this device is certain to be told of everybody who comes and goes.
    fn follows_presence(&self) -> bool;
}
