//! The description of the API: made from the routes themselves, completed with what is the same for
//! all of them, and given out as OpenAPI and as a page for people.

use std::sync::{Arc, OnceLock};

use axum::Extension;
use axum::body::Bytes;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use common::http::problem::PROBLEM_JSON;
use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;
use utoipa::{OpenApi as _, PartialSchema, ToSchema};

use super::document_page;
use super::problem::ProblemDetails;

/// What stands above the operations.
const ABOUT: &str = "\
The API of a myim chat server, for clients, bots and integrations.\n\n\
Sign in with `POST /api/v1/sessions` and send the token with every call: \
`Authorization: Bearer TOKEN`.\n\n\
Ids are decimal texts, times are RFC 3339 in UTC with milliseconds, unknown fields are ignored. \
Errors are problem details (RFC 9457); decide by their `code`. A request that no client should \
ever write (no JSON, a missing field, a wrong type) is 400; a value that the server does not accept \
is 422. Lists are read in pieces: give `next` of an answer as `cursor` of the next call.";

/// What the documents begin with, before any route is described.
pub(super) fn empty() -> OpenApi {
    #[derive(utoipa::OpenApi)]
    #[openapi(info(
        title = "myim",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ))]
    struct Empty;
    Empty::openapi()
}

/// The documents, written when somebody asks for the first time: a server starts sooner.
pub(super) struct Documents {
    described: OpenApi,
    written: OnceLock<Written>,
}

/// As they are sent.
#[derive(Debug)]
struct Written {
    openapi: Bytes,
    page: Bytes,
}

impl Documents {
    pub(super) fn new(described: OpenApi) -> Self {
        Self {
            described,
            written: OnceLock::new(),
        }
    }

    fn written(&self) -> &Written {
        self.written.get_or_init(|| {
            let mut description = serde_json::to_value(&self.described).unwrap_or_default();
            complete(&mut description);
            Written {
                openapi: serde_json::to_vec_pretty(&description)
                    .unwrap_or_default()
                    .into(),
                page: document_page::render(&description).into(),
            }
        })
    }
}

/// `GET /api/v1/openapi.json`
pub(super) async fn openapi(Extension(documents): Extension<Arc<Documents>>) -> Response {
    let kind = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    (kind, documents.written().openapi.clone()).into_response()
}

/// `GET /api/docs`
pub(super) async fn page(Extension(documents): Extension<Arc<Documents>>) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, document_page::POLICY),
    ];
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    (headers, documents.written().page.clone()).into_response()
}

/// Adds what holds for every operation, so that routes tell only what is special about them.
fn complete(description: &mut Value) {
    description["info"]["description"] = ABOUT.into();
    description["components"]["securitySchemes"] = json!({
        "token": {"type": "http", "scheme": "bearer", "description": "From `POST /api/v1/sessions`"}
    });
    description["components"]["schemas"]["Problem"] =
        serde_json::to_value(ProblemDetails::schema()).unwrap_or_default();
    let Some(paths) = description["paths"].as_object_mut() else {
        return;
    };
    for item in paths.values_mut().filter_map(Value::as_object_mut) {
        for operation in item.values_mut().filter_map(Value::as_object_mut) {
            complete_operation(operation);
        }
    }
}

fn complete_operation(operation: &mut Map<String, Value>) {
    // `security(())` says that an operation is for everybody.
    let is_open = operation.get("security") == Some(&json!([{}]));
    let security = if is_open {
        json!([])
    } else {
        json!([{"token": []}])
    };
    operation.insert("security".to_owned(), security);
    let has_body = operation.contains_key("requestBody");
    let has_parameters = operation.contains_key("parameters");

    let mut common = vec![
        ("403", "`foreign_origin`"),
        ("429", "`rate_limited`"),
        ("500", "`internal`"),
        ("503", "`storage_unavailable`, `shutting_down`, `timed_out`"),
    ];
    if !is_open {
        common.push(("401", "`unauthenticated`"));
    }
    if has_body {
        common.push(("400", "`invalid_request`, `invalid_json`, `invalid_body`"));
        common.push(("413", "`payload_too_large`"));
        common.push(("415", "`unsupported_media_type`"));
        common.push(("422", "`invalid_value`"));
    } else if has_parameters {
        common.push(("400", "`invalid_parameter`"));
    }
    if has_parameters {
        common.push(("404", "`not_found`"));
    }
    let responses = operation.entry("responses").or_insert_with(|| json!({}));
    for (status, codes) in common {
        let described = &mut responses[status]["description"];
        *described = match described.as_str() {
            Some(special) if !special.is_empty() => format!("{special}, {codes}").into(),
            _ => codes.into(),
        };
    }
    let Some(responses) = responses.as_object_mut() else {
        return;
    };
    responses.sort_keys();
    for (status, response) in responses {
        let is_error = status.starts_with(['4', '5']);
        if is_error && response.get("content").is_none() {
            let schema =
                json!({"$ref": format!("#/components/schemas/{}", ProblemDetails::name())});
            response["content"] = json!({PROBLEM_JSON: {"schema": schema}});
        }
        if ["429", "503"].contains(&status.as_str()) {
            response["headers"]["Retry-After"] =
                json!({"schema": {"type": "integer"}, "description": "In seconds"});
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_operation_shares_is_added_to_what_is_special() {
        let mut operation = json!({
            "requestBody": {},
            "responses": {
                "201": {"description": "Made"},
                "422": {"description": "`weak_password`"}
            }
        });
        complete_operation(operation.as_object_mut().unwrap());
        let responses = &operation["responses"];
        assert_eq!(
            responses["422"]["description"],
            "`weak_password`, `invalid_value`"
        );
        assert!(responses["422"]["content"][PROBLEM_JSON].is_object());
        assert!(responses["401"].is_object());
        assert_eq!(responses["201"], json!({"description": "Made"}));
        assert_eq!(operation["security"], json!([{"token": []}]));

        let mut open = json!({"security": [{}], "responses": {}});
        complete_operation(open.as_object_mut().unwrap());
        assert!(open["responses"].get("401").is_none());
        assert_eq!(open["security"], json!([]));
    }
}
