//! What a client has to know of a server before anybody signs in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::{Extension, Json};
use common::api::{BlobClass, FILE_NAME_BYTES_MAX, SEGMENTS_MAX};
use common::config::{ByteSize, ChatConfig, DirectMessages, Registration};
use common::http::Guest;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::command::{
    ANNOUNCEMENT_BYTES_MAX, EMOJI_BYTES_MAX, GROUP_NAME_BYTES_MAX, NICKNAME_BYTES_MAX,
    PASSWORD_LENGTH_MIN, QUERY_BYTES_MAX,
};
use crate::protocol::web::file_servers;
use crate::protocol::web::router::WebState;
use crate::protocol::web::shape::{DirectMessagesWord, RegistrationWord};

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(show))
}

/// What a client has to know before anybody signs in.
#[derive(Serialize, ToSchema)]
struct Server {
    /// What the operator calls it (`server_name`).
    #[schema(examples("chat.example"))]
    name: String,
    version: &'static str,
    /// Whether new accounts can be made: by everybody, by who has an invite, by
    /// administrators only.
    #[schema(value_type = RegistrationWord)]
    registration: &'static str,
    /// Who may write to a user: contacts, or everyone.
    #[schema(value_type = DirectMessagesWord)]
    direct_messages: &'static str,
    /// Where the file server is: files stand at `/files` below it.
    #[schema(examples("https://files.example"))]
    file_url: String,
    /// Where the image server is: pictures stand at `/images` below it.
    #[schema(examples("https://images.example"))]
    image_url: String,
    limits: Limits,
}

/// How much of what. Of texts in bytes of UTF-8.
#[derive(Serialize, ToSchema)]
#[schema(as = ServerLimits)]
struct Limits {
    /// A message as JSON.
    message_bytes_max: u64,
    segments_max: usize,
    /// Seconds in which an author may take a message back; 0 for never.
    recall_within_s: u64,
    /// Seconds in which an author may edit a message; 0 for never.
    edit_within_s: u64,
    /// Friends and groups of a user together.
    contacts_max: u32,
    group_members_max: u32,
    contact_lists_max: u32,
    bots_max: u32,
    username_bytes_max: u32,
    nickname_bytes_max: usize,
    /// In characters.
    password_chars_min: u32,
    group_name_bytes_max: usize,
    announcement_bytes_max: usize,
    emoji_bytes_max: usize,
    query_bytes_max: usize,
    file_name_bytes_max: usize,
    /// A file; left out where another program serves files, which then says so itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    file_bytes_max: Option<u64>,
    /// A picture; left out where `file_bytes_max` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    picture_bytes_max: Option<u64>,
}

impl Limits {
    fn of(config: &ChatConfig) -> Self {
        let uploads = config.files.uploads;
        let bytes = |ByteSize(bytes)| bytes;
        Self {
            message_bytes_max: config.message_bytes_max.0,
            segments_max: SEGMENTS_MAX,
            recall_within_s: config.recall_within_s,
            edit_within_s: config.edit_within_s,
            contacts_max: config.friends_max,
            group_members_max: config.group_members_max,
            contact_lists_max: config.teams_max,
            bots_max: config.bots_max,
            username_bytes_max: config.username_bytes_max,
            nickname_bytes_max: NICKNAME_BYTES_MAX,
            password_chars_min: config.password_chars_min.max(PASSWORD_LENGTH_MIN.into()),
            group_name_bytes_max: GROUP_NAME_BYTES_MAX,
            announcement_bytes_max: ANNOUNCEMENT_BYTES_MAX,
            emoji_bytes_max: EMOJI_BYTES_MAX,
            query_bytes_max: QUERY_BYTES_MAX,
            file_name_bytes_max: FILE_NAME_BYTES_MAX,
            file_bytes_max: uploads.map(|uploads| bytes(uploads.file_bytes_max)),
            picture_bytes_max: uploads.map(|uploads| bytes(uploads.picture_bytes_max)),
        }
    }
}

/// What to know before signing in
#[utoipa::path(
    get, path = "/server", tag = "server", operation_id = "show_server", security(()),
    responses((status = 200, body = Server, description = "As it is set up"))
)]
async fn show(
    State(app): State<Arc<App>>,
    guest: Option<Extension<Guest>>,
    headers: HeaderMap,
    uri: Uri,
) -> Json<Server> {
    let config = &app.config;
    let is_tls = guest.is_some_and(|Extension(guest)| guest.is_tls);
    let place = |class| file_servers::place(&config.files, class, (&headers, &uri), is_tls);
    Json(Server {
        name: config.name(),
        version: env!("CARGO_PKG_VERSION"),
        registration: match config.registration {
            Registration::Open => "open",
            Registration::Invite => "invite",
            Registration::Closed => "closed",
        },
        direct_messages: match config.direct_messages {
            DirectMessages::Friends => "friends",
            DirectMessages::Everyone => "everyone",
        },
        file_url: place(BlobClass::File),
        image_url: place(BlobClass::Image),
        limits: Limits::of(config),
    })
}
