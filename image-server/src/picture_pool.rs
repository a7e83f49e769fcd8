//! Where pictures are decoded and encoded: so many at a time, so many that wait, each for so long.
//!
//! The work itself is done by processes of a [`Workers`].

use std::io;
use std::time::Duration;

use common::blob::BlobFile;
use common::config::PicturesConfig;
use tokio::sync::Semaphore;

use crate::picture::{Fault, Limits, Look, Recipe, Shareable};
use crate::trouble::Trouble;
use crate::worker::{Confinement, Orders, Task};
use crate::workers::{IDLE, Made, Program, StartError, Workers};

/// How many wait for each worker. At some tenths of a second each, the last one waits as long as a
/// person would.
const WAITING_EACH: usize = 32;

/// A worker is replaced after so many: what one of them might have done to it ends with it, and
/// starting another one costs nothing beside so many pictures.
const PICTURES_EACH: u32 = 64;

/// The places and the workers.
#[derive(Debug)]
pub struct PicturePool {
    limits: Limits,
    /// Whoever waits or works.
    places: Semaphore,
    /// Whoever works. Content is in memory only for these.
    turns: Semaphore,
    workers: Workers,
}

impl PicturePool {
    /// Opens it inside of a runtime; workers are processes of `program`.
    ///
    /// # Errors
    /// If the system has no thread for it.
    pub fn open(config: &PicturesConfig, program: &Program) -> io::Result<Self> {
        let workers = usize::from(config.render_workers);
        let limits = Limits {
            bytes_max: config.picture_bytes_max.0,
            pixels_max: config.picture_pixels_max,
            frames_max: config.picture_frames_max,
        };
        let orders = Orders {
            limits,
            time: Duration::from_secs(config.render_timeout_s),
            pictures: PICTURES_EACH,
            only_confined: config.require_picture_sandbox,
        };
        Ok(Self {
            limits,
            places: Semaphore::new(workers * (1 + WAITING_EACH)),
            turns: Semaphore::new(workers),
            workers: Workers::new(program, orders)?,
        })
    }

    /// What holds the workers: starts one to see.
    ///
    /// # Errors
    /// If it cannot be started.
    pub async fn confinement(&self) -> Result<Confinement, StartError> {
        self.workers.confinement().await
    }

    /// What the picture in a file is.
    ///
    /// # Errors
    /// What is wrong with the picture, or with the machine.
    pub async fn look(&self, file: &BlobFile) -> Result<Look, Trouble> {
        match self.work(Task::Look, file).await? {
            Made::Looked(look) => Ok(look),
            Made::Bytes(_) | Made::AsItIs => Err(Fault::unreadable().into()),
        }
    }

    /// A smaller picture.
    ///
    /// # Errors
    /// What is wrong with the picture, or with the machine.
    pub async fn render(&self, file: &BlobFile, recipe: Recipe) -> Result<Vec<u8>, Trouble> {
        match self.work(Task::Render(recipe), file).await? {
            Made::Bytes(made) => Ok(made),
            Made::Looked(_) | Made::AsItIs => Err(Fault::unreadable().into()),
        }
    }

    /// The picture without what its file tells.
    ///
    /// # Errors
    /// What is wrong with the picture, or with the machine.
    pub async fn share(&self, file: &BlobFile) -> Result<Shareable, Trouble> {
        match self.work(Task::Share, file).await? {
            Made::Bytes(cleaned) => Ok(Shareable::Cleaned(cleaned)),
            Made::AsItIs => Ok(Shareable::AsItIs),
            Made::Looked(_) => Err(Fault::unreadable().into()),
        }
    }

    /// Ends workers that had nothing to do for a while. To be called now and then.
    pub(crate) fn rest(&self) {
        self.workers.retire(IDLE);
    }

    /// Has something done about the picture in a file. Dropping the future ends the work, too.
    async fn work(&self, task: Task, file: &BlobFile) -> Result<Made, Trouble> {
        self.limits.check_bytes(file.len())?;
        let Ok(_place) = self.places.try_acquire() else {
            return Err(Trouble::Busy);
        };
        let turn = self.turns.acquire().await;
        let _turn = turn.map_err(|_closed| Trouble::Busy)?;
        self.workers.carry_out(task, file).await
    }
}

#[cfg(test)]
impl PicturePool {
    /// Takes every worker, as pictures would that take long.
    pub(crate) async fn take_all(&self) -> tokio::sync::SemaphorePermit<'_> {
        let workers = u32::try_from(self.turns.available_permits()).unwrap();
        self.turns.acquire_many(workers).await.unwrap()
    }

    /// Takes every place, as a crowd would.
    pub(crate) async fn take_places(&self) -> tokio::sync::SemaphorePermit<'_> {
        let places = u32::try_from(self.places.available_permits()).unwrap();
        self.places.acquire_many(places).await.unwrap()
    }
}
