//! Addresses of the image server beside those of the stored pictures: their renditions, and avatars
//! for those who have none.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing};
use common::config::{Cut, PicturesConfig, Rendition};
use common::transfer::Transfers;
use common::transfer::http::Readable;
use common::transfer::http::download::{Disposition, Shown, respond};
use common::transfer::http::problem::Problem;
use common::transfer::inspect::Routes;
use serde::Deserialize;

use crate::avatar::{self, Avatar};
use crate::picture::{Fit, Motion, Recipe};
use crate::renditions::{Making, Renditions, tag};
use crate::{accept, inspect};

/// What the routes need.
struct Gallery {
    transfers: Arc<Transfers>,
    renditions: Arc<Renditions>,
    sizes: HashMap<String, (Fit, Motion)>,
}

/// The routes of a server that is about to start.
pub(crate) fn of(config: &PicturesConfig, renditions: &Arc<Renditions>) -> Routes {
    let (renditions, moving) = (Arc::clone(renditions), config.moving_renditions);
    let size = |Rendition { name, cut }: &Rendition| {
        let size = match *cut {
            Cut::Inside(side) if moving => (Fit::Inside(side), Motion::Moving),
            Cut::Inside(side) => (Fit::Inside(side), Motion::Still),
            Cut::Square(side) => (Fit::Square(side), Motion::Still),
        };
        (name.clone(), size)
    };
    let sizes = config.renditions.0.iter().map(size).collect();
    Box::new(move |transfers| {
        let gallery = Gallery {
            transfers: Arc::clone(transfers),
            renditions,
            sizes,
        };
        Router::new()
            .route("/images/{name}/{rendition}", routing::get(rendition))
            .route("/avatars/default/{id}", routing::get(default_avatar))
            .with_state(Arc::new(gallery))
    })
}

/// `GET` and `HEAD` of `/images/{sha256}/{rendition}`
async fn rendition(
    State(gallery): State<Arc<Gallery>>,
    Path((name, size)): Path<(String, String)>,
    parts: Parts,
) -> Response {
    let mut response = match Box::pin(gallery.rendition(&name, &size, &parts)).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("accept"));
    response
}

impl Gallery {
    async fn rendition(&self, name: &str, size: &str, parts: &Parts) -> Result<Response, Problem> {
        let Some(&(fit, motion)) = self.sizes.get(size) else {
            let detail = "Pictures are not shown in a size of this name.";
            return Err(Problem::new(
                StatusCode::NOT_FOUND,
                "no_such_rendition",
                detail,
            ));
        };
        let stored = self.transfers.readable(parts, name).await?;
        let Readable {
            about,
            file,
            is_public,
        } = stored;
        let wanted = accept::wanted(&parts.headers);
        let making = Making::Rendition(Recipe {
            fit,
            motion,
            wanted,
        });
        let made = self.renditions.make(about.blob, &file, making).await?;
        let shown = Shown {
            blob: tag(about.blob, making),
            mime: inspect::mime_of(&made).await?.to_owned(),
            name: None,
            modified: about.at,
            is_public,
            disposition: Disposition::ByKind,
        };
        Ok(respond(&self.transfers, parts, made, &shown))
    }
}

/// What can be said of a default avatar.
#[derive(Deserialize)]
struct Wish {
    #[serde(default)]
    name: String,
    size: Option<u32>,
}

/// A drawing of ours contains nothing that runs; this holds even if it did.
const DRAWING_POLICY: &str = "default-src 'none'; sandbox";

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// `GET` of `/avatars/default/{id}`. Needs no rights: it shows nothing but what the address says.
async fn default_avatar(
    Path(id): Path<String>,
    wish: Result<Query<Wish>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let Ok(Query(Wish { name, size })) = wish else {
        let detail = "The address is like /avatars/default/7?name=Ann&size=128.";
        return Problem::new(StatusCode::BAD_REQUEST, "bad_request", detail).into_response();
    };
    let drawing = avatar::draw(&Avatar {
        id: &id,
        name: &name,
        size: size.unwrap_or(avatar::SIZE),
    });
    let headers = [
        (CONTENT_TYPE, "image/svg+xml"),
        (CACHE_CONTROL, "public, immutable, max-age=31536000"),
        (CONTENT_SECURITY_POLICY, DRAWING_POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (RESOURCE_POLICY, "cross-origin"),
    ];
    (headers, drawing).into_response()
}
