//! File caches that are damaged on purpose, with a database that knows what they should be.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::*;
use crate::store::{BlobClass, Change, DatabaseUrl, OpenOptions, open};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

struct Cache {
    dir: TempDir,
    blobs: Blobs,
    store: Arc<dyn Store>,
    /// What a file is called next.
    names: u32,
}

impl Cache {
    async fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let url = DatabaseUrl::Sqlite(dir.path().join("im.db"));
        let store = open(&url, &OpenOptions::default()).await.unwrap();
        let blobs = Blobs::open(&dir.path().join("filecache")).unwrap();
        Self {
            dir,
            blobs,
            store,
            names: 0,
        }
    }

    fn filecache(&self) -> PathBuf {
        self.dir.path().join("filecache")
    }

    fn path_of(&self, blob: BlobId) -> PathBuf {
        let hex = blob.to_string();
        let folder = self.filecache().join("blobs");
        folder.join(&hex[..2]).join(&hex[2..4]).join(hex)
    }

    async fn keep(&self, content: &'static [u8]) -> BlobId {
        keep(&self.blobs, content).await
    }

    /// As an upload does.
    async fn upload(&mut self, content: &'static [u8]) -> BlobId {
        let blob = self.keep(content).await;
        self.names += 1;
        let change = Change::NameBlob {
            class: BlobClass::File,
            name: format!("{:032x}", self.names),
            blob,
            size: u64::try_from(content.len()).unwrap(),
            verified: true,
            at: Millis(5),
        };
        self.store.commit(&[change]).await.unwrap();
        blob
    }

    async fn content(&self, blob: BlobId) -> Option<Vec<u8>> {
        let file = self.blobs.read(blob).await.unwrap()?;
        let count = usize::try_from(file.len()).unwrap();
        let read = file.read(0, count, BytesMut::new()).await.unwrap();
        Some(read.to_vec())
    }

    async fn scrub(&self, options: ScrubOptions) -> (Report, Vec<Finding>) {
        let mut found = Vec::new();
        let tell = |progress| match progress {
            Progress::Found(finding) => found.push(finding),
            Progress::At(_) => {}
        };
        let report = scrub(&self.blobs, &*self.store, &options, tell).await;
        (report.unwrap(), found)
    }
}

async fn keep(blobs: &Blobs, content: &'static [u8]) -> BlobId {
    let mut staging = blobs.stage_sha().await.unwrap();
    staging.write(Bytes::from_static(content)).await.unwrap();
    let size = staging.size();
    staging.finish(size).await.unwrap()
}

/// The day after tomorrow, when everything is old.
fn later() -> Millis {
    let now = fs::metadata("/proc/self").unwrap().modified().unwrap();
    let since = now.duration_since(std::time::UNIX_EPOCH).unwrap();
    Millis(i64::try_from(since.as_millis()).unwrap() + 2 * DAY_MS)
}

fn thorough() -> ScrubOptions {
    ScrubOptions {
        reads_content: true,
        bytes_per_s_max: None,
        repairs: true,
        copies: None,
        now: later(),
    }
}

fn looking() -> ScrubOptions {
    ScrubOptions {
        repairs: false,
        ..thorough()
    }
}

/// Changes a byte and no length.
fn rot(path: &Path) {
    let mut content = fs::read(path).unwrap();
    content[0] ^= 1;
    fs::write(path, content).unwrap();
}

#[tokio::test]
async fn a_whole_file_cache_is_clean() {
    let mut cache = Cache::new().await;
    for content in [&b"one"[..], b"two", b"three"] {
        cache.upload(content).await;
    }
    let (report, found) = cache.scrub(thorough()).await;
    assert_eq!(found, []);
    assert!(report.is_clean());
    assert_eq!((report.files, report.bytes), (3, 11));
    let quick = ScrubOptions {
        reads_content: false,
        ..thorough()
    };
    let (report, _) = cache.scrub(quick).await;
    assert_eq!((report.files, report.bytes), (3, 0));
}

#[tokio::test]
async fn everything_that_is_wrong_is_found_and_only_told() {
    let mut cache = Cache::new().await;
    let good = cache.upload(b"good").await;
    let lost = cache.upload(b"lost").await;
    let short = cache.upload(b"short").await;
    let rotten = cache.upload(b"rotten").await;
    let orphan = cache.keep(b"orphan").await;
    fs::remove_file(cache.path_of(lost)).unwrap();
    fs::write(cache.path_of(short), b"sho").unwrap();
    rot(&cache.path_of(rotten));

    let (report, mut found) = cache.scrub(looking()).await;
    let changed = Sha256::digest(b"sotten");
    let mut expected = [
        (lost, Fault::Missing),
        (
            short,
            Fault::Length {
                expected: 5,
                found: 3,
            },
        ),
        (
            rotten,
            Fault::Content {
                found: BlobId(changed.into()),
            },
        ),
        (orphan, Fault::Orphan { size: 6 }),
    ]
    .map(|(blob, fault)| Finding {
        blob,
        fault,
        repair: Repair::None,
    });
    found.sort_by_key(|finding| finding.blob);
    expected.sort_by_key(|finding| finding.blob);
    assert_eq!(found, expected);
    assert_eq!(
        (report.missing, report.damaged, report.orphans, report.files),
        (1, 2, 1, 4)
    );
    assert!(!report.is_clean());
    // Nothing was touched: a second look sees the same.
    assert_eq!(cache.scrub(looking()).await.0, report);
    assert_eq!(cache.content(good).await.unwrap(), b"good");
}

