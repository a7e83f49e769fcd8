//! Carries something out to its end, also if whoever asked for it goes away meanwhile.

use std::sync::Arc;

use common::store::StoreError;
use tracing::Instrument;

use super::Failure;
use crate::app::App;

/// A request is dropped when its client hangs up or its time is over, at any await. What is saved
/// by then stays saved, so what has to follow from it, as the end of a connection, must not be
/// dropped with the request: both are done in here.
///
/// # Errors
/// Those of `what`.
pub(super) async fn uncancelled<T, F>(
    app: &Arc<App>,
    what: impl FnOnce(Arc<App>) -> F,
) -> Result<T, Failure>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Failure>> + Send + 'static,
{
    let task = tokio::spawn(what(Arc::clone(app)).in_current_span());
    task.await
        .map_err(|error| StoreError::Broken(error.to_string()))?
}
