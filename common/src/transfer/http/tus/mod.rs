//! Resumable uploads by the tus protocol, version 1.0.0, with all its extensions but the checksum
//! in a trailer and the concatenation of what is unfinished.
//!
//! In reading order: `headers` and `metadata` read what a client says, `note` is what is remembered
//! of an upload, `turns` lets one request at a time work on it, `upload` is one that a request works
//! on; `create`, `append`, `status`, `terminate` and `concat` are what can be done; `complete` is
//! what follows from the last byte; `sweep` clears away what was given up.

mod append;
mod complete;
mod concat;
mod create;
#[cfg(any(test, feature = "fuzz"))]
pub(super) mod fuzz;
mod headers;
mod metadata;
mod note;
mod status;
mod sweep;
mod terminate;
mod turns;
mod upload;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::ALLOW;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse, Response};

use super::plain;
use super::problem::Problem;
use super::receive::drain;
use crate::blob::Checksum;
use crate::transfer::Transfers;

pub(in crate::transfer) use sweep::look_after;
pub(in crate::transfer) use turns::Turns;

const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
const EXTENSIONS: HeaderValue = HeaderValue::from_static(
    "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination,\
     concatenation",
);

const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
const TUS_EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
const TUS_MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
const TUS_CHECKSUM_ALGORITHM: HeaderName = HeaderName::from_static("tus-checksum-algorithm");
const METHOD_OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_DEFER_LENGTH: HeaderName = HeaderName::from_static("upload-defer-length");
const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const UPLOAD_CONCAT: HeaderName = HeaderName::from_static("upload-concat");
const UPLOAD_CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");
const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const MYIM_FILE: HeaderName = HeaderName::from_static("myim-file");

/// The answer to a request that was not carried out.
#[derive(Debug)]
struct Refused(Box<Response>);

impl<P: Into<Problem>> From<P> for Refused {
    fn from(problem: P) -> Self {
        Self(Box::new(problem.into().into_response()))
    }
}

impl Refused {
    /// The same with one more header.
    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers_mut().insert(name, value);
        self
    }
}

/// Every answer says which version it is.
fn answered(outcome: Result<Response, Refused>) -> Response {
    let mut response = outcome.unwrap_or_else(|refused| *refused.0);
    let headers = response.headers_mut();
    headers.insert(TUS_RESUMABLE, VERSION);
    response
}

/// `POST` to where files stand: the creation of an upload if it says so, else a whole file.
pub(super) async fn or_plain(
    State(transfers): State<Arc<Transfers>>,
    request: Request<Body>,
) -> Response {
    let (parts, mut body) = request.into_parts();
    let is_tus = [
        TUS_RESUMABLE,
        UPLOAD_LENGTH,
        UPLOAD_DEFER_LENGTH,
        UPLOAD_CONCAT,
    ]
    .iter()
    .any(|name| parts.headers.contains_key(name));
    if !is_tus {
        return plain::post(&transfers, parts, body).await;
    }
    let created = async {
        check_version(&parts)?;
        create::create(&transfers, &parts, &mut body).await
    };
    let created = Box::pin(created).await;
    end(&parts, &mut body, created).await
}

/// `PATCH` of an upload.
pub(super) async fn append(
    State(transfers): State<Arc<Transfers>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    let (parts, mut body) = request.into_parts();
    let appended = async {
        check_version(&parts)?;
        append::append(&transfers, &id, &parts, &mut body).await
    };
    let appended = Box::pin(appended).await;
    end(&parts, &mut body, appended).await
}

/// `HEAD` of an upload.
pub(super) async fn status(
    State(transfers): State<Arc<Transfers>>,
    Path(id): Path<String>,
    parts: Parts,
) -> Response {
    let told = async {
        check_version(&parts)?;
        status::status(&transfers, &id, &parts).await
    };
    answered(Box::pin(told).await)
}

/// `DELETE` of an upload.
pub(super) async fn terminate(
    State(transfers): State<Arc<Transfers>>,
    Path(id): Path<String>,
    parts: Parts,
) -> Response {
    let ended = async {
        check_version(&parts)?;
        terminate::terminate(&transfers, &id, &parts).await
    };
    answered(Box::pin(ended).await)
}

/// `POST` to an upload: for clients that can do nothing else, the method stands in a header.
pub(super) async fn overridden(
    State(transfers): State<Arc<Transfers>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    let meant = request.headers().get(METHOD_OVERRIDE).cloned();
    match meant.as_ref().map(HeaderValue::as_bytes) {
        Some(b"PATCH") => append(State(transfers), Path(id), request).await,
        Some(b"DELETE") => {
            let (parts, _) = request.into_parts();
            terminate(State(transfers), Path(id), parts).await
        }
        _ => {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            let detail = "An upload knows HEAD, PATCH and DELETE.";
            let allow = HeaderValue::from_static("HEAD, PATCH, DELETE, OPTIONS");
            let refused = Refused::from(Problem::new(status, "method_not_allowed", detail));
            answered(Err(refused.with(ALLOW, allow)))
        }
    }
}

/// Adds to the answer to `OPTIONS` what this server knows of tus. Not in a route, because questions
/// of browsers with this method are answered before they reach one.
pub(super) fn tell_abilities(transfers: &Transfers, headers: &mut HeaderMap) {
    headers.insert(TUS_RESUMABLE, VERSION);
    headers.insert(TUS_VERSION, VERSION);
    headers.insert(TUS_EXTENSION, EXTENSIONS);
    let largest = HeaderValue::from(transfers.policy.upload_bytes_max);
    headers.insert(TUS_MAX_SIZE, largest);
    let sums = HeaderValue::from_static(Checksum::NAMES);
    headers.insert(TUS_CHECKSUM_ALGORITHM, sums);
}

fn check_version(parts: &Parts) -> Result<(), Refused> {
    let given = parts.headers.get(TUS_RESUMABLE);
    if given.is_some_and(|given| given == VERSION) {
        return Ok(());
    }
    let status = StatusCode::PRECONDITION_FAILED;
    let detail = "The header Tus-Resumable must say 1.0.0.";
    let refused = Refused::from(Problem::new(status, "wrong_tus_version", detail));
    Err(refused.with(TUS_VERSION, VERSION))
}

/// Answers, and makes sure that a client which is still sending sees it.
async fn end(parts: &Parts, body: &mut Body, outcome: Result<Response, Refused>) -> Response {
    if outcome.is_err() && !plain::waits_for_go_ahead(parts) {
        drain(body).await;
    }
    answered(outcome)
}