#[tokio::test]
async fn damaged_content_goes_to_quarantine_until_it_is_uploaded_again() {
    let mut cache = Cache::new().await;
    let rotten = cache.upload(b"rotten").await;
    rot(&cache.path_of(rotten));
    // The length is right, so an upload leaves it as it is.
    cache.upload(b"rotten").await;
    assert_eq!(cache.content(rotten).await.unwrap(), b"sotten");

    let (report, found) = cache.scrub(thorough()).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].repair, Repair::Quarantined);
    assert_eq!((report.damaged, report.quarantined), (1, 1));
    assert!(!report.is_clean());
    assert_eq!(cache.content(rotten).await, None);
    let kept = cache
        .filecache()
        .join("quarantine")
        .join(rotten.to_string());
    assert_eq!(fs::read(kept).unwrap(), b"sotten");
    let (_, found) = cache.scrub(thorough()).await;
    assert_eq!(found[0].fault, Fault::Missing);

    cache.upload(b"rotten").await;
    assert!(cache.scrub(thorough()).await.0.is_clean());
    assert_eq!(cache.content(rotten).await.unwrap(), b"rotten");
}

#[tokio::test]
async fn what_a_backup_has_is_copied_from_there() {
    let mut cache = Cache::new().await;
    let backup = TempDir::new().unwrap();
    let copies = Blobs::open(backup.path()).unwrap();
    let lost = cache.upload(b"lost").await;
    let rotten = cache.upload(b"rotten").await;
    let gone = cache.upload(b"gone everywhere").await;
    for content in [&b"lost"[..], b"rotten", b"gone everywhere"] {
        keep(&copies, content).await;
    }
    for blob in [lost, gone] {
        fs::remove_file(cache.path_of(blob)).unwrap();
    }
    rot(&cache.path_of(rotten));
    let hex = gone.to_string();
    let copy = backup.path().join("blobs").join(&hex[..2]).join(&hex[2..4]);
    rot(&copy.join(&hex));

    let options = ScrubOptions {
        copies: Some(backup.path().to_owned()),
        ..thorough()
    };
    let (report, _) = cache.scrub(options.clone()).await;
    assert_eq!((report.missing, report.damaged), (2, 1));
    assert_eq!((report.restored, report.quarantined), (2, 0));
    assert_eq!(cache.content(lost).await.unwrap(), b"lost");
    assert_eq!(cache.content(rotten).await.unwrap(), b"rotten");
    assert_eq!(cache.content(gone).await, None);
    let told = ScrubOptions {
        repairs: false,
        ..options
    };
    assert_eq!(cache.scrub(told).await.0.missing, 1);
}

#[tokio::test]
async fn an_orphan_is_deleted_when_it_is_old_and_still_nobody_knows_it() {
    let mut cache = Cache::new().await;
    let orphan = cache.keep(b"orphan").await;
    let known = cache.upload(b"known").await;
    let young = Millis(later().0 - 2 * DAY_MS);
    let options = ScrubOptions {
        now: young,
        ..thorough()
    };
    let (report, found) = cache.scrub(options).await;
    assert_eq!(found, []);
    assert!(report.is_clean());
    let none = orphans(&cache.blobs, &*cache.store, young).await.unwrap();
    assert_eq!(none, Orphans::default());

    // It gets its row at the last moment.
    let blobs = &cache.blobs;
    let seen = orphan::look(blobs, &*cache.store, orphan, later()).await;
    assert_eq!(seen.unwrap(), Some(6));
    cache.upload(b"orphan").await;
    let deleted = orphan::delete(&cache.blobs, &*cache.store, orphan).await;
    assert!(!deleted.unwrap());

    let second = cache.keep(b"second orphan").await;
    let deleted = orphans(&cache.blobs, &*cache.store, later()).await.unwrap();
    assert_eq!((deleted.files, deleted.bytes), (1, 13));
    assert_eq!(cache.content(second).await, None);
    let third = cache.keep(b"third").await;
    let (report, found) = cache.scrub(thorough()).await;
    assert_eq!(found[0].repair, Repair::Deleted);
    assert!(report.is_clean() && report.deleted == 1);
    assert_eq!(cache.content(third).await, None);
    assert_eq!(cache.content(known).await.unwrap(), b"known");
    assert_eq!(cache.content(orphan).await.unwrap(), b"orphan");
}

/// The collector holds nobody back for longer than it needs.
#[tokio::test]
async fn nothing_is_deleted_while_somebody_publishes() {
    let cache = Cache::new().await;
    let orphan = cache.keep(b"orphan").await;
    let publishing = cache.blobs.publishing(orphan).await.unwrap();
    let deleting = tokio::spawn({
        let (blobs, store) = (cache.blobs.clone(), Arc::clone(&cache.store));
        async move { orphans(&blobs, &*store, later()).await.unwrap() }
    });
    let soon = std::time::Duration::from_millis(50);
    let mut deleting = deleting;
    assert!(tokio::time::timeout(soon, &mut deleting).await.is_err());
    assert!(cache.content(orphan).await.is_some());
    drop(publishing);
    assert_eq!(deleting.await.unwrap().files, 1);
    assert!(cache.content(orphan).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn reading_is_spread_over_time() {
    let dir = TempDir::new().unwrap();
    let blobs = Blobs::open(dir.path()).unwrap();
    let id = keep(&blobs, &[7; 3 << 20]).await;
    let file = blobs.read(id).await.unwrap().unwrap();
    let began = tokio::time::Instant::now();
    let mut pace = Pace::new(Some(1 << 20));
    for _ in 0..2 {
        let hash = check::hash(blobs.pool(), &file, &mut pace).await.unwrap();
        assert_eq!(hash, id);
    }
    // The sixth of 6 MiB began after 5 s.
    let took = began.elapsed();
    assert!((5..6).contains(&took.as_secs()), "{took:?}");
}
