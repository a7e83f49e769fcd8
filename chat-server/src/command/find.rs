//! Finds a user or a group by its exact name.

use common::api::Profile;

use super::Failure;
use crate::app::App;

/// A group is found by its number.
///
/// # Errors
/// The store's.
pub async fn find(app: &App, username: &str) -> Result<Option<Profile>, Failure> {
    Ok(app.store.profile_named(username).await?)
}
