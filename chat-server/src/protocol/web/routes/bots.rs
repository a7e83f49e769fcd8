//! Bots and their tokens, for their owners.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use common::id::{DeviceId, Millis, UserId};
use common::store::session::SignIn;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::command::{self, NewBot, ProfileEdit, ShownToken, TokenTerms};
use crate::protocol::web::extract::{Body, InPath, OptionalBody, Signed};
use crate::protocol::web::list_page::Items;
use crate::protocol::web::problem::Problem;
use crate::protocol::web::router::WebState;
use crate::protocol::web::shape::{AvatarText, ClientName, Decimal, Id, Timestamp, User};

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(make, list))
        .routes(routes!(show, change, end))
        .routes(routes!(add_token, list_tokens))
        .routes(routes!(rotate_token))
        .routes(routes!(end_token))
}

/// What a bot begins with.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewBot)]
struct WantedBot {
    /// At most 31 bytes, if the server is not set up otherwise.
    #[schema(min_length = 1, max_length = 31, examples("build-bot"))]
    username: String,
    /// The user name if not given.
    #[schema(min_length = 1, max_length = 63)]
    nickname: Option<String>,
    client_id: Option<ClientName>,
}

/// A bot that was made.
#[derive(Serialize, ToSchema)]
struct MadeBot {
    bot: User,
    /// For `Authorization: Bearer`. It does not expire.
    token: String,
    #[schema(value_type = Id)]
    token_id: Decimal<DeviceId>,
}

/// Makes a bot
///
/// An account without a password, which is yours, with a first token named `default`. You and the
/// bot are contacts.
#[utoipa::path(
    post, path = "/bots", tag = "bots", operation_id = "make_bot",
    request_body = WantedBot,
    responses(
        (status = 201, body = MadeBot, description = "Made"),
        (status = 200, body = MadeBot, description = "Made before, under the same `client_id`"),
        (status = 403, description = "`not_for_bots`"),
        (status = 404, description = "`no_such_token`: it was made before, and that token has ended"),
        (
            status = 409,
            description = "`username_taken`, also by a name that looks like this one; \
                `limit_reached`, `client_id_conflict`",
        ),
        (status = 422, description = "`invalid_username`"),
    )
)]
async fn make(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    Body(new): Body<WantedBot>,
) -> Result<(StatusCode, Json<MadeBot>), Problem> {
    let wanted = NewBot {
        nickname: new.nickname.unwrap_or_else(|| new.username.clone()),
        username: new.username,
    };
    let mark = new.client_id.map(|name| name.0).into();
    let made = command::make_bot(&app, &signed, wanted, mark).await?;
    let status = if made.is_repeat {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    let shown = MadeBot {
        bot: made.profile.into(),
        token: made.token.token,
        token_id: Decimal(made.token.device),
    };
    Ok((status, Json(shown)))
}

/// Your bots
#[utoipa::path(
    get, path = "/bots", tag = "bots", operation_id = "list_bots",
    responses((status = 200, body = Items<User>, description = "All of them, the oldest first"))
)]
async fn list(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
) -> Result<Json<Items<User>>, Problem> {
    let bots = command::bots(&app, &signed.actor).await?;
    Ok(Json(Items::whole(
        bots.into_iter().map(User::from).collect(),
    )))
}

/// One of your bots
#[utoipa::path(
    get, path = "/bots/{id}", tag = "bots", operation_id = "show_bot",
    params(("id" = Id, Path, description = "The bot's number, as a user")),
    responses(
        (status = 200, body = User, description = "Its profile"),
        (status = 404, description = "`no_such_bot`"),
    )
)]
async fn show(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(bot)): InPath<Decimal<UserId>>,
) -> Result<Json<User>, Problem> {
    let profile = command::bot(&app, &signed.actor, bot).await?;
    Ok(Json(profile.into()))
}

/// What is left out, or null, stays.
#[derive(Deserialize, ToSchema)]
struct BotChange {
    #[schema(min_length = 1, max_length = 63)]
    nickname: Option<String>,
    /// `builtin:N`, the SHA-256 of a stored picture that you may use, or the name that a profile
    /// shows.
    #[schema(value_type = Option<String>, max_length = 64, examples("builtin:7"))]
    avatar: Option<AvatarText>,
    #[schema(max_length = 255)]
    signature: Option<String>,
}

/// Changes how a bot looks
#[utoipa::path(
    patch, path = "/bots/{id}", tag = "bots", operation_id = "change_bot",
    params(("id" = Id, Path, description = "The bot's number, as a user")),
    request_body = BotChange,
    responses(
        (status = 200, body = User, description = "As it is now"),
        (status = 404, description = "`no_such_bot`"),
    )
)]
async fn change(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(bot)): InPath<Decimal<UserId>>,
    Body(change): Body<BotChange>,
) -> Result<Json<User>, Problem> {
    let edit = ProfileEdit {
        nickname: change.nickname,
        avatar: change.avatar.map(|AvatarText(avatar)| avatar),
        signature: change.signature,
        ..ProfileEdit::default()
    };
    command::change_bot(&app, &signed.actor, bot, edit).await?;
    let profile = command::bot(&app, &signed.actor, bot).await?;
    Ok(Json(profile.into()))
}

