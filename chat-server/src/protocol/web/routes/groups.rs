//! Groups: making, changing, ending and joining them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use common::api::{GroupSettings, InvitePolicy, JoinPolicy};
use common::id::{GroupId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::actor::{Actor, Mark};
use crate::app::App;
use crate::command::{self, Joined};
use crate::protocol::web::extract::{Body, InPath, OptionalBody, Signed};
use crate::protocol::web::problem::{Problem, word_of};
use crate::protocol::web::router::WebState;
use crate::protocol::web::shape::{
    ClientName, Decimal, Group, Id, InvitePolicyWord, JoinPolicyWord,
};

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(make))
        .routes(routes!(show, change, dissolve))
        .routes(routes!(transfer))
        .routes(routes!(join))
}

/// What a group begins with.
#[derive(Deserialize, ToSchema)]
struct NewGroup {
    /// At most 63 bytes.
    #[schema(min_length = 1, max_length = 63)]
    name: String,
    /// Who are members from the beginning: contacts, or anybody where the server lets strangers
    /// write to each other.
    #[schema(value_type = Option<Vec<Id>>, max_items = 500)]
    member_ids: Option<Vec<Decimal<UserId>>>,
    client_id: Option<ClientName>,
}

/// A group that was made.
#[derive(Serialize, ToSchema)]
struct MadeGroup {
    group: Group,
    /// Who could not be made a member.
    not_added: Vec<NotAdded>,
}

/// Somebody who could not be made a member.
#[derive(Serialize, ToSchema)]
struct NotAdded {
    #[schema(value_type = Id)]
    user_id: Decimal<UserId>,
    /// Why, as the code of a problem.
    #[schema(examples("not_friends"))]
    code: &'static str,
}

/// Makes a group
#[utoipa::path(
    post, path = "/groups", tag = "groups", operation_id = "make_group",
    request_body = NewGroup,
    responses(
        (status = 201, body = MadeGroup, description = "Made"),
        (status = 200, body = MadeGroup, description = "Made before, under the same `client_id`"),
        (status = 404, description = "`no_such_group`: it was dissolved already"),
        (status = 409, description = "`limit_reached`, `client_id_conflict`"),
    )
)]
async fn make(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    Body(new): Body<NewGroup>,
) -> Result<(StatusCode, Json<MadeGroup>), Problem> {
    let members = new.member_ids.unwrap_or_default();
    let members = members.into_iter().map(|Decimal(user)| user).collect();
    let mark = new.client_id.map(|name| name.0).into();
    let founded =
        command::create_group_with_members(&app, &signed.actor, new.name, members, mark).await?;
    let not_added = founded
        .not_added
        .into_iter()
        .map(|(user, refusal)| NotAdded {
            user_id: Decimal(user),
            code: word_of(refusal),
        });
    let made = MadeGroup {
        group: seen(&app, &signed.actor, founded.group).await?,
        not_added: not_added.collect(),
    };
    let status = if founded.is_repeat {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    Ok((status, Json(made)))
}

async fn seen(app: &App, actor: &Actor, group: GroupId) -> Result<Group, Problem> {
    Ok(command::group(app, actor, group).await?.into())
}

/// A group
///
/// Everybody sees how it is called and how one becomes a member; its announcement is for members.
#[utoipa::path(
    get, path = "/groups/{id}", tag = "groups", operation_id = "show_group",
    params(("id" = Id, Path, description = "The group's number")),
    responses(
        (status = 200, body = Group, description = "As you may see it"),
        (status = 404, description = "`no_such_group`"),
    )
)]
async fn show(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(group)): InPath<Decimal<GroupId>>,
) -> Result<Json<Group>, Problem> {
    Ok(Json(seen(&app, &signed.actor, group).await?))
}

/// What is left out, or null, stays.
#[derive(Deserialize, ToSchema)]
struct GroupChange {
    /// At most 63 bytes.
    #[schema(min_length = 1, max_length = 63)]
    name: Option<String>,
    /// The SHA-256 of a stored picture that you may use, or the name that a profile shows; empty
    /// for none.
    #[schema(max_length = 64)]
    avatar: Option<String>,
    /// Empty for none.
    #[schema(max_length = 8192)]
    announcement: Option<String>,
    #[schema(value_type = Option<JoinPolicyWord>)]
    join: Option<JoinPolicy>,
    #[schema(value_type = Option<InvitePolicyWord>)]
    invite: Option<InvitePolicy>,
    /// Only owner and admins may write.
    muted: Option<bool>,
}

