//! The file cache against a real file system.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::*;

#[cfg(feature = "contract")]
mod contract {
    use super::{Blobs, TempDir};

    async fn fresh() -> (Blobs, TempDir) {
        let dir = TempDir::new().unwrap();
        (Blobs::open(dir.path()).unwrap(), dir)
    }

    crate::blob_contract!(fresh);
}

async fn put(blobs: &Blobs, content: &[u8]) -> Digest {
    let mut staging = blobs.stage().await.unwrap();
    for piece in content.chunks(7) {
        staging.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    let digest = staging.digest().await.unwrap();
    let size = u64::try_from(content.len()).unwrap();
    assert_eq!(staging.finish(size).await.unwrap(), digest.blob);
    digest
}

async fn get(blobs: &Blobs, id: BlobId) -> Option<Vec<u8>> {
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
    let blobs = Blobs::open(&cache).unwrap();
    let digest = put(&blobs, b"abc").await;
    assert_eq!(
        digest.md5_hex().unwrap(),
        "900150983cd24fb0d6963f7d28e17f72"
    );
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
    let blobs = Blobs::open(dir.path()).unwrap();
    let id = put(&blobs, b"same").await.blob;
    assert_eq!(put(&blobs, b"same").await.blob, id);
    assert_eq!(files_under(&dir.path().join("blobs")).len(), 1);
    let name = id.to_string();
    let folder = dir.path().join("blobs").join(&name[..2]).join(&name[2..4]);
    fs::write(folder.join(&name), b"sa").unwrap();
    put(&blobs, b"same").await;
    assert_eq!(get(&blobs, id).await.unwrap(), b"same");
    assert_eq!(unfinished(dir.path()), 0);
}

#[tokio::test]
async fn a_dropped_or_wrong_upload_leaves_nothing() {
    let dir = TempDir::new().unwrap();
    let blobs = Blobs::open(dir.path()).unwrap();
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
    let living = Blobs::open(dir.path()).unwrap();
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

    let second = Blobs::open(dir.path()).unwrap();
    assert_eq!(unfinished(dir.path()), 1);
    assert_eq!(get(&second, published).await.unwrap(), b"published");
    let id = receiving.finish(6).await.unwrap();
    assert_eq!(get(&second, id).await.unwrap(), b"so far");
}

#[tokio::test]
async fn the_folder_for_unfinished_files_may_vanish() {
    let dir = TempDir::new().unwrap();
    let blobs = Blobs::open(dir.path()).unwrap();
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
    let blobs = Blobs::open(dir.path()).unwrap();
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
    let blobs = Blobs::open(dir.path()).unwrap();
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
    let blobs = Blobs::open(dir.path()).unwrap();
    assert!(blobs.free_bytes().await.unwrap() > 0);
}

#[tokio::test]
async fn without_md5_there_is_none_and_all_else_is_the_same() {
    let dir = TempDir::new().unwrap();
    let blobs = Blobs::open(dir.path()).unwrap();
    let mut staging = blobs.stage_sha().await.unwrap();
    staging.write(Bytes::from_static(b"abc")).await.unwrap();
    let digest = staging.digest().await.unwrap();
    assert_eq!((digest.md5, digest.md5_hex(), digest.size), (None, None, 3));
    let seen = staging.view().await.unwrap();
    assert_eq!(seen.len(), 3);
    assert_eq!(&seen.read(1, 2, BytesMut::new()).await.unwrap()[..], b"bc");
    let id = staging.finish(3).await.unwrap();
    assert_eq!(id, put(&blobs, b"abc").await.blob);
}

#[tokio::test]
async fn a_piece_that_cannot_be_written_spoils_the_file() {
    let dir = TempDir::new().unwrap();
    let blobs = Blobs::open(dir.path()).unwrap();
    let mut staging = blobs.stage().await.unwrap();
    // As a full disk does: whatever is written from now on fails.
    let full = File::options().write(true).open("/dev/full").unwrap();
    staging.replace_file(full);
    staging.write(Bytes::from_static(b"lost")).await.unwrap();
    let told = staging.write(Bytes::from_static(b"next")).await;
    assert!(matches!(told, Err(BlobError::Disk { doing: "write", .. })));
    assert!(matches!(staging.digest().await, Err(BlobError::Spoiled)));
    assert!(matches!(staging.finish(8).await, Err(BlobError::Spoiled)));
    assert!(files_under(&dir.path().join("blobs")).is_empty());
}

/// Takes every byte, and cannot say that the disk has it.
fn never_sure() -> File {
    let file = File::options().read(true).write(true).open("/dev/null");
    let file = file.unwrap();
    assert!(file.sync_all().is_err(), "Linux cannot sync it");
    file
}

#[tokio::test]
async fn nothing_is_kept_of_which_the_disk_is_not_sure() {
    let dir = TempDir::new().unwrap();
    let blobs = Blobs::open(dir.path()).unwrap();
    let not_sure = |told: &Result<_, BlobError>| {
        let saving = matches!(told, Err(BlobError::Disk { doing: "save", .. }));
        assert!(saving, "{told:?}");
    };
    let mut staging = blobs.stage().await.unwrap();
    staging.replace_file(never_sure());
    staging.write(Bytes::from_static(b"lost")).await.unwrap();
    not_sure(&staging.finish(4).await.map(drop));
    // The same of an upload that can be resumed.
    let partials = Partials::open(&blobs).unwrap();
    let id = UploadId::random().unwrap();
    partials.create(id, b"note".to_vec(), || {}).await.unwrap();
    let opened = partials.open_content(id, false, Arc::new(())).await;
    let mut content = opened.unwrap().unwrap();
    content.write(Bytes::from_static(b"lost")).await.unwrap();
    content.view().await.unwrap();
    content.replace_file(never_sure());
    not_sure(&content.sync().await);
    assert!(matches!(content.finish().await, Err(BlobError::Spoiled)));
    // Whoever opens it again is not told that it is there: another sync would say so.
    let opened = partials.open_content(id, false, Arc::new(())).await;
    let mut content = opened.unwrap().unwrap();
    assert_eq!(content.size(), 0);
    content.write(Bytes::from_static(b"again")).await.unwrap();
    content.finish().await.unwrap();
    assert!(files_under(&dir.path().join("blobs")).is_empty());
}

#[tokio::test]
async fn an_upload_that_cannot_be_kept_stays() {
    let dir = TempDir::new().unwrap();
    let blobs = Blobs::open(dir.path()).unwrap();
    let path = dir.path().join("upload");
    fs::write(&path, b"abc").unwrap();
    let upload = || {
        let file = Arc::new(File::open(&path).unwrap());
        FinishedFile::uploaded(path.clone(), file, 3)
    };
    let id = put(&blobs, b"other").await.blob;
    fs::rename(dir.path().join("blobs"), dir.path().join("away")).unwrap();
    fs::write(dir.path().join("blobs"), b"in the way").unwrap();
    assert!(blobs.keep(id, upload()).await.is_err());
    assert_eq!(fs::read(&path).unwrap(), b"abc");
    fs::remove_file(dir.path().join("blobs")).unwrap();
    fs::rename(dir.path().join("away"), dir.path().join("blobs")).unwrap();
    let id = BlobId(Sha256::digest(b"abc").into());
    blobs.keep(id, upload()).await.unwrap();
    assert!(!path.exists());
    fs::write(&path, b"abc").unwrap();
    blobs.keep(id, upload()).await.unwrap();
    assert!(!path.exists());
    assert_eq!(get(&blobs, id).await.unwrap(), b"abc");
}

/// Whether `taking` comes to an end before the lock is free again.
async fn is_free<T>(taking: impl Future<Output = Result<T, BlobError>>) -> bool {
    let soon = std::time::Duration::from_millis(50);
    tokio::time::timeout(soon, taking).await.is_ok()
}

/// Files of different parts.
const CAT: BlobId = BlobId([1; 32]);
const DOG: BlobId = BlobId([2; 32]);

#[tokio::test]
async fn publication_and_deletion_exclude_each_other_between_servers() {
    let dir = TempDir::new().unwrap();
    let (one, two) = (Blobs::open(dir.path()), Blobs::open(dir.path()));
    let (one, two) = (one.unwrap(), two.unwrap());
    let publishing = one.publishing(CAT).await.unwrap();
    let also = two.publishing(CAT).await.unwrap();
    assert!(!is_free(two.collecting(CAT)).await);
    drop((publishing, also));
    // The one that was given up may still come and go.
    let collecting = one.collecting(CAT).await.unwrap();
    assert!(!is_free(two.publishing(CAT)).await);
    assert!(!is_free(one.publishing(CAT)).await);
    drop(collecting);
    drop(two.publishing(CAT).await.unwrap());
    let (collecting, free) = one.collecting_free(vec![CAT, DOG, CAT]).await.unwrap();
    assert_eq!(free, [CAT, DOG, CAT]);
    assert!(!is_free(two.publishing(DOG)).await);
    drop(collecting);
    drop(two.publishing(DOG).await.unwrap());
}

#[tokio::test]
async fn a_slow_publication_keeps_nobody_else_waiting() {
    let dir = TempDir::new().unwrap();
    let blobs = Blobs::open(dir.path()).unwrap();
    let other = Blobs::open(dir.path()).unwrap();
    let slow = blobs.publishing(CAT).await.unwrap();
    let (collecting, free) = other.collecting_free(vec![CAT, DOG]).await.unwrap();
    assert_eq!(free, [DOG]);
    drop(blobs.publishing(CAT).await.unwrap());
    drop(collecting);
    drop(blobs.publishing(DOG).await.unwrap());
    drop(slow);
    let (_collecting, free) = other.collecting_free(vec![CAT]).await.unwrap();
    assert_eq!(free, [CAT]);
}
