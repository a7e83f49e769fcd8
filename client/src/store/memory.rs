//! A memory that ends with the program.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::{Change, Memory, Store, StoreError};

/// Forgets everything with the program: for tests, and for bots that may see an event twice after
/// a restart.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Memory>);

#[async_trait]
impl Store for MemoryStore {
    async fn load(&self) -> Result<Memory, StoreError> {
        Ok(self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone())
    }

    async fn apply(&self, changes: &[Change]) -> Result<(), StoreError> {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        changes.iter().for_each(|change| memory.apply(change));
        Ok(())
    }
}

impl Memory {
    /// Carries out one change: what every store does in its own way.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::SetOwner(owner) => self.owner = Some(owner.clone()),
            Change::SetEpoch(epoch) => {
                self.epoch = Some(epoch.clone());
                self.places.clear();
            }
            Change::SetPlace(conversation, seq) => {
                let known = self.places.iter_mut().find(|(id, _)| id == conversation);
                match known {
                    Some((_, place)) => *place = (*place).max(*seq),
                    None => self.places.push((*conversation, *seq)),
                }
            }
            Change::Accept(outgoing) => self.outbox.push(outgoing.clone()),
            Change::Attempted { client_id } => {
                self.change_outgoing(client_id, |outgoing| outgoing.attempted = true);
            }
            Change::Fail { client_id, reason } => {
                self.change_outgoing(client_id, |outgoing| outgoing.failed = Some(reason.clone()));
            }
            Change::Retry {
                client_id,
                expires_at,
            } => {
                let found = self.outbox.iter().position(|it| it.client_id == *client_id);
                if let Some(at) = found {
                    let mut outgoing = self.outbox.remove(at);
                    outgoing.failed = None;
                    outgoing.expires_at = *expires_at;
                    self.outbox.push(outgoing);
                }
            }
            Change::Remove { client_id } => {
                self.outbox
                    .retain(|outgoing| outgoing.client_id != *client_id);
            }
        }
    }

    fn change_outgoing(&mut self, client_id: &str, change: impl FnOnce(&mut super::Outgoing)) {
        let found = self
            .outbox
            .iter_mut()
            .find(|outgoing| outgoing.client_id == client_id);
        if let Some(outgoing) = found {
            change(outgoing);
        }
    }
}
