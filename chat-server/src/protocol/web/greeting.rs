//! The first request of a WebSocket: who is there, and what he has.

use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use common::id::{Millis, Peer};
use common::store::meta;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::close_reason::{CloseReason, reconnect_after_ms};
use super::frames::{self, Id};
use super::live::{Backlog, Live};
use super::problem::Problem;
use super::shape::User;
use super::socket::{Received, Socket};
use super::summaries::announce;
use super::ws::{Caller, PINGS_PER_S_MAX};
use super::{code, ops};
use crate::command::{Failure, authenticate};
use crate::hub::Manner;
use crate::walker::Skipped;

/// How long a client may take to say hello.
const HELLO_WITHIN: Duration = Duration::from_secs(10);

/// A client that said who he is.
pub(super) struct Greeted {
    pub(super) live: Live,
    /// When the sign-in is over.
    pub(super) expires: Millis,
}

#[derive(Deserialize)]
struct Hello {
    #[serde(default)]
    token: Option<String>,
    /// The history that the client's places belong to.
    #[serde(default)]
    epoch: Option<Epoch>,
    #[serde(default)]
    backlog: Option<BacklogWord>,
    /// How others are to see the user; as before if it is not given.
    #[serde(default)]
    status: Option<ops::StatusWord>,
}

/// The name of a history. It is given out as a text; whoever keeps it as a number means the same.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Epoch {
    Text(String),
    Number(serde_json::Number),
}

impl Epoch {
    fn is(&self, epoch: &str) -> bool {
        match self {
            Self::Text(text) => text == epoch,
            Self::Number(number) => number.to_string() == epoch,
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum BacklogWord {
    All,
    Recent,
}

#[derive(Serialize)]
struct Welcome {
    user: Option<User>,
    session_id: String,
    /// In seconds.
    heartbeat: u64,
    epoch: String,
    /// The client's places belong to another history: it has to read everything anew.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    resync: bool,
}

/// Waits for `hello`, answers it, and enters the session.
///
/// # Errors
/// Why the connection ends.
pub(super) async fn greet(caller: &Caller, socket: &mut Socket) -> Result<Greeted, CloseReason> {
    let text = tokio::select! {
        biased;
        text = timeout(HELLO_WITHIN, first_request(socket)) => text.map_err(|_| CloseReason::NoHello)??,
        () = caller.shutdown.cancelled() => {
            let reconnect_after_ms = reconnect_after_ms(&caller.app);
            return Err(CloseReason::Draining { reconnect_after_ms });
        }
    };
    let (envelope, checked) = frames::envelope(text.as_bytes())
        .ok_or(CloseReason::Protocol("no request that can be read"))?;
    if envelope.op != "hello" {
        return Err(CloseReason::Protocol("the first request is not hello"));
    }
    let hello = match checked.and_then(|()| frames::fields(text.as_bytes())) {
        Ok(hello) => hello,
        Err(problem) => {
            answer_error(socket, envelope.id.as_ref(), &problem).await?;
            return Err(CloseReason::Protocol("hello cannot be read"));
        }
    };
    match enter(caller, hello).await {
        Ok((greeted, welcome, skipped)) => {
            if let Some(id) = &envelope.id {
                socket.feed(frames::ok(id, welcome)).await?;
            }
            let actor = greeted.live.session.actor.clone();
            let announced = Box::pin(announce(&caller.app, &actor, skipped, socket)).await;
            if let Err(closing) = announced {
                greeted.live.leave().await;
                return Err(closing);
            }
            socket.flush().await?;
            Ok(greeted)
        }
        Err(problem) => {
            answer_error(socket, envelope.id.as_ref(), &problem).await?;
            Err(if problem.code == code::UNAUTHENTICATED {
                CloseReason::Unauthenticated
            } else {
                CloseReason::Unavailable
            })
        }
    }
}

async fn first_request(socket: &mut Socket) -> Result<Utf8Bytes, CloseReason> {
    for _ in 0..=PINGS_PER_S_MAX {
        if let Received::Request(text) = socket.receive().await? {
            return Ok(text);
        }
    }
    Err(CloseReason::RateLimited)
}

async fn answer_error(
    socket: &mut Socket,
    id: Option<&Id>,
    problem: &Problem,
) -> Result<(), CloseReason> {
    if let Some(id) = id {
        socket.feed(frames::error(id, problem)).await?;
    }
    socket.flush().await
}

type Entered = (Greeted, Welcome, Vec<Skipped>);

async fn enter(caller: &Caller, hello: Hello) -> Result<Entered, Problem> {
    let app = &caller.app;
    let token = hello.token.as_ref().or(caller.token.as_ref());
    let token = token.ok_or(Failure::Unauthenticated)?;
    let signed = authenticate(app, caller.address, token).await?;
    let user = signed.actor.user;
    tracing::Span::current().record("user", user.0);
    let profiles = app.store.profiles(&[Peer::User(user)]).await?;
    let profile = profiles.into_iter().next();
    let epoch = meta::get(&*app.store, meta::EPOCH)
        .await?
        .unwrap_or_default();
    let backlog = match hello.backlog {
        Some(BacklogWord::Recent) => Backlog::Recent,
        Some(BacklogWord::All) | None => Backlog::All,
    };
    // Known from the first moment: whoever wants to be invisible is seen by nobody before.
    let status = hello.status.map(|status| status.number());
    let number = status.map(|(number, _)| number);
    let (live, skipped) = Live::enter(app, &signed, Manner::WebSocket, backlog, number).await?;
    if let Some((number, is_away)) = status {
        app.hub.set_status(&live.session, number, is_away);
    }
    let welcome = Welcome {
        user: profile.map(User::from),
        session_id: signed.session.to_string(),
        heartbeat: app.config.heartbeat_s,
        resync: hello.epoch.is_some_and(|theirs| !theirs.is(&epoch)),
        epoch,
    };
    let expires = signed.expires;
    Ok((Greeted { live, expires }, welcome, skipped))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_is_a_text_or_the_same_number() {
        let is = |json: &str| {
            let epoch: Epoch = serde_json::from_str(json).unwrap();
            epoch.is("17")
        };
        assert!(is("\"17\"") && is("17"));
        assert!(!is("\"18\"") && !is("18") && !is("17.5"));
    }
}
