//! Full-text search.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use common::id::ConvId;
use serde::Deserialize;
use utoipa::openapi::schema::Object;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::command::{self, Question, SEARCH_MAX};
use crate::protocol::web::extract::{Query, Signed};
use crate::protocol::web::list_page::Limit;
use crate::protocol::web::problem::Problem;
use crate::protocol::web::router::WebState;
use crate::protocol::web::shape::message::{self, Message};
use crate::protocol::web::shape::{CursorText, Decimal, HitCursor, Id, Piece};

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(search))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Searching {
    /// What to look for: words, and the beginnings of words, which all have to be in a message;
    /// at most 256 bytes.
    #[param(min_length = 1, max_length = 256)]
    q: String,
    /// Only in this conversation.
    #[serde(default)]
    #[param(inline, value_type = Option<Id>, nullable = false)]
    conversation: Option<Decimal<ConvId>>,
    /// How many items at the most: 50 if not given.
    #[serde(default)]
    #[param(schema_with = limit_schema)]
    limit: Limit<SEARCH_MAX>,
    /// The `next` of the answer before; nothing for the beginning.
    #[serde(default)]
    #[param(inline, value_type = Option<CursorText>, nullable = false)]
    cursor: Option<HitCursor>,
}

fn limit_schema() -> Object {
    Limit::<SEARCH_MAX>::schema()
}

/// Messages that say something, the newest first. Messages are found a moment after they were
/// sent. A piece may be shorter than asked for although `next` says that more follows.
#[utoipa::path(
    get, path = "/search", operation_id = "search", tag = "messages",
    params(Searching),
    responses(
        (status = 200, description = "A piece of what was found", body = Piece<Message, CursorText>),
        (status = 403, description = "`not_a_member`"),
        (status = 404, description = "`no_such_conversation`"),
        (status = 422, description = "`invalid_value`"),
    ),
)]
async fn search(
    State(app): State<Arc<App>>,
    Signed(who): Signed,
    Query(searching): Query<Searching>,
) -> Result<Json<Piece<Message, HitCursor>>, Problem> {
    let question = Question {
        text: searching.q,
        conv: searching.conversation.map(|Decimal(conv)| conv),
        after: searching.cursor.map(|HitCursor(hit)| hit),
        limit: searching.limit.0,
    };
    let answer = command::search(&app, &who.actor, question).await?;
    Ok(Json(Piece {
        items: answer
            .messages
            .into_iter()
            .map(message::from_current)
            .collect(),
        next: answer.next.map(HitCursor),
    }))
}
