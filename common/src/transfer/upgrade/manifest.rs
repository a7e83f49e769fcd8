//! `GET /upgrade/{platform}/{channel}/latest.json`: whether there is something newer, and what its
//! publisher signed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::extract::{ConnectInfo, Path, Query, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::http::Guest;
use crate::id::{BlobId, Millis};
use crate::store::upgrade::{self, Upgrade};
use crate::transfer::Transfers;
use crate::transfer::http::problem::Problem;
use crate::upgrade::{Version, choose};

/// The longest id of a device, in bytes.
const ID_BYTES_MAX: usize = 128;

/// How long an answer may be kept. Its address is only one device's if it has an id, and without
/// one it depends on where the request comes from.
const CACHE: HeaderValue = HeaderValue::from_static("private, max-age=60");

/// The routes of the manifests, for anybody.
pub fn routes(transfers: &Arc<Transfers>) -> Router {
    Router::new()
        .route(
            "/upgrade/{platform}/{channel}/latest.json",
            routing::get(latest),
        )
        .with_state(Arc::clone(transfers))
}

/// What the query says.
#[derive(Deserialize)]
struct Asked {
    /// The version that the device has.
    from: Option<String>,
    /// Something that stays the same on this device.
    id: Option<String>,
}

/// What a client learns of a package.
#[derive(Serialize)]
struct Manifest<'a> {
    platform: &'a str,
    channel: &'a str,
    version: String,
    file: String,
    size: u64,
    name: &'a str,
    /// Where the package is, seen from where the manifest is.
    url: String,
    notes: &'a str,
    published_at: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    rollback: bool,
    key: &'a str,
    signature: &'a str,
}

async fn latest(
    State(transfers): State<Arc<Transfers>>,
    Path((platform, channel)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let (has, device) = asked(&parts)?;
    if let Some(guest) = parts.extensions.get::<Guest>() {
        guest.permit.greeted();
    }
    // No other name was ever published, and MySQL compares no other letters with a column of ASCII.
    if !crate::upgrade::is_label(&platform) || !crate::upgrade::is_label(&channel) {
        return Ok(nothing());
    }
    let store = &*transfers.store;
    let offers = upgrade::offers(store, &platform, &channel).await?;
    let Some(chosen) = choose(&offers, &device, &has) else {
        return Ok(nothing());
    };
    let found = upgrade::get(store, chosen.number).await?;
    // It may have been withdrawn since.
    let Some(found) = found.filter(|upgrade| upgrade.withdrawn.is_none()) else {
        return Ok(nothing());
    };
    let body = serde_json::to_vec(&manifest(&found, chosen.is_rollback)).map_err(|error| {
        tracing::error!(%error, "a manifest cannot be written");
        Problem::internal()
    })?;
    Ok(answer(&parts, body))
}

/// The version that the device has, and by what it is told from others.
fn asked(parts: &Parts) -> Result<(Version, String), Problem> {
    let bad = |detail: String| {
        let status = StatusCode::BAD_REQUEST;
        Problem::new(status, "invalid_parameter", detail)
    };
    let asked = Query::<Asked>::try_from_uri(&parts.uri);
    let Ok(Query(asked)) = asked else {
        return Err(bad("The query cannot be read.".to_owned()));
    };
    let Some(from) = asked.from else {
        let detail = "`from` is missing: the version that the client has.";
        return Err(bad(detail.to_owned()));
    };
    let from = from
        .parse()
        .map_err(|fault| bad(format!("`from`: {fault}.")))?;
    let device = match asked.id {
        Some(id) if (1..=ID_BYTES_MAX).contains(&id.len()) => id,
        Some(_) => {
            let detail = format!("`id` is empty or longer than {ID_BYTES_MAX} bytes.");
            return Err(bad(detail));
        }
        None => {
            let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
            let peer = peer.ok_or_else(|| {
                tracing::error!("a request without an address");
                Problem::internal()
            })?;
            peer.0.ip().to_canonical().to_string()
        }
    };
    Ok((from, device))
}

fn manifest(upgrade: &Upgrade, rollback: bool) -> Manifest<'_> {
    let publication = &upgrade.publication;
    let claim = &publication.claim;
    Manifest {
        platform: &claim.platform,
        channel: &claim.channel,
        version: claim.version.to_string(),
        file: claim.file.to_string(),
        size: claim.size,
        name: &claim.name,
        url: format!("/files/{}", claim.file),
        notes: &claim.notes,
        published_at: time(publication.at),
        rollback,
        key: &publication.key,
        signature: &publication.signature,
    }
}

/// A moment as the API writes it.
fn time(at: Millis) -> String {
    let since = Duration::from_millis(u64::try_from(at.0).unwrap_or(0));
    humantime::format_rfc3339_millis(SystemTime::UNIX_EPOCH + since).to_string()
}

fn nothing() -> Response {
    (StatusCode::NO_CONTENT, [(CACHE_CONTROL, CACHE)]).into_response()
}

fn answer(parts: &Parts, body: Vec<u8>) -> Response {
    let tag = format!("\"{}\"", BlobId(Sha256::digest(&body).into()));
    let is_known = parts.headers.get_all(IF_NONE_MATCH).iter().any(|header| {
        let mut tags = header
            .to_str()
            .unwrap_or_default()
            .split(',')
            .map(str::trim);
        tags.any(|known| known == "*" || known.trim_start_matches("W/") == tag)
    });
    let tag = HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"\""));
    let headers = [(CACHE_CONTROL, CACHE), (ETAG, tag)];
    if is_known {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let json = HeaderValue::from_static("application/json");
    (headers, [(CONTENT_TYPE, json)], body).into_response()
}
