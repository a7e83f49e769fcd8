//! What a server says without being asked.

use bytes::Bytes;
use common::id::{Peer, UserId};
use common::wire::chat::Packet;
use common::wire::command::{self, code, notice, operate};
use common::wire::json;
use common::wire::stream::Reader;
use serde_json::{Map, Value};

#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Somebody asks to be friends.
    FriendRequest { user: UserId, name: String },
    /// A request was answered, or a group was made or joined; `accept` 0 is a refusal.
    FriendAnswer {
        peer: Peer,
        name: String,
        accept: i32,
    },
    /// A friendship ended, or a group was left.
    FriendRemoved { peer: Peer, name: String },
    /// A friend came, changed status, or left; status 0 is offline.
    Presence {
        user: UserId,
        status: i32,
        client_type: i32,
    },
    /// A user's profile or a group's membership changed.
    ProfileChanged { peer: Peer },
    Chat {
        sender: UserId,
        target: Peer,
        json: Map<String, Value>,
    },
    RemoteDesktop {
        target: Peer,
        header: Bytes,
        data: Bytes,
    },
    /// Another device of the same type logged in.
    Kicked,
    /// A command that has no reply was refused all the same.
    Refused {
        command: i32,
        code: i32,
        message: String,
    },
    /// Anything else, as it came.
    Unknown(Packet),
}

impl Event {
    /// Reads what was pushed; what makes no sense is [`Event::Unknown`].
    pub fn read(packet: Packet) -> Self {
        let known = match packet.command {
            command::OPERATE_FRIEND => operation(&packet),
            command::USER_STATUS => status(&packet),
            command::CHAT => chat(&packet),
            command::REMOTE_DESKTOP => remote_desktop(&packet),
            command::KICKED => Some(Self::Kicked),
            _ => None,
        };
        known
            .or_else(|| refused(&packet))
            .unwrap_or(Self::Unknown(packet))
    }

    /// The text of a chat: its text items one after the other. `None` for other events.
    pub fn text(&self) -> Option<String> {
        let Self::Chat { json, .. } = self else {
            return None;
        };
        let items = json.get("content")?.as_array()?;
        let texts = items
            .iter()
            .filter_map(|item| item.get("msgText")?.as_str());
        Some(texts.collect())
    }
}

fn number(members: &Map<String, Value>, name: &str) -> Option<i32> {
    members.get(name).and_then(json::integer)
}

fn peer(number: i32) -> Option<Peer> {
    Peer::from_number(u32::try_from(number).ok()?)
}

fn user(number: i32) -> Option<UserId> {
    match peer(number)? {
        Peer::User(user) => Some(user),
        Peer::Group(_) => None,
    }
}

fn operation(packet: &Packet) -> Option<Event> {
    let members = json::object(&packet.data)?;
    let id = number(&members, "userid")?;
    let name = members.get("username")?.as_str()?.to_owned();
    match number(&members, "type")? {
        operate::APPLICATION => Some(Event::FriendRequest {
            user: user(id)?,
            name,
        }),
        operate::ANSWER => Some(Event::FriendAnswer {
            peer: peer(id)?,
            name,
            accept: number(&members, "accept")?,
        }),
        operate::REMOVED => Some(Event::FriendRemoved {
            peer: peer(id)?,
            name,
        }),
        _ => None,
    }
}

fn status(packet: &Packet) -> Option<Event> {
    let members = json::object(&packet.data)?;
    let id = Reader::new(&packet.trailing).i32().ok()?;
    match number(&members, "type")? {
        notice::ONLINE => Some(Event::Presence {
            user: user(id)?,
            // The defaults are the PC client's.
            status: number(&members, "onlinestatus").unwrap_or(1),
            client_type: number(&members, "clienttype").unwrap_or(0),
        }),
        notice::OFFLINE => Some(Event::Presence {
            user: user(id)?,
            status: 0,
            client_type: 0,
        }),
        notice::PROFILE => Some(Event::ProfileChanged { peer: peer(id)? }),
        _ => None,
    }
}

fn chat(packet: &Packet) -> Option<Event> {
    let mut fields = Reader::new(&packet.trailing);
    Some(Event::Chat {
        sender: user(fields.i32().ok()?)?,
        target: peer(fields.i32().ok()?)?,
        json: json::object(&packet.data)?,
    })
}

fn remote_desktop(packet: &Packet) -> Option<Event> {
    let mut fields = Reader::new(&packet.trailing);
    let header = packet.trailing.slice_ref(fields.bytes().ok()?);
    let data = packet.trailing.slice_ref(fields.bytes().ok()?);
    Some(Event::RemoteDesktop {
        target: peer(fields.i32().ok()?)?,
        header,
        data,
    })
}

fn refused(packet: &Packet) -> Option<Event> {
    let members = json::object(&packet.data)?;
    let code = number(&members, "code").filter(|code| *code != code::OK)?;
    let message = members.get("msg").and_then(Value::as_str);
    Some(Event::Refused {
        command: packet.command,
        code,
        message: message.unwrap_or_default().to_owned(),
    })
}
