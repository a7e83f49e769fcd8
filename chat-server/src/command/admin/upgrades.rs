//! Upgrade packages of clients: publishing one, giving it to more devices, withdrawing it.

use common::api::Refusal;
use common::blob::PlainName;
use common::store::upgrade::{self, Publication, Upgrade, UpgradeChange};
use common::store::{Change, file};
use common::upgrade::{Claim, ClaimFault, OLD_CHANNEL, OLD_PLATFORM, is_signed};

use super::{Administrator, Deed, carry_out};
use crate::app::App;
use crate::command::Failure;

/// The longest name by which existing clients ask for a package, in bytes.
const OLD_NAME_BYTES_MAX: usize = 64;

/// A package that lies on the file server, and what its publisher signed.
#[derive(Clone, Debug)]
pub struct NewUpgrade {
    pub claim: Claim,
    pub percent: u32,
    pub old_name: Option<String>,
    pub key: String,
    pub signature: String,
}

fn invalid<T>(field: &'static str, problem: &'static str) -> Result<T, Failure> {
    Err(Failure::Invalid { field, problem })
}

/// Gives a package to clients.
///
/// # Errors
/// `Invalid` for a field that cannot be, also a signature that is not of this; `NoSuchFile`,
/// `VersionTooLow`, `VersionTooLowForOld`, `TooMany`, `NotAnAdmin`; the store's.
pub async fn publish_upgrade(
    app: &App,
    who: &Administrator,
    new: NewUpgrade,
) -> Result<Upgrade, Failure> {
    check(&new)?;
    let claim = &new.claim;
    let stored = file::about(&*app.store, claim.file).await?;
    let stored = stored.ok_or(Refusal::NoSuchFile)?;
    if stored.size != claim.size {
        return invalid("`size`", "is not the size of the file");
    }
    let detail = format!(
        "{} {} {}, file {}",
        claim.platform, claim.channel, claim.version, claim.file
    );
    let publication = Publication {
        claim: new.claim,
        percent: new.percent,
        old_name: new.old_name,
        key: new.key,
        signature: new.signature,
        at: app.clock.now(),
    };
    let change = Change::Upgrade(UpgradeChange::Publish(Box::new(publication)));
    let deed = Deed::new("upgrade.publish", "upgrade:", detail);
    let number = carry_out(app, who, deed, change).await?;
    existing(app, number.unwrap_or(0)).await
}

fn check(new: &NewUpgrade) -> Result<(), Failure> {
    let claim = &new.claim;
    match claim.check() {
        Ok(()) => {}
        Err(ClaimFault::Platform) => {
            return invalid("`platform`", "is no name of a-z, 0-9 and -, at most 32");
        }
        Err(ClaimFault::Channel) => {
            return invalid("`channel`", "is no name of a-z, 0-9 and -, at most 32");
        }
        Err(ClaimFault::Empty) => return invalid("`size`", "is 0"),
        Err(ClaimFault::Name) => {
            return invalid("`name`", "may have letters, digits, dots, - and _ only");
        }
        Err(ClaimFault::Notes) => {
            return invalid(
                "`notes`",
                "are longer than 16 KiB or have control characters",
            );
        }
    }
    check_percent(new.percent)?;
    if let Some(old_name) = &new.old_name {
        let fits = old_name.len() <= OLD_NAME_BYTES_MAX;
        if !fits || PlainName::new(old_name.as_bytes()).is_none() {
            return invalid(
                "`old_name`",
                "is no name of letters, digits, dots, - and _, at most 64",
            );
        }
        if (&*claim.platform, &*claim.channel) != (OLD_PLATFORM, OLD_CHANNEL) {
            return invalid(
                "`old_name`",
                "is for platform windows, channel stable only: existing clients know no others",
            );
        }
    }
    if !is_signed(&new.key, &claim.text(), &new.signature) {
        return invalid("`signature`", "is not that of this package by this key");
    }
    Ok(())
}

fn check_percent(percent: u32) -> Result<(), Failure> {
    if percent > 100 {
        return invalid("`percent`", "is more than 100");
    }
    Ok(())
}

/// What was published, the newest first.
///
/// # Errors
/// The store's.
pub async fn upgrades(
    app: &App,
    _who: &Administrator,
    only: (Option<&str>, Option<&str>),
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<Upgrade>, Failure> {
    // Others were never published, and MySQL compares no other letters with a column of ASCII.
    if [only.0, only.1]
        .iter()
        .flatten()
        .any(|name| !name.is_ascii())
    {
        return Ok(Vec::new());
    }
    Ok(upgrade::list(&*app.store, only, before, limit).await?)
}

/// Gives a package to more devices, or to fewer.
///
/// # Errors
/// `Invalid`, `NoSuchUpgrade`, `NotAnAdmin`; the store's.
pub async fn set_upgrade_percent(
    app: &App,
    who: &Administrator,
    number: u32,
    percent: u32,
) -> Result<Upgrade, Failure> {
    check_percent(percent)?;
    let claim = existing(app, number).await?.publication.claim;
    let detail = format!(
        "{} {} {} for {percent}%",
        claim.platform, claim.channel, claim.version
    );
    let deed = Deed::new("upgrade.percent", format!("upgrade:{number}"), detail);
    let change = Change::Upgrade(UpgradeChange::SetPercent {
        upgrade: number,
        percent,
    });
    carry_out(app, who, deed, change).await?;
    existing(app, number).await
}

/// Takes a package back: the one before is the newest again.
///
/// # Errors
/// `NoSuchUpgrade`, `NotAnAdmin`; the store's.
pub async fn withdraw_upgrade(
    app: &App,
    who: &Administrator,
    number: u32,
) -> Result<Upgrade, Failure> {
    let claim = existing(app, number).await?.publication.claim;
    let detail = format!("{} {} {}", claim.platform, claim.channel, claim.version);
    let deed = Deed::new("upgrade.withdraw", format!("upgrade:{number}"), detail);
    let change = Change::Upgrade(UpgradeChange::Withdraw {
        upgrade: number,
        at: app.clock.now(),
    });
    carry_out(app, who, deed, change).await?;
    existing(app, number).await
}

async fn existing(app: &App, number: u32) -> Result<Upgrade, Failure> {
    let found = upgrade::get(&*app.store, number).await?;
    found.ok_or_else(|| Refusal::NoSuchUpgrade.into())
}
