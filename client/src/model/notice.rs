//! What happened to groups and contacts: events of the log that are no messages.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{GroupId, UserId, decimal, time};

/// Something that happened in a group, or concerns the own contacts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// The event's name, for example `group.member_joined`.
    #[serde(rename = "event")]
    pub name: String,
    #[serde(with = "time")]
    pub time: Timestamp,
    /// Who did it.
    #[serde(with = "decimal")]
    pub sender: UserId,
    /// Everything else that the event says.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

/// The notices that programs decide on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "event")]
pub enum NoticeKind {
    /// Somebody asks to be a contact.
    #[serde(rename = "contact.requested")]
    ContactRequested {
        #[serde(with = "decimal")]
        request_id: u64,
        #[serde(with = "decimal")]
        user_id: UserId,
        username: String,
        note: String,
    },
    #[serde(rename = "contact.answered")]
    ContactAnswered {
        #[serde(with = "decimal")]
        user_id: UserId,
        accepted: bool,
    },
    #[serde(rename = "contact.removed")]
    ContactRemoved {
        #[serde(with = "decimal")]
        user_id: UserId,
    },
    /// The own list of contacts and groups is different now.
    #[serde(rename = "contact.changed")]
    ContactChanged {},
    #[serde(rename = "group.created")]
    GroupCreated {
        #[serde(with = "decimal")]
        group_id: GroupId,
    },
    #[serde(rename = "group.member_added")]
    MemberAdded {
        #[serde(with = "decimal")]
        group_id: GroupId,
        #[serde(with = "decimal")]
        user_id: UserId,
    },
    #[serde(rename = "group.member_removed")]
    MemberRemoved {
        #[serde(with = "decimal")]
        group_id: GroupId,
        #[serde(with = "decimal")]
        user_id: UserId,
    },
    #[serde(rename = "group.member_joined")]
    MemberJoined {
        #[serde(with = "decimal")]
        group_id: GroupId,
    },
    #[serde(rename = "group.member_left")]
    MemberLeft {
        #[serde(with = "decimal")]
        group_id: GroupId,
    },
    #[serde(rename = "group.dissolved")]
    GroupDissolved {
        #[serde(with = "decimal")]
        group_id: GroupId,
    },
    #[serde(rename = "group.join_requested")]
    JoinRequested {
        #[serde(with = "decimal")]
        group_id: GroupId,
        #[serde(with = "decimal")]
        user_id: UserId,
        note: String,
    },
    #[serde(other)]
    Other,
}

impl Notice {
    /// What it is, if programs usually decide on it.
    pub fn kind(&self) -> NoticeKind {
        let mut fields = self.fields.clone();
        fields.insert("event".to_owned(), self.name.clone().into());
        serde_json::from_value(Value::Object(fields)).unwrap_or(NoticeKind::Other)
    }
}
