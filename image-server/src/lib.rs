//! The image server: pictures sent in chats, and avatars.
//!
//! Most of what it does is [`common::transfer`]; what makes it the image server is the class of
//! names it serves, that it looks into every picture that comes over HTTP, and that it shows
//! pictures in other sizes and without what their files tell. By the old protocol a picture comes
//! and goes as it is, and may have a name that does not match it: some old phones send such.
//!
//! In reading order: `picture` is what can be done with the bytes of one; `workshop` does it, so
//! much at a time; `cache` keeps what was made; `studio` makes what is asked for, once; `inspect`
//! and `routes` are how HTTP reaches it; `avatar` draws for those who have no picture.
//!
//! **Invariant:** no SQL in here, and nothing that a client says becomes a path.

mod accept;
mod avatar;
mod cache;
mod inspect;
pub mod picture;
mod routes;
mod studio;
mod workshop;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use common::config::ImageConfig;
use common::net::Listener;
use common::store::{BlobClass, Store, file};
use common::transfer::{Promises, Service};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use cache::RenditionCache;
use inspect::Pictures;
use studio::Studio;
use workshop::Workshop;

/// How often is looked for renditions of pictures that are gone.
const SWEPT_EVERY: Duration = Duration::from_secs(60 * 60);

/// Serves pictures until `shutdown`, then lets running requests end. `promises` are those of the
/// file cache, which another server of this process may share.
pub async fn run(
    config: ImageConfig,
    store: Arc<dyn Store>,
    promises: Promises,
    listener: Listener,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let ImageConfig { transfer, pictures } = config;
    let (filecache, budget) = (transfer.filecache.clone(), pictures.rendition_cache_bytes.0);
    let opening = move || RenditionCache::open(&filecache, budget);
    let cache = tokio::task::spawn_blocking(opening).await?;
    let cache = cache.context("the pictures that were made before")?;
    let studio = Arc::new(Studio::new(cache, Workshop::new(&pictures)));
    let service = Service {
        class: BlobClass::Image,
        inspector: Arc::new(Pictures::new(Arc::clone(&studio))),
        promises,
        routes: routes::of(&pictures, &studio),
    };
    let sweeping = tokio::spawn(sweep(studio, Arc::clone(&store), shutdown.clone()));
    let served = common::transfer::run(service, &transfer, store, listener, shutdown).await;
    sweeping.abort();
    Ok(served?)
}

/// Throws renditions away whose picture was.
async fn sweep(studio: Arc<Studio>, store: Arc<dyn Store>, shutdown: CancellationToken) {
    let mut ticks = interval(SWEPT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        for blob in studio.cache().blobs() {
            match file::about(&*store, blob).await {
                Ok(Some(_)) => {}
                Ok(None) => studio.cache().forget(blob).await,
                Err(error) => {
                    warn!(%error, "cannot ask which pictures are gone; asking again later");
                    break;
                }
            }
        }
    }
}
