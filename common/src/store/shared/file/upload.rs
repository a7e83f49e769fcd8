//! A file came, or somebody relies on one that is here.

use super::{ANY_KIND, NAME_CHARS_MAX, Uploaded, class_number, held, is_referred};
use crate::api::{BlobClass, Refusal};
use crate::id::{BlobId, Millis, UserId};
use crate::store::Outcome;
use crate::store::shared::tx::refused;
use crate::store::shared::{Tx, Value};

pub(super) async fn uploaded<T: Tx>(tx: &mut T, new: &Uploaded) -> Result<Outcome, T::Fault> {
    if let Some(owner) = new.owner {
        // Two uploads of one user do not pass his quota together.
        tx.lock(&[owner.0]).await?;
    }
    let there = held(tx, new.blob).await?.filter(|held| !held.is_gone);
    if let Some(owner) = new.owner
        && let Some(limit) = new.user_bytes_max
        && !is_owner(tx, owner, new.blob).await?
        && used(tx, owner).await?.saturating_add(new.size) > limit
    {
        return refused(Refusal::QuotaUser);
    }
    if let Some(limit) = new.total_bytes_max
        && there.is_none()
        && used_in_all(tx).await?.saturating_add(new.size) > limit
    {
        return refused(Refusal::QuotaTotal);
    }
    let expires = match &there {
        // What is kept stays so; what expires does so later.
        Some(held) => held
            .expires
            .and_then(|at| new.expires.map(|new| new.max(at))),
        None if is_referred(tx, new.blob, ANY_KIND).await? => None,
        None => new.expires,
    };
    write(tx, new, expires).await?;
    if let Some(owner) = new.owner {
        write_owner(tx, owner, new).await?;
    }
    if let Some(md5) = &new.md5 {
        write_name(tx, new.class, md5, new.blob, new.at).await?;
    }
    Ok(Outcome::done())
}

async fn write<T: Tx>(tx: &mut T, new: &Uploaded, expires: Option<Millis>) -> Result<(), T::Fault> {
    let size = i64::try_from(new.size).unwrap_or(i64::MAX);
    let sql = format!(
        "{} INTO t_blob (f_sha256, f_size, f_time, f_legacy) VALUES (?, ?, ?, 0)",
        T::INSERT_IGNORE
    );
    let values = vec![new.blob.into(), size.into(), new.at.into()];
    tx.execute(&sql, values).await?;
    let (width, height, thumbhash) = match &new.picture {
        Some(picture) => (
            Value::Int(picture.width.into()),
            Value::Int(picture.height.into()),
            optional(picture.thumbhash.as_deref()),
        ),
        None => (Value::Null, Value::Null, Value::Null),
    };
    // Who uploads a picture as a file does not take away what is known of it.
    let sql = "UPDATE t_blob SET f_mime = ?, f_width = COALESCE(?, f_width), \
         f_height = COALESCE(?, f_height), f_thumbhash = COALESCE(?, f_thumbhash), \
         f_time = ?, f_expires = ?, f_gone = NULL WHERE f_sha256 = ?";
    let values = vec![
        new.mime.as_str().into(),
        width,
        height,
        thumbhash,
        new.at.into(),
        expires.map_or(Value::Null, Value::from),
        new.blob.into(),
    ];
    tx.execute(sql, values).await?;
    Ok(())
}

async fn write_owner<T: Tx>(tx: &mut T, owner: UserId, new: &Uploaded) -> Result<(), T::Fault> {
    let name = new.name.as_deref();
    let name: Option<String> = name.map(|name| name.chars().take(NAME_CHARS_MAX).collect());
    let sql = "REPLACE INTO t_blob_owner (f_user_id, f_sha256, f_class, f_name, f_size, f_time) \
         VALUES (?, ?, ?, ?, ?, ?)";
    let values = vec![
        owner.into(),
        new.blob.into(),
        class_number(new.class).into(),
        optional(name.as_deref()),
        i64::try_from(new.size).unwrap_or(i64::MAX).into(),
        new.at.into(),
    ];
    tx.execute(sql, values).await?;
    Ok(())
}

fn optional(text: Option<&str>) -> Value {
    text.map_or(Value::Null, Value::from)
}

/// Lets the MD5 stand for the content, unless it stands for verified content.
async fn write_name<T: Tx>(
    tx: &mut T,
    class: BlobClass,
    md5: &str,
    blob: BlobId,
    at: Millis,
) -> Result<(), T::Fault> {
    let sql = format!(
        "SELECT f_verified FROM t_blob_name WHERE f_class = ? AND f_name = ?{}",
        T::FOR_UPDATE
    );
    let key = || vec![class_number(class).into(), md5.into()];
    let rows = tx.select(&sql, key()).await?;
    if rows.first().map(|row| row.flag(0)).transpose()? == Some(true) {
        return Ok(());
    }
    let sql = "REPLACE INTO t_blob_name (f_class, f_name, f_sha256, f_verified, f_time) \
         VALUES (?, ?, ?, 1, ?)";
    let mut values = key();
    values.extend([blob.into(), at.into()]);
    tx.execute(sql, values).await?;
    Ok(())
}

pub(super) async fn named<T: Tx>(
    tx: &mut T,
    class: BlobClass,
    blob: BlobId,
    md5: &str,
    at: Millis,
) -> Result<Outcome, T::Fault> {
    if held(tx, blob).await?.is_none_or(|held| held.is_gone) {
        return refused(Refusal::NoSuchFile);
    }
    write_name(tx, class, md5, blob, at).await?;
    Ok(Outcome::done())
}

pub(super) async fn postpone<T: Tx>(
    tx: &mut T,
    blob: BlobId,
    expires: Millis,
) -> Result<Outcome, T::Fault> {
    if held(tx, blob).await?.is_none_or(|held| held.is_gone) {
        return refused(Refusal::NoSuchFile);
    }
    let sql = "UPDATE t_blob SET f_expires = ? WHERE f_sha256 = ? AND f_expires < ?";
    tx.execute(sql, vec![expires.into(), blob.into(), expires.into()])
        .await?;
    Ok(Outcome::done())
}

pub(super) async fn from_before<T: Tx>(tx: &mut T, blob: BlobId) -> Result<Outcome, T::Fault> {
    let sql = "UPDATE t_blob SET f_legacy = 2 WHERE f_sha256 = ?";
    tx.execute(sql, vec![blob.into()]).await?;
    Ok(Outcome::done())
}

async fn is_owner<T: Tx>(tx: &mut T, user: UserId, blob: BlobId) -> Result<bool, T::Fault> {
    let sql = "SELECT 1 FROM t_blob_owner WHERE f_user_id = ? AND f_sha256 = ? LIMIT 1";
    Ok(!tx
        .select(sql, vec![user.into(), blob.into()])
        .await?
        .is_empty())
}

async fn used<T: Tx>(tx: &mut T, user: UserId) -> Result<u64, T::Fault> {
    let rows = tx.select(super::read::USED, vec![user.into()]).await?;
    Ok(rows.first().map_or(Ok(0), |row| row.unsigned(0))?)
}

async fn used_in_all<T: Tx>(tx: &mut T) -> Result<u64, T::Fault> {
    let rows = tx.select(super::read::USED_IN_ALL, Vec::new()).await?;
    Ok(rows.first().map_or(Ok(0), |row| row.unsigned(0))?)
}
