//! Answers to GET and HEAD of stored content.
//!
//! In reading order: `conditional` decides whether there is anything to send, `range` which parts
//! of it, `kind` and `disposition` as what, `multipart` how several parts fit into one body, and
//! `body` reads them. Knows nothing of who may read what, and of addresses.

mod body;
mod conditional;
mod disposition;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod kind;
mod multipart;
mod range;

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use headers::{ETag, HeaderMapExt, LastModified};

use super::problem::Problem;
use crate::blob::BlobFile;
use crate::id::{BlobId, Millis};
use crate::transfer::Transfers;
use crate::transfer::budget::Budget;
use body::{FileBody, Step};
use conditional::{Validators, Verdict};
use range::{Part, Wanted};

/// The last second that the headers of HTTP can say, in the year 9999.
const HTTP_DATE_S_MAX: u64 = 253_402_300_799;

/// What an address stands for never changes: nobody has to ask again.
const OWN_CACHE: HeaderValue = HeaderValue::from_static("private, immutable, max-age=31536000");
const ANY_CACHE: HeaderValue = HeaderValue::from_static("public, immutable, max-age=31536000");

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// What is known about the content that is handed out.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Its ETag; the same for the same bytes, and for no others.
    pub blob: BlobId,
    /// Its media type as the server found out, and not as the uploader said.
    pub mime: String,
    /// What it is called; made harmless here.
    pub name: Option<String>,
    pub modified: Millis,
    /// Whether everybody may have it, and shared caches may keep it.
    pub is_public: bool,
    pub disposition: Disposition,
}

/// What a browser does with content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Disposition {
    /// Shows what cannot do harm, and saves everything else.
    #[default]
    ByKind,
    /// Saves it.
    Save,
}

/// The answer to a GET or a HEAD of `file` by somebody who may read it.
pub fn respond(transfers: &Transfers, parts: &Parts, file: BlobFile, shown: &Shown) -> Response {
    answer(&transfers.budget, parts, file, shown)
}

fn answer(budget: &Budget, parts: &Parts, file: BlobFile, shown: &Shown) -> Response {
    let validators = Validators {
        etag: etag(shown.blob),
        modified: modified(shown.modified),
    };
    let mut response = match validators.judge(&parts.headers) {
        Verdict::Answer => content(budget, parts, file, shown, &validators),
        Verdict::NotModified => (StatusCode::NOT_MODIFIED, unmeasured()).into_response(),
        Verdict::Failed => {
            let detail = "The file is not the one that the conditions of the request are about.";
            let status = StatusCode::PRECONDITION_FAILED;
            return Problem::new(status, "precondition_failed", detail).into_response();
        }
    };
    if response.status() != StatusCode::RANGE_NOT_SATISFIABLE {
        let headers = response.headers_mut();
        headers.typed_insert(validators.etag);
        headers.typed_insert(validators.modified);
        headers.insert(
            CACHE_CONTROL,
            match shown.is_public {
                true => ANY_CACHE,
                false => OWN_CACHE,
            },
        );
        protect(headers, shown.is_public);
    }
    response
}

/// No body, and no length of it either: `Content-Length` would say how long the file is.
fn unmeasured() -> Body {
    Body::from_stream(stream::empty::<io::Result<Bytes>>())
}

/// Keeps browsers from executing what they get, and pages of other sites from taking it in.
fn protect(headers: &mut HeaderMap, is_public: bool) {
    let policy = match is_public {
        true => "cross-origin",
        // Pages of the chat server come from another port, which is the same site.
        false => "same-site",
    };
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"),
        (RESOURCE_POLICY, policy),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

fn content(
    budget: &Budget,
    parts: &Parts,
    file: BlobFile,
    shown: &Shown,
    validators: &Validators,
) -> Response {
    let total = file.len();
    // Ranges are defined for GET only, and a part of something else is of no use.
    let may_be_parts = parts.method == Method::GET && validators.continues(&parts.headers);
    let wanted = match may_be_parts {
        true => range::wanted(&parts.headers, total),
        false => Wanted::Whole,
    };
    let kind = kind::kind(&shown.mime);
    let mut headers = HeaderMap::new();
    let mut content_type = HeaderValue::from_static(kind.content_type);
    let (status, steps) = match wanted {
        Wanted::Nothing => return out_of_range(total),
        Wanted::Whole => {
            let whole = Part {
                offset: 0,
                len: total,
            };
            (StatusCode::OK, file_steps(whole))
        }
        Wanted::Parts(parts) => match *parts {
            [part] => {
                headers.insert(CONTENT_RANGE, content_range(part, total));
                (StatusCode::PARTIAL_CONTENT, file_steps(part))
            }
            ref parts => {
                let several = multipart::multipart(parts, kind.content_type, total);
                if let Ok(value) = HeaderValue::try_from(several.content_type) {
                    content_type = value;
                }
                (StatusCode::PARTIAL_CONTENT, several.steps)
            }
        },
    };
    let is_shown = kind.is_shown && shown.disposition == Disposition::ByKind;
    let disposition = disposition::header(is_shown, shown.name.as_deref());
    let body = FileBody::new(file, steps, budget.clone());
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    headers.insert(CONTENT_DISPOSITION, disposition);
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let body = match parts.method == Method::HEAD {
        true => Body::empty(),
        false => Body::new(body),
    };
    (status, headers, body).into_response()
}

fn file_steps(part: Part) -> VecDeque<Step> {
    match part.len {
        0 => VecDeque::new(),
        _ => VecDeque::from([Step::Part(part)]),
    }
}

fn content_range(part: Part, total: u64) -> HeaderValue {
    let value = format!("bytes {}-{}/{total}", part.offset, part.end() - 1);
    HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static("bytes */*"))
}

fn out_of_range(total: u64) -> Response {
    let detail = format!("The file has {total} bytes, and none of those that were asked for.");
    let status = StatusCode::RANGE_NOT_SATISFIABLE;
    let mut response = Problem::new(status, "range_not_satisfiable", detail).into_response();
    if let Ok(value) = HeaderValue::try_from(format!("bytes */{total}")) {
        response.headers_mut().insert(CONTENT_RANGE, value);
    }
    response
}

/// The hash of the content: strong, because no other bytes have it.
fn etag(blob: BlobId) -> ETag {
    format!("\"{blob}\"")
        .parse()
        .expect("hexadecimal digits in quotes are an ETag")
}

fn modified(at: Millis) -> LastModified {
    let seconds = u64::try_from(at.0 / 1000).unwrap_or(0);
    let since_1970 = Duration::from_secs(seconds.min(HTTP_DATE_S_MAX));
    let time: SystemTime = UNIX_EPOCH + since_1970;
    time.into()
}

#[cfg(test)]
mod tests;
