//! Makes what is asked for of a picture, once, however many ask.
//!
//! Those who ask for the same thing wait for the same work. When the last of them goes away, the
//! work ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use common::blob::BlobFile;
use common::id::BlobId;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use sha2::{Digest, Sha256};
use tracing::error;

use crate::cache::{Key, RenditionCache, WAY_OF_MAKING};
use crate::picture::{Fit, Motion, Recipe, Shareable, Wanted};
use crate::picture_pool::PicturePool;
use crate::trouble::Trouble;

/// What can be made of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Making {
    Rendition(Recipe),
    /// The original without what its file tells; empty if there is nothing to be left out.
    Clean,
}

impl Making {
    /// A name for it: letters, digits and points.
    fn recipe(self) -> String {
        let Self::Rendition(Recipe {
            fit,
            motion,
            wanted,
        }) = self
        else {
            return "clean".to_owned();
        };
        let fit = match fit {
            Fit::Inside(side) => format!("inside{side}"),
            Fit::Square(side) => format!("square{side}"),
        };
        match (wanted, motion) {
            (Wanted::WebP, Motion::Moving) => format!("{fit}.moving.webp"),
            (Wanted::WebP, Motion::Still) => format!("{fit}.webp"),
            (Wanted::Common, _) => format!("{fit}.common"),
        }
    }
}

/// Work that several may wait for.
type Work = BoxFuture<'static, Result<BlobFile, Trouble>>;

/// Makes, keeps, and finds again.
#[derive(Debug)]
pub(crate) struct Renditions {
    cache: RenditionCache,
    pool: Arc<PicturePool>,
    /// What is being made. As many as the pool has places, and some that are done.
    under_way: Mutex<HashMap<Key, WeakShared<Work>>>,
}

impl Renditions {
    pub(crate) fn new(cache: RenditionCache, pool: PicturePool) -> Self {
        Self {
            cache,
            pool: Arc::new(pool),
            under_way: Mutex::default(),
        }
    }

    pub(crate) fn cache(&self) -> &RenditionCache {
        &self.cache
    }

    pub(crate) fn pool(&self) -> &PicturePool {
        &self.pool
    }

    /// What is made of the picture in `file`.
    pub(crate) async fn make(
        &self,
        blob: BlobId,
        file: &BlobFile,
        making: Making,
    ) -> Result<BlobFile, Trouble> {
        let key = Key {
            blob,
            recipe: making.recipe(),
        };
        if let Some(made) = self.cache.get(&key).await {
            return Ok(made);
        }
        self.join(key, file, making).await
    }

    /// The work that makes it, begun if nobody has.
    fn join(&self, key: Key, file: &BlobFile, making: Making) -> Shared<Work> {
        let lock = self.under_way.lock();
        let mut under_way = lock.unwrap_or_else(PoisonError::into_inner);
        if let Some(work) = under_way.get(&key).and_then(WeakShared::upgrade) {
            return work;
        }
        under_way.retain(|_, work| work.upgrade().is_some());
        let work = self.begin(key.clone(), file.clone(), making).shared();
        if let Some(weak) = work.downgrade() {
            under_way.insert(key, weak);
        }
        work
    }

    fn begin(&self, key: Key, file: BlobFile, making: Making) -> Work {
        let (cache, pool) = (self.cache.clone(), Arc::clone(&self.pool));
        async move {
            // Somebody may have made it since it was looked for.
            if let Some(made) = cache.get(&key).await {
                return Ok(made);
            }
            let made = match making {
                Making::Rendition(recipe) => pool.render(&file, recipe).await?,
                Making::Clean => match pool.share(&file).await? {
                    Shareable::AsItIs => Vec::new(),
                    Shareable::Cleaned(cleaned) => cleaned,
                },
            };
            cache.put(&key, made).await.map_err(|error| {
                error!(%error, "a rendition cannot be kept");
                Trouble::System
            })
        }
        .boxed()
    }
}

/// What stands for the bytes of something made, as the hash of its content stands for a stored file.
pub(crate) fn tag(blob: BlobId, making: Making) -> BlobId {
    let recipe = making.recipe();
    let named = format!("myim.rendition.{WAY_OF_MAKING}\n{blob}\n{recipe}");
    BlobId(Sha256::digest(named).into())
}

#[cfg(test)]
mod tests;
