//! The operations of a WebSocket, once its client said hello.

use std::sync::Arc;
use std::time::Duration;

use common::api::{Refusal, Segment};
use common::id::{ConvId, ConvKind, GroupId, Peer, Seq, UserId};
use futures_util::FutureExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::close_reason::CloseReason;
use super::code;
use super::frames::{self, Envelope, Id};
use super::problem::Problem;
use super::routes::messages::sent_body;
use super::shape::{ClientName, Decimal, event};
use super::ws::{Done, Running, apart};
use crate::actor::Mark;
use crate::command::{self, Draft, Failure, Sent};
use crate::hub::{INVISIBLE, ONLINE};
use crate::presence;
use crate::rates::Class;

/// That somebody writes is told at most this often in one conversation.
const TYPING_EVERY: Duration = Duration::from_secs(1);
/// In how many conversations it is remembered when that was told last.
const TYPED_MAX: usize = 16;

/// What became of a request: taken, or refused.
type Taken = Result<(), Problem>;

/// Carries out a request, or begins to.
///
/// # Errors
/// Why the connection ends.
pub(super) async fn carry_out(
    running: &mut Running<'_>,
    envelope: &Envelope,
    text: &[u8],
) -> Result<Taken, CloseReason> {
    let id = envelope.id.as_ref();
    let taken = match envelope.op.as_str() {
        "message.send" => Box::pin(send(running, id, text)).await,
        "ack" => {
            running.count_light();
            Box::pin(ack(running, id, text)).await
        }
        "read" => read(running, id, text),
        "typing" => {
            running.count_light();
            typing(running, id, text)
        }
        "presence.set" => set_presence(running, id, text),
        "presence.watch" => watch(running, id, text),
        "conversation.open" => match Box::pin(open(running, text)).await {
            Ok(()) => answer(running, id, json!({})).await?,
            Err(problem) => Err(problem),
        },
        "conversation.close" => {
            running.count_light();
            match close(running, text) {
                Ok(()) => answer(running, id, json!({})).await?,
                Err(problem) => Err(problem),
            }
        }
        "ping" => {
            running.count_ping()?;
            answer(running, id, json!({})).await?
        }
        "hello" => return Err(CloseReason::Protocol("a second hello")),
        _ => {
            running.count_light();
            Err(code::UNKNOWN_OP.into())
        }
    };
    Ok(taken)
}

async fn answer(
    running: &mut Running<'_>,
    id: Option<&Id>,
    ok: impl Serialize,
) -> Result<Taken, CloseReason> {
    if let Some(id) = id {
        running.socket.feed(frames::ok(id, ok)).await?;
    }
    Ok(Ok(()))
}

/// Counts a request against what the account may do.
fn count(running: &Running<'_>, class: Class) -> Taken {
    let user = running.live.session.actor.user;
    let allowed = running.app.rates.take_of_account(class, user);
    allowed.map_err(|wait| Problem::from(code::RATE_LIMITED).after(wait))
}

