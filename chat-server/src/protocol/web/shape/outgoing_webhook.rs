//! An outgoing webhook as the API shows it, without its secret.

use common::id::{ConvId, HookId};
use common::store::outgoing_hook::OutgoingHook;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Decimal, Id, Timestamp};

/// A webhook that posts to a URL.
#[derive(Serialize, ToSchema)]
pub(crate) struct OutgoingWebhook {
    #[schema(value_type = Id)]
    pub(crate) id: Decimal<HookId>,
    pub(crate) name: String,
    pub(crate) url: String,
    /// The one conversation that is posted; null for all.
    #[schema(value_type = Option<Id>)]
    pub(crate) conversation: Option<Decimal<ConvId>>,
    pub(crate) created_at: Timestamp,
}

impl From<&OutgoingHook> for OutgoingWebhook {
    fn from(hook: &OutgoingHook) -> Self {
        Self {
            id: Decimal(hook.hook),
            name: hook.name.clone(),
            url: hook.url.clone(),
            conversation: hook.conv.map(Decimal),
            created_at: Timestamp(hook.created),
        }
    }
}
