//! The file cache against a real file system.

use std::os::unix::fs::symlink;
use std::path::Path;

use bytes::{Bytes, BytesMut};
use tempfile::TempDir;

use super::*;

async fn put(blobs: &DiskBlobs, content: &[u8]) -> Digest {
    let mut staging = blobs.stage().await.unwrap();
    for piece in content.chunks(7) {
        staging.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    let digest = staging.digest().unwrap();
    let size = u64::try_from(content.len()).unwrap();
    assert_eq!(staging.finish(size).await.unwrap(), digest.blob);
    digest
}

async fn get(blobs: &DiskBlobs, id: BlobId) -> Option<Vec<u8>> {
    let file = blobs.read(id).await.unwrap()?;
    let count = usize::try_from(file.len()).unwrap();
    Some(file.read(0, count, BytesMut::new()).await.unwrap().to_vec())
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_under(&path));
        } else {
            found.push(path);
        }
    }
    found
}

fn unfinished(cache: &Path) -> usize {
    files_under(&cache.join("tmp"))
        .iter()
        .filter(|path| {
            path.file_name()
                .is_some_and(|n| n != "lock" && n != ".gate")
        })
        .count()
}

/// Deleting happens on another thread.
async fn until(what: impl Fn() -> bool) {
    for _ in 0..500 {
        if what() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("did not happen within 5 s");
}

#[tokio::test]
async fn a_file_stands_under_its_hash_and_reads_back() {
    let dir = TempDir::new().unwrap();
    let cache = dir.path().join("filecache");
    let blobs = DiskBlobs::open(&cache).unwrap();
    let digest = put(&blobs, b"abc").await;
    assert_eq!(digest.md5_hex(), "900150983cd24fb0d6963f7d28e17f72");
    let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(digest.blob.to_string(), hex);
    assert_eq!(
        fs::read(cache.join("blobs/ba/78").join(hex)).unwrap(),
        b"abc"
    );
    assert_eq!(get(&blobs, digest.blob).await.unwrap(), b"abc");
    let file = blobs.read(digest.blob).await.unwrap().unwrap();
    assert_eq!(
        &file.read(1, 2, BytesMut::from("x")).await.unwrap()[..],
        b"xbc"
    );
    assert!(file.read(2, 2, BytesMut::new()).await.is_err());
    assert_eq!(get(&blobs, BlobId([0; 32])).await, None);
    assert_eq!(unfinished(&cache), 0);
}

#[tokio::test]
async fn the_same_content_twice_is_one_file_and_a_damaged_one_is_replaced() {
    let dir = TempDir::new().unwrap();
    let blobs = DiskBlobs::open(dir.path()).unwrap();
    let id = put(&blobs, b"same").await.blob;
    assert_eq!(put(&blobs, b"same").await.blob, id);
    assert_eq!(files_under(&dir.path().join("blobs")).len(), 1);
    fs::write(blobs.cache.path_of(id), b"sa").unwrap();
    put(&blobs, b"same").await;
    assert_eq!(get(&blobs, id).await.unwrap(), b"same");
    assert_eq!(unfinished(dir.path()), 0);
}

#[tokio::test]
async fn a_dropped_or_wrong_upload_leaves_nothing() {
    let dir = TempDir::new().unwrap();
    let blobs = DiskBlobs::open(dir.path()).unwrap();
    let mut dropped = blobs.stage().await.unwrap();
    dropped.write(Bytes::from_static(b"half")).await.unwrap();
    assert_eq!(unfinished(dir.path()), 1);
    drop(dropped);
    let mut short = blobs.stage().await.unwrap();
    short.write(Bytes::from_static(b"half")).await.unwrap();
    let refused = short.finish(5).await.unwrap_err();
    assert!(matches!(
        refused,
        BlobError::Length {
            promised: 5,
            received: 4
        }
    ));
    until(|| unfinished(dir.path()) == 0).await;
    assert!(files_under(&dir.path().join("blobs")).is_empty());
}

#[tokio::test]
async fn a_start_removes_what_a_killed_server_left_and_nothing_of_a_living_one() {
    let dir = TempDir::new().unwrap();
    let living = DiskBlobs::open(dir.path()).unwrap();
    let published = put(&living, b"published").await.blob;
    let mut receiving = living.stage().await.unwrap();
    receiving
        .write(Bytes::from_static(b"so far"))
        .await
        .unwrap();
    // As a kill leaves it: a folder whose lock nobody holds, one without a lock, a stray file.
    for (folder, file) in [("1-0", "lock"), ("1-0", "0"), ("2-0", "17")] {
        fs::create_dir_all(dir.path().join("tmp").join(folder)).unwrap();
        fs::write(dir.path().join("tmp").join(folder).join(file), b"half").unwrap();
    }
    fs::write(dir.path().join("tmp/stray"), b"half").unwrap();
    assert_eq!(unfinished(dir.path()), 4);

    let second = DiskBlobs::open(dir.path()).unwrap();
    assert_eq!(unfinished(dir.path()), 1);
    assert_eq!(get(&second, published).await.unwrap(), b"published");
    let id = receiving.finish(6).await.unwrap();
    assert_eq!(get(&second, id).await.unwrap(), b"so far");
}

#[tokio::test]
async fn the_folder_for_unfinished_files_may_vanish() {
    let dir = TempDir::new().unwrap();
    let blobs = DiskBlobs::open(dir.path()).unwrap();
    let mut receiving = blobs.stage().await.unwrap();
    receiving.write(Bytes::from_static(b"lost")).await.unwrap();
    fs::remove_dir_all(dir.path().join("tmp")).unwrap();
    let refused = receiving.finish(4).await.unwrap_err().to_string();
    assert!(refused.starts_with("cannot publish"), "{refused}");
    let id = put(&blobs, b"next").await.blob;
    assert_eq!(get(&blobs, id).await.unwrap(), b"next");
}

#[tokio::test]
async fn a_large_file_is_flushed_on_the_way() {
    let dir = TempDir::new().unwrap();
    let blobs = DiskBlobs::open(dir.path()).unwrap();
    let mut staging = blobs.stage().await.unwrap();
    let piece = Bytes::from(vec![7; 1 << 20]);
    for _ in 0..9 {
        staging.write(piece.clone()).await.unwrap();
    }
    assert!(staging.flushing.is_some());
    let id = staging.finish(9 << 20).await.unwrap();
    assert_eq!(get(&blobs, id).await.unwrap().len(), 9 << 20);
}

#[tokio::test]
async fn plain_files_are_regular_files_of_the_folder_itself() {
    let dir = TempDir::new().unwrap();
    let blobs = DiskBlobs::open(dir.path()).unwrap();
    fs::write(dir.path().join("update.version"), b"1.0").unwrap();
    symlink("/etc/passwd", dir.path().join("link")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        dir.path().join("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let name = |text: &str| PlainName::new(text.as_bytes()).unwrap();
    let found = blobs.read_plain(&name("update.version")).await.unwrap();
    assert_eq!(found.unwrap().len(), 3);
    for absent in ["link", "pipe", "tmp", "blobs", "nothing"] {
        assert!(
            blobs.read_plain(&name(absent)).await.unwrap().is_none(),
            "{absent}"
        );
    }
}

#[tokio::test]
async fn free_space_is_told() {
    let dir = TempDir::new().unwrap();
    let blobs = DiskBlobs::open(dir.path()).unwrap();
    assert!(blobs.free_bytes().await.unwrap() > 0);
}
