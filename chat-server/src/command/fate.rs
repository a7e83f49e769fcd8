//! Says what became of a send whose answer was lost.

use common::api::Entry;
use common::id::ClientId;
use common::store::meta::MetaChange;
use common::store::{Change, message};

use super::{Failure, done};
use crate::actor::Actor;
use crate::app::App;

/// What the user saved under this name; `None` if it is not there and never will be, unless it is
/// sent again. Everything that the server had taken before was decided when this returns: the
/// question waits for sends that are still being looked at, and then passes through the same queue.
///
/// # Errors
/// The store's: then nobody knows yet.
pub async fn fate(
    app: &App,
    actor: &Actor,
    client_id: &ClientId,
) -> Result<Option<Entry>, Failure> {
    app.under_way.settled(actor.user, client_id).await;
    done(&app.log.commit(Change::Meta(MetaChange::Barrier)).await?)?;
    Ok(message::sent(&*app.store, actor.user, client_id).await?)
}
