//! The members of groups, and who wants to be one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use common::api::{Refusal, Role};
use common::id::{GroupId, Millis, UserId};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::actor::Mark;
use crate::app::App;
use crate::command::{self, Failure, MemberEdit};
use crate::protocol::web::extract::{Body, InPath, Query as InQuery, Signed};
use crate::protocol::web::list_page::{Items, Page};
use crate::protocol::web::problem::Problem;
use crate::protocol::web::router::WebState;
use crate::protocol::web::shape::{Decimal, GroupMember, Id, JoinRequest, RoleWord, Timestamp};

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show, add, change, remove))
        .routes(routes!(join_requests))
        .routes(routes!(accept))
        .routes(routes!(decline))
}

/// A group, and a user in it or to be in it.
#[derive(Deserialize)]
struct InGroup {
    id: Decimal<GroupId>,
    user_id: Decimal<UserId>,
}

impl InGroup {
    fn numbers(&self) -> (GroupId, UserId) {
        (self.id.0, self.user_id.0)
    }
}

/// The members of a group, for one of them
#[utoipa::path(
    get, path = "/groups/{id}/members", tag = "groups", operation_id = "list_members",
    params(("id" = Id, Path, description = "The group's number"), Page),
    responses(
        (status = 200, body = Items<GroupMember>, description = "In the order of their numbers"),
        (status = 403, description = "`not_a_member`"),
        (status = 404, description = "`no_such_group`"),
    )
)]
async fn list(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(group)): InPath<Decimal<GroupId>>,
    InQuery(page): InQuery<Page>,
) -> Result<Json<Items<GroupMember>>, Problem> {
    let after = page.after_user();
    let limit = page.limit.0;
    let members = command::group_members(&app, &signed.actor, group, after, limit).await?;
    let shown = members.into_iter().map(GroupMember::from).collect();
    Ok(Json(Items::piece(shown, page.limit, GroupMember::number)))
}

/// A member of a group, for another one
#[utoipa::path(
    get, path = "/groups/{id}/members/{user_id}", tag = "groups", operation_id = "show_member",
    params(
        ("id" = Id, Path, description = "The group's number"),
        ("user_id" = Id, Path, description = "The member's number"),
    ),
    responses(
        (status = 200, body = GroupMember, description = "A member"),
        (status = 403, description = "`not_a_member`"),
        (status = 404, description = "`no_such_group`, `no_such_user`: no member"),
    )
)]
async fn show(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(at): InPath<InGroup>,
) -> Result<Json<GroupMember>, Problem> {
    let (group, user) = at.numbers();
    let member = command::group_member(&app, &signed.actor, group, user).await?;
    Ok(Json(member.into()))
}

/// Makes somebody a member
///
/// A contact, or anybody where the server lets strangers write to each other.
#[utoipa::path(
    put, path = "/groups/{id}/members/{user_id}", tag = "groups", operation_id = "add_member",
    params(
        ("id" = Id, Path, description = "The group's number"),
        ("user_id" = Id, Path, description = "The user's number"),
    ),
    responses(
        (status = 201, body = GroupMember, description = "A member now"),
        (status = 200, body = GroupMember, description = "A member before"),
        (status = 403, description = "`not_a_member`, `not_allowed`, `not_friends`, `blocked`"),
        (status = 404, description = "`no_such_group`, `no_such_user`"),
        (status = 409, description = "`limit_reached`"),
    )
)]
async fn add(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(at): InPath<InGroup>,
) -> Result<(StatusCode, Json<GroupMember>), Problem> {
    let (group, user) = at.numbers();
    let mark = Mark::default();
    let status = match command::add_member(&app, &signed.actor, group, user, mark).await {
        Ok(()) => StatusCode::CREATED,
        Err(Failure::Refused(Refusal::AlreadyMember)) => StatusCode::OK,
        Err(failure) => return Err(failure.into()),
    };
    let member = command::group_member(&app, &signed.actor, group, user).await?;
    Ok((status, Json(member.into())))
}

/// What is left out stays.
#[derive(Deserialize, ToSchema)]
struct MemberChange {
    /// `owner` hands the group over.
    #[schema(value_type = Option<RoleWord>)]
    role: Option<Role>,
    /// Until when the member may not write; null lets the member write again.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Timestamp>)]
    muted_until: Option<Option<Timestamp>>,
    /// The name in the group; empty for none.
    #[schema(max_length = 63)]
    nickname: Option<String>,
}

