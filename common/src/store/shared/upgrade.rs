//! Upgrade packages of clients: what was published for which platform and channel.

use super::file::{Reference, present, refer, unrefer};
use super::tx::refused;
use super::{Row, Tx, Value};
use crate::api::Refusal;
use crate::id::Millis;
use crate::store::{Outcome, Store, StoreError};
use crate::upgrade::{Claim, Offer, Version};

/// How many packages there are of one platform and channel at the most; one chooses among them in
/// memory.
pub const UPGRADES_MAX: usize = 1000;

/// A write about upgrade packages.
#[derive(Clone, Debug)]
pub enum UpgradeChange {
    /// Done with the new number; its content is kept and everybody may download it. Refused:
    /// `VersionTooLow`, `VersionTooLowForOld`, `TooMany`, `NoSuchFile`.
    Publish(Box<Publication>),
    /// From now on it is for so many of a hundred devices. Refused: `NoSuchUpgrade`, also for one
    /// that was withdrawn.
    SetPercent { upgrade: u32, percent: u32 },
    /// Nobody is offered it any more, and its content goes if nothing else needs it. Refused:
    /// `NoSuchUpgrade`, also for one that was withdrawn.
    Withdraw { upgrade: u32, at: Millis },
}

/// A package that is given to clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    pub claim: Claim,
    /// How many of a hundred devices it is for.
    pub percent: u32,
    /// What existing Windows clients call the package; `None` if they are not told of it.
    pub old_name: Option<String>,
    /// The publisher's public key, and his signature of [`Claim::text`]; both were checked.
    pub key: String,
    pub signature: String,
    pub at: Millis,
}

/// A package that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    pub number: u32,
    pub publication: Publication,
    pub withdrawn: Option<Millis>,
}

const COLUMNS: &str = "SELECT f_id, f_platform, f_channel, f_version, f_sha256, f_size, f_name, \
     f_notes, f_percent, f_old_name, f_key, f_signature, f_published, f_withdrawn FROM t_upgrade";

pub(super) async fn apply<T: Tx>(tx: &mut T, change: &UpgradeChange) -> Result<Outcome, T::Fault> {
    match change {
        UpgradeChange::Publish(new) => publish(tx, new).await,
        UpgradeChange::SetPercent { upgrade, percent } => {
            if !is_out(tx, *upgrade).await? {
                return refused(Refusal::NoSuchUpgrade);
            }
            let sql = "UPDATE t_upgrade SET f_percent = ? WHERE f_id = ?";
            tx.execute(sql, vec![(*percent).into(), (*upgrade).into()])
                .await?;
            Ok(Outcome::done())
        }
        UpgradeChange::Withdraw { upgrade, at } => {
            if !is_out(tx, *upgrade).await? {
                return refused(Refusal::NoSuchUpgrade);
            }
            let sql = "UPDATE t_upgrade SET f_withdrawn = ? WHERE f_id = ?";
            tx.execute(sql, vec![(*at).into(), (*upgrade).into()])
                .await?;
            unrefer(tx, Reference::Package(*upgrade), *at).await?;
            Ok(Outcome::done())
        }
    }
}

/// Whether there is this package and it was not withdrawn. Locks it.
async fn is_out<T: Tx>(tx: &mut T, upgrade: u32) -> Result<bool, T::Fault> {
    let sql = format!(
        "SELECT 1 FROM t_upgrade WHERE f_id = ? AND f_withdrawn = 0{}",
        T::FOR_UPDATE
    );
    Ok(!tx.select(&sql, vec![upgrade.into()]).await?.is_empty())
}

async fn publish<T: Tx>(tx: &mut T, new: &Publication) -> Result<Outcome, T::Fault> {
    let claim = &new.claim;
    if let Some(refusal) = check(tx, new).await? {
        return refused(refusal);
    }
    if !present(tx, &[claim.file]).await?.contains(&claim.file) {
        return refused(Refusal::NoSuchFile);
    }
    let sql = "INSERT INTO t_upgrade (f_platform, f_channel, f_version, f_sha256, f_size, f_name, \
         f_notes, f_percent, f_old_name, f_key, f_signature, f_published) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let values = vec![
        claim.platform.as_str().into(),
        claim.channel.as_str().into(),
        claim.version.to_string().into(),
        claim.file.into(),
        i64::try_from(claim.size).unwrap_or(i64::MAX).into(),
        claim.name.as_str().into(),
        claim.notes.as_str().into(),
        new.percent.into(),
        new.old_name.as_deref().unwrap_or_default().into(),
        new.key.as_str().into(),
        new.signature.as_str().into(),
        new.at.into(),
    ];
    tx.execute(sql, values).await?;
    let sql = "SELECT f_id FROM t_upgrade \
         WHERE f_platform = ? AND f_channel = ? AND f_version = ?";
    let values = vec![
        claim.platform.as_str().into(),
        claim.channel.as_str().into(),
        claim.version.to_string().into(),
    ];
    let rows = tx.select(sql, values).await?;
    let number = rows.first().map(|row| row.u32(0)).transpose()?;
    let number = number.ok_or_else(|| StoreError::Broken("a new row is not there".to_owned()))?;
    refer(tx, Reference::Package(number), [claim.file]).await?;
    Ok(Outcome::Done {
        id: Some(number),
        entries: Vec::new(),
    })
}

