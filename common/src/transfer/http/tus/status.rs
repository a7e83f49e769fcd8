//! Tells how far an upload got.

use axum::http::header::CACHE_CONTROL;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::note::Part;
use super::upload::Upload;
use super::{
    Refused, UPLOAD_CONCAT, UPLOAD_DEFER_LENGTH, UPLOAD_EXPIRES, UPLOAD_LENGTH, UPLOAD_METADATA,
    UPLOAD_OFFSET,
};
use super::{complete, headers};
use crate::transfer::Transfers;

/// `HEAD`: the client goes on from what is told here, so it is what survives a power cut. An upload
/// of which all bytes are here becomes a file now if it did not before: clients take it for done.
pub(super) async fn status(
    transfers: &Transfers,
    name: &str,
    parts: &Parts,
) -> Result<Response, Refused> {
    let caller = transfers.caller(parts).await?;
    let mut upload = Upload::open(transfers, name, caller).await?;
    if upload.is_complete() && complete::becomes_file(&upload) {
        complete::complete(transfers, &mut upload, None).await?;
    } else if let Some(mut content) = upload.content(transfers).await? {
        content.sync().await?;
        content.close().await?;
    }
    let mut response = StatusCode::OK.into_response();
    tell(transfers, &upload, response.headers_mut());
    Ok(response)
}

fn tell(transfers: &Transfers, upload: &Upload, headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(UPLOAD_OFFSET, upload.offset.into());
    match upload.note.length {
        Some(length) => headers.insert(UPLOAD_LENGTH, length.into()),
        None => headers.insert(UPLOAD_DEFER_LENGTH, HeaderValue::from_static("1")),
    };
    headers.insert(UPLOAD_EXPIRES, headers::date(upload.expires));
    let mut echo = |name: HeaderName, text: &str| {
        if let Ok(text) = HeaderValue::from_str(text) {
            headers.insert(name, text);
        }
    };
    if let Some(metadata) = &upload.note.metadata {
        echo(UPLOAD_METADATA, metadata);
    }
    match &upload.note.part {
        Part::Whole => {}
        Part::Partial => echo(UPLOAD_CONCAT, "partial"),
        Part::Final(text) => echo(UPLOAD_CONCAT, text),
    }
    if let Some(stored) = &upload.note.stored {
        complete::tell(transfers, stored, headers);
    }
}
