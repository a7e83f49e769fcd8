//! The image server: pictures sent in chats, and avatars.
//!
//! Most of what it does is [`common::transfer`]; what makes it the image server is the class of
//! names it serves, that it looks into every picture that comes over HTTP, and that it shows
//! pictures in other sizes and without what their files tell. By the old protocol a picture comes
//! and goes as it is, and may have a name that does not match it: some old phones send such.
//!
//! In reading order: `picture` is what can be done with the bytes of one; `worker` does it, in a
//! process that can do nothing else; `workers` is these processes, seen from the server;
//! `picture_pool` is so much of it at a time; `confinement` says at the start what holds them;
//! `cache` keeps what was made; `renditions` makes what is asked for, once; `inspect` and `routes`
//! are how HTTP reaches it; `avatar` draws for those who have no picture.
//!
//! **Invariant:** no SQL in here, and nothing that a client says becomes a path.
//!
//! **Invariant:** the server's own process decodes no picture.

mod accept;
mod avatar;
mod cache;
mod confinement;
mod inspect;
pub mod picture;
mod picture_pool;
mod renditions;
mod routes;
mod trouble;
pub mod worker;
mod workers;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use common::config::{ImageConfig, PicturesConfig, TransferConfig};
use common::net::Listener;
use common::store::{BlobClass, Store, file};
use common::transfer::{Promises, Service};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use cache::RenditionCache;
use inspect::Pictures;
use renditions::Renditions;

pub use picture_pool::PicturePool;
pub use trouble::Trouble;
pub use workers::{Program, StartError};

/// How often is looked for renditions of pictures that are gone.
const SWEPT_EVERY: Duration = Duration::from_secs(60 * 60);

/// How often is looked for workers that have nothing to do.
const RESTED_EVERY: Duration = Duration::from_secs(30);

/// The image server before anybody may come.
#[derive(Debug)]
pub struct ImageServer {
    transfer: TransferConfig,
    pictures: PicturesConfig,
    renditions: Arc<Renditions>,
}

impl ImageServer {
    /// Opens what it needs. If the settings demand that pictures are decoded where they can do
    /// nothing, that is tried here.
    ///
    /// # Errors
    /// When something cannot be had; nobody should be told that it is ready then.
    pub async fn open(config: ImageConfig) -> anyhow::Result<Self> {
        let ImageConfig { transfer, pictures } = config;
        let (filecache, budget) = (transfer.filecache.clone(), pictures.rendition_cache_bytes.0);
        let opening = move || {
            let cache = RenditionCache::open(&filecache, budget);
            cache.with_context(|| {
                let filecache = filecache.display();
                format!("cannot keep smaller pictures in {filecache} (--filecache)")
            })
        };
        let cache = tokio::task::spawn_blocking(opening).await??;
        let program = Program::this().context("where this program is")?;
        let pool = PicturePool::open(&pictures, &program).context("the pictures' processes")?;
        if pictures.require_picture_sandbox {
            confinement::demand(&pool).await?;
        }
        Ok(Self {
            transfer,
            pictures,
            renditions: Arc::new(Renditions::new(cache, pool)),
        })
    }

    /// Serves pictures until `shutdown`, then lets running requests end. `promises` are those of
    /// the file cache, which another server of this process may share.
    ///
    /// # Errors
    /// When it cannot go on.
    pub async fn run(
        self,
        store: Arc<dyn Store>,
        promises: Promises,
        listener: Listener,
        shutdown: CancellationToken,
    ) -> anyhow::Result<()> {
        let Self {
            transfer,
            pictures,
            renditions,
        } = self;
        confinement::tell(renditions.pool()).await;
        let service = Service {
            class: BlobClass::Image,
            inspector: Arc::new(Pictures::new(Arc::clone(&renditions))),
            promises,
            routes: routes::of(&pictures, &renditions),
        };
        let resting = tokio::spawn(rest(Arc::clone(&renditions), shutdown.clone()));
        let sweeping = tokio::spawn(sweep(renditions, Arc::clone(&store), shutdown.clone()));
        let served = common::transfer::run(service, &transfer, store, listener, shutdown).await;
        sweeping.abort();
        resting.abort();
        Ok(served?)
    }
}

/// Ends workers that have nothing to do.
async fn rest(renditions: Arc<Renditions>, shutdown: CancellationToken) {
    let mut ticks = interval(RESTED_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        renditions.pool().rest();
    }
}

/// Throws renditions away whose picture was.
async fn sweep(renditions: Arc<Renditions>, store: Arc<dyn Store>, shutdown: CancellationToken) {
    let mut ticks = interval(SWEPT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        for blob in renditions.cache().blobs() {
            match file::about(&*store, blob).await {
                Ok(Some(_)) => {}
                Ok(None) => renditions.cache().forget(blob).await,
                Err(error) => {
                    warn!(%error, "cannot ask which pictures are gone; asking again later");
                    break;
                }
            }
        }
    }
}
