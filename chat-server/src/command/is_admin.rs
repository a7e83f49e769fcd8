//! Says whether somebody is an administrator.

use common::store::admin;

use super::Failure;
use crate::actor::Actor;
use crate::app::App;

/// # Errors
/// The store's.
pub async fn is_admin(app: &App, actor: &Actor) -> Result<bool, Failure> {
    let state = admin::state(&*app.store, actor.user).await?;
    Ok(state.is_admin)
}
