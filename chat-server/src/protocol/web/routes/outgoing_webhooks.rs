//! Outgoing webhooks: URLs to which events are posted.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use common::id::{ConvId, HookId};
use common::store::outgoing_hook::DeadLetter;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::command::{self, HookState, NewOutgoingHook, SeenOutgoingHook};
use crate::protocol::web::extract::{Body, InPath, Signed};
use crate::protocol::web::list_page::Items;
use crate::protocol::web::problem::Problem;
use crate::protocol::web::router::WebState;
use crate::protocol::web::shape::{Decimal, Id, OutgoingWebhook, Timestamp};
use crate::webhooks::{Retried, Retrying};

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(delete))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(rotate_secret))
        .routes(routes!(test))
        .routes(routes!(dead_letters, clear))
        .routes(routes!(retry))
}

type Hook = InPath<Decimal<HookId>>;

/// What is to be posted where.
#[derive(Deserialize, ToSchema)]
struct NewWebhook {
    #[schema(max_length = 2048, examples("https://example.com/hook"))]
    url: String,
    /// What its owner calls it.
    #[schema(max_length = 64)]
    name: Option<String>,
    /// The one conversation to be posted; nothing for all that one may read.
    #[schema(value_type = Option<Id>)]
    conversation: Option<Decimal<ConvId>>,
}

/// A webhook that was made.
#[derive(Serialize, ToSchema)]
struct CreatedWebhook {
    #[serde(flatten)]
    webhook: OutgoingWebhook,
    /// With this deliveries are signed. It is not shown again.
    #[schema(examples("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))]
    secret: String,
}

/// A webhook and how it is doing.
#[derive(Serialize, ToSchema)]
struct ListedWebhook {
    #[serde(flatten)]
    webhook: OutgoingWebhook,
    state: StateWord,
    /// What the target did not take yet, if it is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    retrying: Option<ShownRetrying>,
    /// How many events were given up.
    dead_letters: u32,
}

/// How a webhook is doing.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookState)]
#[serde(rename_all = "snake_case")]
enum StateWord {
    /// Everything so far was taken, or given up.
    Ok,
    /// The target did not take an event yet.
    Retrying,
    /// Nothing is posted.
    Paused,
}

/// An event that the target did not take yet.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookRetrying)]
struct ShownRetrying {
    attempts: u32,
    last_error: String,
    next_attempt_at: Timestamp,
}

impl From<Retrying> for ShownRetrying {
    fn from(retrying: Retrying) -> Self {
        Self {
            attempts: retrying.attempts,
            last_error: retrying.last_error,
            next_attempt_at: Timestamp(retrying.next_at),
        }
    }
}

impl From<SeenOutgoingHook> for ListedWebhook {
    fn from(seen: SeenOutgoingHook) -> Self {
        let (state, retrying) = match seen.state {
            HookState::Ok => (StateWord::Ok, None),
            HookState::Paused => (StateWord::Paused, None),
            HookState::Retrying(retrying) => (StateWord::Retrying, Some(retrying.into())),
        };
        Self {
            webhook: OutgoingWebhook::from(&seen.hook),
            state,
            retrying,
            dead_letters: seen.dead_letters,
        }
    }
}

/// A new secret.
#[derive(Serialize, ToSchema)]
struct RotatedSecret {
    secret: String,
}

/// How a target answered.
#[derive(Serialize, ToSchema)]
struct TestedWebhook {
    /// The status of the target's answer; null if there was none.
    status: Option<u16>,
    /// Why there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<String>,
}

/// An event that was given up.
#[derive(Serialize, ToSchema)]
#[schema(as = DeadLetter)]
struct ShownLetter {
    #[schema(value_type = Id)]
    conversation: Decimal<ConvId>,
    seq: u64,
    /// When it was given up.
    time: Timestamp,
    attempts: u32,
    reason: String,
}

