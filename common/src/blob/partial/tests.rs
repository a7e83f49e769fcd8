//! Tests of uploads that rest on the disk.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tempfile::TempDir;

use super::*;
use crate::blob::Checksum;
use crate::id::BlobId;

struct Place {
    dir: TempDir,
    blobs: Blobs,
    partials: Partials,
}

impl Place {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap();
        let partials = Partials::open(&blobs).unwrap();
        Self {
            dir,
            blobs,
            partials,
        }
    }

    /// As after a crash: what was in memory is gone.
    fn again(self) -> Self {
        let Self { dir, .. } = self;
        let blobs = Blobs::open(dir.path()).unwrap();
        let partials = Partials::open(&blobs).unwrap();
        Self {
            dir,
            blobs,
            partials,
        }
    }

    async fn begin(&self) -> UploadId {
        let id = UploadId::random().unwrap();
        let created = self.partials.create(id, b"note".to_vec(), || {});
        created.await.unwrap();
        id
    }

    async fn open(&self, id: UploadId) -> Content {
        let held = Arc::new(());
        let opened = self.partials.open_content(id, true, held).await;
        opened.unwrap().unwrap()
    }

    async fn add(&self, id: UploadId, bytes: &'static [u8]) {
        let mut content = self.open(id).await;
        content.write(Bytes::from_static(bytes)).await.unwrap();
        content.close().await.unwrap();
    }

    fn file(&self, id: UploadId) -> PathBuf {
        self.dir.path().join("uploads").join(id.to_string())
    }

    async fn keep(&self, id: UploadId) -> BlobId {
        let mut content = self.open(id).await;
        let blob = content.digest().await.unwrap().blob;
        let file = content.finish().await.unwrap();
        self.blobs.keep(blob, file).await.unwrap();
        blob
    }
}

fn hash_of(content: &[u8]) -> BlobId {
    let mut sum = Checksum::named("sha256").unwrap();
    sum.update(content);
    BlobId(sum.finish().try_into().unwrap())
}

#[test]
fn names_are_32_digits_and_nothing_else() {
    let id = UploadId::random().unwrap();
    let text = id.to_string();
    assert_eq!(UploadId::from_hex(&text), Some(id));
    assert_eq!(text.len(), 32);
    let upper = "A".repeat(32);
    let short = &text[1..];
    let path = format!("../{}", &text[3..]);
    let sign = format!("+{short}");
    for wrong in ["", short, &upper, &path, &sign] {
        assert_eq!(UploadId::from_hex(wrong), None, "{wrong}");
    }
}

#[tokio::test]
async fn an_upload_goes_on_where_it_stopped_with_or_without_what_was_in_memory() {
    for forgets in [false, true] {
        let mut place = Place::new();
        let id = place.begin().await;
        place.add(id, b"hello ").await;
        if forgets {
            place = place.again();
        }
        let found = place.partials.find(id).await.unwrap().unwrap();
        assert_eq!(found.received, Some(6));
        assert_eq!(found.note, b"note");
        place.add(id, b"world").await;
        let mut content = place.open(id).await;
        let digest = content.digest().await.unwrap();
        assert_eq!(digest.size, 11);
        assert_eq!(digest.blob, hash_of(b"hello world"));
        let md5 = "5eb63bbbe01eeed093cb22bb8f5acdc3";
        assert_eq!(digest.md5_hex().as_deref(), Some(md5));
        drop(content);
        let blob = place.keep(id).await;
        assert_eq!(blob, hash_of(b"hello world"));
        assert_eq!(place.blobs.read(blob).await.unwrap().unwrap().len(), 11);
        let found = place.partials.find(id).await.unwrap().unwrap();
        assert_eq!(found.received, None);
    }
}

#[tokio::test]
async fn a_writer_that_is_dropped_leaves_what_it_wrote() {
    let place = Place::new();
    let id = place.begin().await;
    let held = Arc::new(());
    let opened = place.partials.open_content(id, true, held.clone());
    let mut content = opened.await.unwrap().unwrap();
    content.write(Bytes::from_static(b"abc")).await.unwrap();
    drop(content);
    // The turn is not given back before the last write is over.
    while Arc::strong_count(&held) > 1 {
        tokio::task::yield_now().await;
    }
    let mut content = place.open(id).await;
    assert_eq!(content.size(), 3);
    assert_eq!(content.digest().await.unwrap().blob, hash_of(b"abc"));
}

