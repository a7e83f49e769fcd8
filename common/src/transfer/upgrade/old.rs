//! The plain files by which existing Windows clients upgrade themselves, made from what was
//! published: two texts and a package.
//!
//! A client without a text of its own takes `update2.version` for the version that it has; it is
//! offered what `update.version` says if that is greater, letter by letter.

use std::net::IpAddr;

use bytes::Bytes;

use crate::blob::PlainName;
use crate::store::upgrade;
use crate::transfer::Transfers;
use crate::transfer::flamingo::download::Content;
use crate::transfer::flamingo::refusal::Refusal;
use crate::upgrade::{OLD_CHANNEL, OLD_PLATFORM, Offer, newest_for};

/// What is newest.
const NEWEST: &str = "update.version";
/// What a client has that does not know what it has.
const BASELINE: &str = "update2.version";
/// The version that is below all that can be published.
const LOWEST: &str = "0";
/// What is made of the notes is at most so long, in characters.
const DESCRIPTION_CHARS_MAX: usize = 200;

/// What stands behind this name for a client at this address; `None` for nothing.
pub(in crate::transfer) async fn open(
    transfers: &Transfers,
    name: &PlainName,
    peer: IpAddr,
) -> Result<Option<Content>, Refusal> {
    let name = name.as_str();
    let package = name.strip_suffix(".zip");
    if ![NEWEST, BASELINE].contains(&name) && package.is_none() {
        return Ok(None);
    }
    let store = &*transfers.store;
    let offers = upgrade::offers(store, OLD_PLATFORM, OLD_CHANNEL).await?;
    let offers: Vec<Offer> = offers
        .into_iter()
        .filter(|offer| offer.is_for_old)
        .collect();
    let Some(offer) = newest_for(&offers, &peer.to_canonical().to_string()) else {
        return Ok(None);
    };
    let Some(found) = upgrade::get(store, offer.number).await? else {
        return Ok(None);
    };
    let claim = &found.publication.claim;
    let Some(old_name) = &found.publication.old_name else {
        return Ok(None);
    };
    let Some(package) = package else {
        let version = match name {
            BASELINE => LOWEST.to_owned(),
            _ => claim.version.to_string(),
        };
        let text = version_file(&version, &claim.headline(), old_name);
        return Ok(Some(Content::Text(text)));
    };
    if package != old_name {
        return Ok(None);
    }
    let file = transfers.blobs.read(claim.file).await?;
    let whole = file.filter(|file| file.len() == claim.size);
    if whole.is_none() {
        tracing::error!(blob = %claim.file, "an upgrade package is missing or damaged");
    }
    Ok(whole.map(Content::File))
}

/// The text of a version: the number, and a line for the package.
fn version_file(version: &str, description: &str, old_name: &str) -> Bytes {
    let plain = |c: char| match c {
        '<' | '>' | '|' => ' ',
        c if c.is_control() => ' ',
        c => c,
    };
    let description: String = description
        .chars()
        .map(plain)
        .take(DESCRIPTION_CHARS_MAX)
        .collect();
    format!("{version}\r\n<1>{description}|{old_name}|{version}</1>\r\n").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_file_reads_as_clients_expect() {
        assert_eq!(
            version_file("1.2.3", "Main program", "Flamingo"),
            "1.2.3\r\n<1>Main program|Flamingo|1.2.3</1>\r\n"
        );
        // Nothing in the notes makes another line or field.
        assert_eq!(
            version_file("1.2.3", "a|b</1>\r\n更快", "F"),
            "1.2.3\r\n<1>a b /1   更快|F|1.2.3</1>\r\n"
        );
        let long = version_file("1.2.3", &"x".repeat(5000), "F");
        assert!(long.len() < 300);
    }

    #[test]
    fn the_baseline_is_below_every_version() {
        for version in ["0.0.1", "0.0.0", "1.0.0", "9.9.9", "10.0.0"] {
            assert!(LOWEST < version);
        }
    }
}
