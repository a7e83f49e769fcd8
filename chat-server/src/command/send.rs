//! Writes a message into a conversation.

use bytes::Bytes;
use common::api::{Body, Dialect};
use common::id::{BlobId, ConvId, Millis, Seq, UserId};
use common::store::{Append, Change, Guard, Outcome, StoreError};
use common::telemetry::trace::{self, TraceId};

use super::Failure;
use super::files::named_in;
use crate::actor::{Actor, Mark};
use crate::app::App;
use crate::log::Pending;

/// Who hands a message in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    /// Somebody who has read what stands before it.
    Reader,
    /// A webhook, in the name of somebody who has not.
    Webhook,
}

/// A message that was handed to the log, in order.
#[derive(Debug)]
pub struct Sending(Stage);

#[derive(Debug)]
enum Stage {
    /// It is not durable yet.
    Pending(Pending),
    /// It had been handed in before, under the same name.
    Before(Sent),
}

/// A message of an existing client, for one conversation or several.
#[derive(Clone, Debug)]
pub struct Letter {
    content: Bytes,
    files: Vec<BlobId>,
}

impl Letter {
    /// Looks up the files that it names.
    ///
    /// # Errors
    /// The store's.
    pub async fn new(app: &App, content: Bytes) -> Result<Self, StoreError> {
        let files = named_in(app, &content).await?;
        Ok(Self { content, files })
    }
}

/// Hands a message of an existing client in. What was handed in before is numbered before.
///
/// # Errors
/// The store's.
pub async fn send(
    app: &App,
    actor: &Actor,
    conv: ConvId,
    Letter { content, files }: Letter,
    mark: Mark,
) -> Result<Sending, Failure> {
    let body = Body::Message {
        dialect: Dialect::Flamingo,
        content,
    };
    // The existing clients know no notes to oneself.
    let written = (mark, app.guard(), Writer::Reader);
    submit(app, actor, conv, (body, files), written).await
}

/// Hands a message in, with the files that it refers to.
///
/// # Errors
/// The store's, when the server is stopping.
pub(super) async fn submit(
    app: &App,
    actor: &Actor,
    conv: ConvId,
    (body, files): (Body, Vec<BlobId>),
    (mark, guard, writer): (Mark, Guard, Writer),
) -> Result<Sending, Failure> {
    let origin = app.origin(actor, mark);
    if trace::is_on() {
        tracing::debug!(
            target: trace::TARGET,
            trace_id = %TraceId::of(&origin),
            %conv,
            user = actor.user.0,
            device = actor.device.0,
            "sent"
        );
    }
    let append = Append {
        conv,
        origin,
        body,
        guard,
        files,
    };
    let append = Change::Append(append);
    let pending = match writer {
        Writer::Reader => app.log.submit_of_reader(append).await?,
        Writer::Webhook => app.log.submit(append).await?,
    };
    Ok(Sending(Stage::Pending(pending)))
}

/// What must hold for a user to write into a conversation through the API. Notes to oneself need no
/// friendship.
pub(super) fn guard(app: &App, user: UserId, conv: ConvId) -> Guard {
    if conv == ConvId::direct(user, user) {
        Guard::Exists
    } else {
        app.guard()
    }
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    pub conv: ConvId,
    pub seq: Seq,
    pub at: Millis,
    /// It had been saved before, under the same client id.
    pub is_repeat: bool,
}

impl Sending {
    /// The answer to a send that was saved before.
    pub(super) fn before(sent: Sent) -> Self {
        Self(Stage::Before(sent))
    }

    /// Waits until the message is durable; says where it stands.
    ///
    /// # Errors
    /// `NotFriends`, `NoSuchUser`, `NotAMember`, `Blocked`, `Muted`, `ClientIdConflict`; the store's.
    pub async fn saved(self) -> Result<Sent, Failure> {
        let pending = match self.0 {
            Stage::Pending(pending) => pending,
            Stage::Before(sent) => return Ok(sent),
        };
        match pending.outcome().await? {
            Outcome::Done { entries, .. } => entries
                .first()
                .map(|entry| Sent {
                    conv: entry.conv,
                    seq: entry.seq,
                    at: entry.origin.at,
                    is_repeat: false,
                })
                .ok_or_else(|| {
                    let why = "a message was committed without an entry".to_owned();
                    StoreError::Broken(why).into()
                }),
            Outcome::AlreadyThere { conv, seq, at } => Ok(Sent {
                conv,
                seq,
                at,
                is_repeat: true,
            }),
            Outcome::Refused(refusal) => Err(refusal.into()),
        }
    }
}