impl From<DeadLetter> for ShownLetter {
    fn from(letter: DeadLetter) -> Self {
        Self {
            conversation: Decimal(letter.conv),
            seq: letter.seq.0,
            time: Timestamp(letter.time),
            attempts: letter.attempts,
            reason: letter.reason,
        }
    }
}

/// What became of the dead letters.
#[derive(Serialize, ToSchema)]
struct RetriedLetters {
    /// Taken, and not dead letters any more.
    delivered: u32,
    /// Not taken again.
    failed: u32,
    /// There was no time for these: call again.
    left: u32,
}

impl From<Retried> for RetriedLetters {
    fn from(retried: Retried) -> Self {
        Self {
            delivered: retried.delivered,
            failed: retried.failed,
            left: retried.left,
        }
    }
}

/// Makes a webhook
///
/// What one may read is posted to the URL, from now on, as the events of a WebSocket.
#[utoipa::path(
    post, path = "/webhooks/outgoing", tag = "webhooks", operation_id = "create_outgoing_webhook",
    request_body = NewWebhook,
    responses(
        (status = 201, body = CreatedWebhook, description = "Made"),
        (status = 403, description = "`not_a_member`"),
        (status = 404, description = "`no_such_conversation`"),
        (status = 409, description = "`limit_reached`"),
        (status = 422, description = "`webhook_target_refused`, `invalid_value`"),
    )
)]
async fn create(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    Body(new): Body<NewWebhook>,
) -> Result<(StatusCode, Json<CreatedWebhook>), Problem> {
    let new = NewOutgoingHook {
        url: new.url,
        name: new.name.unwrap_or_default(),
        conv: new.conversation.map(|Decimal(conv)| conv),
    };
    let hook = command::create_outgoing_hook(&app, &signed.actor, new).await?;
    let created = CreatedWebhook {
        webhook: OutgoingWebhook::from(&hook),
        secret: hook.secret.0,
    };
    Ok((StatusCode::CREATED, Json(created)))
}

/// One's own webhooks, oldest first
#[utoipa::path(
    get, path = "/webhooks/outgoing", tag = "webhooks", operation_id = "list_outgoing_webhooks",
    responses((status = 200, body = Items<ListedWebhook>, description = "All of them"))
)]
async fn list(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
) -> Result<Json<Items<ListedWebhook>>, Problem> {
    let hooks = command::outgoing_hooks(&app, &signed.actor).await?;
    let shown = hooks.into_iter().map(ListedWebhook::from);
    Ok(Json(Items::whole(shown.collect())))
}

/// Deletes a webhook
#[utoipa::path(
    delete, path = "/webhooks/outgoing/{webhook_id}", tag = "webhooks",
    operation_id = "delete_outgoing_webhook",
    params(("webhook_id" = Id, Path, description = "The webhook's number")),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, description = "`no_such_webhook`"),
    )
)]
async fn delete(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(hook)): Hook,
) -> Result<StatusCode, Problem> {
    command::delete_outgoing_hook(&app, &signed.actor, hook).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Posts nothing for a while
#[utoipa::path(
    post, path = "/webhooks/outgoing/{webhook_id}/pause", tag = "webhooks",
    operation_id = "pause_outgoing_webhook",
    params(("webhook_id" = Id, Path, description = "The webhook's number")),
    responses(
        (status = 204, description = "Paused, now or before"),
        (status = 404, description = "`no_such_webhook`"),
    )
)]
async fn pause(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(hook)): Hook,
) -> Result<StatusCode, Problem> {
    command::pause_outgoing_hook(&app, &signed.actor, hook, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Posts what was written since the pause began, and goes on
#[utoipa::path(
    post, path = "/webhooks/outgoing/{webhook_id}/resume", tag = "webhooks",
    operation_id = "resume_outgoing_webhook",
    params(("webhook_id" = Id, Path, description = "The webhook's number")),
    responses(
        (status = 204, description = "Not paused any more, or never was"),
        (status = 404, description = "`no_such_webhook`"),
    )
)]
async fn resume(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(hook)): Hook,
) -> Result<StatusCode, Problem> {
    command::pause_outgoing_hook(&app, &signed.actor, hook, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a new secret; the old one is worth nothing any more
#[utoipa::path(
    post, path = "/webhooks/outgoing/{webhook_id}/rotate_secret", tag = "webhooks",
    operation_id = "rotate_outgoing_webhook_secret",
    params(("webhook_id" = Id, Path, description = "The webhook's number")),
    responses(
        (status = 200, body = RotatedSecret, description = "The new one"),
        (status = 404, description = "`no_such_webhook`"),
    )
)]
async fn rotate_secret(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(hook)): Hook,
) -> Result<Json<RotatedSecret>, Problem> {
    let secret = command::rotate_hook_secret(&app, &signed.actor, hook).await?;
    Ok(Json(RotatedSecret { secret: secret.0 }))
}

