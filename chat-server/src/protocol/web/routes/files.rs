//! Stored files: what they are, and where they are fetched.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::{Extension, Json};
use common::api::BlobClass;
use common::http::Guest;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::command::{self, Failure, SeenFile};
use crate::protocol::web::code::{self, Code};
use crate::protocol::web::extract::{InPath, Query, Signed};
use crate::protocol::web::file_servers;
use crate::protocol::web::problem::Problem;
use crate::protocol::web::router::WebState;
use crate::protocol::web::shape::Timestamp;

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(show))
}

/// Which server gives a file out.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Class {
    File,
    Image,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct As {
    /// The address is the file server's or the image server's. If not given, a picture's is the
    /// image server's. The file server's of a picture is only for who uploaded it, and for those
    /// who got it as a file.
    #[serde(default)]
    #[param(inline, nullable = false)]
    class: Option<Class>,
}

/// A stored file.
#[derive(Debug, Serialize, ToSchema)]
struct File {
    /// The SHA-256 of the content.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    file: String,
    /// In bytes.
    size: u64,
    #[schema(examples("image/png"))]
    mime: String,
    /// Of a picture, in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    height: Option<u32>,
    /// A tiny preview: a `ThumbHash` in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    thumbhash: Option<String>,
    /// Whoever has it may fetch the file with it, without a token, until `expires_at`.
    url: String,
    expires_at: Timestamp,
    /// Smaller versions of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    renditions: Option<Renditions>,
}

/// Addresses like `url`.
#[derive(Debug, Serialize, ToSchema)]
struct Renditions {
    /// For a list.
    thumb: String,
    /// For a screen.
    preview: String,
}

/// A stored file, with an address to fetch it
///
/// For a file that you uploaded, that stands in a message that you may read, or that is the picture
/// of a user or a group.
#[utoipa::path(
    get, path = "/files/{file}", tag = "files", operation_id = "show_file",
    params(
        ("file" = String, Path, description = "The SHA-256 of the content, or the name that a \
         profile shows as its picture"),
        As,
    ),
    responses(
        (status = 200, body = File, description = "What is known of it"),
        (status = 404, description = "`no_such_file`"),
        (status = 410, description = "`file_gone`"),
    )
)]
async fn show(
    State(app): State<Arc<App>>,
    Signed(who): Signed,
    InPath(name): InPath<String>,
    Query(As { class }): Query<As>,
    guest: Option<Extension<Guest>>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Json<File>, Problem> {
    let class = class.map(|class| match class {
        Class::File => BlobClass::File,
        Class::Image => BlobClass::Image,
    });
    let seen = command::see_file(&app, &who.actor, &name, class).await;
    let seen = seen.map_err(|failure| match failure {
        Failure::NoSuchFile => Code {
            status: 404,
            ..code::NO_SUCH_FILE
        }
        .into(),
        other => Problem::from(other),
    })?;
    let is_tls = guest.is_some_and(|Extension(guest)| guest.is_tls);
    let asked = (&headers, &uri);
    let base = file_servers::base(&app.config.files, seen.class, asked, is_tls);
    Ok(Json(shown(seen, &base)))
}

fn shown(seen: SeenFile, base: &str) -> File {
    let SeenFile {
        about,
        class,
        proof,
        expires,
    } = seen;
    let at = |rendition: &str| format!("{base}/{}{rendition}?{proof}", about.blob);
    let renditions = (class == BlobClass::Image).then(|| Renditions {
        thumb: at("/thumb"),
        preview: at("/preview"),
    });
    let picture = about.picture.as_ref();
    File {
        file: about.blob.to_string(),
        size: about.size,
        width: picture.map(|picture| picture.width),
        height: picture.map(|picture| picture.height),
        thumbhash: picture.and_then(|picture| picture.thumbhash.clone()),
        url: at(""),
        expires_at: Timestamp(expires),
        renditions: picture.and(renditions),
        mime: about.mime.unwrap_or_else(|| UNKNOWN.to_owned()),
    }
}

/// The type of what old clients uploaded: nobody looked into it.
const UNKNOWN: &str = "application/octet-stream";
