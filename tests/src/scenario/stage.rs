//! Plays a screenplay against a running server.
//!
//! Each step is done by a device's own connection; what it notices it must notice in time.

use std::collections::{HashMap, HashSet};

use crate::person::{password, register};
use crate::scenario::flamingo::FlamingoPlayer;
use crate::scenario::parse::{Act, Play, Step};
use crate::scenario::player::{Cast, Held, Player, Protocol};
use crate::scenario::websocket::WebPlayer;
use crate::server::Server;

/// Performs the play; devices declared `any` are of this cast.
///
/// # Panics
/// Where the server does not follow the script, with the line.
pub fn perform(play: &Play, server: Server, any: Cast) {
    let mut stage = Stage::new(play, server, any);
    for (line, step) in &play.steps {
        stage.line = *line;
        eprintln!("line {line}: {step:?}");
        stage.play(step);
    }
}

#[derive(Debug)]
struct Stage {
    server: Server,
    line: usize,
    /// Device name, account, protocol, in the order of the cast.
    devices: Vec<(String, String, Protocol)>,
    connected: HashMap<String, Box<dyn Player>>,
    /// What devices had acknowledged when their connections ended.
    held: HashMap<String, Held>,
    /// Devices that have not connected since the server was killed.
    crashed: HashSet<String>,
    /// Accounts and groups by the name used in the play.
    ids: HashMap<String, i32>,
}

/// `Bob's laptop` belongs to `Bob`.
fn owner(device: &str) -> &str {
    device.split_once("'s ").map_or(device, |(owner, _)| owner)
}

/// What the account is called: user names are lower case and short.
fn username(account: &str) -> String {
    account.to_lowercase()
}

impl Stage {
    fn new(play: &Play, server: Server, any: Cast) -> Self {
        let mut stage = Self {
            server,
            line: 0,
            devices: Vec::new(),
            connected: HashMap::new(),
            held: HashMap::new(),
            crashed: HashSet::new(),
            ids: HashMap::new(),
        };
        for (device, protocol) in &play.cast {
            let account = owner(device).to_owned();
            if !stage.ids.contains_key(&account) {
                let protocol = protocol.unwrap_or_else(|| any.of(stage.ids.len()));
                let name = username(&account);
                stage.sign_up(&name, protocol);
                // The first account of an empty database has the number 1, and so on.
                let id = i32::try_from(stage.ids.len() + 1).expect("a small cast");
                stage.ids.insert(account.clone(), id);
            }
            let number = usize::try_from(stage.ids[&account] - 1).expect("from 1");
            let protocol = protocol.unwrap_or_else(|| any.of(number));
            stage.devices.push((device.clone(), account, protocol));
        }
        stage
    }

    fn sign_up(&self, name: &str, protocol: Protocol) {
        match protocol {
            Protocol::WebSocket => drop(self.server.sign_up(name)),
            Protocol::Flamingo(_) => {
                let said = register(self.server.chat, name, name, &password(name));
                assert_eq!(said, 0, "register {name}");
            }
        }
    }

    fn play(&mut self, step: &Step) {
        match step {
            Step::ServerKilled => {
                self.server.kill();
                let devices = self.devices.iter().map(|(name, _, _)| name.clone());
                self.crashed.extend(devices);
                self.curtain();
            }
            Step::ServerRestarted => {
                self.server.stop();
                self.curtain();
            }
            Step::Does(device, act) => self.act(device, act),
        }
    }

    /// Everybody's connection is gone; the server starts on the same data.
    fn curtain(&mut self) {
        for (device, player) in self.connected.drain() {
            self.held.insert(device, player.held());
        }
        self.server.again();
    }

    fn id(&self, name: &str) -> i32 {
        *self
            .ids
            .get(name)
            .unwrap_or_else(|| panic!("line {}: who or what is {name}?", self.line))
    }

    /// The device's connection, made if need be.
    fn device(&mut self, device: &str) -> &mut dyn Player {
        if !self.connected.contains_key(device) {
            let (_, account, protocol) = self
                .devices
                .iter()
                .find(|(name, _, _)| name == device)
                .expect("the parser knows the cast");
            let name = username(account);
            let player: Box<dyn Player> = match protocol {
                Protocol::Flamingo(flavor) => {
                    Box::new(FlamingoPlayer(self.server.login(&name, *flavor)))
                }
                Protocol::WebSocket => {
                    let held = self.held.get(device).cloned().unwrap_or_default();
                    let held = (held, self.crashed.remove(device));
                    Box::new(WebPlayer::connect(&self.server, &name, device, held))
                }
            };
            assert_eq!(player.number(), self.ids[account], "numbered from 1");
            self.connected.insert(device.to_owned(), player);
        }
        let player = self.connected.get_mut(device).expect("just connected");
        player.as_mut()
    }

    /// A device of this account: one that is connected, else the first in the cast.
    fn device_of(&self, account: &str) -> String {
        let mut devices = self.devices.iter().filter(|(_, owner, _)| owner == account);
        let first = devices.clone().next();
        devices
            .find(|(name, _, _)| self.connected.contains_key(name))
            .or(first)
            .map(|(name, _, _)| name.clone())
            .unwrap_or_else(|| panic!("line {}: nobody plays {account}", self.line))
    }

