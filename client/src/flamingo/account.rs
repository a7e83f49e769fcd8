//! Registering, logging in, and what one says about oneself.

use common::wire::command;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::reply::{self, LoginReply};
use super::{Client, Result};

/// What a user shows of himself; all of it is replaced at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub nickname: String,
    pub facetype: i32,
    pub customface: String,
    pub gender: i32,
    /// As a number `yyyymmdd`.
    pub birthday: i32,
    pub signature: String,
    pub address: String,
    #[serde(rename = "phonenumber")]
    pub phone: String,
    pub mail: String,
}

impl From<LoginReply> for Profile {
    fn from(login: LoginReply) -> Self {
        Self {
            nickname: login.nickname,
            facetype: login.facetype,
            customface: login.customface,
            gender: login.gender,
            birthday: login.birthday,
            signature: login.signature,
            address: login.address,
            phone: login.phone,
            mail: login.mail,
        }
    }
}

impl Client {
    /// Makes an account. Does not log in.
    pub async fn register(&self, username: &str, nickname: &str, password: &str) -> Result<()> {
        let account = json!({"username": username, "nickname": nickname, "password": password});
        let packet = self.request_json(command::REGISTER, &account).await?;
        reply::members(&packet)?;
        Ok(())
    }

    /// Logs in as the client that is imitated always does.
    pub async fn login(&self, username: &str, password: &str) -> Result<LoginReply> {
        let imitate = self.options().imitate;
        self.login_as(username, password, imitate.client_type(), imitate.status())
            .await
    }

    /// Logs in as any client type, with any status.
    pub async fn login_as(
        &self,
        username: &str,
        password: &str,
        client_type: i32,
        status: i32,
    ) -> Result<LoginReply> {
        let login = json!({
            "username": username,
            "password": password,
            "clienttype": client_type,
            "status": status,
        });
        let packet = self.request_json(command::LOGIN, &login).await?;
        reply::read(&packet)
    }

    /// Tells friends another status. There is no answer.
    pub async fn set_status(&self, status: i32) -> Result<()> {
        let data = json!({"type": 1, "onlinestatus": status});
        self.send_raw(command::USER_STATUS, data.to_string(), "")
            .await
    }

    /// Replaces the profile; returns it as the server has it now.
    pub async fn update_info(&self, profile: &Profile) -> Result<Profile> {
        let data = serde_json::to_string(profile).expect("strings and numbers are JSON");
        let packet = self.request(command::UPDATE_INFO, data, "").await?;
        reply::read(&packet)
    }

    pub async fn change_password(&self, old: &str, new: &str) -> Result<()> {
        let data = json!({"oldpassword": old, "newpassword": new});
        let packet = self.request_json(command::CHANGE_PASSWORD, &data).await?;
        reply::members(&packet)?;
        Ok(())
    }
}
