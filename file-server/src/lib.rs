//! The file server: files sent in chats, offline files, client upgrade packages.
//!
//! Everything it does is [`common::transfer`]; what makes it the file server is the class of names
//! it serves. Unlike a picture, a file that does not match its name is not published.
//!
//! **Invariant:** no protocol, no path and no SQL in here.

use std::sync::Arc;

use common::config::TransferConfig;
use common::net::Listener;
use common::store::{BlobClass, Store};
use common::transfer::inspect::Sniff;
use common::transfer::{Promises, Service};
use tokio_util::sync::CancellationToken;

/// Serves files until `shutdown`, then lets running requests end. `promises` are those of the file
/// cache, which another server of this process may share.
pub async fn run(
    config: TransferConfig,
    store: Arc<dyn Store>,
    promises: Promises,
    listener: Listener,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let service = Service {
        class: BlobClass::File,
        inspector: Arc::new(Sniff),
        promises,
        routes: Box::new(common::transfer::upgrade_routes),
    };
    Ok(common::transfer::run(service, &config, store, listener, shutdown).await?)
}
