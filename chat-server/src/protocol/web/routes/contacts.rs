//! Contacts, and the requests by which people become contacts.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use common::api::Refusal;
use common::id::{RequestId, UserId};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::actor::Mark;
use crate::app::App;
use crate::command::{self, ContactEdit, Failure};
use crate::protocol::web::code;
use crate::protocol::web::extract::{Body, InPath, Signed};
use crate::protocol::web::list_page::Items;
use crate::protocol::web::problem::Problem;
use crate::protocol::web::router::WebState;
use crate::protocol::web::shape::{ClientName, Contact, ContactRequest, Decimal, Id, User};

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(change, remove))
        .routes(routes!(ask, requests))
        .routes(routes!(cancel))
        .routes(routes!(accept))
        .routes(routes!(decline))
}

/// All contacts, in the order in which they became contacts
#[utoipa::path(
    get, path = "/contacts", tag = "contacts", operation_id = "list_contacts",
    responses((status = 200, body = Items<Contact>, description = "All of them"))
)]
async fn list(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
) -> Result<Json<Items<Contact>>, Problem> {
    let people = command::people_of(&app, &signed.actor).await?;
    let shown = people.contacts.into_iter().map(Contact::from);
    Ok(Json(Items::whole(shown.collect())))
}

/// What is left out, or null, stays.
#[derive(Deserialize, ToSchema)]
struct ContactChange {
    /// The own name for the contact; empty for none.
    #[schema(max_length = 31)]
    remark: Option<String>,
    /// The name of a contact list.
    #[schema(min_length = 1, max_length = 32)]
    list: Option<String>,
}

/// Changes how a contact is kept
#[utoipa::path(
    patch, path = "/contacts/{user_id}", tag = "contacts", operation_id = "change_contact",
    params(("user_id" = Id, Path, description = "The contact's number")),
    request_body = ContactChange,
    responses(
        (status = 200, body = Contact, description = "As it is now"),
        (status = 404, description = "`no_such_contact`, `no_such_list`"),
    )
)]
async fn change(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(user)): InPath<Decimal<UserId>>,
    Body(change): Body<ContactChange>,
) -> Result<Json<Contact>, Problem> {
    let edit = ContactEdit {
        remark: change.remark,
        list: change.list,
    };
    let contact = command::change_contact(&app, &signed.actor, user, edit).await;
    Ok(Json(contact.map_err(of_contact)?.into()))
}

/// Ends being contacts, for both
#[utoipa::path(
    delete, path = "/contacts/{user_id}", tag = "contacts", operation_id = "remove_contact",
    params(("user_id" = Id, Path, description = "The contact's number")),
    responses(
        (status = 204, description = "Not contacts any more"),
        (status = 404, description = "`no_such_contact`"),
    )
)]
async fn remove(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(user)): InPath<Decimal<UserId>>,
) -> Result<StatusCode, Problem> {
    let removed = command::remove_friend(&app, &signed.actor, user, Mark::default()).await;
    removed.map_err(of_contact)?;
    Ok(StatusCode::NO_CONTENT)
}

/// A contact that the user has not got is not found.
fn of_contact(failure: Failure) -> Problem {
    match failure {
        Failure::Refused(Refusal::NotFriends) => code::NO_SUCH_CONTACT.into(),
        other => other.into(),
    }
}

/// Whom one wants as a contact.
#[derive(Deserialize, ToSchema)]
struct NewRequest {
    #[schema(value_type = Id)]
    user_id: Decimal<UserId>,
    /// What one says about it.
    #[schema(max_length = 255)]
    note: Option<String>,
    client_id: Option<ClientName>,
}

/// Asks somebody to be a contact
///
/// While the request is open, asking again renews it.
#[utoipa::path(
    post, path = "/contacts/requests", tag = "contacts", operation_id = "ask_contact",
    request_body = NewRequest,
    responses(
        (status = 201, body = ContactRequest, description = "Asked"),
        (status = 200, body = ContactRequest, description = "Asked before, under the same `client_id` or less than a minute ago: the open request"),
        (status = 403, description = "`blocked`"),
        (status = 404, description = "`no_such_user`, `no_such_request`: it was answered already"),
        (status = 409, description = "`already_friends`, `oneself`, `limit_reached`, `client_id_conflict`"),
    )
)]
async fn ask(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    Body(new): Body<NewRequest>,
) -> Result<(StatusCode, Json<ContactRequest>), Problem> {
    let Decimal(to) = new.user_id;
    let note = new.note.unwrap_or_default();
    let mark = new.client_id.map(|name| name.0).into();
    let is_repeat = command::request_friend(&app, &signed.actor, to, note, mark).await?;
    let from = signed.actor.user;
    let id = RequestId { from, to };
    let request = command::request(&app, &signed.actor, id).await?;
    let status = if is_repeat {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    Ok((status, Json(request.into())))
}

/// The open requests from and to oneself, the newest first
#[utoipa::path(
    get, path = "/contacts/requests", tag = "contacts", operation_id = "list_requests",
    responses((status = 200, body = Items<ContactRequest>, description = "All of them"))
)]
async fn requests(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
) -> Result<Json<Items<ContactRequest>>, Problem> {
    let requests = command::requests(&app, &signed.actor).await?;
    let shown = requests.into_iter().map(ContactRequest::from);
    Ok(Json(Items::whole(shown.collect())))
}

/// Takes an own request back
#[utoipa::path(
    delete, path = "/contacts/requests/{id}", tag = "contacts", operation_id = "cancel_request",
    params(("id" = Id, Path, description = "The request's number")),
    responses(
        (status = 204, description = "Taken back"),
        (status = 404, description = "`no_such_request`"),
    )
)]
async fn cancel(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(request)): InPath<Decimal<RequestId>>,
) -> Result<StatusCode, Problem> {
    command::cancel_request(&app, &signed.actor, request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Says yes to a request
#[utoipa::path(
    post, path = "/contacts/requests/{id}/accept", tag = "contacts", operation_id = "accept_request",
    params(("id" = Id, Path, description = "The request's number")),
    responses(
        (status = 200, body = User, description = "Contacts now"),
        (status = 404, description = "`no_such_request`"),
        (status = 409, description = "`already_friends`, `limit_reached`"),
    )
)]
async fn accept(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(request)): InPath<Decimal<RequestId>>,
) -> Result<Json<User>, Problem> {
    let mark = Mark::default();
    let asker = command::answer_request(&app, &signed.actor, request, true, mark).await?;
    Ok(Json(asker.into()))
}

/// Says no to a request
#[utoipa::path(
    post, path = "/contacts/requests/{id}/decline", tag = "contacts",
    operation_id = "decline_request",
    params(("id" = Id, Path, description = "The request's number")),
    responses(
        (status = 204, description = "Declined"),
        (status = 404, description = "`no_such_request`"),
        (status = 409, description = "`already_friends`"),
    )
)]
async fn decline(
    State(app): State<Arc<App>>,
    Signed(signed): Signed,
    InPath(Decimal(request)): InPath<Decimal<RequestId>>,
) -> Result<StatusCode, Problem> {
    let mark = Mark::default();
    command::answer_request(&app, &signed.actor, request, false, mark).await?;
    Ok(StatusCode::NO_CONTENT)
}
