//! Entries as events of the API: what a WebSocket, an event stream, `/sync` and a webhook's target
//! are told of them.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use common::api::{Body, Entry};
use common::id::{ConvId, ConvKind, Seq};
use common::store::{StoreError, place};

use super::shape::event;
use super::shape::message::{self, fresh, present};
use crate::actor::Actor;
use crate::app::App;
use crate::content;
use crate::log::TailEntry;
use crate::walker::Walker;

/// Shows entries to one device.
#[derive(Debug)]
pub(crate) struct Showing {
    app: Arc<App>,
    actor: Actor,
    /// Behind which entry of a group the user may read, where that was asked.
    readable: HashMap<ConvId, Seq>,
}

impl Showing {
    pub(crate) fn new(app: &Arc<App>, actor: &Actor) -> Self {
        Self {
            app: Arc::clone(app),
            actor: actor.clone(),
            readable: HashMap::new(),
        }
    }

    /// The conversation is not the user's any more.
    pub(crate) fn forget(&mut self, conv: ConvId) {
        self.readable.remove(&conv);
    }

    /// The finished event; `None` for what the device knows already or may not see. `walker` is
    /// where the entry comes from.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn show(
        &mut self,
        held: &Arc<TailEntry>,
        walker: &Walker,
    ) -> Result<Option<Bytes>, StoreError> {
        let entry = &held.entry;
        if !self.is_for_it(entry).await? {
            return Ok(None);
        }
        if held.committed.is_some() && !held.is_fresh() {
            // Something became of it after it was committed: what others were sent is out of date.
            let text = Box::pin(present_one(&self.app, entry)).await?;
            return Ok(Some(text).filter(|text| !text.is_empty()));
        }
        if held.event.get().is_none() {
            if held.committed.is_none() && content::is_message(entry) {
                let page = std::iter::once(held).chain(walker.page(entry.conv));
                let page: Vec<_> = page.cloned().collect();
                Box::pin(prepare_page(&self.app, page)).await?;
            } else {
                Box::pin(prepare(&self.app, held)).await?;
            }
        }
        Ok(held.event.get().filter(|text| !text.is_empty()).cloned())
    }

    /// As [`Showing::show`], as it is at this moment and not when it was walked.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn show_anew(&mut self, entry: &Entry) -> Result<Option<Bytes>, StoreError> {
        if !self.is_for_it(entry).await? {
            return Ok(None);
        }
        let text = match &entry.body {
            Body::Notice(notice) if content::target(entry).is_none() => {
                event::of_notice(entry, notice).unwrap_or_default().into()
            }
            Body::Message { .. } | Body::Notice(_) => {
                Box::pin(present_one(&self.app, entry)).await?
            }
        };
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// Not what the device wrote itself, nor what became of a message that its user may not read.
    async fn is_for_it(&mut self, entry: &Entry) -> Result<bool, StoreError> {
        if let Body::Message { .. } = &entry.body {
            let (origin, actor) = (&entry.origin, &self.actor);
            if (origin.user, origin.device) == (actor.user, actor.device) {
                return Ok(false);
            }
        }
        match content::target(entry) {
            Some(target) => Box::pin(self.may_read(entry.conv, target)).await,
            None => Ok(true),
        }
    }

    /// Whether the user may read the message at this place: of a group that he joined late he may
    /// not read what was written before, and so not what became of it.
    async fn may_read(&mut self, conv: ConvId, target: Seq) -> Result<bool, StoreError> {
        if !matches!(conv.kind(), Some(ConvKind::Group(_))) {
            return Ok(true);
        }
        if let Some(since) = self.readable.get(&conv) {
            return Ok(target > *since);
        }
        let place = place::get(&*self.app.store, self.actor.user, conv).await?;
        let Some(place) = place else {
            return Ok(false);
        };
        self.readable.insert(conv, place.since);
        Ok(target > place.since)
    }
}

/// Makes the event that all receivers of an entry share; an empty one for what is no event.
async fn prepare(app: &App, held: &TailEntry) -> Result<(), StoreError> {
    let entry = &held.entry;
    let make = || async {
        match &entry.body {
            Body::Message { .. } => match fresh(entry) {
                Some(shown) => Ok(event::message(entry.conv, entry.seq, &shown).into()),
                None => present_one(app, entry).await,
            },
            Body::Notice(_) if content::target(entry).is_some() => present_one(app, entry).await,
            Body::Notice(notice) => Ok(event::of_notice(entry, notice).unwrap_or_default().into()),
        }
    };
    held.event.get_or_try_init(make).await.map(drop)
}

/// Makes the events of messages that were pulled from the store together: what became of them is
/// looked up at once.
async fn prepare_page(app: &App, mut page: Vec<Arc<TailEntry>>) -> Result<(), StoreError> {
    page.retain(|held| held.committed.is_none() && content::is_message(&held.entry));
    let entries: Vec<_> = page.iter().map(|held| held.entry.clone()).collect();
    let shown = present(app, &entries).await?;
    for (held, shown) in page.into_iter().zip(&shown) {
        let text = event::message(held.entry.conv, held.entry.seq, shown);
        // Only this session holds these entries: nobody else has set it.
        let _ = held.event.set(text.into());
    }
    Ok(())
}

/// A message, or the message that an entry says something new about, as it is now; empty for what
/// is neither.
async fn present_one(app: &App, entry: &Entry) -> Result<Bytes, StoreError> {
    if content::target(entry).is_some() {
        let updated = message::updated(app, entry).await?;
        let text = |shown| event::message_updated(entry.conv, entry.seq, &shown);
        return Ok(updated.map(text).unwrap_or_default().into());
    }
    let shown = present(app, std::slice::from_ref(entry)).await?;
    let text = |shown| event::message(entry.conv, entry.seq, shown);
    Ok(shown.first().map(text).unwrap_or_default().into())
}
