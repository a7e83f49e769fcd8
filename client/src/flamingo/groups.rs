//! Making, joining and leaving groups, and who is in them.

use common::id::GroupId;
use common::wire::command::{self, operate};
use serde_json::json;

use super::friends::{is_answer, is_removal};
use super::reply::{self, GroupMembers, NewGroup};
use super::{Client, Result};

impl Client {
    /// Makes a group with this user in it. An event [`super::Event::FriendAnswer`] follows.
    pub async fn create_group(&self, name: &str) -> Result<NewGroup> {
        let data = json!({"groupname": name, "type": 0});
        let packet = self.request_json(command::CREATE_GROUP, &data).await?;
        reply::read(&packet)
    }

    /// Joins at once. Whoever is in already gets no answer.
    pub async fn join_group(&self, group: GroupId) -> Result<()> {
        let data = json!({"userid": group, "type": operate::APPLY});
        self.operate(&data, is_answer).await
    }

    /// Leaves. Whoever is not in gets no answer.
    pub async fn leave_group(&self, group: GroupId) -> Result<()> {
        let data = json!({"userid": group, "type": operate::REMOVE});
        self.operate(&data, is_removal).await
    }

    pub async fn group_members(&self, group: GroupId) -> Result<GroupMembers> {
        let data = json!({"groupid": group});
        let packet = self.request_json(command::GROUP_MEMBERS, &data).await?;
        reply::read(&packet)
    }
}
