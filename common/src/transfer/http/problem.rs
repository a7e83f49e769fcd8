//! Why a request about files failed, as clients are told: RFC 9457 problem details.

use std::borrow::Cow;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::admit;
use crate::blob::BlobError;
use crate::http::problem::{STORE_RETRY_AFTER_S, answer};
use crate::store::StoreError;
use crate::transfer::inspect::Rejected;

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub status: StatusCode,
    /// A stable word to decide by.
    pub code: &'static str,
    /// What went wrong this time, for people.
    pub detail: Cow<'static, str>,
    /// In seconds, where waiting helps.
    pub retry_after: Option<u64>,
}

#[derive(Serialize)]
struct Details<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

impl Problem {
    pub fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            retry_after: None,
        }
    }

    /// Nothing of this name, or nothing that one may know of.
    pub fn no_such_file() -> Self {
        let detail = "There is no such file, or you may not read it.";
        Self::new(StatusCode::NOT_FOUND, "no_such_file", detail)
    }

    /// The server made a mistake. What it was is in the log.
    pub fn internal() -> Self {
        let detail = "The server made a mistake.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// Another request goes on with the upload.
    pub(super) fn locked() -> Self {
        let detail = "Another request works on this upload; ask with HEAD how far it got.";
        Self::new(StatusCode::LOCKED, "upload_locked", detail)
    }

    /// The same, with the time after which trying again makes sense.
    #[must_use]
    pub fn after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let details = Details {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
            retry_after: self.retry_after,
        };
        answer(self.status, &details, self.retry_after)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.is_passing() || error.is_outcome_unknown() {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            // Nobody may believe that nothing was changed if that is not sure.
            let detail = match error.is_outcome_unknown() {
                true => "The database did not say whether this was saved; try again later.",
                false => "The database cannot be reached; try again later.",
            };
            return Self::new(status, "storage_unavailable", detail).after(STORE_RETRY_AFTER_S);
        }
        // What exactly is broken is for the operator, not for strangers.
        tracing::error!(%error, "a request failed");
        Self::internal()
    }
}

impl From<BlobError> for Problem {
    fn from(error: BlobError) -> Self {
        if error.is_full() {
            tracing::warn!(%error, "an upload ended: the disk is full");
            return admit::disk_full();
        }
        if error.is_busy() {
            return Self::locked();
        }
        if error.is_passing() {
            tracing::error!(%error, "a request failed");
            let status = StatusCode::SERVICE_UNAVAILABLE;
            let detail = "The server's disk does not do what it should; try again later.";
            return Self::new(status, "storage_unavailable", detail).after(STORE_RETRY_AFTER_S);
        }
        tracing::error!(%error, "a request failed");
        Self::internal()
    }
}

impl From<Rejected> for Problem {
    fn from(rejected: Rejected) -> Self {
        let status = StatusCode::from_u16(rejected.status);
        let status = status.unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
        let mut problem = Self::new(status, rejected.code, rejected.detail);
        problem.retry_after = rejected.retry_after;
        problem
    }
}
