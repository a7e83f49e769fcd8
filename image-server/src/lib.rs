//! The image server: pictures sent in chats, and avatars.
//!
//! Everything it does is [`common::transfer`]; what makes it the image server is the class of names
//! it serves. A picture may have a name that does not match it: some old phones send such.
//!
//! **Invariant:** no protocol, no path and no SQL in here.

pub mod picture;

use std::sync::Arc;

use axum::Router;
use common::config::TransferConfig;
use common::net::Listener;
use common::store::{BlobClass, Store};
use common::transfer::Service;
use common::transfer::inspect::Sniff;
use tokio_util::sync::CancellationToken;

/// Serves pictures until `shutdown`, then lets running requests end.
pub async fn run(
    config: TransferConfig,
    store: Arc<dyn Store>,
    listener: Listener,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let service = Service {
        class: BlobClass::Image,
        inspector: Arc::new(Sniff),
        routes: Box::new(|_| Router::new()),
    };
    Ok(common::transfer::run(service, &config, store, listener, shutdown).await?)
}
