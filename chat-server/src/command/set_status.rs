//! Changes what friends see of one's whereabouts.

use super::Failure;
use crate::app::App;
use crate::hub::Session;
use crate::presence;

/// # Errors
/// The store's.
pub async fn set_status(app: &App, session: &Session, status: i32) -> Result<(), Failure> {
    if app.hub.set_status(session, status, false) {
        presence::announce_status(app, session.actor.user, status).await?;
    }
    Ok(())
}
