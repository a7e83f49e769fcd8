//! Friends, and the teams they are sorted into.

use common::id::{Peer, UserId};
use common::wire::chat::Packet;
use common::wire::command::{self, accept, operate, team};
use common::wire::json;
use common::wire::stream::Writer;
use serde::Deserialize;
use serde_json::json;

use super::reply::{self, Found, Team};
use super::{Client, Result};

impl Client {
    /// All friends and groups, in their teams.
    pub async fn friend_list(&self) -> Result<Vec<Team>> {
        teams(&self.request(command::FRIEND_LIST, "", "").await?)
    }

    /// Finds a user by name, or a group by its number in decimal.
    pub async fn find(&self, name: &str) -> Result<Option<Found>> {
        #[derive(Deserialize)]
        struct Reply {
            userinfo: Vec<Found>,
        }
        let data = json!({"type": 1, "username": name});
        let packet = self.request_json(command::FIND_USER, &data).await?;
        let reply: Reply = reply::read(&packet)?;
        Ok(reply.userinfo.into_iter().next())
    }

    /// Asks to be friends. There is no answer until the other one gives his.
    pub async fn apply(&self, user: UserId) -> Result<()> {
        let data = json!({"userid": user, "type": operate::APPLY});
        self.send_raw(command::OPERATE_FRIEND, data.to_string(), "")
            .await
    }

    /// Answers an application, and waits until the server has taken the answer.
    pub async fn answer(&self, user: UserId, accepted: bool) -> Result<()> {
        let accept = if accepted {
            accept::ACCEPTED
        } else {
            accept::REFUSED
        };
        let data = json!({"userid": user, "type": operate::ANSWER, "accept": accept});
        self.operate(&data, is_answer).await
    }

    /// Ends a friendship, and waits until it is over.
    pub async fn remove_friend(&self, user: UserId) -> Result<()> {
        let data = json!({"userid": user, "type": operate::REMOVE});
        self.operate(&data, is_removal).await
    }

    /// Sends an operation and waits for its echo; others' operations may carry the same number.
    pub(super) async fn operate(
        &self,
        data: &serde_json::Value,
        accept: fn(&Packet) -> bool,
    ) -> Result<()> {
        let packet = Packet::new(command::OPERATE_FRIEND, self.next_seq(), data.to_string());
        let reply = self
            .request_for(&packet, command::OPERATE_FRIEND, accept)
            .await?;
        refusal(&reply)
    }

    pub async fn add_team(&self, name: &str) -> Result<Vec<Team>> {
        self.change_teams(team::ADD, name, "").await
    }

    /// Its friends move to the first team.
    pub async fn delete_team(&self, name: &str) -> Result<Vec<Team>> {
        self.change_teams(team::DELETE, "", name).await
    }

    pub async fn rename_team(&self, old: &str, new: &str) -> Result<Vec<Team>> {
        self.change_teams(team::RENAME, new, old).await
    }

    async fn change_teams(&self, operation: i32, new: &str, old: &str) -> Result<Vec<Team>> {
        let mut fields = Writer::new();
        fields
            .i32(operation)
            .bytes(new.as_bytes())
            .bytes(old.as_bytes());
        self.list_after(command::UPDATE_TEAMS, &mut fields).await
    }

    /// Gives a friend or group a name that only this user sees; an empty one takes it away.
    pub async fn set_mark(&self, friend: Peer, mark: &str) -> Result<Vec<Team>> {
        let mut fields = Writer::new();
        fields.i32(wire_number(friend)).bytes(mark.as_bytes());
        self.list_after(command::SET_MARK, &mut fields).await
    }

    pub async fn move_friend(&self, friend: Peer, from: &str, to: &str) -> Result<Vec<Team>> {
        let mut fields = Writer::new();
        fields
            .i32(wire_number(friend))
            .bytes(to.as_bytes())
            .bytes(from.as_bytes());
        self.list_after(command::MOVE_FRIEND, &mut fields).await
    }

    /// These changes are answered with the whole list, as if that had been asked for. A change
    /// the server does not make may not be answered at all.
    async fn list_after(&self, command: i32, fields: &mut Writer) -> Result<Vec<Team>> {
        let packet = Packet::new(command, self.next_seq(), "").with_trailing(fields.fields());
        let reply = self.request_for(&packet, command::FRIEND_LIST, |_| true);
        teams(&reply.await?)
    }
}

/// A peer's number as the wire has it.
pub(super) fn wire_number(peer: Peer) -> i32 {
    // Numbers above ID_MAX are never made; one that is made up names nobody, and neither does 0.
    i32::try_from(peer.number()).unwrap_or(0)
}

fn teams(packet: &Packet) -> Result<Vec<Team>> {
    #[derive(Deserialize)]
    struct Reply {
        userinfo: Vec<Team>,
    }
    let reply: Reply = reply::read(packet)?;
    Ok(reply.userinfo)
}

/// Operations are not answered with a code, unless refused.
fn refusal(packet: &Packet) -> Result<()> {
    match has_type(packet) {
        Some(_) => Ok(()),
        None => reply::members(packet).map(|_| ()),
    }
}

fn has_type(packet: &Packet) -> Option<i32> {
    json::object(&packet.data)?
        .get("type")
        .and_then(json::integer)
}

/// An answer, or a refusal, which has no type.
pub(super) fn is_answer(packet: &Packet) -> bool {
    has_type(packet).is_none_or(|kind| kind == operate::ANSWER)
}

/// A removal, or a refusal, which has no type.
pub(super) fn is_removal(packet: &Packet) -> bool {
    has_type(packet).is_none_or(|kind| kind == operate::REMOVED)
}
