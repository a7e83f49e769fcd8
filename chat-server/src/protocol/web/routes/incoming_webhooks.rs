//! Incoming webhooks: making them, and writing through them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use common::api::{KnownSegment, Segment};
use common::id::{ConvId, HookId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::messages::{SentBody, sent_body};
use crate::app::App;
use crate::command::{self, Draft, Failure, HookCaller, NewIncomingHook, OpenedHook};
use crate::protocol::web::code;
use crate::protocol::web::extract::{Body, InPath, JsonOrText, Signed, client_address};
use crate::protocol::web::list_page::Items;
use crate::protocol::web::problem::Problem;
use crate::protocol::web::router::{PREFIX, WebState};
use crate::protocol::web::shape::segment::SegmentSchema;
use crate::protocol::web::shape::{ClientName, Decimal, Id, IncomingWebhook};
use crate::rates::Class;

/// What some callers send instead of `client_id`.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(make))
        .routes(routes!(list))
        .routes(routes!(remove))
        .routes(routes!(rotate))
        .routes(routes!(write))
}

/// What a webhook begins with.
#[derive(Deserialize, ToSchema)]
struct NewIncomingWebhook {
    /// What you call it; at most 63 bytes.
    #[schema(min_length = 1, max_length = 63, examples("builds"))]
    name: String,
    /// The bot of yours that writes what comes. You yourself if not given.
    #[schema(value_type = Option<Id>)]
    bot_id: Option<Decimal<UserId>>,
}

/// A webhook with its address.
#[derive(Serialize, ToSchema)]
struct OpenedWebhook {
    #[schema(value_type = Id)]
    id: Decimal<HookId>,
    name: String,
    #[schema(value_type = Id)]
    conversation: Decimal<ConvId>,
    /// The address below this server. Whoever knows it may write; it is shown only now.
    #[schema(examples("/api/v1/hooks/7/zPzhNsXKMIYHLxjhrhX8Y8Q1xjPnTcYTrvGmEzQ0yUs"))]
    url: String,
    /// Who writes what comes.
    #[schema(value_type = Id)]
    author: Decimal<UserId>,
}

impl From<OpenedHook> for OpenedWebhook {
    fn from(opened: OpenedHook) -> Self {
        let hook = opened.hook;
        Self {
            id: Decimal(hook.hook),
            url: format!("{PREFIX}/hooks/{}/{}", hook.hook, opened.secret),
            name: hook.name,
            conversation: Decimal(hook.conv),
            author: Decimal(hook.author),
        }
    }
}

/// Makes an incoming webhook
///
/// Whoever knows its address may write into this conversation, as you or as a bot of yours.
#[utoipa::path(
    post, path = "/conversations/{id}/webhooks", tag = "webhooks",
    operation_id = "make_incoming_webhook",
    params(("id" = Id, Path, description = "The conversation")),
    request_body = NewIncomingWebhook,
    responses(
        (status = 201, body = OpenedWebhook, description = "Made"),
        (status = 403, description = "`not_a_member`, `not_friends`, `blocked`, `muted`"),
        (status = 404, description = "`no_such_conversation`, `no_such_bot`, `no_such_user`"),
        (status = 409, description = "`limit_reached`"),
    )
)]
async fn make(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(conv)): InPath<Decimal<ConvId>>,
    Body(new): Body<NewIncomingWebhook>,
) -> Result<(StatusCode, Json<OpenedWebhook>), Problem> {
    let wanted = NewIncomingHook {
        conv,
        name: new.name,
        bot: new.bot_id.map(|Decimal(bot)| bot),
    };
    let opened = command::make_incoming_hook(&app, &signed.actor, wanted).await?;
    Ok((StatusCode::CREATED, Json(opened.into())))
}

/// Your incoming webhooks
#[utoipa::path(
    get, path = "/webhooks/incoming", tag = "webhooks", operation_id = "list_incoming_webhooks",
    responses(
        (status = 200, body = Items<IncomingWebhook>, description = "All of them, the oldest first"),
    )
)]
async fn list(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
) -> Result<Json<Items<IncomingWebhook>>, Problem> {
    let hooks = command::incoming_hooks(&app, &signed.actor).await?;
    let shown = hooks.into_iter().map(IncomingWebhook::from).collect();
    Ok(Json(Items::whole(shown)))
}

/// Takes an incoming webhook away
#[utoipa::path(
    delete, path = "/webhooks/incoming/{id}", tag = "webhooks",
    operation_id = "remove_incoming_webhook",
    params(("id" = Id, Path, description = "The webhook's number")),
    responses(
        (status = 204, description = "Nothing comes through it any more"),
        (status = 404, description = "`no_such_webhook`"),
    )
)]
async fn remove(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(hook)): InPath<Decimal<HookId>>,
) -> Result<StatusCode, Problem> {
    command::remove_incoming_hook(&app, &signed.actor, hook).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives an incoming webhook another address
///
/// The one before is worth nothing at once.
#[utoipa::path(
    post, path = "/webhooks/incoming/{id}/rotate", tag = "webhooks",
    operation_id = "rotate_incoming_webhook",
    params(("id" = Id, Path, description = "The webhook's number")),
    responses(
        (status = 200, body = OpenedWebhook, description = "With its new address"),
        (status = 404, description = "`no_such_webhook`"),
    )
)]
async fn rotate(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(hook)): InPath<Decimal<HookId>>,
) -> Result<Json<OpenedWebhook>, Problem> {
    let opened = command::rotate_incoming_hook(&app, &signed.actor, hook).await?;
    Ok(Json(opened.into()))
}

/// Who writes through a webhook, by the secret in the address. The rate of its author is counted
/// here, before anything of the body is read.
struct Hooked(HookCaller);

