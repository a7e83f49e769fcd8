//! Whole files in one request: `POST` of the content, and `PUT` under a name, as curl does it.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header::{
    CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, EXPECT, HeaderName, LOCATION,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http_body::Body as _;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::finish::{Stored, examine, record};
use super::problem::Problem;
use super::receive::{End, drain};
use super::{admit, file_name, router};
use crate::id::BlobId;
use crate::transfer::Transfers;
use crate::transfer::uploads_active::Counted;

/// What the content must be, RFC 9530.
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// What the query may say.
#[derive(Debug, Default, Deserialize)]
struct Said {
    name: Option<String>,
    sha256: Option<String>,
}

/// `POST /files?name=report.pdf`
pub(super) async fn post(transfers: &Transfers, parts: Parts, body: Body) -> Response {
    let said = Query::<Said>::try_from_uri(&parts.uri);
    Box::pin(answer(
        transfers,
        &parts,
        body,
        said.map(|said| said.0).ok(),
    ))
    .await
}

/// `PUT /files/report.pdf`
pub(super) async fn put(
    State(transfers): State<Arc<Transfers>>,
    Path(name): Path<String>,
    request: Request<Body>,
) -> Response {
    let (parts, body) = request.into_parts();
    let said = Query::<Said>::try_from_uri(&parts.uri).ok();
    let said = said.map(|said| Said {
        name: Some(name),
        sha256: said.0.sha256,
    });
    Box::pin(answer(&transfers, &parts, body, said)).await
}

async fn answer(
    transfers: &Transfers,
    parts: &Parts,
    mut body: Body,
    said: Option<Said>,
) -> Response {
    let taken = match said {
        Some(said) => take(transfers, parts, &mut body, said).await,
        None => Err(bad("The query cannot be read.")),
    };
    match taken {
        Ok(stored) => {
            let status = match stored.is_new {
                true => StatusCode::CREATED,
                false => StatusCode::OK,
            };
            let place = format!("{}/{}", router::prefix(transfers.policy.class), stored.file);
            let mut response = (status, Json(stored)).into_response();
            if let Ok(place) = HeaderValue::try_from(place) {
                response.headers_mut().insert(LOCATION, place);
            }
            response
        }
        Err(problem) => {
            if !waits_for_go_ahead(parts) {
                drain(&mut body).await;
            }
            problem.into_response()
        }
    }
}

async fn take(
    transfers: &Transfers,
    parts: &Parts,
    body: &mut Body,
    said: Said,
) -> Result<Stored, Problem> {
    let caller = transfers.caller(parts).await?;
    check_form(&parts.headers)?;
    let promised = promised(&parts.headers, said.sha256.as_deref())?;
    let name = said.name.as_deref().and_then(file_name::clean);
    let announced = body.size_hint().exact();
    let promise = transfers.promises.promise(announced.unwrap_or(0));
    let bytes = announced.unwrap_or(0);
    transfers.admit(caller, bytes, bytes).await?;

    let mut staging = match transfers.wants_md5(announced) {
        true => transfers.blobs.stage().await?,
        false => transfers.blobs.stage_sha().await?,
    };
    let counted = Counted::new();
    let (most, never) = (transfers.policy.upload_bytes_max, CancellationToken::new());
    match transfers.take(body, most, &mut staging, &never).await? {
        End::Whole => {}
        End::TooMuch => return Err(admit::too_large(most)),
        End::Slow => {
            let detail = "The content came too slowly.";
            let status = StatusCode::REQUEST_TIMEOUT;
            return Err(Problem::new(status, "too_slow", detail));
        }
        End::Broken | End::Preempted => return Err(bad("The connection broke.")),
    }
    drop(counted);
    let size = staging.size();
    let examined = examine(transfers, &mut staging, promised).await?;
    let reservation = transfers.admit_whole(caller, examined.file, size).await?;
    let _publishing = transfers.blobs.publishing(examined.file).await?;
    staging.finish(size).await?;
    drop(promise);
    record(transfers, examined, name, caller, reservation).await
}

/// Only the file itself is taken, not something around it.
fn check_form(headers: &HeaderMap) -> Result<(), Problem> {
    let unsupported = |detail: &'static str| {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        Err(Problem::new(status, "unsupported_media_type", detail))
    };
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if text(&CONTENT_TYPE).is_some_and(|kind| kind.starts_with("multipart/")) {
        return unsupported("Send the file itself as the body, not a form.");
    }
    if text(&CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return unsupported("Send the file as it is, without Content-Encoding.");
    }
    if headers.contains_key(CONTENT_RANGE) {
        return Err(bad(
            "A part of a file cannot be sent so; use a resumable upload.",
        ));
    }
    Ok(())
}

/// What the content must be, by `Content-Digest` or `?sha256=`.
fn promised(headers: &HeaderMap, sha256: Option<&str>) -> Result<Option<BlobId>, Problem> {
    if let Some(hex) = sha256 {
        let promised = BlobId::from_hex(&hex.to_ascii_lowercase());
        let wrong = || bad("`sha256` must be 64 hexadecimal digits.");
        return promised.map(Some).ok_or_else(wrong);
    }
    let Some(header) = headers.get(CONTENT_DIGEST) else {
        return Ok(None);
    };
    let wrong = || bad("Content-Digest must be like sha-256=:BASE64:.");
    let text = header.to_str().map_err(|_| wrong())?;
    let ours = text
        .split(',')
        .find_map(|one| one.trim().strip_prefix("sha-256="));
    // By other sums it cannot be checked.
    let Some(value) = ours else {
        return Ok(None);
    };
    let value = value.strip_prefix(':').and_then(|v| v.strip_suffix(':'));
    let bytes = value.and_then(|value| BASE64.decode(value).ok());
    let hash = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    hash.map(|hash| Some(BlobId(hash))).ok_or_else(wrong)
}

fn bad(detail: &'static str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_request", detail)
}

/// Whether the client has not sent its body yet, so that it will see the answer anyway.
pub(super) fn waits_for_go_ahead(parts: &Parts) -> bool {
    parts.headers.contains_key(EXPECT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_a_sha256() {
        let read = |header: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_DIGEST, header.parse().unwrap());
            promised(&headers, None)
        };
        let base64 = BASE64.encode([7; 32]);
        let expected = Some(BlobId([7; 32]));
        assert_eq!(read(&format!("sha-256=:{base64}:")).unwrap(), expected);
        let two = format!("md5=:AAAA:, sha-256=:{base64}:");
        assert_eq!(read(&two).unwrap(), expected);
        assert_eq!(read("sha-512=:AAAA:").unwrap(), None);
        for wrong in ["sha-256=:AAAA:", "sha-256=AAAA", "sha-256=:!:"] {
            assert_eq!(read(wrong).unwrap_err().status, 400, "{wrong}");
        }
        let hex = "AB".repeat(32);
        let by_query = promised(&HeaderMap::new(), Some(&hex)).unwrap();
        assert_eq!(by_query, Some(BlobId([0xab; 32])));
        assert!(promised(&HeaderMap::new(), Some("ab")).is_err());
    }
}
