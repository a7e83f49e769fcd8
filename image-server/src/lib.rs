//! The image server: pictures sent in chats, and avatars.
//!
//! Everything it does is [`common::transfer`]; what makes it the image server is the class of names
//! it serves. A picture may have a name that does not match it: some old phones send such.
//!
//! **Invariant:** no protocol, no path and no SQL in here.

pub mod picture;

use std::sync::Arc;

use common::config::TransferConfig;
use common::net::Listener;
use common::store::{BlobClass, Store};
use tokio_util::sync::CancellationToken;

/// Serves pictures until `shutdown`, then lets running requests end.
pub async fn run(
    config: TransferConfig,
    store: Arc<dyn Store>,
    listener: Listener,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    Ok(common::transfer::run(BlobClass::Image, &config, store, listener, shutdown).await?)
}