/// Posts `{"event":"ping"}` and tells how the target answers
#[utoipa::path(
    post, path = "/webhooks/outgoing/{webhook_id}/test", tag = "webhooks",
    operation_id = "test_outgoing_webhook",
    params(("webhook_id" = Id, Path, description = "The webhook's number")),
    responses(
        (status = 200, body = TestedWebhook, description = "It was tried"),
        (status = 404, description = "`no_such_webhook`"),
    )
)]
async fn test(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(hook)): Hook,
) -> Result<Json<TestedWebhook>, Problem> {
    let tested = command::test_outgoing_hook(&app, &signed.actor, hook).await?;
    let error = tested.as_ref().err().map(ToString::to_string);
    let status = tested.ok();
    Ok(Json(TestedWebhook { status, error }))
}

/// The events that a webhook's target never took, in the order in which they were given up
#[utoipa::path(
    get, path = "/webhooks/outgoing/{webhook_id}/dead_letters", tag = "webhooks",
    operation_id = "list_dead_letters",
    params(("webhook_id" = Id, Path, description = "The webhook's number")),
    responses(
        (status = 200, body = Items<ShownLetter>, description = "All that are kept"),
        (status = 404, description = "`no_such_webhook`"),
    )
)]
async fn dead_letters(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(hook)): Hook,
) -> Result<Json<Items<ShownLetter>>, Problem> {
    let letters = command::dead_letters(&app, &signed.actor, hook).await?;
    let shown = letters.into_iter().map(ShownLetter::from);
    Ok(Json(Items::whole(shown.collect())))
}

/// Posts the dead letters once more, in their order; those that are taken leave the list
#[utoipa::path(
    post, path = "/webhooks/outgoing/{webhook_id}/dead_letters/retry", tag = "webhooks",
    operation_id = "retry_dead_letters",
    params(("webhook_id" = Id, Path, description = "The webhook's number")),
    responses(
        (status = 200, body = RetriedLetters, description = "What became of them"),
        (status = 404, description = "`no_such_webhook`"),
    )
)]
async fn retry(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(hook)): Hook,
) -> Result<Json<RetriedLetters>, Problem> {
    let retried = command::retry_dead_letters(&app, &signed.actor, hook).await?;
    Ok(Json(retried.into()))
}

/// Forgets the dead letters
#[utoipa::path(
    delete, path = "/webhooks/outgoing/{webhook_id}/dead_letters", tag = "webhooks",
    operation_id = "clear_dead_letters",
    params(("webhook_id" = Id, Path, description = "The webhook's number")),
    responses(
        (status = 204, description = "There are none any more"),
        (status = 404, description = "`no_such_webhook`"),
    )
)]
async fn clear(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(hook)): Hook,
) -> Result<StatusCode, Problem> {
    command::clear_dead_letters(&app, &signed.actor, hook).await?;
    Ok(StatusCode::NO_CONTENT)
}