/// Changes a group; for owner and admins
#[utoipa::path(
    patch, path = "/groups/{id}", tag = "groups", operation_id = "change_group",
    params(("id" = Id, Path, description = "The group's number")),
    request_body = GroupChange,
    responses(
        (status = 200, body = Group, description = "As it is now"),
        (status = 403, description = "`not_a_member`, `not_allowed`"),
        (status = 404, description = "`no_such_group`"),
    )
)]
async fn change(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(group)): InPath<Decimal<GroupId>>,
    Body(change): Body<GroupChange>,
) -> Result<Json<Group>, Problem> {
    let settings = GroupSettings {
        name: change.name,
        avatar: change.avatar,
        announcement: change.announcement,
        join: change.join,
        invite: change.invite,
        muted: change.muted,
    };
    let mark = Mark::default();
    command::set_group(&app, &signed.actor, group, settings, mark).await?;
    Ok(Json(seen(&app, &signed.actor, group).await?))
}

/// Dissolves a group; for the owner
#[utoipa::path(
    delete, path = "/groups/{id}", tag = "groups", operation_id = "dissolve_group",
    params(("id" = Id, Path, description = "The group's number")),
    responses(
        (status = 204, description = "Dissolved"),
        (status = 403, description = "`not_a_member`, `not_allowed`"),
        (status = 404, description = "`no_such_group`"),
    )
)]
async fn dissolve(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(group)): InPath<Decimal<GroupId>>,
) -> Result<StatusCode, Problem> {
    command::dissolve_group(&app, &signed.actor, group, Mark::default()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who gets the group.
#[derive(Deserialize, ToSchema)]
struct Heir {
    #[schema(value_type = Id)]
    user_id: Decimal<UserId>,
}

/// Hands a group over to a member; for the owner
///
/// The owner is an admin from then on.
#[utoipa::path(
    post, path = "/groups/{id}/transfer", tag = "groups", operation_id = "transfer_group",
    params(("id" = Id, Path, description = "The group's number")),
    request_body = Heir,
    responses(
        (status = 200, body = Group, description = "As it is now"),
        (status = 403, description = "`not_a_member`, `not_allowed`"),
        (status = 404, description = "`no_such_group`, `no_such_user`: the heir is no member"),
        (status = 409, description = "`oneself`"),
    )
)]
async fn transfer(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(group)): InPath<Decimal<GroupId>>,
    Body(heir): Body<Heir>,
) -> Result<Json<Group>, Problem> {
    let Decimal(to) = heir.user_id;
    command::transfer_group(&app, &signed.actor, group, to, Mark::default()).await?;
    Ok(Json(seen(&app, &signed.actor, group).await?))
}

/// What one says to the admins.
#[derive(Default, Deserialize, ToSchema)]
struct Wish {
    #[schema(max_length = 255)]
    note: Option<String>,
    client_id: Option<ClientName>,
}

/// What became of the wish.
#[derive(Serialize, ToSchema)]
struct JoinOutcome {
    #[schema(value_type = JoinStatusWord)]
    status: &'static str,
    group: Group,
}

/// Of [`JoinOutcome`].
#[derive(Serialize, ToSchema)]
#[schema(as = JoinStatus)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "stands only in documents")]
enum JoinStatusWord {
    Joined,
    /// An admin has to agree.
    Requested,
}

/// Joins a group, or asks to
#[utoipa::path(
    post, path = "/groups/{id}/join", tag = "groups", operation_id = "join_group",
    params(("id" = Id, Path, description = "The group's number")),
    request_body(content = Option<Wish>),
    responses(
        (status = 201, body = JoinOutcome, description = "A member now"),
        (status = 200, body = JoinOutcome, description = "A member before"),
        (status = 202, body = JoinOutcome, description = "An admin has to agree"),
        (status = 403, description = "`join_closed`, `approval_needed`: the rule changed at this moment"),
        (status = 404, description = "`no_such_group`"),
        (status = 409, description = "`limit_reached`, `client_id_conflict`"),
    )
)]
async fn join(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(group)): InPath<Decimal<GroupId>>,
    OptionalBody(wish): OptionalBody<Wish>,
) -> Result<(StatusCode, Json<JoinOutcome>), Problem> {
    let note = wish.note.unwrap_or_default();
    let mark = wish.client_id.map(|name| name.0).into();
    let joined = command::join_or_ask(&app, &signed.actor, group, note, mark).await?;
    let (code, status) = match joined {
        Joined::Now => (StatusCode::CREATED, "joined"),
        Joined::Before => (StatusCode::OK, "joined"),
        Joined::Asked => (StatusCode::ACCEPTED, "requested"),
    };
    let group = seen(&app, &signed.actor, group).await?;
    Ok((code, Json(JoinOutcome { status, group })))
}
