//! What happens between a server and its database in a storm.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use common::store::{Change, Outcome, Store, StoreError};
use tokio::time::sleep;

use super::world::World;
use crate::testing::Script;

/// The database as one server sees it.
pub(super) struct Disk {
    world: Arc<World>,
    /// Nobody who is dead writes or reads anything.
    is_dead: Arc<AtomicBool>,
}

impl Disk {
    pub(super) fn new(world: &Arc<World>, is_dead: &Arc<AtomicBool>) -> Self {
        Self {
            world: Arc::clone(world),
            is_dead: Arc::clone(is_dead),
        }
    }

    fn alive(&self) -> Result<(), StoreError> {
        if self.is_dead.load(Ordering::Relaxed) {
            return Err(StoreError::Unreachable("this server is dead".to_owned()));
        }
        Ok(())
    }
}

#[async_trait]
impl Script for Disk {
    async fn before_read(&self) -> Result<(), StoreError> {
        let world = &self.world;
        if world.is_storm() && world.happens(30) {
            sleep(world.time(0..20)).await;
        }
        self.alive()?;
        if world.fails(1) || world.is_database_away() {
            world.note("a read fails");
            return Err(StoreError::Unreachable("the storm".to_owned()));
        }
        Ok(())
    }

    async fn commit(
        &self,
        store: &dyn Store,
        batch: &[Change],
    ) -> Result<Vec<Outcome>, StoreError> {
        let world = &self.world;
        sleep(world.time(0..5)).await;
        if world.fails(2) {
            sleep(world.time(0..3_000)).await;
        }
        self.alive()?;
        if world.is_database_away() {
            world.note("the database is away");
            return Err(StoreError::Unreachable("the storm".to_owned()));
        }
        if world.fails(4) {
            world.note("a commit is refused");
            return Err(StoreError::Unreachable("the storm".to_owned()));
        }
        if world.fails(3) {
            world.note("a commit that was not made does not say so");
            return Err(StoreError::OutcomeUnknown("the storm".to_owned()));
        }
        let outcomes = store.commit(batch).await?;
        sleep(world.time(0..3)).await;
        if world.fails(8) {
            world.note("a commit that was made does not say so");
            return Err(StoreError::OutcomeUnknown("the storm".to_owned()));
        }
        Ok(outcomes)
    }
}
