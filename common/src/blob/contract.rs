//! What everything that keeps files must do, as small tests that start on an empty file cache.
//!
//! Knows no disk and no bucket. `blob_contract!(fresh)` makes one `#[tokio::test]` of each; `fresh`
//! is an async function without arguments that answers `(Blobs, G)`, where `G` is whatever must
//! live as long.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use bytes::{Bytes, BytesMut};

use super::{Blobs, Digest};
use crate::id::BlobId;

/// Makes a test of every function of the contract, or with `in_turn` runs them one after the other.
/// The crate that calls it needs tokio.
#[macro_export]
macro_rules! blob_contract {
    (in_turn $fresh:ident) => {
        $crate::blob_contract! { @all in_turn $fresh }
    };
    ($fresh:ident) => {
        $crate::blob_contract! { @all tests $fresh }
    };
    (@all $how:ident $fresh:ident) => {
        $crate::blob_contract! { @$how $fresh;
            what_is_kept_reads_back
            content_that_is_there_stays
            a_large_file_is_kept_whole
            it_is_read_at_any_place
            readers_of_one_file_do_not_disturb_each_other
            what_is_forgotten_is_gone
            what_is_taken_away_is_gone
            everything_is_listed_in_order
            many_keep_the_same_at_once
        }
    };
    (@tests $fresh:ident; $($test:ident)*) => {
        $(
            #[tokio::test]
            async fn $test() {
                let (blobs, _guard) = $fresh().await;
                $crate::blob::contract::$test(&blobs).await;
            }
        )*
    };
    (@in_turn $fresh:ident; $($test:ident)*) => {
        $(
            println!(stringify!($test));
            let (blobs, _guard) = $fresh().await;
            $crate::blob::contract::$test(&blobs).await;
        )*
    };
}

/// More than three parts of an upload to a bucket, and no whole number of them.
const LARGE_BYTES: usize = (25 << 20) + 12_345;

