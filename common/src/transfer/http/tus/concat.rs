//! Puts an upload together of others, which may have come side by side.

use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::Response;

use super::note::{Note, Part};
use super::upload::{find, no_such_upload};
use super::{Refused, UPLOAD_DEFER_LENGTH, UPLOAD_LENGTH};
use super::{complete, create, headers};
use crate::blob::UploadId;
use crate::transfer::Transfers;
use crate::transfer::http::access::Caller;
use crate::transfer::http::problem::Problem;
use crate::transfer::http::router;

/// So many parts are put together at most. Nobody sends more than some ten side by side.
const PARTS_MAX: usize = 1000;

/// `POST` with `Upload-Concat: final;…`: the content is copied, so that the parts stay what they
/// are.
pub(super) async fn create(
    transfers: &Transfers,
    parts: &Parts,
    caller: Caller,
    text: &str,
    metadata: Option<String>,
) -> Result<Response, Refused> {
    check_headers(&parts.headers)?;
    let ids = parts_of(transfers, text)?;
    let mut length: u64 = 0;
    for id in &ids {
        length = length.saturating_add(length_of(transfers, *id, caller).await?);
    }
    let note = Note {
        class: transfers.policy.class.into(),
        user: caller.user.map(|user| user.0),
        address: caller.address,
        length: Some(length),
        metadata,
        part: Part::Final(text.to_owned()),
        unchecked_from: None,
        examined: None,
        stored: None,
    };
    let mut upload = create::begin(transfers, caller, note).await?;
    for id in ids {
        let size = transfers.partials.copy(id, upload.id).await;
        match size {
            Ok(size) => upload.offset = size,
            Err(error) => {
                upload.forget(transfers).await?;
                return Err(error.into());
            }
        }
    }
    if !upload.is_complete() {
        // A part was deleted meanwhile.
        upload.forget(transfers).await?;
        return Err(no_such_upload().into());
    }
    let stored = complete::complete(transfers, &mut upload, None).await?;
    let mut response = create::created(transfers, &upload);
    complete::tell(transfers, &stored, response.headers_mut());
    Ok(response)
}

fn check_headers(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.contains_key(UPLOAD_LENGTH) || headers.contains_key(UPLOAD_DEFER_LENGTH) {
        return Err(headers::bad(
            "An upload that is put together is as long as its parts; it takes no Upload-Length.",
        ));
    }
    Ok(())
}

/// The parts of `final;/files/uploads/a /files/uploads/b`.
fn parts_of(transfers: &Transfers, text: &str) -> Result<Vec<UploadId>, Problem> {
    let wrong =
        || headers::bad("Upload-Concat is `partial`, or `final;` and the parts' addresses.");
    let list = text.strip_prefix("final;").ok_or_else(wrong)?;
    let addresses: Vec<&str> = list.split(' ').filter(|one| !one.is_empty()).collect();
    if addresses.is_empty() {
        return Err(wrong());
    }
    if addresses.len() > PARTS_MAX {
        return Err(headers::bad(format!(
            "At most {PARTS_MAX} parts can be put together."
        )));
    }
    let folder = format!("{}/uploads/", router::prefix(transfers.policy.class));
    let id = |address: &&str| {
        let (_, id) = address.rsplit_once(&folder).ok_or_else(wrong)?;
        UploadId::from_hex(id).ok_or_else(no_such_upload)
    };
    addresses.iter().map(id).collect()
}

/// The length of a part that is complete.
async fn length_of(transfers: &Transfers, id: UploadId, caller: Caller) -> Result<u64, Problem> {
    let (note, found) = find(transfers, id, caller).await?;
    if note.part != Part::Partial {
        return Err(headers::bad(
            "Only uploads with `Upload-Concat: partial` can be put together.",
        ));
    }
    match (note.length, found.received, note.unchecked_from) {
        (Some(length), Some(received), None) if length == received => Ok(length),
        _ => Err(headers::bad("A part is not complete.")),
    }
}
