//! What the API shows: the JSON shapes of people, groups and the rest, and how they are made.

mod avatar;
mod client_name;
pub(crate) mod conversation;
mod cursor;
pub(crate) mod event;
mod group;
pub(crate) mod message;
mod notice;
mod number;
mod outgoing_webhook;
pub(crate) mod segment;
mod time;
mod user;
mod webhook;
mod word;

pub(crate) use avatar::AvatarText;
pub(crate) use client_name::ClientName;
pub(crate) use cursor::{CursorText, HitCursor, ListCursor, Piece};
pub(crate) use group::{Group, GroupMember, JoinRequest};
pub(crate) use number::{Decimal, FromDecimal, Id};
pub(crate) use outgoing_webhook::OutgoingWebhook;
pub(crate) use time::Timestamp;
pub(crate) use user::{Birthday, Contact, ContactRequest, Session, User};
pub(crate) use webhook::IncomingWebhook;
pub(crate) use word::{
    DeviceKindWord, DirectMessagesWord, DirectionWord, InvitePolicyWord, JoinPolicyWord,
    RegistrationWord, RoleWord,
};