async fn put(blobs: &Blobs, content: &[u8]) -> Digest {
    let mut staging = blobs.stage().await.unwrap();
    for piece in content.chunks(1 << 20) {
        staging.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    let digest = staging.digest().await.unwrap();
    assert_eq!(staging.finish(digest.size).await.unwrap(), digest.blob);
    digest
}

async fn get(blobs: &Blobs, id: BlobId) -> Option<Vec<u8>> {
    let file = blobs.read(id).await.unwrap()?;
    let count = usize::try_from(file.len()).unwrap();
    Some(file.read(0, count, BytesMut::new()).await.unwrap().to_vec())
}

/// Bytes of which no two places look alike.
fn noise(len: usize) -> Vec<u8> {
    let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    let states = std::iter::successors(Some(7), next);
    states
        .map(|state| state.to_be_bytes()[0])
        .take(len)
        .collect()
}

pub async fn what_is_kept_reads_back(blobs: &Blobs) {
    let digest = put(blobs, b"abc").await;
    let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(digest.blob.to_string(), hex);
    assert_eq!(get(blobs, digest.blob).await.unwrap(), b"abc");
    let file = blobs.read(digest.blob).await.unwrap().unwrap();
    assert_eq!((file.len(), file.is_empty()), (3, false));
    assert!(file.modified().await.unwrap().0 > 1_600_000_000_000);
    assert_eq!(get(blobs, BlobId([0; 32])).await, None);
    let empty = put(blobs, b"").await.blob;
    assert_eq!(get(blobs, empty).await.unwrap(), b"");
}

pub async fn content_that_is_there_stays(blobs: &Blobs) {
    let id = put(blobs, b"same").await.blob;
    let before = blobs.read(id).await.unwrap().unwrap();
    assert_eq!(put(blobs, b"same").await.blob, id);
    let after = blobs.read(id).await.unwrap().unwrap();
    let modified = before.modified().await.unwrap();
    assert_eq!(after.modified().await.unwrap(), modified);
    assert_eq!(get(blobs, id).await.unwrap(), b"same");
    assert_eq!(blobs.list(None, 10).await.unwrap(), [id]);
}

pub async fn a_large_file_is_kept_whole(blobs: &Blobs) {
    let content = noise(LARGE_BYTES);
    let id = put(blobs, &content).await.blob;
    assert!(get(blobs, id).await.unwrap() == content);
    assert_eq!(put(blobs, &content).await.blob, id);
}

/// From the beginning to the end in steps, with a jump in between, and beyond the end.
pub async fn it_is_read_at_any_place(blobs: &Blobs) {
    let content = noise(1 << 20);
    let id = put(blobs, &content).await.blob;
    let file = blobs.read(id).await.unwrap().unwrap();
    let mut read = BytesMut::from("before");
    for (at, piece) in content.chunks(50_000).enumerate() {
        let offset = u64::try_from(at * 50_000).unwrap();
        read = file.read(offset, piece.len(), read).await.unwrap();
        if at == 5 {
            let jump = file.read(7, 100, BytesMut::new()).await.unwrap();
            assert!(jump[..] == content[7..107]);
        }
    }
    assert!(read[..6] == *b"before" && read[6..] == content);
    let last = file.read((1 << 20) - 1, 1, BytesMut::new()).await.unwrap();
    assert_eq!(last[..], content[(1 << 20) - 1..]);
    let nothing = file.read(1 << 20, 0, BytesMut::new()).await.unwrap();
    assert!(nothing.is_empty());
    let beyond = file.read((1 << 20) - 1, 2, BytesMut::new()).await;
    assert!(beyond.is_err());
    assert!(file.read(u64::MAX, 1, BytesMut::new()).await.is_err());
}

pub async fn readers_of_one_file_do_not_disturb_each_other(blobs: &Blobs) {
    let content = noise(400_000);
    let id = put(blobs, &content).await.blob;
    let file = blobs.read(id).await.unwrap().unwrap();
    let mut readers = tokio::task::JoinSet::new();
    for reader in 0..4 {
        let (file, content) = (file.clone(), content.clone());
        readers.spawn(async move {
            let step = 10_000 + reader * 1_000;
            for (at, piece) in content.chunks(step).enumerate() {
                let offset = u64::try_from(at * step).unwrap();
                let read = file.read(offset, piece.len(), BytesMut::new()).await;
                assert!(read.unwrap()[..] == *piece, "{reader} at {offset}");
            }
        });
    }
    while let Some(done) = readers.join_next().await {
        done.unwrap();
    }
}

pub async fn what_is_forgotten_is_gone(blobs: &Blobs) {
    let id = put(blobs, b"forget me").await.blob;
    let stays = put(blobs, b"keep me").await.blob;
    assert!(blobs.forget(id).await.unwrap());
    assert!(!blobs.forget(id).await.unwrap());
    assert_eq!(get(blobs, id).await, None);
    assert_eq!(get(blobs, stays).await.unwrap(), b"keep me");
    assert_eq!(put(blobs, b"forget me").await.blob, id);
    assert_eq!(get(blobs, id).await.unwrap(), b"forget me");
}

pub async fn what_is_taken_away_is_gone(blobs: &Blobs) {
    let id = put(blobs, b"damaged").await.blob;
    assert!(blobs.quarantine(id).await.unwrap());
    assert!(!blobs.quarantine(id).await.unwrap());
    assert_eq!(get(blobs, id).await, None);
    assert!(blobs.list(None, 10).await.unwrap().is_empty());
    // It may come again, and go again.
    assert_eq!(put(blobs, b"damaged").await.blob, id);
    assert!(blobs.quarantine(id).await.unwrap());
}

pub async fn everything_is_listed_in_order(blobs: &Blobs) {
    assert!(blobs.list(None, 10).await.unwrap().is_empty());
    let mut all = Vec::new();
    for number in 0..40 {
        all.push(put(blobs, format!("file {number}").as_bytes()).await.blob);
    }
    all.sort();
    assert_eq!(blobs.list(None, 100).await.unwrap(), all);
    let mut paged = Vec::new();
    loop {
        let page = blobs.list(paged.last().copied(), 7).await.unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 7);
        paged.extend(page);
    }
    assert_eq!(paged, all);
    // Behind one that is not there.
    let mut between = all[20];
    between.0[31] ^= 1;
    let later: Vec<_> = all.iter().copied().filter(|id| *id > between).collect();
    assert_eq!(blobs.list(Some(between), 100).await.unwrap(), later);
    assert!(
        blobs
            .list(Some(BlobId([0xff; 32])), 1)
            .await
            .unwrap()
            .is_empty()
    );
}

pub async fn many_keep_the_same_at_once(blobs: &Blobs) {
    let content = noise(300_000);
    let mut keeping = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (blobs, content) = (blobs.clone(), content.clone());
        keeping.spawn(async move { put(&blobs, &content).await.blob });
    }
    let mut ids = Vec::new();
    while let Some(done) = keeping.join_next().await {
        ids.push(done.unwrap());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert!(get(blobs, ids[0]).await.unwrap() == content);
    assert_eq!(blobs.list(None, 10).await.unwrap(), ids);
}
