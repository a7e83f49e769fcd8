//! Adds content to an upload.

use axum::Json;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use http_body::Body as _;

use super::note::Part;
use super::upload::{Upload, no_such_upload};
use super::{Refused, UPLOAD_EXPIRES, UPLOAD_LENGTH, UPLOAD_OFFSET};
use super::{complete, headers};
use crate::blob::{Checksum, Content};
use crate::transfer::Transfers;
use crate::transfer::http::admit::too_large;
use crate::transfer::http::finish::Stored;
use crate::transfer::http::problem::Problem;
use crate::transfer::http::receive::End;
use crate::transfer::uploads_active::Counted;

/// How the client wants the last answer.
const PREFER: HeaderName = HeaderName::from_static("prefer");

/// `PATCH`: takes content in at `Upload-Offset`.
pub(super) async fn append(
    transfers: &Transfers,
    name: &str,
    parts: &Parts,
    body: &mut Body,
) -> Result<Response, Refused> {
    let caller = transfers.caller(parts).await?;
    if !headers::is_content(&parts.headers) {
        return Err(headers::wrong_type().into());
    }
    let offset = headers::number(&parts.headers, &UPLOAD_OFFSET)?;
    let offset = offset.ok_or_else(|| headers::bad("The header Upload-Offset is needed."))?;
    // Read before the turn is taken, so that a bad request interrupts nobody.
    headers::checksum(&parts.headers)?;
    let length = headers::number(&parts.headers, &UPLOAD_LENGTH)?;
    let mut upload = Upload::open(transfers, name, caller).await?;
    if matches!(upload.note.part, Part::Final(_)) {
        let detail = "An upload that was put together of others takes no content.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "upload_is_final", detail).into());
    }
    if offset != upload.offset {
        let detail = format!("The upload goes on at {}, not at {offset}.", upload.offset);
        let refused = Refused::from(Problem::new(StatusCode::CONFLICT, "wrong_offset", detail));
        return Err(refused.with(UPLOAD_OFFSET, upload.offset.into()));
    }
    if let Some(length) = length {
        declare(transfers, &mut upload, length).await?;
    }
    let (appended, stored) = take_in(transfers, &mut upload, parts, body).await?;
    appended.map_err(|refused| refused.with(UPLOAD_OFFSET, upload.offset.into()))?;
    Ok(answer(transfers, &upload, stored, parts))
}

/// The client knows now how long the upload will be.
async fn declare(transfers: &Transfers, upload: &mut Upload, length: u64) -> Result<(), Problem> {
    match upload.note.length {
        Some(known) if known == length => return Ok(()),
        Some(_) => return Err(headers::bad("The length of this upload is known already.")),
        None if length < upload.offset => {
            return Err(headers::bad("More than Upload-Length is here already."));
        }
        None => {}
    }
    let left = length - upload.offset;
    if length > transfers.policy.upload_bytes_max {
        return Err(too_large(transfers.policy.upload_bytes_max));
    }
    transfers.promises.left(upload.id, left);
    if let Err(problem) = transfers.admit(upload.note.caller(), left, left).await {
        transfers.promises.left(upload.id, 0);
        return Err(problem);
    }
    upload.note.length = Some(length);
    upload.save(transfers, true).await
}

/// Takes the body in. The outer error is the server's; the inner one says why less came than
/// should have, what came is here. Tells also which file the upload became.
pub(super) async fn take_in(
    transfers: &Transfers,
    upload: &mut Upload,
    parts: &Parts,
    body: &mut Body,
) -> Result<(Result<(), Refused>, Option<Stored>), Refused> {
    let left = upload.left(transfers);
    let announced = body.size_hint().exact();
    if announced.is_some_and(|announced| announced > left) {
        return Ok((Err(overflow(upload).into()), None));
    }
    let checksum = headers::checksum(&parts.headers)?;
    let mut content = None;
    if upload.has_content {
        let mut open = upload
            .content(transfers)
            .await?
            .ok_or_else(no_such_upload)?;
        let taken = add(transfers, upload, &mut open, checksum, body, left).await;
        let unsaid = upload
            .note
            .length
            .map_or(0, |length| length - upload.offset);
        transfers.promises.left(upload.id, unsaid);
        if let Err(problem) = taken? {
            open.close().await?;
            return Ok((Err(problem.into()), None));
        }
        upload.expires = transfers.expiry_of(transfers.clock.now());
        content = Some(open);
    }
    if upload.is_complete() && complete::becomes_file(upload) {
        let stored = complete::complete(transfers, upload, content).await?;
        return Ok((Ok(()), Some(stored)));
    }
    if let Some(content) = content {
        content.close().await?;
    }
    Ok((Ok(()), None))
}