/// Tells null from what is left out.
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<Timestamp>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// Changes role, silence or name of a member
///
/// The owner gives roles; owner and admins silence members of lower role and name them; everybody
/// names himself.
#[utoipa::path(
    patch, path = "/groups/{id}/members/{user_id}", tag = "groups",
    operation_id = "change_member",
    params(
        ("id" = Id, Path, description = "The group's number"),
        ("user_id" = Id, Path, description = "The member's number"),
    ),
    request_body = MemberChange,
    responses(
        (status = 200, body = GroupMember, description = "As it is now"),
        (status = 403, description = "`not_a_member`, `not_allowed`"),
        (status = 404, description = "`no_such_group`, `no_such_user`: no member"),
        (status = 409, description = "`oneself`"),
    )
)]
async fn change(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(at): InPath<InGroup>,
    Body(change): Body<MemberChange>,
) -> Result<Json<GroupMember>, Problem> {
    let (group, user) = at.numbers();
    let until = |time: Option<Timestamp>| time.map_or(Millis(0), |Timestamp(time)| time);
    let edit = MemberEdit {
        role: change.role,
        muted_until: change.muted_until.map(until),
        nickname: change.nickname,
    };
    command::set_member(&app, &signed.actor, group, user, edit).await?;
    let member = command::group_member(&app, &signed.actor, group, user).await?;
    Ok(Json(member.into()))
}

/// Takes a member out, or leaves
///
/// Owner and admins take out members of lower role; everybody but the owner may leave.
#[utoipa::path(
    delete, path = "/groups/{id}/members/{user_id}", tag = "groups",
    operation_id = "remove_member",
    params(
        ("id" = Id, Path, description = "The group's number"),
        ("user_id" = Id, Path, description = "The member's number"),
    ),
    responses(
        (status = 204, description = "No member any more"),
        (status = 403, description = "`not_a_member`, `not_allowed`"),
        (status = 404, description = "`no_such_group`, `no_such_user`: no member"),
        (status = 409, description = "`owner_must_transfer`"),
    )
)]
async fn remove(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(at): InPath<InGroup>,
) -> Result<StatusCode, Problem> {
    let (group, user) = at.numbers();
    command::remove_member(&app, &signed.actor, group, user, Mark::default()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who wants to be a member, the oldest request first; for owner and admins
#[utoipa::path(
    get, path = "/groups/{id}/join_requests", tag = "groups", operation_id = "list_join_requests",
    params(("id" = Id, Path, description = "The group's number")),
    responses(
        (status = 200, body = Items<JoinRequest>, description = "All of them"),
        (status = 403, description = "`not_a_member`, `not_allowed`"),
        (status = 404, description = "`no_such_group`"),
    )
)]
async fn join_requests(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(group)): InPath<Decimal<GroupId>>,
) -> Result<Json<Items<JoinRequest>>, Problem> {
    let requests = command::join_requests(&app, &signed.actor, group).await?;
    let shown = requests.into_iter().map(JoinRequest::from);
    Ok(Json(Items::whole(shown.collect())))
}

/// Says yes to who wants to be a member; for owner and admins
#[utoipa::path(
    post, path = "/groups/{id}/join_requests/{user_id}/accept", tag = "groups",
    operation_id = "accept_join",
    params(
        ("id" = Id, Path, description = "The group's number"),
        ("user_id" = Id, Path, description = "Who asked"),
    ),
    responses(
        (status = 200, body = GroupMember, description = "A member now"),
        (status = 403, description = "`not_a_member`, `not_allowed`"),
        (status = 404, description = "`no_such_group`, `no_such_request`, `no_such_user`"),
        (status = 409, description = "`already_member`, `limit_reached`"),
    )
)]
async fn accept(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(at): InPath<InGroup>,
) -> Result<Json<GroupMember>, Problem> {
    let (group, user) = at.numbers();
    command::answer_join(&app, &signed.actor, group, user, true).await?;
    let member = command::group_member(&app, &signed.actor, group, user).await?;
    Ok(Json(member.into()))
}

/// Says no to who wants to be a member; for owner and admins
#[utoipa::path(
    post, path = "/groups/{id}/join_requests/{user_id}/decline", tag = "groups",
    operation_id = "decline_join",
    params(
        ("id" = Id, Path, description = "The group's number"),
        ("user_id" = Id, Path, description = "Who asked"),
    ),
    responses(
        (status = 204, description = "Declined"),
        (status = 403, description = "`not_a_member`, `not_allowed`"),
        (status = 404, description = "`no_such_group`, `no_such_request`"),
    )
)]
async fn decline(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(at): InPath<InGroup>,
) -> Result<StatusCode, Problem> {
    let (group, user) = at.numbers();
    command::answer_join(&app, &signed.actor, group, user, false).await?;
    Ok(StatusCode::NO_CONTENT)
}
