//! Gives an upload up.

use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use super::Refused;
use super::upload::Upload;
use crate::transfer::Transfers;

/// `DELETE`: removes what came. A file that the upload became stays.
pub(super) async fn terminate(
    transfers: &Transfers,
    name: &str,
    parts: &Parts,
) -> Result<Response, Refused> {
    let caller = transfers.caller(parts).await?;
    let upload = Upload::open(transfers, name, caller).await?;
    upload.forget(transfers).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
