//! People: profiles, contacts, requests, where they are.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::UserId;
use super::decimal;
use super::time;

/// A user's profile. What is empty, and what is not for the one who asks, is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    #[serde(with = "decimal")]
    pub id: UserId,
    pub username: String,
    pub nickname: String,
    /// `builtin:N`, or a picture's name on the image server.
    #[serde(default)]
    pub avatar: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birthday: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The account is a program.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bot: bool,
}

/// A contact as its owner keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    pub user: User,
    /// The owner's own name for the contact; empty for none.
    pub remark: String,
    /// The list that the contact is kept in.
    pub list: String,
}

/// An open request to be contacts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactRequest {
    #[serde(with = "decimal")]
    pub id: u64,
    pub direction: Direction,
    /// The other one.
    pub user: User,
    pub note: String,
    #[serde(with = "time")]
    pub time: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Incoming,
    Outgoing,
}

/// Where somebody is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    #[serde(with = "decimal")]
    pub user_id: UserId,
    pub status: Status,
    /// `desktop`, `android` or `ios`, for who is on line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    #[serde(
        default,
        with = "time::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_seen: Option<Timestamp>,
}

/// What others see, or, `Invisible`, what one asks for oneself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Online,
    Away,
    Offline,
    Invisible,
}
