//! What the API speaks of: people, groups, conversations, messages.
//!
//! Fields that a newer server adds are ignored. Ids are numbers here and decimal texts on the wire.

mod account;
mod conversation;
pub mod decimal;
mod group;
mod message;
mod notice;
mod people;
pub mod time;

pub use account::{DeviceSession, Registration};
pub use common::api::{
    DeviceKind, InvitePolicy, JoinPolicy, KnownSegment, Mentioned, Role, Segment,
};
pub use common::id::{BlobId, ConvId as ConversationId, GroupId, Seq, SessionId, UserId};
pub use conversation::{Conversation, ConversationEdit, ConversationKind, Notify, PeerGroup};
pub use group::{Group, GroupEdit, GroupMember};
pub use jiff::Timestamp;
pub use message::{Message, Page, Reaction, text_of};
pub use notice::{Notice, NoticeKind};
pub use people::{Contact, ContactRequest, Direction, Presence, Status, User};