/// The numbers in a webhook's address.
#[derive(Deserialize)]
struct Address {
    id: Decimal<HookId>,
    secret: String,
}

impl FromRequestParts<WebState> for Hooked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        let address = Path::<Address>::from_request_parts(parts, state).await;
        // Said alike of an address that cannot be, so that its form tells nothing.
        let Path(Address { id, secret }) = address.map_err(|_| code::NO_SUCH_WEBHOOK)?;
        let from = client_address(&parts.extensions)?;
        let caller = command::hook_caller(&state.app, from, id.0, &secret).await?;
        let author = caller.actor.user;
        let allowed = state.app.rates.take_of_account(Class::Send, author);
        allowed.map_err(|wait| Problem::from(code::RATE_LIMITED).after(wait))?;
        Ok(Self(caller))
    }
}

/// What somebody writes through a webhook: either `text` or `segments`.
#[derive(Deserialize)]
struct HookMessage {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    segments: Option<Vec<Segment>>,
    #[serde(default)]
    client_id: Option<ClientName>,
}

/// What somebody writes through a webhook.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = HookMessage)]
#[expect(dead_code, reason = "stands only in documents")]
enum HookMessageSchema {
    Text(HookText),
    Segments(HookSegments),
}

/// A message of one text.
#[derive(Serialize, ToSchema)]
struct HookText {
    #[schema(min_length = 1, examples("Build 17 is done"))]
    text: String,
    /// The caller's own name for it, so that it can be sent again.
    #[schema(pattern = "^[!-~]{1,64}$")]
    client_id: Option<String>,
}

/// A message of segments.
#[derive(Serialize, ToSchema)]
struct HookSegments {
    #[schema(min_items = 1, max_items = 100)]
    segments: Vec<SegmentSchema>,
    /// The caller's own name for it, so that it can be sent again.
    #[schema(pattern = "^[!-~]{1,64}$")]
    client_id: Option<String>,
}

/// Writes through an incoming webhook
///
/// Needs no token: the address is the secret. The answer comes when the message is durable. Its
/// `client_id` is made from the webhook and the caller's name for the message, so it is never one
/// that the author uses himself.
#[utoipa::path(
    post, path = "/hooks/{id}/{secret}", tag = "webhooks", operation_id = "write_through_webhook",
    security(()),
    params(
        ("id" = Id, Path, description = "The webhook's number"),
        ("secret" = String, Path, description = "Its secret"),
        (
            "Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,64}$",
            description = "The caller's name for the message, if the body has no `client_id`"
        ),
    ),
    request_body(content(
        (HookMessageSchema = "application/json"),
        (String = "text/plain"),
    )),
    responses(
        (status = 201, body = SentBody, description = "Saved"),
        (status = 200, body = SentBody, description = "It was saved before, under the same name"),
        (status = 403, description = "`not_a_member`, `not_friends`, `blocked`, `muted`"),
        (status = 404, description = "`no_such_webhook`, `no_such_user`"),
        (status = 409, description = "`client_id_conflict`"),
        (status = 413, description = "`message_too_large`"),
        (status = 422, description = "`no_such_file`"),
        (status = 429, description = "`too_many_attempts`"),
    )
)]
async fn write(
    State(app): State<Arc<App>>,
    Hooked(caller): Hooked,
    headers: HeaderMap,
    body: JsonOrText<HookMessage>,
) -> Result<(StatusCode, Json<SentBody>), Problem> {
    let (segments, name) = match body {
        JsonOrText::Text(text) => (vec![plain(trimmed(text))], None),
        JsonOrText::Json(message) => {
            let segments = match (message.text, message.segments) {
                (Some(text), None) => vec![plain(text)],
                (None, Some(segments)) => segments,
                (Some(_), Some(_)) | (None, None) => {
                    let detail = "give either `text` or `segments`";
                    return Err(Problem::new(code::INVALID_BODY, detail));
                }
            };
            (segments, message.client_id)
        }
    };
    let name = match name {
        Some(ClientName(name)) => Some(name.as_str().to_owned()),
        None => idempotency_key(&headers)?,
    };
    let draft = Draft {
        segments,
        reply_to: None,
    };
    let said = command::say_through_hook(&app, &caller, draft, name.as_deref()).await?;
    let (sent, client_id) = said;
    let status = if sent.is_repeat {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    Ok((status, Json(sent_body(&sent, &client_id))))
}

fn plain(text: String) -> Segment {
    Segment::Known(KnownSegment::Text { text })
}

/// What `echo` and editors put behind the last line is no part of the message.
fn trimmed(mut text: String) -> String {
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    text
}

/// The caller's name for a message, with quotes around it or without.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    let quoted = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    let name = quoted.unwrap_or(text);
    let is_name = (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic());
    if !is_name {
        return Err(Failure::Invalid {
            field: "the Idempotency-Key",
            problem: "is not 1 to 64 visible characters of ASCII",
        });
    }
    Ok(Some(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_key_is_short_and_visible_with_quotes_or_without() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_str(text).unwrap());
            idempotency_key(&headers).ok().flatten()
        };
        assert_eq!(read("build-17").as_deref(), Some("build-17"));
        assert_eq!(read("\"build-17\"").as_deref(), Some("build-17"));
        for wrong in ["", "\"\"", "a b", &"x".repeat(65)] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
        assert!(matches!(idempotency_key(&HeaderMap::new()), Ok(None)));
    }

    #[test]
    fn the_end_of_the_last_line_is_dropped() {
        assert_eq!(trimmed("a\nb\r\n".to_owned()), "a\nb");
        assert_eq!(trimmed("\n".to_owned()), "");
    }
}
