//! The answer to somebody who asks for a file: all of it, or that he has it already.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use common::http::entity_tags;
use headers::IfNoneMatch;

use super::asset::Asset;
use super::encoding::{Compressor, Encoding};

/// How long a browser may keep a file without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeping {
    /// At this address it never changes.
    ForEver,
    /// It asks each time whether it has changed.
    Revalidated,
    Never,
}

impl Keeping {
    fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::ForEver => "public, max-age=31536000, immutable",
            Self::Revalidated => "no-cache",
            Self::Never => "no-store",
        })
    }
}

pub(super) async fn answer(
    asset: &Asset,
    keeping: Keeping,
    request: &HeaderMap,
    compressor: &Compressor,
) -> Response {
    let mut response = Response::default();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, keeping.header());
    if asset.is_compressible() {
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    }
    if let Ok(tag) = HeaderValue::try_from(&asset.tag) {
        headers.insert(ETAG, tag);
    }
    if is_known(asset, request) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    headers.insert(CONTENT_TYPE, asset.kind.clone());
    let wanted = Encoding::wanted(request);
    let body = match asset.encoded(wanted, compressor).await {
        Some(encoded) => {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(wanted.name()));
            encoded
        }
        None => asset.content.clone(),
    };
    *response.body_mut() = Body::from(body);
    response
}

/// Whether the browser has it as it is now.
fn is_known(asset: &Asset, request: &HeaderMap) -> bool {
    let known = entity_tags::<IfNoneMatch>(request);
    let tag = asset.tag.parse().ok();
    known
        .zip(tag)
        .is_some_and(|(known, tag)| !known.precondition_passes(&tag))
}