#[tokio::test]
async fn what_does_not_match_its_checksum_is_taken_back() {
    let place = Place::new();
    let id = place.begin().await;
    place.add(id, b"good").await;
    let mut content = place.open(id).await;
    content.remember().await.unwrap();
    let sum = Checksum::named("sha1").unwrap();
    content.begin_checksum(sum).await.unwrap();
    content.write(Bytes::from_static(b" bad")).await.unwrap();
    let sum = content.end_checksum().await.unwrap().unwrap();
    let mut expected = Checksum::named("sha1").unwrap();
    expected.update(b" bad");
    assert_eq!(sum, expected.finish());
    content.truncate(4).await.unwrap();
    assert_eq!(content.size(), 4);
    content.write(Bytes::from_static(b" one")).await.unwrap();
    let digest = content.digest().await.unwrap();
    assert_eq!(digest.blob, hash_of(b"good one"));
}

#[tokio::test]
async fn another_process_cannot_add_at_the_same_time() {
    let place = Place::new();
    let id = place.begin().await;
    let content = place.open(id).await;
    let other = Partials::open(&Blobs::open(place.dir.path()).unwrap()).unwrap();
    let refused = other.open_content(id, true, Arc::new(())).await;
    assert!(refused.unwrap_err().is_busy());
    assert!(!other.remove_if_older(id, Millis(i64::MAX)).await.unwrap());
    drop(content);
    assert!(other.remove_if_older(id, Millis(i64::MAX)).await.unwrap());
    assert_eq!(place.partials.find(id).await.unwrap(), None);
}

#[tokio::test]
async fn what_nobody_touched_for_long_is_removed_whatever_is_left_of_it() {
    let place = Place::new();
    let (old, fresh, torn) = (
        place.begin().await,
        place.begin().await,
        place.begin().await,
    );
    let note = place
        .dir
        .path()
        .join("uploads")
        .join(format!("{torn}.json"));
    fs::remove_file(note).unwrap();
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
    for id in [old, torn] {
        let content = File::options().write(true).open(place.file(id)).unwrap();
        content.set_modified(long_ago).unwrap();
    }
    let before = Millis(2_000_000);
    let mut removed = Vec::new();
    for id in place.partials.list().await.unwrap() {
        if place.partials.remove_if_older(id, before).await.unwrap() {
            removed.push(id);
        }
    }
    // The note of the old one is younger than its content.
    assert_eq!(removed, [torn]);
    let note = place.dir.path().join("uploads").join(format!("{old}.json"));
    let note = File::options().write(true).open(note).unwrap();
    note.set_modified(long_ago).unwrap();
    assert!(place.partials.remove_if_older(old, before).await.unwrap());
    assert_eq!(place.partials.list().await.unwrap(), [fresh]);
}

#[tokio::test]
async fn parts_are_put_together() {
    let place = Place::new();
    let (one, two, whole) = (
        place.begin().await,
        place.begin().await,
        place.begin().await,
    );
    place.add(one, b"hello ").await;
    place.add(two, b"world").await;
    assert_eq!(place.partials.copy(one, whole).await.unwrap(), 6);
    assert_eq!(place.partials.copy(two, whole).await.unwrap(), 11);
    let gone = UploadId::random().unwrap();
    assert_eq!(place.partials.copy(gone, whole).await.unwrap(), 11);
    assert_eq!(place.keep(whole).await, hash_of(b"hello world"));
    // The parts are what they were.
    assert_eq!(place.keep(one).await, hash_of(b"hello "));
}

#[tokio::test]
async fn a_note_is_the_old_one_or_the_new_one() {
    let place = Place::new();
    let id = place.begin().await;
    // As if the server had died while it wrote.
    let torn = place.dir.path().join("uploads").join(format!("{id}.new"));
    fs::write(torn, b"ne").unwrap();
    let found = place.partials.find(id).await.unwrap().unwrap();
    assert_eq!(found.note, b"note");
    place
        .partials
        .note(id, b"newer".to_vec(), true)
        .await
        .unwrap();
    let found = place.partials.find(id).await.unwrap().unwrap();
    assert_eq!(found.note, b"newer");
    assert!(place.partials.remove(id).await.unwrap());
    assert!(!place.partials.remove(id).await.unwrap());
    assert!(place.partials.list().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_folder_may_vanish() {
    let place = Place::new();
    let lost = place.begin().await;
    fs::remove_dir_all(place.dir.path().join("uploads")).unwrap();
    assert_eq!(place.partials.list().await.unwrap(), []);
    assert_eq!(place.partials.find(lost).await.unwrap(), None);
    let next = place.begin().await;
    place.add(next, b"next").await;
    assert_eq!(place.partials.list().await.unwrap(), [next]);
}