/// What stands against a version, also in what was withdrawn: who has that must be able to go on.
async fn check<T: Tx>(tx: &mut T, new: &Publication) -> Result<Option<Refusal>, T::Fault> {
    let claim = &new.claim;
    let sql = format!(
        "SELECT f_version, f_old_name FROM t_upgrade WHERE f_platform = ? AND f_channel = ?{}",
        T::FOR_UPDATE
    );
    let values = vec![
        claim.platform.as_str().into(),
        claim.channel.as_str().into(),
    ];
    let rows = tx.select(&sql, values).await?;
    if rows.len() >= UPGRADES_MAX {
        return Ok(Some(Refusal::TooMany));
    }
    let text = claim.version.to_string();
    let mut refusal = None;
    for row in &rows {
        if version(row, 0)? >= claim.version {
            return Ok(Some(Refusal::VersionTooLow));
        }
        let was_for_old = !row.text(1)?.is_empty();
        if new.old_name.is_some() && was_for_old && row.text(0)? >= text {
            refusal = Some(Refusal::VersionTooLowForOld);
        }
    }
    Ok(refusal)
}

/// A package; `None` if there is none of this number.
///
/// # Errors
/// When the database cannot be asked.
pub async fn get(store: &dyn Store, number: u32) -> Result<Option<Upgrade>, StoreError> {
    let sql = format!("{COLUMNS} WHERE f_id = ?");
    let rows = store.select(&sql, vec![number.into()]).await?;
    rows.first().map(upgrade).transpose()
}

/// The newest packages, before the number `before` if that is given; only those of a platform and
/// of a channel if these are given.
///
/// # Errors
/// When the database cannot be asked.
pub async fn list(
    store: &dyn Store,
    (platform, channel): (Option<&str>, Option<&str>),
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<Upgrade>, StoreError> {
    let before = before.and_then(|id| i64::try_from(id).ok());
    let mut sql = format!("{COLUMNS} WHERE f_id < ?");
    let mut values: Vec<Value> = vec![before.unwrap_or(i64::MAX).into()];
    for (column, wanted) in [("f_platform", platform), ("f_channel", channel)] {
        if let Some(wanted) = wanted {
            sql.push_str(&format!(" AND {column} = ?"));
            values.push(wanted.into());
        }
    }
    sql.push_str(" ORDER BY f_id DESC LIMIT ?");
    values.push(limit.into());
    store
        .select(&sql, values)
        .await?
        .iter()
        .map(upgrade)
        .collect()
}

/// All packages of a platform and channel, as far as one chooses by it.
///
/// # Errors
/// When the database cannot be asked.
pub async fn offers(
    store: &dyn Store,
    platform: &str,
    channel: &str,
) -> Result<Vec<Offer>, StoreError> {
    let sql = "SELECT f_id, f_version, f_percent, f_withdrawn, f_old_name FROM t_upgrade \
         WHERE f_platform = ? AND f_channel = ?";
    let rows = store
        .select(sql, vec![platform.into(), channel.into()])
        .await?;
    let offer = |row: &Row| {
        Ok(Offer {
            number: row.u32(0)?,
            version: version(row, 1)?,
            percent: row.u32(2)?,
            is_withdrawn: row.int(3)? != 0,
            is_for_old: !row.text(4)?.is_empty(),
        })
    };
    rows.iter().map(offer).collect()
}

fn upgrade(row: &Row) -> Result<Upgrade, StoreError> {
    let (old_name, withdrawn) = (row.text(9)?, row.millis(13)?);
    Ok(Upgrade {
        number: row.u32(0)?,
        publication: Publication {
            claim: Claim {
                platform: row.text(1)?,
                channel: row.text(2)?,
                version: version(row, 3)?,
                file: row.blob(4)?,
                size: row.unsigned(5)?,
                name: row.text(6)?,
                notes: row.text(7)?,
            },
            percent: row.u32(8)?,
            old_name: (!old_name.is_empty()).then_some(old_name),
            key: row.text(10)?,
            signature: row.text(11)?,
            at: row.millis(12)?,
        },
        withdrawn: (withdrawn.0 != 0).then_some(withdrawn),
    })
}

fn version(row: &Row, column: usize) -> Result<Version, StoreError> {
    let text = row.text(column)?;
    text.parse()
        .map_err(|fault| StoreError::Broken(format!("{fault}")))
}
