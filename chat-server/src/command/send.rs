//! Writes a message to a user or a group.

use bytes::Bytes;
use common::api::{Body, Dialect};
use common::id::{ConvId, Peer, Seq};
use common::store::{Append, Change, Guard, Outcome};

use super::Failure;
use crate::app::App;
use crate::hub::Session;
use crate::log::Pending;

/// A message that was handed to the log, in order, and is not durable yet.
#[derive(Debug)]
pub struct Sending(Pending);

/// Hands a message in. What was handed in before is numbered before.
///
/// # Errors
/// The store's, when the server is stopping.
pub async fn send(
    app: &App,
    session: &Session,
    to: Peer,
    dialect: Dialect,
    content: Bytes,
    tag: i32,
) -> Result<Sending, Failure> {
    let append = Append {
        conv: ConvId::between(session.user, to),
        origin: app.origin(session, tag),
        body: Body::Message { dialect, content },
        guard: if app.strangers_may_write() {
            Guard::Exists
        } else {
            Guard::Contact
        },
    };
    Ok(Sending(app.log.submit(Change::Append(append)).await?))
}

impl Sending {
    /// Waits until the message is durable; says where it stands.
    ///
    /// # Errors
    /// `NotFriends`, `NoSuchUser`, `NotAMember`; the store's.
    pub async fn saved(self) -> Result<(ConvId, Seq), Failure> {
        match self.0.outcome().await? {
            Outcome::Done { entries, .. } => entries
                .first()
                .map(|entry| (entry.conv, entry.seq))
                .ok_or(Failure::Invalid {
                    field: "the message",
                    problem: "was not appended",
                }),
            Outcome::AlreadyThere { conv, seq, .. } => Ok((conv, seq)),
            Outcome::Refused(refusal) => Err(refusal.into()),
        }
    }
}
