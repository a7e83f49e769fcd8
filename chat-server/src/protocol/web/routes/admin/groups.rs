//! All groups.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use common::id::{GROUP_ID_FIRST, GroupId, ID_MAX, Peer, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::command::admin::{self, ListedGroup};
use crate::protocol::web::extract::{Admin, InPath, Query};
use crate::protocol::web::list_page::{Cursor, Items, Page};
use crate::protocol::web::problem::Problem;
use crate::protocol::web::router::WebState;
use crate::protocol::web::shape::{Decimal, Id, Timestamp};

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(dissolve))
}

/// A group as administrators see it.
#[derive(Serialize, ToSchema)]
struct AdminGroup {
    #[schema(value_type = Id)]
    id: Decimal<GroupId>,
    name: String,
    /// Null where nobody owns it any more.
    #[schema(required)]
    owner: Option<GroupOwner>,
    members: u32,
    /// The last number of its log.
    last_seq: u64,
    /// When something was last written in it; null if nothing ever was.
    #[schema(required)]
    last_at: Option<Timestamp>,
}

#[derive(Serialize, ToSchema)]
struct GroupOwner {
    #[schema(value_type = Id)]
    id: Decimal<UserId>,
    username: String,
}

impl From<ListedGroup> for AdminGroup {
    fn from(listed: ListedGroup) -> Self {
        let owner = listed.owner.and_then(|profile| match profile.id {
            Peer::User(id) => Some(GroupOwner {
                id: Decimal(id),
                username: profile.username,
            }),
            Peer::Group(_) => None,
        });
        let group = listed.group;
        Self {
            id: Decimal(group.id),
            name: group.name,
            owner,
            members: group.members,
            last_seq: group.head.0,
            last_at: group.last_at.map(Timestamp),
        }
    }
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    query: String,
}

/// Lists groups
#[utoipa::path(
    get, path = "/admin/groups", tag = "administration", operation_id = "admin_list_groups",
    params(
        (
            "query" = Option<String>, Query, max_length = 255, nullable = false,
            description = "What the name has in it, or the group's number"
        ),
        Page,
    ),
    responses(
        (status = 200, body = Items<AdminGroup>, description = "In the order of their numbers"),
        (status = 403, description = "`not_an_admin`"),
    )
)]
async fn list(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    Query(wanted): Query<Wanted>,
    Query(page): Query<Page>,
) -> Result<Json<Items<AdminGroup>>, Problem> {
    // Behind a number that no group can have there is none.
    let behind = |Cursor(number)| u32::try_from(number).unwrap_or(ID_MAX);
    let after = GroupId(page.cursor.map_or(GROUP_ID_FIRST - 1, behind));
    let found = admin::groups(&app, &who, &wanted.query, after, page.limit.0).await?;
    let shown = found.into_iter().map(AdminGroup::from).collect();
    let number = |group: &AdminGroup| u64::from(group.id.0.0);
    Ok(Json(Items::piece(shown, page.limit, number)))
}

/// Ends a group, whoever owns it
///
/// Its members hear of it as if the owner had done it.
#[utoipa::path(
    delete, path = "/admin/groups/{id}", tag = "administration",
    operation_id = "admin_dissolve_group",
    params(("id" = Id, Path, description = "The group's number")),
    responses(
        (status = 204, description = "Dissolved"),
        (status = 403, description = "`not_an_admin`"),
        (status = 404, description = "`no_such_group`"),
    )
)]
async fn dissolve(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    InPath(Decimal(group)): InPath<Decimal<GroupId>>,
) -> Result<StatusCode, Problem> {
    admin::dissolve(&app, &who, group).await?;
    Ok(StatusCode::NO_CONTENT)
}
