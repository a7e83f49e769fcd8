//! Upgrade packages of clients.

use super::setup::{NOW, commit, done, refused, user};
use crate::api::{BlobClass, Refusal};
use crate::id::{BlobId, Millis};
use crate::store::file::{self, FileChange, GRACE_MS, Uploaded};
use crate::store::upgrade::{self, Publication, Upgrade, UpgradeChange};
use crate::store::{Change, Outcome, Store};
use crate::upgrade::Claim;

const ONE: BlobId = BlobId([1; 32]);
const OTHER: BlobId = BlobId([2; 32]);

async fn put(store: &dyn Store, blob: BlobId) {
    let uploaded = Uploaded {
        class: BlobClass::File,
        blob,
        size: 7,
        mime: "application/zip".to_owned(),
        name: None,
        picture: None,
        owner: None,
        md5: None,
        at: NOW,
        expires: Some(NOW),
        user_bytes_max: None,
        total_bytes_max: None,
    };
    done(store, Change::File(FileChange::Uploaded(uploaded))).await;
}

fn publication(version: &str, file: BlobId) -> Publication {
    Publication {
        claim: Claim {
            platform: "windows".to_owned(),
            channel: "stable".to_owned(),
            version: version.parse().unwrap(),
            file,
            size: 7,
            name: format!("Setup-{version}.zip"),
            notes: "更快\nand 'more'".to_owned(),
        },
        percent: 10,
        old_name: None,
        key: "key".to_owned(),
        signature: "signature".to_owned(),
        at: NOW,
    }
}

fn change(publication: Publication) -> Change {
    Change::Upgrade(UpgradeChange::Publish(Box::new(publication)))
}

async fn publish(store: &dyn Store, publication: Publication) -> u32 {
    match commit(store, change(publication)).await {
        Outcome::Done { id: Some(id), .. } => id,
        other => panic!("{other:?}"),
    }
}

fn withdraw(upgrade: u32) -> Change {
    Change::Upgrade(UpgradeChange::Withdraw { upgrade, at: NOW })
}

fn set_percent(upgrade: u32, percent: u32) -> Change {
    Change::Upgrade(UpgradeChange::SetPercent { upgrade, percent })
}

pub async fn a_package_stays_as_it_was_published(store: &dyn Store) {
    put(store, ONE).await;
    let published = Publication {
        old_name: Some("Flamingo".to_owned()),
        ..publication("1.2.3", ONE)
    };
    let number = publish(store, published.clone()).await;
    let expected = Upgrade {
        number,
        publication: published,
        withdrawn: None,
    };
    let found = upgrade::get(store, number).await.unwrap();
    assert_eq!(found.as_ref(), Some(&expected));
    done(store, set_percent(number, 100)).await;
    let offers = upgrade::offers(store, "windows", "stable").await.unwrap();
    let offer = &offers[0];
    assert_eq!(
        (offer.number, offer.percent, offer.is_withdrawn),
        (number, 100, false)
    );
    assert!(offer.is_for_old && offers.len() == 1);
    for (platform, channel) in [("windows", "beta"), ("linux", "stable"), ("' OR 1", "")] {
        let offers = upgrade::offers(store, platform, channel).await.unwrap();
        assert!(offers.is_empty(), "{platform} {channel}");
    }
    assert_eq!(upgrade::get(store, number + 1).await.unwrap(), None);
    let none = Refusal::NoSuchUpgrade;
    refused(store, set_percent(number + 1, 1), none).await;
    refused(store, withdraw(number + 1), none).await;
}

pub async fn packages_are_listed_newest_first(store: &dyn Store) {
    user(store, "ann").await;
    put(store, ONE).await;
    let mut numbers = Vec::new();
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        numbers.push(publish(store, publication(version, ONE)).await);
    }
    let mut beta = publication("1.0.0", ONE);
    "beta".clone_into(&mut beta.claim.channel);
    let beta = publish(store, beta).await;
    let list = async |only, before, limit| -> Vec<u32> {
        let found = upgrade::list(store, only, before, limit).await.unwrap();
        found.iter().map(|upgrade| upgrade.number).collect()
    };
    let [first, second, third] = numbers[..] else {
        panic!("{numbers:?}")
    };
    let all = (None, None);
    assert_eq!(list(all, None, 9).await, [beta, third, second, first]);
    assert_eq!(list(all, Some(third.into()), 1).await, [second]);
    let stable = (Some("windows"), Some("stable"));
    assert_eq!(list(stable, None, 2).await, [third, second]);
    assert_eq!(list((Some("linux"), None), None, 2).await, [0; 0]);
}

pub async fn versions_only_go_up(store: &dyn Store) {
    put(store, ONE).await;
    let old = |version| Publication {
        old_name: Some("Flamingo".to_owned()),
        ..publication(version, ONE)
    };
    let number = publish(store, old("1.9.0")).await;
    for low in ["1.9.0", "1.8.9", "1.9.0-beta.1"] {
        refused(store, change(publication(low, ONE)), Refusal::VersionTooLow).await;
    }
    // For existing Windows clients 1.10.0 is below 1.9.0.
    let too_low = Refusal::VersionTooLowForOld;
    refused(store, change(old("1.10.0")), too_low).await;
    // Who has what was withdrawn must see that there is something newer.
    done(store, withdraw(number)).await;
    refused(store, change(old("1.10.0")), too_low).await;
    let same = change(publication("1.9.0", ONE));
    refused(store, same, Refusal::VersionTooLow).await;
    publish(store, publication("1.10.0", ONE)).await;
    publish(store, old("2.0.0")).await;
    let nowhere = change(publication("3.0.0", OTHER));
    refused(store, nowhere, Refusal::NoSuchFile).await;
}

pub async fn a_package_is_public_until_it_is_withdrawn(store: &dyn Store) {
    put(store, ONE).await;
    put(store, OTHER).await;
    let number = publish(store, publication("1.0.0", ONE)).await;
    let kept = publish(store, publication("1.1.0", OTHER)).await;
    let late = Millis(NOW.0 + 10 * GRACE_MS);
    let is_public = async |blob| file::is_public(store, blob).await.unwrap();
    assert!(is_public(ONE).await && is_public(OTHER).await);
    assert!(file::expired(store, late, 9).await.unwrap().is_empty());
    done(store, withdraw(number)).await;
    refused(store, withdraw(number), Refusal::NoSuchUpgrade).await;
    refused(store, set_percent(number, 1), Refusal::NoSuchUpgrade).await;
    assert!(!is_public(ONE).await && is_public(OTHER).await);
    assert_eq!(file::expired(store, late, 9).await.unwrap(), [ONE]);
    let found = upgrade::get(store, number).await.unwrap().unwrap();
    assert_eq!(found.withdrawn, Some(NOW));
    // The same content under two numbers goes with the second one.
    let again = publish(store, publication("1.2.0", OTHER)).await;
    done(store, withdraw(kept)).await;
    assert!(is_public(OTHER).await);
    done(store, withdraw(again)).await;
    assert!(!is_public(OTHER).await);
}
