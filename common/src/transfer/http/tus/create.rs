//! Begins an upload, perhaps with its first content.

use axum::body::Body;
use axum::http::header::LOCATION;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use http_body::Body as _;

use super::note::{Note, Part, owner};
use super::upload::Upload;
use super::{Refused, UPLOAD_CONCAT, UPLOAD_EXPIRES, UPLOAD_METADATA, UPLOAD_OFFSET};
use super::{append, complete, concat, headers, metadata};
use crate::blob::UploadId;
use crate::transfer::Transfers;
use crate::transfer::http::access::Caller;
use crate::transfer::http::finish::Stored;
use crate::transfer::http::problem::Problem;
use crate::transfer::http::router;
use crate::transfer::promised_bytes::TooMany;

/// `POST`: answers where the upload stands.
pub(super) async fn create(
    transfers: &Transfers,
    parts: &Parts,
    body: &mut Body,
) -> Result<Response, Refused> {
    let caller = transfers.caller(parts).await?;
    let metadata = headers::text(&parts.headers, &UPLOAD_METADATA)?;
    metadata::read(metadata.unwrap_or_default())?;
    let metadata = metadata.filter(|text| !text.is_empty()).map(str::to_owned);
    let part = match headers::text(&parts.headers, &UPLOAD_CONCAT)? {
        None => Part::Whole,
        Some("partial") => Part::Partial,
        Some(text) => {
            return concat::create(transfers, parts, caller, text, metadata).await;
        }
    };
    let length = headers::length(&parts.headers)?;
    let note = Note {
        class: transfers.policy.class.into(),
        user: caller.user.map(|user| user.0),
        address: caller.address,
        length,
        metadata,
        part,
        unchecked_from: None,
        examined: None,
        stored: None,
    };
    let brings_content = !body.is_end_stream();
    if brings_content && !headers::is_content(&parts.headers) {
        return Err(headers::wrong_type().into());
    }
    let mut upload = begin(transfers, caller, note).await?;
    let mut response = created(transfers, &upload);
    let filled = match (brings_content, upload.is_complete()) {
        (true, _) => fill(transfers, &mut upload, parts, body).await,
        (false, true) => finish(transfers, &mut upload).await,
        (false, false) => return Ok(response),
    };
    match filled {
        Ok(stored) => {
            let headers = response.headers_mut();
            headers.insert(UPLOAD_OFFSET, upload.offset.into());
            if let Some(stored) = stored {
                complete::tell(transfers, &stored, headers);
            }
            Ok(response)
        }
        Err(refused) => {
            // The client will not know where it stands, and so cannot go on.
            upload.forget(transfers).await?;
            Err(refused)
        }
    }
}

/// Takes the content in that came with the creation.
async fn fill(
    transfers: &Transfers,
    upload: &mut Upload,
    parts: &Parts,
    body: &mut Body,
) -> Result<Option<Stored>, Refused> {
    let (appended, stored) = append::take_in(transfers, upload, parts, body).await?;
    appended.map(|()| stored)
}

/// An empty upload is complete at once.
async fn finish(transfers: &Transfers, upload: &mut Upload) -> Result<Option<Stored>, Refused> {
    match complete::becomes_file(upload) {
        true => Ok(Some(complete::complete(transfers, upload, None).await?)),
        false => Ok(None),
    }
}

/// Makes the upload, if there is room for it.
pub(super) async fn begin(
    transfers: &Transfers,
    caller: Caller,
    note: Note,
) -> Result<Upload, Problem> {
    let length = note.length.unwrap_or(0);
    let id = UploadId::random()?;
    let begun = transfers.promises.begin(id, owner(caller), length);
    let begun = begun.map_err(|TooMany| {
        let status = StatusCode::TOO_MANY_REQUESTS;
        let detail = "There are too many unfinished uploads; finish or delete some first.";
        Problem::new(status, "too_many_uploads", detail).after(60)
    })?;
    // The client may go away anywhere in here: it counts if and only if it gets to the disk.
    transfers.admit(caller, length, length).await?;
    let create = transfers
        .partials
        .create(id, note.write(), move || begun.settle());
    create.await?;
    Ok(Upload {
        id,
        note,
        offset: 0,
        has_content: true,
        expires: transfers.expiry_of(transfers.clock.now()),
        turn: transfers.turns.take(id).await?,
    })
}

/// 201 with the place of the upload.
pub(super) fn created(transfers: &Transfers, upload: &Upload) -> Response {
    let mut response = StatusCode::CREATED.into_response();
    let headers = response.headers_mut();
    let prefix = router::prefix(transfers.policy.class);
    if let Ok(place) = HeaderValue::try_from(format!("{prefix}/uploads/{}", upload.id)) {
        headers.insert(LOCATION, place);
    }
    headers.insert(UPLOAD_EXPIRES, headers::date(upload.expires));
    response
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::store::BlobClass;
    use crate::transfer::testing::{lenient, uploading};

    #[tokio::test]
    async fn who_goes_away_before_it_is_there_leaves_no_promise() {
        let (transfers, _dir) = uploading(lenient(BlobClass::File));
        let (caller, note) = Note::of_somebody(&transfers, 4 << 30);
        let beginning = begin(&transfers, caller, note);
        // It waits for the disk, and is given up.
        assert!(beginning.now_or_never().is_none());
        assert_eq!(transfers.promises.bytes(), 0);
    }
}
