//! What a server answers, as values.

use common::id::{GroupId, Peer, UserId};
use common::wire::chat::Packet;
use common::wire::command::{self, code};
use common::wire::json;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::{Error, Result};

/// The answer to a login, with every member the protocol asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginReply {
    pub code: i32,
    pub msg: String,
    #[serde(rename = "userid")]
    pub id: UserId,
    pub username: String,
    pub nickname: String,
    pub facetype: i32,
    pub customface: String,
    pub gender: i32,
    pub birthday: i32,
    pub signature: String,
    pub address: String,
    #[serde(rename = "phonenumber")]
    pub phone: String,
    pub mail: String,
}

/// A part of the friend list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    #[serde(rename = "teamname")]
    pub name: String,
    #[serde(default)]
    pub members: Vec<Member>,
}

/// Somebody in a friend list or a group; in a friend list, groups too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    #[serde(
        rename = "userid",
        deserialize_with = "peer",
        serialize_with = "number"
    )]
    pub id: Peer,
    #[serde(default)]
    pub username: String,
    #[serde(default)]
    pub nickname: String,
    #[serde(default, rename = "markname")]
    pub mark: String,
    #[serde(default)]
    pub facetype: i32,
    #[serde(default)]
    pub customface: String,
    #[serde(default)]
    pub gender: i32,
    #[serde(default)]
    pub birthday: i32,
    #[serde(default)]
    pub signature: String,
    #[serde(default)]
    pub address: String,
    #[serde(default, rename = "phonenumber")]
    pub phone: String,
    #[serde(default)]
    pub mail: String,
    #[serde(default, rename = "clienttype")]
    pub client_type: i32,
    #[serde(default)]
    pub status: i32,
}

/// A user or group found by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    #[serde(
        rename = "userid",
        deserialize_with = "peer",
        serialize_with = "number"
    )]
    pub id: Peer,
    pub username: String,
    pub nickname: String,
    #[serde(default)]
    pub facetype: i32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewGroup {
    #[serde(rename = "groupid")]
    pub id: GroupId,
    #[serde(rename = "groupname")]
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupMembers {
    #[serde(rename = "groupid")]
    pub id: GroupId,
    pub members: Vec<Member>,
}

fn peer<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Peer, D::Error> {
    let number = u32::deserialize(deserializer)?;
    Peer::from_number(number)
        .ok_or_else(|| D::Error::custom(format!("{number} is neither a user nor a group")))
}

// Serde asks for a reference here.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn number<S: serde::Serializer>(
    peer: &Peer,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_u32(peer.number())
}

/// A command's name for messages to people.
pub(super) fn command_name(number: i32) -> &'static str {
    command::name(number).unwrap_or("an unknown command")
}

/// The members of a reply that says it went well.
pub(super) fn members(packet: &Packet) -> Result<Map<String, Value>> {
    let command = command_name(packet.command);
    let reply = |problem: &str| Error::Reply {
        command,
        problem: problem.to_owned(),
    };
    let members = json::object(&packet.data).ok_or_else(|| reply("it is not a JSON object"))?;
    let code = members
        .get("code")
        .and_then(json::integer)
        .ok_or_else(|| reply("it has no code"))?;
    if code == code::OK {
        return Ok(members);
    }
    let message = members.get("msg").and_then(Value::as_str);
    Err(Error::Refused {
        command,
        code,
        message: message.unwrap_or("no reason given").to_owned(),
    })
}

/// A reply that says it went well, as `T`.
pub(super) fn read<T: DeserializeOwned>(packet: &Packet) -> Result<T> {
    let members = members(packet)?;
    serde_json::from_value(Value::Object(members)).map_err(|error| Error::Reply {
        command: command_name(packet.command),
        problem: error.to_string(),
    })
}