/// The inner error says why less came than should have.
async fn add(
    transfers: &Transfers,
    upload: &mut Upload,
    content: &mut Content,
    checksum: Option<(Checksum, Vec<u8>)>,
    body: &mut Body,
    left: u64,
) -> Result<Result<(), Problem>, Problem> {
    let _counted = Counted::new();
    let start = upload.offset;
    let Some((sum, expected)) = checksum else {
        let end = transfers
            .take(body, left, content, &upload.turn.preempted)
            .await;
        upload.offset = content.size();
        return Ok(judge(upload, end?));
    };
    // A crash must not leave what was never checked.
    upload.note.unchecked_from = Some(start);
    upload.save(transfers, true).await?;
    content.remember().await?;
    content.begin_checksum(sum).await?;
    let end = transfers
        .take(body, left, content, &upload.turn.preempted)
        .await?;
    let computed = content.end_checksum().await?;
    let mut judged = judge(upload, end);
    if judged.is_ok() && computed.as_ref() != Some(&expected) {
        judged = Err(mismatch());
    }
    if judged.is_err() {
        content.truncate(start).await?;
    } else {
        // What is marked as checked must be there after a power cut.
        content.sync().await?;
    }
    upload.offset = content.size();
    upload.note.unchecked_from = None;
    upload.save(transfers, true).await?;
    Ok(judged)
}

fn judge(upload: &Upload, end: End) -> Result<(), Problem> {
    match end {
        End::Whole => Ok(()),
        End::TooMuch => Err(overflow(upload)),
        End::Slow => {
            let detail = "The content came too slowly; what came is kept.";
            Err(Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "too_slow",
                detail,
            ))
        }
        End::Broken => Err(headers::bad("The connection broke; what came is kept.")),
        End::Preempted => Err(Problem::locked()),
    }
}

fn overflow(upload: &Upload) -> Problem {
    let status = StatusCode::PAYLOAD_TOO_LARGE;
    let detail = match upload.note.length {
        Some(length) => format!("The upload was announced with {length} bytes."),
        None => "The upload is larger than the server allows.".to_owned(),
    };
    Problem::new(status, "too_much_content", detail)
}

/// 460 is what tus calls it.
fn mismatch() -> Problem {
    crate::telemetry::metrics::UPLOAD_HASH_MISMATCH_TOTAL.increment(1);
    let status = StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST);
    let detail = "The content does not match its checksum; send it again.";
    Problem::new(status, "checksum_mismatch", detail)
}

fn answer(
    transfers: &Transfers,
    upload: &Upload,
    stored: Option<Stored>,
    parts: &Parts,
) -> Response {
    let stored = stored.or_else(|| upload.note.stored.clone());
    let wants_json = headers::text(&parts.headers, &PREFER)
        .is_ok_and(|prefer| prefer.is_some_and(|prefer| prefer.contains("return=representation")));
    let mut response = match &stored {
        Some(stored) if wants_json => Json(stored).into_response(),
        _ => StatusCode::NO_CONTENT.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(UPLOAD_OFFSET, upload.offset.into());
    headers.insert(UPLOAD_EXPIRES, headers::date(upload.expires));
    if let Some(stored) = &stored {
        complete::tell(transfers, stored, headers);
    }
    response
}
