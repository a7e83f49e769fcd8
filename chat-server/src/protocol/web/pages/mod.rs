//! The web client, on the chat port: its page at `/`, and what the page asks for.
//!
//! Everything that the page asks for stands below `/assets/` and a word that is another one whenever
//! a file has changed. So browsers may keep it for ever, and never mix the files of two versions.
//! The files come out of the program, or from a directory for those who change them.
//!
//! **Invariant:** knows files and HTTP, and nothing of accounts, messages or the API.

mod address;
mod answer;
mod asset;
mod built_in;
mod encoding;
mod folder;
mod policy;
mod template;
mod tree;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use common::config::{ChatConfig, FilesConfig};

use self::answer::Keeping;
use self::asset::Asset;
use self::encoding::Compressor;
use self::folder::Folder;
use self::tree::Tree;
use super::code;
use super::problem::Problem;

pub use self::address::address;

/// Where everything stands that the page asks for.
const ASSETS: &str = "/assets";

/// The files that have fixed places, as browsers want it, and are filled in.
const PAGE: &str = "index.html";
const WORKER: &str = "sw.js";
const MANIFEST: &str = "manifest.webmanifest";
/// What browsers ask for without being told, the best first.
const ICONS: [&str; 3] = ["icons/favicon.ico", "icons/icon.svg", "icons/icon.png"];

/// Files that are not below [`ASSETS`].
const AT_THE_ROOT: [&str; 3] = [PAGE, WORKER, MANIFEST];

/// The routes of the web client; none if it is not wanted.
pub(super) fn routes<S>(config: &ChatConfig) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    if !config.web_client.web_client {
        return Router::new();
    }
    let source = match &config.web_client.web_client_dir {
        Some(folder) => Source::Folder(Folder::new(folder.clone())),
        None => Source::BuiltIn(Tree::new(built_in::files())),
    };
    let pages = Pages {
        source,
        compressor: Compressor::default(),
        files: config.files.clone(),
    };
    Router::new()
        .route("/", get(page))
        .route("/sw.js", get(worker))
        .route("/manifest.webmanifest", get(manifest))
        .route("/favicon.ico", get(icon))
        .route("/assets/{version}/{*path}", get(asset))
        .with_state(Arc::new(pages))
}

/// Where the files come from.
enum Source {
    BuiltIn(Tree),
    Folder(Folder),
}

struct Pages {
    source: Source,
    compressor: Compressor,
    /// Where the page may fetch files from besides this server.
    files: FilesConfig,
}

async fn page(State(pages): State<Arc<Pages>>, headers: HeaderMap, uri: Uri) -> Response {
    pages.at_the_root(PAGE, &headers, &uri).await
}

async fn worker(State(pages): State<Arc<Pages>>, headers: HeaderMap, uri: Uri) -> Response {
    pages.at_the_root(WORKER, &headers, &uri).await
}

async fn manifest(State(pages): State<Arc<Pages>>, headers: HeaderMap, uri: Uri) -> Response {
    pages.at_the_root(MANIFEST, &headers, &uri).await
}

async fn icon(State(pages): State<Arc<Pages>>, headers: HeaderMap, uri: Uri) -> Response {
    for icon in ICONS {
        if let Some(asset) = pages.source.asset(icon).await {
            return pages
                .answer(&asset, Keeping::Revalidated, &headers, &uri)
                .await;
        }
    }
    Problem::from(code::NOT_FOUND).into_response()
}

async fn asset(
    State(pages): State<Arc<Pages>>,
    Path((version, path)): Path<(String, String)>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    if version != pages.source.version() || AT_THE_ROOT.contains(&&*path) {
        return Problem::from(code::NOT_FOUND).into_response();
    }
    let keeping = match pages.source {
        Source::BuiltIn(_) => Keeping::ForEver,
        Source::Folder(_) => Keeping::Never,
    };
    match pages.source.asset(&path).await {
        Some(asset) => pages.answer(&asset, keeping, &headers, &uri).await,
        None => Problem::from(code::NOT_FOUND).into_response(),
    }
}

impl Source {
    /// The word below [`ASSETS`].
    fn version(&self) -> &str {
        match self {
            Self::BuiltIn(tree) => tree.version(),
            Self::Folder(_) => Folder::VERSION,
        }
    }

    async fn asset(&self, path: &str) -> Option<Arc<Asset>> {
        match self {
            Self::BuiltIn(tree) => tree.asset(path),
            Self::Folder(folder) => folder.asset(path).await.map(Arc::new),
        }
    }

    /// One of [`AT_THE_ROOT`], filled in.
    async fn filled_in(&self, name: &str) -> Option<Arc<Asset>> {
        match self {
            Self::BuiltIn(tree) => tree.filled_in(name),
            Self::Folder(folder) => folder.filled_in(name).await.map(Arc::new),
        }
    }
}

impl Pages {
    async fn at_the_root(&self, name: &str, headers: &HeaderMap, uri: &Uri) -> Response {
        match self.source.filled_in(name).await {
            Some(asset) => {
                self.answer(&asset, Keeping::Revalidated, headers, uri)
                    .await
            }
            None => Problem::from(code::NOT_FOUND).into_response(),
        }
    }

    async fn answer(
        &self,
        asset: &Arc<Asset>,
        keeping: Keeping,
        headers: &HeaderMap,
        uri: &Uri,
    ) -> Response {
        let mut response = answer::answer(asset, keeping, headers, &self.compressor).await;
        if asset.needs_policy {
            policy::add(response.headers_mut(), &self.files, headers, uri);
        }
        response
    }
}
