//! Groups and their members.

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::call::query;
use super::conversations::as_parameter;
use crate::error::Result;
use crate::model::{Group, GroupEdit, GroupId, GroupMember, Page, Role, UserId};

#[derive(Deserialize)]
struct Made {
    group: Group,
}

impl Api {
    /// Makes a group with these members. Who could not be added is left out.
    ///
    /// # Errors
    /// `invalid_value`, `limit_reached`; the network's.
    pub async fn create_group(&self, name: &str, members: &[UserId]) -> Result<Group> {
        let members: Vec<String> = members.iter().map(ToString::to_string).collect();
        let body = json!({"name": name, "member_ids": members});
        let made: Made = self.post("/groups", &body).await?;
        Ok(made.group)
    }

    /// # Errors
    /// `no_such_group`; the network's.
    pub async fn group(&self, group: GroupId) -> Result<Group> {
        self.get(&format!("/groups/{group}")).await
    }

    /// # Errors
    /// `not_a_member`, `not_allowed`, `invalid_value`; the network's.
    pub async fn edit_group(&self, group: GroupId, edit: &GroupEdit) -> Result<Group> {
        self.patch(&format!("/groups/{group}"), edit).await
    }

    /// # Errors
    /// `not_a_member`, `not_allowed`; the network's.
    pub async fn dissolve_group(&self, group: GroupId) -> Result<()> {
        self.tell(Method::DELETE, &format!("/groups/{group}"), None::<&()>)
            .await
    }

    /// Becomes a member, or asks to. `true` if one is a member now.
    ///
    /// # Errors
    /// `join_closed`, `no_such_group`, `limit_reached`; the network's.
    pub async fn join_group(&self, group: GroupId, note: &str) -> Result<bool> {
        let body = json!({"note": note}).to_string();
        let path = format!("/groups/{group}/join");
        let (status, _) = self.call(Method::POST, &path, Some(body.into())).await?;
        Ok(status != http::StatusCode::ACCEPTED)
    }

    /// A piece of the members. `cursor` is `next` of the piece before.
    ///
    /// # Errors
    /// `not_a_member`; the network's.
    pub async fn group_members(
        &self,
        group: GroupId,
        limit: u32,
        cursor: Option<&Value>,
    ) -> Result<Page<GroupMember>> {
        let cursor = cursor.map(as_parameter);
        let query = query(&[("limit", Some(limit.to_string())), ("cursor", cursor)]);
        self.get(&format!("/groups/{group}/members{query}")).await
    }

    /// Adds somebody.
    ///
    /// # Errors
    /// `already_member`, `not_allowed`, `not_friends`, `limit_reached`; the network's.
    pub async fn add_member(&self, group: GroupId, user: UserId) -> Result<()> {
        let path = format!("/groups/{group}/members/{user}");
        self.tell(Method::PUT, &path, None::<&()>).await
    }

    /// Takes somebody out; oneself, to leave.
    ///
    /// # Errors
    /// `not_a_member`, `not_allowed`, `owner_must_transfer`; the network's.
    pub async fn remove_member(&self, group: GroupId, user: UserId) -> Result<()> {
        let path = format!("/groups/{group}/members/{user}");
        self.tell(Method::DELETE, &path, None::<&()>).await
    }

    /// # Errors
    /// `not_a_member`, `not_allowed`; the network's.
    pub async fn set_role(&self, group: GroupId, user: UserId, role: Role) -> Result<()> {
        let path = format!("/groups/{group}/members/{user}");
        self.tell(Method::PATCH, &path, Some(&json!({"role": role})))
            .await
    }
}
