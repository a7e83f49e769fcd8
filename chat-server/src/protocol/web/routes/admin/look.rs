//! Looking at accounts, and at how much there is.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use common::id::UserId;
use common::store::admin::{ListedAccount, Only, Sought};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::command::admin::{self, Stats};
use crate::hub::Manner;
use crate::protocol::web::extract::{Admin, InPath, Query};
use crate::protocol::web::list_page::{Items, Page};
use crate::protocol::web::problem::Problem;
use crate::protocol::web::router::WebState;
use crate::protocol::web::shape::{Decimal, Id, Timestamp};

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(stats))
}

/// An account as administrators see it.
#[derive(Serialize, ToSchema)]
pub(super) struct AdminUser {
    #[schema(value_type = Id)]
    id: Decimal<UserId>,
    username: String,
    nickname: String,
    /// Whether the user is an administrator.
    admin: bool,
    /// Whether the account is a bot's.
    bot: bool,
    /// Since when nobody gets in; null if not at all.
    #[schema(required)]
    disabled_at: Option<Timestamp>,
    /// When the user was last on line, made a call (within a minute) or signed a device in; null if
    /// never.
    #[schema(required)]
    last_seen: Option<Timestamp>,
    /// Whether the user is on line.
    online: bool,
}

impl AdminUser {
    pub(super) fn of(app: &App, account: ListedAccount) -> Self {
        Self {
            id: Decimal(account.id),
            username: account.username,
            nickname: account.nickname,
            admin: account.state.is_admin,
            bot: account.is_bot,
            disabled_at: account.state.disabled.map(Timestamp),
            last_seen: account.last_seen.map(Timestamp),
            online: app.hub.is_online(account.id),
        }
    }
}

/// Which accounts are wanted.
#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    query: String,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    state: StateWord,
}

#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum StateWord {
    #[default]
    All,
    Disabled,
    Admins,
}

/// Lists accounts
#[utoipa::path(
    get, path = "/admin/users", tag = "administration", operation_id = "admin_list_users",
    params(
        (
            "query" = Option<String>, Query, max_length = 255, nullable = false,
            description = "What the user name or nickname has in it, or the user's number"
        ),
        (
            "username" = Option<String>, Query, nullable = false,
            description = "Exactly this user name"
        ),
        ("state" = inline(Option<StateWord>), Query, nullable = false, description = "Only these; all if not given"),
        Page,
    ),
    responses(
        (status = 200, body = Items<AdminUser>, description = "In the order of their numbers"),
        (status = 403, description = "`not_an_admin`"),
    )
)]
async fn list(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    Query(wanted): Query<Wanted>,
    Query(page): Query<Page>,
) -> Result<Json<Items<AdminUser>>, Problem> {
    let sought = Sought {
        text: wanted.query,
        username: wanted.username,
        only: match wanted.state {
            StateWord::All => Only::All,
            StateWord::Disabled => Only::Disabled,
            StateWord::Admins => Only::Admins,
        },
        after: page.after_user().unwrap_or(UserId(0)),
        limit: page.limit.0,
    };
    let found = admin::accounts(&app, &who, &sought).await?;
    let shown = found.into_iter().map(|one| AdminUser::of(&app, one));
    let number = |user: &AdminUser| u64::from(user.id.0.0);
    Ok(Json(Items::piece(shown.collect(), page.limit, number)))
}

/// One account
#[utoipa::path(
    get, path = "/admin/users/{id}", tag = "administration", operation_id = "admin_show_user",
    params(("id" = Id, Path, description = "The user's number")),
    responses(
        (status = 200, body = AdminUser, description = "The account"),
        (status = 403, description = "`not_an_admin`"),
        (status = 404, description = "`no_such_user`"),
    )
)]
async fn show(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    InPath(Decimal(user)): InPath<Decimal<UserId>>,
) -> Result<Json<AdminUser>, Problem> {
    let account = admin::account(&app, &who, user).await?;
    Ok(Json(AdminUser::of(&app, account)))
}

/// How much there is, and how it goes.
#[derive(Serialize, ToSchema)]
struct ServerStats {
    version: &'static str,
    /// Which history this is.
    epoch: String,
    uptime_s: u64,
    /// Accounts, bots too.
    users: u64,
    bots: u64,
    groups: u64,
    conversations: u64,
    /// Entries of all conversations, as a check of the log counts them: messages, and what happened
    /// in groups and among contacts.
    messages: u64,
    /// Devices that are signed in.
    sessions: u64,
    online: Online,
    database_bytes: u64,
    file_cache: FileCache,
    /// What waits.
    queues: Queues,
}

/// Who is connected.
#[derive(Serialize, ToSchema)]
struct Online {
    users: usize,
    connections: Connections,
}

/// Connections of signed-in users, by the way in which they hear.
#[derive(Default, Serialize, ToSchema)]
struct Connections {
    flamingo: usize,
    websocket: usize,
    event_stream: usize,
    sync: usize,
    /// Tasks that post for outgoing webhooks.
    webhook: usize,
}

/// Files that were uploaded, each content once.
#[derive(Serialize, ToSchema)]
struct FileCache {
    files: u64,
    bytes: u64,
}

#[derive(Serialize, ToSchema)]
struct Queues {
    /// Changes that wait to be saved.
    log: usize,
}

impl From<Stats> for ServerStats {
    fn from(stats: Stats) -> Self {
        let stored = stats.stored;
        let mut connections = Connections::default();
        for (manner, count) in stats.connections {
            *match manner {
                Manner::Flamingo => &mut connections.flamingo,
                Manner::WebSocket => &mut connections.websocket,
                Manner::Stream => &mut connections.event_stream,
                Manner::Poll => &mut connections.sync,
                Manner::Webhook => &mut connections.webhook,
            } = count;
        }
        Self {
            version: env!("CARGO_PKG_VERSION"),
            epoch: stats.epoch.to_string(),
            uptime_s: stats.uptime.as_secs(),
            users: stored.users,
            bots: stored.bots,
            groups: stored.groups,
            conversations: stored.conversations,
            messages: stored.entries,
            sessions: stored.sessions,
            online: Online {
                users: stats.online_users,
                connections,
            },
            database_bytes: stored.database_bytes,
            file_cache: FileCache {
                files: stored.files,
                bytes: stored.file_bytes,
            },
            queues: Queues {
                log: stats.log_queue,
            },
        }
    }
}

/// How much there is, and how it goes
#[utoipa::path(
    get, path = "/admin/stats", tag = "administration", operation_id = "admin_stats",
    responses(
        (status = 200, body = ServerStats, description = "At this moment"),
        (status = 403, description = "`not_an_admin`"),
    )
)]
async fn stats(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
) -> Result<Json<ServerStats>, Problem> {
    Ok(Json(admin::stats(&app, &who).await?.into()))
}
