//! Webhooks as the API shows them.

use common::id::{ConvId, HookId, Millis, UserId};
use common::store::incoming_hook::IncomingHook;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Decimal, Id, Timestamp};

/// A webhook without its address.
#[derive(Serialize, ToSchema)]
pub(crate) struct IncomingWebhook {
    #[schema(value_type = Id)]
    pub(crate) id: Decimal<HookId>,
    pub(crate) name: String,
    #[schema(value_type = Id)]
    pub(crate) conversation: Decimal<ConvId>,
    /// Who writes what comes.
    #[schema(value_type = Id)]
    pub(crate) author: Decimal<UserId>,
    pub(crate) created_at: Timestamp,
    /// When something last came, to the minute; null for never.
    pub(crate) used_at: Option<Timestamp>,
}

impl From<IncomingHook> for IncomingWebhook {
    fn from(hook: IncomingHook) -> Self {
        Self {
            id: Decimal(hook.hook),
            name: hook.name,
            conversation: Decimal(hook.conv),
            author: Decimal(hook.author),
            created_at: Timestamp(hook.created),
            used_at: (hook.used > Millis(0)).then_some(Timestamp(hook.used)),
        }
    }
}
