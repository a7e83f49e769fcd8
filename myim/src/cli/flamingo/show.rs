//! Puts results on standard output: for people, or as one JSON object a line.

use std::io::{self, Write};

use client::flamingo::{Event, LoginReply, Member, Team};
use common::id::Peer;
use common::wire::chat::Packet;
use serde_json::{Value, json};

use crate::cli::harmless;

#[derive(Clone, Copy, Debug)]
pub(super) struct Show {
    pub(super) json: bool,
}

impl Show {
    /// One result, in both forms.
    pub(super) fn line(self, value: &Value, text: &str) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        if self.json {
            writeln!(out, "{value}")?;
        } else {
            writeln!(out, "{}", harmless::text(text))?;
        }
        Ok(())
    }

    pub(super) fn login(self, login: &LoginReply) -> anyhow::Result<()> {
        let (nickname, id) = (&login.nickname, login.id);
        let text = format!("Logged in as {nickname}, number {id}. Ctrl-C ends.");
        self.line(&json!({"login": login}), &text)
    }

    pub(super) fn teams(self, teams: &[Team]) -> anyhow::Result<()> {
        if self.json {
            return self.line(&json!({"friends": teams}), "");
        }
        for team in teams {
            self.line(&Value::Null, &format!("{}:", team.name))?;
            for member in &team.members {
                self.line(&Value::Null, &format!("  {}", describe(member)))?;
            }
        }
        Ok(())
    }

    pub(super) fn event(self, event: &Event) -> anyhow::Result<()> {
        let (value, text) = said(event);
        self.line(&value, &text)
    }
}

fn describe(member: &Member) -> String {
    let name = if member.mark.is_empty() {
        &member.nickname
    } else {
        &member.mark
    };
    let number = member.id.number();
    match member.id {
        Peer::Group(_) => format!("{name} (group {number})"),
        Peer::User(_) => {
            let there = if member.status == 0 { "" } else { ", online" };
            format!("{name} ({}, {number}{there})", member.username)
        }
    }
}

fn said(event: &Event) -> (Value, String) {
    match event {
        Event::FriendRequest { user, name } => (
            json!({"event": "friend_request", "user": user, "name": name}),
            format!("{name} ({user}) asks to be friends"),
        ),
        Event::FriendAnswer { peer, name, accept } => (
            json!({"event": "friend_answer", "peer": peer.number(), "name": name, "accept": accept}),
            match (peer, accept) {
                (_, 0) => format!("{name} ({}) does not want to be friends", peer.number()),
                (Peer::Group(group), _) => format!("you are in the group {name} ({group})"),
                (Peer::User(user), _) => format!("{name} ({user}) is a friend now"),
            },
        ),
        Event::FriendRemoved { peer, name } => (
            json!({"event": "friend_removed", "peer": peer.number(), "name": name}),
            format!("{name} ({}) is gone from the list", peer.number()),
        ),
        Event::Presence {
            user,
            status,
            client_type,
        } => (
            json!({
                "event": "presence",
                "user": user,
                "status": status,
                "client_type": client_type,
            }),
            match status {
                0 => format!("{user} is offline"),
                status => format!("{user} is online (status {status})"),
            },
        ),
        Event::ProfileChanged { peer } => (
            json!({"event": "profile_changed", "peer": peer.number()}),
            format!("{} has changed", peer.number()),
        ),
        Event::Chat {
            sender,
            target,
            json,
        } => (
            json!({"event": "chat", "sender": sender, "target": target.number(), "message": json}),
            chat(
                sender.0,
                *target,
                event.text().as_deref(),
                json.get("content"),
            ),
        ),
        Event::RemoteDesktop { target, data, .. } => (
            json!({"event": "remote_desktop", "target": target.number(), "bytes": data.len()}),
            format!("a picture of a screen, {} bytes", data.len()),
        ),
        Event::Kicked => (
            json!({"event": "kicked"}),
            "another device of this kind logged in".to_owned(),
        ),
        Event::Refused {
            command,
            code,
            message,
        } => (
            json!({"event": "refused", "command": command, "code": code, "message": message}),
            format!("command {command} was refused: {message} (code {code})"),
        ),
        Event::Unknown(packet) => unknown(packet),
    }
}

fn unknown(packet: &Packet) -> (Value, String) {
    (
        json!({"event": "unknown", "command": packet.command, "seq": packet.seq}),
        format!("something unknown: command {}", packet.command),
    )
}

fn chat(sender: u32, target: Peer, text: Option<&str>, content: Option<&Value>) -> String {
    let place = match target {
        Peer::User(_) => String::new(),
        Peer::Group(group) => format!(" in {group}"),
    };
    match (text, content) {
        (Some(text), _) if !text.is_empty() => format!("{sender}{place}: {text}"),
        (_, Some(content)) => format!("{sender}{place}: {content}"),
        (_, None) => format!("{sender}{place} says nothing"),
    }
}