    fn act(&mut self, device: &str, act: &Act) {
        match act {
            Act::Connects => {
                if let Some(player) = self.connected.remove(device) {
                    self.held.insert(device.to_owned(), player.held());
                }
                self.device(device);
            }
            Act::Disconnects => {
                let player = self.connected.remove(device);
                let player = player.unwrap_or_else(|| panic!("line {}: not here", self.line));
                self.held.insert(device.to_owned(), player.held());
                player.leave();
            }
            Act::IsKicked => {
                self.device(device);
                let player = self.connected.remove(device).expect("just connected");
                player.is_kicked();
            }
            Act::Befriends(who) => self.befriend(device, who),
            Act::Creates(group) => {
                let id = self.device(device).create_group(group);
                self.ids.insert(group.clone(), id);
            }
            Act::Joins(group) => {
                let id = self.id(group);
                self.device(device).join(id);
            }
            Act::Leaves(group) => {
                let id = self.id(group);
                self.device(device).leave_group(id);
            }
            Act::Invites { who, group } => {
                let (who, group) = (self.id(who), self.id(group));
                self.device(device).invite(who, group);
            }
            Act::Removes { who, group } => {
                let (who, group) = (self.id(who), self.id(group));
                self.device(device).remove(who, group);
            }
            friendship => self.friendship(device, friendship),
        }
    }

    fn friendship(&mut self, device: &str, act: &Act) {
        let (Act::Asks { who, .. }
        | Act::IsAskedBy { who, .. }
        | Act::Accepts(who)
        | Act::Refuses(who)
        | Act::IsAcceptedBy(who)
        | Act::IsRefusedBy(who)
        | Act::Unfriends(who)
        | Act::IsUnfriendedBy(who)
        | Act::Blocks(who)
        | Act::Unblocks(who)
        | Act::SeesOnline(who)
        | Act::SeesOffline(who)) = act
        else {
            return self.talk(device, act);
        };
        let id = self.id(who);
        let player = self.device(device);
        match act {
            Act::Asks { note, .. } => player.ask(id, note),
            Act::IsAskedBy { note, .. } => player.is_asked_by(id, note),
            Act::Accepts(_) => player.answer(id, true),
            Act::Refuses(_) => player.answer(id, false),
            Act::IsAcceptedBy(_) => player.is_answered_by(id, true),
            Act::IsRefusedBy(_) => player.is_answered_by(id, false),
            Act::Unfriends(_) => player.unfriend(id),
            Act::IsUnfriendedBy(_) => player.is_unfriended_by(id),
            Act::Blocks(_) => player.block(id, true),
            Act::Unblocks(_) => player.block(id, false),
            Act::SeesOnline(_) => player.sees_presence(id, true),
            _ => player.sees_presence(id, false),
        }
    }

    fn talk(&mut self, device: &str, act: &Act) {
        match act {
            Act::Sends { to, what } => {
                let to = self.id(to);
                self.with_server(device, |player, server| player.send(to, what, server));
            }
            Act::Repeats { to, text } => {
                let to = self.id(to);
                self.device(device).repeat(to, text);
            }
            Act::Tells { to, text } => {
                let targets: Vec<i32> = to.iter().map(|name| self.id(name)).collect();
                self.device(device).send_to_all(&targets, text);
            }
            Act::Hears { from, group, what } => {
                let (from, to) = (self.id(from), self.place(device, group));
                self.with_server(device, |player, server| {
                    for one in what {
                        player.hear(from, to, one, server);
                    }
                });
            }
            Act::HearsNothing => self.device(device).hear_nothing(),
            Act::Changes { to, text, change } => {
                let to = self.id(to);
                self.device(device).change(to, text, change);
            }
            Act::Sees {
                from,
                group,
                text,
                change,
            } => {
                let (from, to) = (self.id(from), self.place(device, group));
                self.device(device).sees(from, to, text, change);
            }
            contacts => self.contacts(device, contacts),
        }
    }

    /// Where something is heard: the device's own number, or the group's.
    fn place(&self, device: &str, group: &Option<String>) -> i32 {
        self.id(group.as_deref().unwrap_or_else(|| owner(device)))
    }

    /// Lets a device do what also needs the other servers.
    fn with_server(&mut self, device: &str, act: impl FnOnce(&mut dyn Player, &Server)) {
        self.device(device);
        let player = self.connected.get_mut(device).expect("just connected");
        act(player.as_mut(), &self.server);
    }

    fn contacts(&mut self, device: &str, act: &Act) {
        let line = self.line;
        match act {
            Act::AddsTeam(team) => self.device(device).add_team(team),
            Act::Puts { who, team } => {
                let id = self.id(who);
                self.device(device).put(id, team);
            }
            Act::Calls { who, name } => {
                let id = self.id(who);
                self.device(device).call(id, name);
            }
            Act::HasContacts(names) => {
                let mut wanted: Vec<_> = names.iter().map(|name| self.id(name)).collect();
                let mut found = self.device(device).contacts();
                wanted.sort_unstable();
                found.sort_unstable();
                assert_eq!(found, wanted, "line {line}");
            }
            Act::HasInTeam { who, team } => {
                let id = self.id(who);
                assert_eq!(self.device(device).team_of(id), *team, "line {line}");
            }
            Act::Knows { who, name } => {
                let id = self.id(who);
                assert_eq!(self.device(device).name_of(id), *name, "line {line}");
            }
            other => panic!("line {line}: nobody knows how to play {other:?}"),
        }
    }

    fn befriend(&mut self, device: &str, who: &str) {
        let other = self.device_of(who);
        let was_there = self.connected.contains_key(&other);
        let (me, them) = (self.id(owner(device)), self.id(who));
        self.device(device).ask(them, "");
        self.device(&other).is_asked_by(me, "");
        self.device(&other).answer(me, true);
        self.device(device).is_answered_by(them, true);
        if !was_there {
            // He was only fetched to accept.
            let gone = self.connected.remove(&other).expect("connected above");
            self.held.insert(other, gone.held());
            gone.leave();
            let player = self.device(device);
            if player.follows_presence() {
                player.sees_presence(them, false);
            }
        }
    }
}
