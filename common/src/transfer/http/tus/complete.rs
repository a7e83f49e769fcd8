//! What follows from the last byte of an upload.

use axum::http::header::CONTENT_LOCATION;
use axum::http::{HeaderMap, HeaderValue};

use super::MYIM_FILE;
use super::note::Part;
use super::upload::{Upload, no_such_upload};
use crate::blob::Content;
use crate::transfer::Transfers;
use crate::transfer::http::finish::{Stored, examine, record};
use crate::transfer::http::problem::Problem;
use crate::transfer::http::router;

/// Makes a stored file of a complete upload, from wherever an earlier attempt ended: looked into,
/// noted, kept, written down, noted again. `content` is what the caller has open.
///
/// # Errors
/// When the content is not accepted, which ends the upload; when there is no room for it or the
/// database cannot be reached, after which it can be tried again.
pub(super) async fn complete(
    transfers: &Transfers,
    upload: &mut Upload,
    content: Option<Content>,
) -> Result<Stored, Problem> {
    if let Some(stored) = &upload.note.stored {
        return Ok(stored.clone());
    }
    let said = upload.note.said();
    let mut content = match content {
        None if upload.has_content => upload.content(transfers).await?,
        content => content,
    };
    if let Some(content) = &mut content {
        content.sync().await?;
        match examine(transfers, content, said.promised).await {
            Ok(examined) => upload.note.examined = Some(examined),
            Err(problem) => {
                // What the server did wrong may go right the next time.
                if problem.status.is_client_error() {
                    upload.forget(transfers).await?;
                }
                return Err(problem);
            }
        }
        // From here on the content may be in the store and nowhere else.
        upload.save(transfers, true).await?;
    }
    let examined = upload.note.examined.clone().ok_or_else(no_such_upload)?;
    let caller = upload.note.caller();
    let reservation = transfers.admit_whole(caller, examined.file, examined.size);
    let reservation = reservation.await?;
    let publishing = transfers.blobs.publishing(examined.file).await?;
    if let Some(content) = content {
        let file = content.finish().await?;
        transfers.blobs.keep(examined.file, file).await?;
        upload.has_content = false;
    }
    let stored = record(transfers, examined, said.name, caller, reservation).await?;
    drop(publishing);
    upload.note.stored = Some(stored.clone());
    upload.note.examined = None;
    transfers.promises.end(upload.id);
    // If this is lost, what was noted before leads here again.
    upload.save(transfers, false).await?;
    Ok(stored)
}

/// Whether the upload is one that becomes a file by itself.
pub(super) fn becomes_file(upload: &Upload) -> bool {
    upload.note.part != Part::Partial
}

/// Tells which file it became.
pub(super) fn tell(transfers: &Transfers, stored: &Stored, headers: &mut HeaderMap) {
    let file = stored.file.to_string();
    let place = format!("{}/{file}", router::prefix(transfers.policy.class));
    if let (Ok(file), Ok(place)) = (HeaderValue::try_from(file), HeaderValue::try_from(place)) {
        headers.insert(MYIM_FILE, file);
        headers.insert(CONTENT_LOCATION, place);
    }
}
