//! Letting a file go. First the row says that it is gone, then the content is deleted, then the row
//! goes too: a server that stops in between leaves a row that says so, and the next one goes on.

use super::{ANY_KIND, held, is_referred};
use crate::api::Refusal;
use crate::id::{BlobId, Millis};
use crate::store::Outcome;
use crate::store::shared::Tx;
use crate::store::shared::tx::refused;

pub(super) async fn forget<T: Tx>(
    tx: &mut T,
    blob: BlobId,
    now: Millis,
) -> Result<Outcome, T::Fault> {
    let Some(held) = held(tx, blob).await? else {
        return refused(Refusal::NoSuchFile);
    };
    if held.is_gone {
        return Ok(Outcome::done());
    }
    let is_over = held.expires.is_some_and(|expires| expires <= now);
    if !is_over || is_referred(tx, blob, ANY_KIND).await? {
        return refused(Refusal::FileNeeded);
    }
    let sql = "UPDATE t_blob SET f_gone = ? WHERE f_sha256 = ?";
    tx.execute(sql, vec![now.into(), blob.into()]).await?;
    remove(tx, "t_blob_owner", blob).await?;
    remove(tx, "t_blob_name", blob).await?;
    Ok(Outcome::done())
}

pub(super) async fn retire<T: Tx>(
    tx: &mut T,
    blob: BlobId,
    before: Millis,
    now: Millis,
) -> Result<Outcome, T::Fault> {
    let Some(held) = held(tx, blob).await? else {
        return refused(Refusal::NoSuchFile);
    };
    if held.is_gone {
        return Ok(Outcome::done());
    }
    if held.stored >= before || is_referred(tx, blob, "f_kind <> 1").await? {
        return refused(Refusal::FileNeeded);
    }
    // Expired as well, so that it is found again until it is erased. Its names stay: messages of
    // old clients go on to say which file it was.
    let sql = "UPDATE t_blob SET f_gone = ?, f_expires = ? WHERE f_sha256 = ?";
    tx.execute(sql, vec![now.into(), now.into(), blob.into()])
        .await?;
    remove(tx, "t_blob_owner", blob).await?;
    Ok(Outcome::done())
}

pub(super) async fn erased<T: Tx>(tx: &mut T, blob: BlobId) -> Result<Outcome, T::Fault> {
    let Some(held) = held(tx, blob).await? else {
        return Ok(Outcome::done());
    };
    if !held.is_gone {
        return refused(Refusal::FileNeeded);
    }
    if is_referred(tx, blob, ANY_KIND).await? {
        let sql = "UPDATE t_blob SET f_expires = NULL WHERE f_sha256 = ?";
        tx.execute(sql, vec![blob.into()]).await?;
    } else {
        remove(tx, "t_blob_name", blob).await?;
        remove(tx, "t_blob", blob).await?;
    }
    Ok(Outcome::done())
}

async fn remove<T: Tx>(tx: &mut T, table: &str, blob: BlobId) -> Result<(), T::Fault> {
    let sql = format!("DELETE FROM {table} WHERE f_sha256 = ?");
    tx.execute(&sql, vec![blob.into()]).await?;
    Ok(())
}
