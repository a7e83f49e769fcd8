//! Looking through the whole database for what cannot be.

use std::sync::Arc;

use common::store::Change;
use common::store::meta::MetaChange;
use common::store::verify::Verification;

use super::{Administrator, Deed, carry_out};
use crate::app::App;
use crate::command::Failure;

/// Begins to look. Everything that was handed in before is in the database then.
///
/// # Errors
/// `NotAnAdmin`; the store's.
pub async fn begin_verification(app: &App, who: &Administrator) -> Result<Verification, Failure> {
    let deed = Deed::new("log.verify", "", "");
    carry_out(app, who, deed, Change::Meta(MetaChange::Barrier)).await?;
    Ok(Verification::new(Arc::clone(&app.store)))
}