/// Carries on with a request beside the others; its answer comes in its turn.
fn go_on<F>(running: &mut Running<'_>, id: Option<&Id>, work: F)
where
    F: Future<Output = Result<Value, Problem>> + Send + 'static,
{
    let id = id.cloned();
    let work = work.map(move |result| Done {
        answer: id.map(|id| finished(&id, result)),
        wrote: None,
    });
    running.pending.push_back(apart(work));
}

fn finished(id: &Id, result: Result<impl Serialize, Problem>) -> String {
    match result {
        Ok(ok) => frames::ok(id, ok),
        Err(problem) => frames::error(id, &problem),
    }
}

#[derive(Deserialize)]
struct NewMessage {
    to: To,
    client_id: ClientName,
    segments: Vec<Segment>,
    #[serde(default)]
    reply_to: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum To {
    User(Decimal<UserId>),
    Group(Decimal<GroupId>),
    Conversation(Decimal<ConvId>),
}

/// Hands a message in. What comes next is handed in behind it; the answer comes when it is
/// durable. A message that waits for the names of its files holds up other messages and nothing
/// else.
async fn send(running: &mut Running<'_>, id: Option<&Id>, text: &[u8]) -> Taken {
    count(running, Class::Send)?;
    let send: NewMessage = frames::fields(text)?;
    let (app, session) = (Arc::clone(&running.app), Arc::clone(&running.live.session));
    let actor = &session.actor;
    let conv = match send.to {
        To::User(Decimal(user)) => ConvId::between(actor.user, Peer::User(user)),
        To::Group(Decimal(group)) => ConvId::group(group),
        To::Conversation(Decimal(conv)) => conv,
    };
    let ClientName(client_id) = send.client_id;
    let draft = Draft {
        segments: send.segments,
        reply_to: send.reply_to.map(Seq),
    };
    let mark = Mark::from(client_id.clone());
    let mut prepared = command::prepare_segments(&app, actor, conv, draft, mark).await?;
    let id = id.cloned();
    let done = move |sent: Result<Sent, Failure>| {
        let wrote = sent.as_ref().ok().map(|sent| (sent.conv, sent.seq));
        let result = sent
            .map(|sent| sent_body(&sent, &client_id))
            .map_err(Problem::from);
        Done {
            answer: id.map(|id| finished(&id, result)),
            wrote,
        }
    };
    if prepared.is_ready() && running.order.is_free() {
        let sending = prepared.hand_in(&app, actor).await?;
        let saved = sending.saved().map(done);
        running.pending.push_back(Box::pin(saved));
        return Ok(());
    }
    let mut turn = running.order.queue();
    let handed_in = async move {
        let ready = prepared.ready(&app).await;
        turn.comes().await;
        ready?;
        prepared.hand_in(&app, &session.actor).await
    };
    let saved = async move { handed_in.await?.saved().await };
    running.late.push(apart(saved.map(done)));
    Ok(())
}

#[derive(Deserialize)]
struct Place {
    conversation: Decimal<ConvId>,
    seq: u64,
}

/// The device holds everything up to here. What neither this connection nor one before delivered
/// does not count; the answer says what does, and comes when that is durable.
async fn ack(running: &mut Running<'_>, id: Option<&Id>, text: &[u8]) -> Taken {
    let Place {
        conversation: Decimal(conv),
        seq,
    } = frames::fields(text)?;
    let acked = running.live.acks.ack(conv, Seq(seq), Instant::now());
    let counts = move |acked: Seq| json!({"conversation": conv.to_string(), "seq": acked.0});
    match (acked, id) {
        (Some(acked), Some(id)) => {
            let (id, saved) = (id.clone(), running.live.save_cursor(conv).await?);
            let saved = saved.outcome().map(move |saved| {
                let result = saved.map(|_| counts(acked));
                let result = result.map_err(|error| Problem::from(Failure::from(error)));
                Done {
                    answer: Some(finished(&id, result)),
                    wrote: None,
                }
            });
            running.pending.push_back(Box::pin(saved));
        }
        // Nobody waits: it is saved with others.
        (Some(_), None) => {}
        // This one costs a look into the database.
        (None, _) => {
            count(running, Class::Read)?;
            let acked = counts(running.live.cursor(conv).await?);
            go_on(running, id, async { Ok(acked) });
        }
    }
    Ok(())
}

/// The user has read up to here.
fn read(running: &mut Running<'_>, id: Option<&Id>, text: &[u8]) -> Taken {
    count(running, Class::Write)?;
    let Place {
        conversation: Decimal(conv),
        seq,
    } = frames::fields(text)?;
    let (app, session) = (Arc::clone(&running.app), Arc::clone(&running.live.session));
    go_on(running, id, async move {
        command::mark_read(&app, &session.actor, conv, Seq(seq)).await?;
        Ok(json!({}))
    });
    Ok(())
}

#[derive(Deserialize)]
struct Where {
    conversation: Decimal<ConvId>,
}

fn typing(running: &mut Running<'_>, id: Option<&Id>, text: &[u8]) -> Taken {
    let Where {
        conversation: Decimal(conv),
    } = frames::fields(text)?;
    let now = Instant::now();
    let typed = &mut running.typed;
    typed.retain(|_, at| now < *at + TYPING_EVERY);
    if typed.contains_key(&conv) || typed.len() >= TYPED_MAX {
        // Told a moment ago: that is good enough.
        go_on(running, id, async { Ok(json!({})) });
        return Ok(());
    }
    typed.insert(conv, now);
    let (app, session) = (Arc::clone(&running.app), Arc::clone(&running.live.session));
    go_on(running, id, async move {
        presence::announce_typing(&app, &session.actor, conv).await?;
        Ok(json!({}))
    });
    Ok(())
}

/// How a user wants to be seen.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StatusWord {
    Online,
    Away,
    Invisible,
}

impl StatusWord {
    /// The status as the existing clients know it, and whether the user is away.
    pub(super) fn number(self) -> (i32, bool) {
        match self {
            Self::Online => (ONLINE, false),
            Self::Away => (ONLINE, true),
            Self::Invisible => (INVISIBLE, false),
        }
    }
}

#[derive(Deserialize)]
struct Seen {
    status: StatusWord,
}

fn set_presence(running: &mut Running<'_>, id: Option<&Id>, text: &[u8]) -> Taken {
    count(running, Class::Write)?;
    let Seen { status } = frames::fields(text)?;
    let (status, is_away) = status.number();
    let (app, session) = (Arc::clone(&running.app), Arc::clone(&running.live.session));
    let is_change = app.hub.set_status(&session, status, is_away);
    go_on(running, id, async move {
        if is_change {
            presence::announce(&app, session.actor.user).await?;
        }
        Ok(json!({}))
    });
    Ok(())
}

#[derive(Deserialize)]
struct Watched {
    user_ids: Vec<Decimal<UserId>>,
}

/// From now on only the presence of these users is told; where they are now is the answer.
fn watch(running: &mut Running<'_>, id: Option<&Id>, text: &[u8]) -> Taken {
    count(running, Class::Write)?;
    let Watched { user_ids } = frames::fields(text)?;
    if user_ids.len() > presence::USERS_MAX {
        return Err(code::LIMIT_REACHED.into());
    }
    let users: Vec<UserId> = user_ids.into_iter().map(|Decimal(user)| user).collect();
    let (app, session) = (Arc::clone(&running.app), Arc::clone(&running.live.session));
    go_on(running, id, async move {
        let visible = presence::visible(&app, &session.actor, &users).await?;
        // Watching before looking: a change between the two is told twice rather than never.
        app.hub.watch(&session, &visible);
        let found = presence::whereabouts(&app, visible).await?;
        let items: Vec<_> = found.into_iter().map(event::Shown::from).collect();
        Ok(json!({"items": items}))
    });
    Ok(())
}

/// The client shows this conversation.
async fn open(running: &mut Running<'_>, text: &[u8]) -> Taken {
    count(running, Class::Read)?;
    let Where {
        conversation: Decimal(conv),
    } = frames::fields(text)?;
    let session = Arc::clone(&running.live.session);
    let user = session.actor.user;
    match conv.kind() {
        Some(ConvKind::Group(group)) => {
            let peers = running.app.store.peers(user).await?;
            if !peers.contains(&Peer::Group(group)) {
                return Err(Refusal::NotAMember.into());
            }
        }
        Some(ConvKind::Direct(..)) if conv.may_concern(user) => {}
        Some(ConvKind::Direct(..) | ConvKind::Inbox(_)) | None => {
            return Err(Refusal::NoSuchConversation.into());
        }
    }
    if !session.open(conv) {
        return Err(code::LIMIT_REACHED.into());
    }
    running.open(conv).await
}

/// The client does not show this conversation any more.
fn close(running: &Running<'_>, text: &[u8]) -> Taken {
    let Where {
        conversation: Decimal(conv),
    } = frames::fields(text)?;
    running.live.session.close(conv);
    Ok(())
}