/// Ends a bot
///
/// Its tokens, connections and webhooks end at once and for ever. What it wrote stays, and so does
/// its user name.
#[utoipa::path(
    delete, path = "/bots/{id}", tag = "bots", operation_id = "end_bot",
    params(("id" = Id, Path, description = "The bot's number, as a user")),
    responses(
        (status = 204, description = "Ended"),
        (status = 404, description = "`no_such_bot`"),
    )
)]
async fn end(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(bot)): InPath<Decimal<UserId>>,
) -> Result<StatusCode, Problem> {
    command::end_bot(&app, &signed.actor, bot).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A token of a bot, without the token itself.
#[derive(Serialize, ToSchema)]
struct BotToken {
    /// Stays the same when the token is replaced.
    #[schema(value_type = Id)]
    id: Decimal<DeviceId>,
    name: String,
    /// When it was made, or last replaced.
    created_at: Timestamp,
    /// When it was last used, to the minute.
    seen_at: Timestamp,
    /// Null for a token that does not expire.
    expires_at: Option<Timestamp>,
}

impl From<SignIn> for BotToken {
    fn from(sign_in: SignIn) -> Self {
        let expires = sign_in.expires;
        Self {
            id: Decimal(sign_in.device),
            name: sign_in.name,
            created_at: Timestamp(sign_in.created),
            seen_at: Timestamp(sign_in.seen),
            expires_at: (expires < Millis::NEVER).then_some(Timestamp(expires)),
        }
    }
}

/// The tokens of a bot
#[utoipa::path(
    get, path = "/bots/{id}/tokens", tag = "bots", operation_id = "list_bot_tokens",
    params(("id" = Id, Path, description = "The bot's number, as a user")),
    responses(
        (status = 200, body = Items<BotToken>, description = "All that are worth something"),
        (status = 404, description = "`no_such_bot`"),
    )
)]
async fn list_tokens(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(bot)): InPath<Decimal<UserId>>,
) -> Result<Json<Items<BotToken>>, Problem> {
    let tokens = command::bot_tokens(&app, &signed.actor, bot).await?;
    let shown = tokens.into_iter().map(BotToken::from).collect();
    Ok(Json(Items::whole(shown)))
}

/// What the owner says of a new token.
#[derive(Default, Deserialize, ToSchema)]
struct NewBotToken {
    /// `token` if not given.
    #[schema(min_length = 1, max_length = 64)]
    name: Option<String>,
    /// Never if not given.
    expires_at: Option<Timestamp>,
}

/// A token that was made.
#[derive(Serialize, ToSchema)]
struct MadeBotToken {
    #[schema(value_type = Id)]
    id: Decimal<DeviceId>,
    name: String,
    /// For `Authorization: Bearer`. It is shown only now.
    token: String,
}

impl From<ShownToken> for MadeBotToken {
    fn from(shown: ShownToken) -> Self {
        Self {
            id: Decimal(shown.device),
            name: shown.name,
            token: shown.token,
        }
    }
}

/// Makes a further token of a bot
///
/// Each token is a device with a place of its own in every conversation.
#[utoipa::path(
    post, path = "/bots/{id}/tokens", tag = "bots", operation_id = "make_bot_token",
    params(("id" = Id, Path, description = "The bot's number, as a user")),
    request_body = Option<NewBotToken>,
    responses(
        (status = 201, body = MadeBotToken, description = "Made"),
        (status = 404, description = "`no_such_bot`"),
        (status = 409, description = "`limit_reached`"),
    )
)]
async fn add_token(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(bot)): InPath<Decimal<UserId>>,
    OptionalBody(new): OptionalBody<NewBotToken>,
) -> Result<(StatusCode, Json<MadeBotToken>), Problem> {
    let terms = TokenTerms {
        name: new.name,
        expires: new.expires_at.map(|Timestamp(at)| at),
    };
    let token = command::add_bot_token(&app, &signed.actor, bot, terms).await?;
    Ok((StatusCode::CREATED, Json(token.into())))
}

/// Which token of which bot.
#[derive(Clone, Copy, Deserialize)]
struct Which {
    id: Decimal<UserId>,
    token_id: Decimal<DeviceId>,
}

/// Replaces a token of a bot
///
/// The one before is worth nothing at once. The device goes on where it was.
#[utoipa::path(
    post, path = "/bots/{id}/tokens/{token_id}/rotate", tag = "bots",
    operation_id = "rotate_bot_token",
    params(
        ("id" = Id, Path, description = "The bot's number, as a user"),
        ("token_id" = Id, Path, description = "The token's number"),
    ),
    responses(
        (status = 200, body = MadeBotToken, description = "The new one"),
        (status = 404, description = "`no_such_bot`, `no_such_token`"),
    )
)]
async fn rotate_token(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Which { id, token_id }): InPath<Which>,
) -> Result<Json<MadeBotToken>, Problem> {
    let token = command::rotate_bot_token(&app, &signed.actor, id.0, token_id.0).await?;
    Ok(Json(token.into()))
}

/// Ends a token of a bot
///
/// Its connection ends with `session_revoked`, and how far its device got is forgotten.
#[utoipa::path(
    delete, path = "/bots/{id}/tokens/{token_id}", tag = "bots", operation_id = "end_bot_token",
    params(
        ("id" = Id, Path, description = "The bot's number, as a user"),
        ("token_id" = Id, Path, description = "The token's number"),
    ),
    responses(
        (status = 204, description = "Ended"),
        (status = 404, description = "`no_such_bot`, `no_such_token`"),
    )
)]
async fn end_token(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Which { id, token_id }): InPath<Which>,
) -> Result<StatusCode, Problem> {
    command::end_bot_token(&app, &signed.actor, id.0, token_id.0).await?;
    Ok(StatusCode::NO_CONTENT)
}
