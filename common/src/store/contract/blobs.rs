//! The index of stored files, what addresses did, and the end of a store.

use std::collections::HashSet;
use std::net::IpAddr;

use super::setup::{NOW, commit, done, new_account, refused};
use crate::api::Refusal;
use crate::id::{BlobId, Millis, Seq};
use crate::store::blob::{self, Stored};
use crate::store::file::{self, Known};
use crate::store::{BlobClass, Change, NamedBlob, Outcome, Store, StoreError, meta};

const MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";

fn name(class: BlobClass, name: &str, content: u8, verified: bool) -> Change {
    Change::NameBlob {
        class,
        name: name.to_owned(),
        blob: BlobId([content; 32]),
        size: u64::from(content) * 5_000_000_000,
        verified,
        at: NOW,
    }
}

fn named(content: u8, verified: bool) -> Option<NamedBlob> {
    Some(NamedBlob {
        blob: BlobId([content; 32]),
        size: u64::from(content) * 5_000_000_000,
        verified,
    })
}

async fn look(store: &dyn Store, class: BlobClass, name: &str) -> Option<NamedBlob> {
    store.blob_named(class, name).await.unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub async fn a_name_stands_for_content(store: &dyn Store) {
    assert_eq!(look(store, BlobClass::File, MD5).await, None);
    let outcome = commit(store, name(BlobClass::File, MD5, 1, true)).await;
    assert_eq!(outcome, Outcome::done());
    assert_eq!(look(store, BlobClass::File, MD5).await, named(1, true));
    // Two names may stand for the same content.
    done(store, name(BlobClass::File, "🐱 '.jpg", 1, false)).await;
    let cat = look(store, BlobClass::File, "🐱 '.jpg").await;
    assert_eq!(cat, named(1, false));
    done(store, name(BlobClass::File, "empty", 0, false)).await;
    assert_eq!(look(store, BlobClass::File, "empty").await, named(0, false));
}

pub async fn verified_content_stays(store: &dyn Store) {
    let file = BlobClass::File;
    done(store, name(file, MD5, 1, true)).await;
    for verified in [true, false] {
        let other = name(file, MD5, 2, verified);
        refused(store, other, Refusal::NameVerified).await;
        let same = commit(store, name(file, MD5, 1, verified)).await;
        assert_eq!(same, Outcome::done());
        assert_eq!(look(store, file, MD5).await, named(1, true));
    }
}

pub async fn unverified_content_is_replaced(store: &dyn Store) {
    let image = BlobClass::Image;
    for (content, verified) in [(1, false), (2, false), (2, false), (3, true)] {
        done(store, name(image, MD5, content, verified)).await;
        assert_eq!(look(store, image, MD5).await, named(content, verified));
    }
    // The same content may become verified.
    done(store, name(image, "other", 4, false)).await;
    done(store, name(image, "other", 4, true)).await;
    assert_eq!(look(store, image, "other").await, named(4, true));
}

pub async fn classes_are_two_name_spaces(store: &dyn Store) {
    done(store, name(BlobClass::File, MD5, 1, true)).await;
    assert_eq!(look(store, BlobClass::Image, MD5).await, None);
    done(store, name(BlobClass::Image, MD5, 2, true)).await;
    assert_eq!(look(store, BlobClass::File, MD5).await, named(1, true));
    assert_eq!(look(store, BlobClass::Image, MD5).await, named(2, true));
}

pub async fn logins_are_remembered_by_address(store: &dyn Store) {
    let (four, six) = (address("192.0.2.7"), address("2001:db8::7"));
    assert_eq!(store.last_login_from(four).await.unwrap(), None);
    for (address, at, kept) in [(four, 5, 5), (six, 6, 6), (four, 9, 9), (six, 8, 8)] {
        let at = Millis(at);
        done(store, Change::NoteLogin { address, at }).await;
        let last = store.last_login_from(address).await.unwrap();
        assert_eq!(last, Some(Millis(kept)));
    }
    let other = store.last_login_from(address("192.0.2.70")).await;
    assert_eq!(other.unwrap(), None);
}

pub async fn uploads_are_counted_by_day(store: &dyn Store) {
    let (one, two) = (address("192.0.2.7"), address("2001:db8::7"));
    let count = |address, day, bytes| Change::CountUpload {
        address,
        day,
        bytes,
    };
    assert_eq!(store.uploaded(one, 19_000).await.unwrap(), 0);
    let batch = [
        count(one, 19_000, 5_000_000_000),
        count(one, 19_000, 1),
        count(one, 19_001, 7),
        count(two, 19_000, 0),
    ];
    store.commit(&batch).await.unwrap();
    done(store, count(one, 19_000, 2)).await;
    assert_eq!(store.uploaded(one, 19_000).await.unwrap(), 5_000_000_003);
    assert_eq!(store.uploaded(one, 19_001).await.unwrap(), 7);
    assert_eq!(store.uploaded(one, 18_999).await.unwrap(), 0);
    assert_eq!(store.uploaded(two, 19_000).await.unwrap(), 0);
}

pub async fn a_store_answers_and_closes(store: &dyn Store) {
    store.ping().await.unwrap();
    store.close().await;
    store.close().await;
    let outcome = store.commit(&[new_account("ann")]).await;
    assert!(matches!(outcome, Err(StoreError::Unreachable(_))));
    let conv = crate::id::ConvId::inbox(crate::id::UserId(1));
    let pulled = store.pull(conv, Seq(0), 1).await;
    assert!(matches!(pulled, Err(StoreError::Unreachable(_))));
    let answer = store.ping().await;
    assert!(matches!(answer, Err(StoreError::Unreachable(_))));
}

pub async fn a_stored_file_tells_its_names(store: &dyn Store) {
    for (class, text, content, verified) in [
        (BlobClass::Image, "a'b", 1, false),
        (BlobClass::File, "z", 1, false),
        (BlobClass::Image, MD5, 1, true),
        (BlobClass::File, "other", 2, false),
    ] {
        done(store, name(class, text, content, verified)).await;
    }
    let file = |content, names: &[(BlobClass, &str)]| Stored {
        blob: BlobId([content; 32]),
        size: u64::from(content) * 5_000_000_000,
        names: names
            .iter()
            .map(|(class, name)| (*class, (*name).to_owned()))
            .collect(),
    };
    let first = file(
        1,
        &[
            (BlobClass::Image, MD5),
            (BlobClass::File, "z"),
            (BlobClass::Image, "a'b"),
        ],
    );
    let second = file(2, &[(BlobClass::File, "other")]);
    let asked = [2, 3, 1].map(|content| BlobId([content; 32]));
    let found = blob::stored(store, &asked).await.unwrap();
    assert_eq!(found, [second, first]);
    assert!(blob::stored(store, &[]).await.unwrap().is_empty());
    // A file whose last name went to another one is still stored.
    done(store, name(BlobClass::File, "other", 1, false)).await;
    let found = blob::stored(store, &asked[..1]).await.unwrap();
    assert_eq!(found, [file(2, &[])]);
}

pub async fn the_history_has_an_epoch(store: &dyn Store) {
    let epoch = meta::epoch(store).await.unwrap();
    assert!(epoch > 0);
    let text = meta::get(store, meta::EPOCH).await.unwrap();
    assert_eq!(text, Some(epoch.to_string()));
}

pub async fn all_files_are_walked_in_order(store: &dyn Store) {
    assert!(file::known(store, None, 10).await.unwrap().is_empty());
    for content in [9, 1, 200, 30] {
        let md5 = format!("{content:032x}");
        done(store, name(BlobClass::File, &md5, content, true)).await;
    }
    let known = |content: u8| Known {
        blob: BlobId([content; 32]),
        size: u64::from(content) * 5_000_000_000,
        is_gone: false,
    };
    let page = file::known(store, None, 3).await.unwrap();
    assert_eq!(page, [known(1), known(9), known(30)]);
    let after = Some(BlobId([30; 32]));
    let page = file::known(store, after, 3).await.unwrap();
    assert_eq!(page, [known(200)]);
    let asked = [BlobId([8; 32]), BlobId([9; 32]), BlobId([200; 32])];
    let found = file::known_of(store, &asked).await.unwrap();
    assert_eq!(found, HashSet::from([asked[1], asked[2]]));
    assert!(file::known_of(store, &[]).await.unwrap().is_empty());
}
