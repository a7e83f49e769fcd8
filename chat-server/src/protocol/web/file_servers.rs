//! Where the file and the image server are reached: as the operator said, or at their ports of the
//! host that was asked.

use axum::http::{HeaderMap, Uri};
use common::api::BlobClass;
use common::config::FilesConfig;
use common::http::asked;
use url::Url;

/// What the operator said.
pub(super) fn said(files: &FilesConfig, class: BlobClass) -> Option<&str> {
    match class {
        BlobClass::File => files.file_url.as_deref(),
        BlobClass::Image => files.image_url.as_deref(),
    }
}

/// The port if he said nothing.
pub(super) fn port(files: &FilesConfig, class: BlobClass) -> u16 {
    match class {
        BlobClass::File => files.ports.file,
        BlobClass::Image => files.ports.image,
    }
}

/// Where it is, without a slash at the end.
pub(super) fn place(
    files: &FilesConfig,
    class: BlobClass,
    (headers, uri): (&HeaderMap, &Uri),
    is_tls: bool,
) -> String {
    match said(files, class) {
        Some(said) => said.trim_end_matches('/').to_owned(),
        None => {
            let scheme = if is_tls { "https" } else { "http" };
            let host = asked::host(headers, uri).unwrap_or("localhost");
            let port = port(files, class);
            format!("{scheme}://{host}:{port}")
        }
    }
}

/// Where its files stand, without a slash at the end.
pub(super) fn base(
    files: &FilesConfig,
    class: BlobClass,
    asked: (&HeaderMap, &Uri),
    is_tls: bool,
) -> String {
    let path = match class {
        BlobClass::File => "files",
        BlobClass::Image => "images",
    };
    format!("{}/{path}", place(files, class, asked, is_tls))
}

/// An address without what stands behind its host and port.
pub(super) fn origin(address: &str) -> String {
    Url::parse(address)
        .map(|url| url.origin().ascii_serialization())
        .unwrap_or_default()
}
