//! Hands stored content out to whoever may have it.
//!
//! A signed address costs no question to the database about rights; a token costs one. What a file
//! is, is remembered for a while.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::download::{Disposition, Shown, respond};
use super::file_name;
use super::problem::Problem;
use crate::auth::file_url::{self, UrlFault};
use crate::blob::BlobFile;
use crate::config::Access;
use crate::id::{BlobId, UserId};
use crate::store::file::{self, About};
use crate::store::{BlobClass, StoreError};
use crate::transfer::Transfers;

/// For a file whose kind nobody found out: what old clients uploaded.
const UNKNOWN_KIND: &str = "application/octet-stream";

/// What the query may say, beside a signature.
#[derive(Debug, Default, Deserialize)]
struct Said {
    /// What to call it.
    name: Option<String>,
    /// Whether to save it rather than to show it.
    download: Option<String>,
}

/// What was found for somebody who may have it.
#[derive(Clone, Debug)]
pub struct Readable {
    pub about: About,
    pub file: BlobFile,
    /// Whether everybody may have it.
    pub is_public: bool,
}

/// `GET` and `HEAD` of `/files/{sha256}`
pub(super) async fn get(
    State(transfers): State<Arc<Transfers>>,
    Path(name): Path<String>,
    parts: Parts,
) -> Response {
    let presented = async {
        let found = transfers.readable(&parts, &name).await?;
        transfers.inspector.present(found).await
    };
    match Box::pin(presented).await {
        Ok(found) => show(&transfers, &parts, found),
        Err(problem) => problem.into_response(),
    }
}

/// The database still knows it: a message refers to it.
fn gone() -> Problem {
    let detail = "The server keeps files for a time only, and this one's is over.";
    Problem::new(StatusCode::GONE, "file_gone", detail)
}

fn show(transfers: &Transfers, parts: &Parts, found: Readable) -> Response {
    let said = Query::<Said>::try_from_uri(&parts.uri);
    let said = said.map(|said| said.0).unwrap_or_default();
    let About { blob, mime, at, .. } = found.about;
    let shown = Shown {
        blob,
        mime: mime.unwrap_or_else(|| UNKNOWN_KIND.to_owned()),
        name: said.name.as_deref().and_then(file_name::clean),
        modified: at,
        is_public: found.is_public,
        disposition: match said.download {
            Some(_) => Disposition::Save,
            None => Disposition::ByKind,
        },
    };
    respond(transfers, parts, found.file, &shown)
}

impl Transfers {
    /// The file of this hash, if the request shows that it may have it.
    ///
    /// # Errors
    /// 404 for what is not there and for what one may not know of; 401 and 403 for a bad token or
    /// signature.
    pub async fn readable(&self, parts: &Parts, name: &str) -> Result<Readable, Problem> {
        let blob = BlobId::from_hex(name).ok_or_else(Problem::no_such_file)?;
        let is_public = self.check_right(parts, blob).await?;
        let about = self.about(blob).await?;
        let file = self.blobs.read(blob).await?;
        let whole = file.filter(|file| file.len() == about.size);
        let Some(file) = whole else {
            // It may have been collected since it was remembered.
            self.abouts.forget(blob);
            if file::about(&*self.store, blob).await?.is_some() {
                tracing::error!(%blob, "a stored file is missing or damaged");
            }
            return Err(self.not_here(blob).await?);
        };
        Ok(Readable {
            about,
            file,
            is_public,
        })
    }

    async fn about(&self, blob: BlobId) -> Result<About, Problem> {
        if let Some(about) = self.abouts.get(blob) {
            return Ok(about);
        }
        let Some(about) = file::about(&*self.store, blob).await? else {
            return Err(self.not_here(blob).await?);
        };
        self.abouts.put(about.clone());
        Ok(about)
    }

    /// What is said to somebody who might have it.
    async fn not_here(&self, blob: BlobId) -> Result<Problem, StoreError> {
        Ok(match file::is_gone(&*self.store, blob).await? {
            true => gone(),
            false => Problem::no_such_file(),
        })
    }

    /// Whether everybody may have it; fails if this request may not.
    async fn check_right(&self, parts: &Parts, blob: BlobId) -> Result<bool, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        match self.check_signature(query, blob).await? {
            Ok(()) => return Ok(false),
            Err(UrlFault::Unsigned) => {}
            Err(fault) => {
                let status = StatusCode::FORBIDDEN;
                return Err(Problem::new(status, "bad_signature", fault.to_string()));
            }
        }
        let caller = match self.caller(parts).await {
            Ok(caller) => caller,
            Err(refused) => {
                let is_public = file::is_public(&*self.store, blob).await?;
                return is_public.then_some(true).ok_or(refused);
            }
        };
        let may_read = match caller.user {
            Some(user) if self.policy.access != Access::Open => {
                file::may_read(&*self.store, user, blob).await?
                    && self.shows_all(user, blob).await?
            }
            // Without the token he might.
            Some(_) | None => true,
        };
        may_read.then_some(false).ok_or_else(Problem::no_such_file)
    }

    /// Whether this server has no more for the user than he may get: the file server hands out what
    /// came as it came, and the image server without what a picture tells.
    async fn shows_all(&self, user: UserId, blob: BlobId) -> Result<bool, StoreError> {
        match self.policy.class {
            BlobClass::Image => Ok(true),
            BlobClass::File => {
                let kept = file::kept_as_pictures(&*self.store, user, &[blob]).await?;
                Ok(kept.is_empty())
            }
        }
    }

    async fn check_signature(
        &self,
        query: &str,
        blob: BlobId,
    ) -> Result<Result<(), UrlFault>, Problem> {
        let (store, class, now) = (&*self.store, self.policy.class, self.clock.now());
        let keys = self.sessions.keys(store, store).await?;
        match file_url::verify(&keys, class, blob, query, now) {
            // Another server may have added a key.
            Err(UrlFault::UnknownKey) if self.sessions.doubt_keys() => {
                let keys = self.sessions.keys(store, store).await?;
                Ok(file_url::verify(&keys, class, blob, query, now))
            }
            verified => Ok(verified),
        }
    }
}
