//! Changes that were saved in doubt and of which nobody has heard yet.
//!
//! The database has to be asked whom they concern, and may not answer at once.

use std::collections::{BTreeMap, VecDeque};

use common::id::{ConvId, DeviceId, UserId};
use common::store::{Store, StoreError, group, indexed};

use super::Unindexed;
use super::concern::Concern;
use crate::hub::Hub;

/// The one device that has no need to be woken, if there is one.
type Writer = Option<(UserId, DeviceId)>;

/// How many changes, and how many conversations, are remembered of which nobody has heard. Beyond,
/// one is forgotten: who is on line hears of it with the next entry there.
const UNTOLD_MAX: usize = 8_192;

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct Untold {
    /// With the place of the first entry of each.
    changes: VecDeque<(Concern, ConvId)>,
    /// Where entries stand that nobody was woken for.
    convs: BTreeMap<ConvId, Writer>,
}

impl Untold {
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.convs.is_empty()
    }

    /// A change is saved; its first entry stands in `conv`.
    pub(super) fn add(&mut self, concern: Concern, conv: ConvId) {
        if let Concern::Message(user, device) = concern {
            let writer = Some((user, device));
            let of_conv = self.convs.entry(conv).or_insert(writer);
            *of_conv = of_conv.filter(|_| *of_conv == writer);
        } else {
            self.changes.push_back((concern, conv));
        }
        if self.convs.len() > UNTOLD_MAX {
            self.convs.pop_first();
        }
        if self.changes.len() > UNTOLD_MAX {
            self.changes.pop_front();
        }
    }

    /// Tells whom they concern. What the database cannot be asked for now remains to be told.
    pub(super) async fn tell(
        &mut self,
        store: &dyn Store,
        hub: &Hub,
        unindexed: &Unindexed,
    ) -> Result<(), StoreError> {
        while let Some((concern, conv)) = self.changes.front().copied() {
            let convs = match catch_up(store, hub, concern, conv).await {
                Err(error) if error.is_passing() => return Err(error),
                Ok(convs) => convs,
                Err(error) => {
                    // Who is on line hears of it when he comes back.
                    tracing::warn!(%error, %conv, "not everybody was told of a change in doubt");
                    vec![conv]
                }
            };
            self.convs
                .extend(convs.into_iter().map(|conv| (conv, None)));
            self.changes.pop_front();
        }
        unindexed.mark(self.convs.keys().copied());
        match ring(store, hub, &self.convs).await {
            Err(error) if error.is_passing() => return Err(error),
            Err(error) => tracing::warn!(%error, "nobody was told of changes that were in doubt"),
            Ok(()) => {}
        }
        self.convs.clear();
        Ok(())
    }
}

/// Puts right what the hub knows of members after a change that was saved maybe without anybody
/// hearing of it; answers where its entries stand. What the hub knows follows the database and not
/// the entries: since they were written the same user may have come or gone again. `conv` is where
/// the first one stands.
async fn catch_up(
    store: &dyn Store,
    hub: &Hub,
    concern: Concern,
    conv: ConvId,
) -> Result<Vec<ConvId>, StoreError> {
    let concerned = concern.look_up(store, hub, conv).await?;
    let mut convs = vec![conv];
    convs.extend(concerned.inboxes.into_iter().map(ConvId::inbox));
    let Some(group) = concerned.group else {
        return Ok(convs);
    };
    convs.push(ConvId::group(group));
    for user in concerned.members {
        let is_member = group::member(store, group, user).await?.is_some();
        hub.correct_member(user, group, is_member);
    }
    hub.set_sizes(&group::sizes(store, &[group]).await?);
    Ok(convs)
}

/// Rings for whatever stands in these conversations now: what was in doubt may be older than the
/// newest entry.
async fn ring(
    store: &dyn Store,
    hub: &Hub,
    convs: &BTreeMap<ConvId, Writer>,
) -> Result<(), StoreError> {
    let named: Vec<ConvId> = convs.keys().copied().collect();
    for found in indexed::of(store, &named).await? {
        let writer = convs.get(&found.conv).copied().flatten();
        hub.ring(found.conv, found.head, writer);
    }
    Ok(())
}
