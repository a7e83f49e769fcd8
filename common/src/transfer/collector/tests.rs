//! Random lives of files, on a real database and a real file cache, compared with a simple model.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::*;
use crate::api::{BlobClass, NewAccount};
use crate::id::UserId;
use crate::store::file::{GRACE_MS, Reference, Uploaded};
use crate::store::{DatabaseUrl, OpenOptions};

const UNUSED_MS: i64 = 1000;

/// What may happen to a file. Numbers stand for files and for what refers to them.
#[derive(Clone, Copy, Debug)]
enum Step {
    Upload(u8),
    /// The server is killed when the content is there and the database does not know.
    UploadKilled(u8),
    UploadByOldClient(u8),
    Refer(u8, u32),
    Unrefer(u32),
    Wait(i64),
    Collect,
    /// The server is killed after so many of the three steps.
    CollectKilled(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let file = 0_u8..4;
    let by = 0_u32..3;
    let step = prop_oneof![
        4 => file.clone().prop_map(Step::Upload),
        1 => file.clone().prop_map(Step::UploadKilled),
        1 => (3_u8..4).prop_map(Step::UploadByOldClient),
        4 => (file, by.clone()).prop_map(|(file, by)| Step::Refer(file, by)),
        3 => by.prop_map(Step::Unrefer),
        3 => prop_oneof![Just(1), Just(UNUSED_MS), Just(GRACE_MS)].prop_map(Step::Wait),
        2 => Just(Step::Collect),
        2 => (1_u8..3).prop_map(Step::CollectKilled),
    ];
    proptest::collection::vec(step, 1..40)
}

/// What the model knows of a file that is here.
#[derive(Clone, Copy, Debug)]
struct Known {
    expires: Option<i64>,
    is_old: bool,
}

/// The model, with what it is compared with.
struct World {
    store: Arc<dyn Store>,
    blobs: Blobs,
    now: i64,
    files: BTreeMap<u8, Known>,
    refs: BTreeMap<u32, u8>,
    _dir: TempDir,
}

fn content(file: u8) -> Bytes {
    Bytes::from(vec![file; 100])
}

fn id(file: u8) -> BlobId {
    BlobId(Sha256::digest(content(file)).into())
}

impl World {
    async fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let url = DatabaseUrl::Sqlite(dir.path().join("test.db"));
        let store = crate::store::open(&url, &OpenOptions::default()).await;
        let store = store.unwrap();
        let blobs = Blobs::open(&dir.path().join("filecache")).unwrap();
        let account = NewAccount {
            username: "ann".to_owned(),
            nickname: "Ann".to_owned(),
            password_hash: String::new(),
        };
        let at = Millis(0);
        let account = Change::CreateAccount { account, at };
        store.commit(&[account]).await.unwrap();
        Self {
            store,
            blobs,
            now: 0,
            files: BTreeMap::new(),
            refs: BTreeMap::new(),
            _dir: dir,
        }
    }

    fn now(&self) -> Millis {
        Millis(self.now)
    }

    fn is_referred(&self, file: u8) -> bool {
        self.refs.values().any(|other| *other == file)
    }

    async fn keep(&self, file: u8) -> BlobId {
        let mut staging = self.blobs.stage().await.unwrap();
        staging.write(content(file)).await.unwrap();
        staging.finish(100).await.unwrap()
    }

    async fn commit(&self, change: Change) -> Outcome {
        self.store.commit(&[change]).await.unwrap().remove(0)
    }

    async fn upload(&mut self, file: u8) {
        let _publishing = self.blobs.publishing(id(file)).await.unwrap();
        let blob = self.keep(file).await;
        let new = Uploaded {
            class: BlobClass::File,
            blob,
            size: 100,
            mime: "text/plain".to_owned(),
            name: None,
            picture: None,
            owner: Some(UserId(1)),
            md5: None,
            at: self.now(),
            expires: Some(Millis(self.now + UNUSED_MS)),
            user_bytes_max: None,
            total_bytes_max: None,
        };
        let outcome = self.commit(Change::File(FileChange::Uploaded(new))).await;
        assert_eq!(outcome, Outcome::done());
        let later = self.now + UNUSED_MS;
        let expires = match self.files.get(&file) {
            Some(known) => known.expires.map(|before| before.max(later)),
            None => Some(later),
        };
        let is_old = self.files.get(&file).is_some_and(|known| known.is_old);
        self.files.insert(file, Known { expires, is_old });
    }

    async fn upload_by_old_client(&mut self, file: u8) {
        let _publishing = self.blobs.publishing(id(file)).await.unwrap();
        let change = Change::NameBlob {
            class: BlobClass::File,
            name: format!("name of {file}"),
            blob: self.keep(file).await,
            size: 100,
            verified: true,
            at: self.now(),
        };
        assert_eq!(self.commit(change).await, Outcome::done());
        let known = Known {
            expires: None,
            is_old: true,
        };
        self.files.insert(file, known);
    }

    fn let_go_of(&mut self, by: u32) {
        let Some(file) = self.refs.remove(&by) else {
            return;
        };
        let is_last = !self.is_referred(file);
        if let Some(known) = self.files.get_mut(&file)
            && is_last
            && !known.is_old
        {
            known.expires = Some(self.now + GRACE_MS);
        }
    }

    async fn refer(&mut self, file: u8, by: u32) {
        let change = FileChange::Refer {
            blob: id(file),
            by: Reference::Package(by),
            at: self.now(),
        };
        let outcome = self.commit(Change::File(change)).await;
        let is_here = matches!(outcome, Outcome::Done { .. });
        assert_eq!(is_here, self.files.contains_key(&file), "{outcome:?}");
        if is_here {
            self.let_go_of(by);
            self.refs.insert(by, file);
            self.files.get_mut(&file).unwrap().expires = None;
        }
    }

    async fn unrefer(&mut self, by: u32) {
        let by_package = Reference::Package(by);
        let at = self.now();
        let change = FileChange::Unrefer { by: by_package, at };
        assert_eq!(self.commit(Change::File(change)).await, Outcome::done());
        self.let_go_of(by);
    }

    /// What is due is not here any more, as far as anybody is told.
    fn forget_due(&mut self) {
        let now = self.now;
        let is_due = |known: &Known| known.expires.is_some_and(|expires| expires <= now);
        self.files.retain(|_, known| !is_due(known));
    }

    async fn collect_killed(&mut self, after: u8) {
        let due = file::expired(&*self.store, self.now(), BATCH)
            .await
            .unwrap();
        let (_collecting, free) = self.blobs.collecting_free(due).await.unwrap();
        let gone = claim(&*self.store, free, self.now()).await.unwrap();
        if after > 1 {
            delete(&self.blobs, &gone).await.unwrap();
        }
        self.forget_due();
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Upload(file) => self.upload(file).await,
            Step::UploadKilled(file) => {
                let _publishing = self.blobs.publishing(id(file)).await.unwrap();
                self.keep(file).await;
            }
            Step::UploadByOldClient(file) => self.upload_by_old_client(file).await,
            Step::Refer(file, by) => self.refer(file, by).await,
            Step::Unrefer(by) => self.unrefer(by).await,
            Step::Wait(ms) => self.now += ms,
            Step::Collect => {
                let forever = Retention::default();
                let collected = collect(&*self.store, &self.blobs, forever, self.now());
                collected.await.unwrap();
                self.forget_due();
                let left = file::expired(&*self.store, self.now(), BATCH).await;
                assert_eq!(left.unwrap(), []);
            }
            Step::CollectKilled(after) => self.collect_killed(after).await,
        }
    }

    /// What is needed is there, whatever was collected and whoever was killed.
    async fn check(&self) {
        for file in 0..4 {
            let blob = id(file);
            let known = self.files.get(&file);
            let about = file::about(&*self.store, blob).await.unwrap();
            assert_eq!(about.is_some(), known.is_some(), "{file}: {known:?}");
            let read = self.blobs.read(blob).await.unwrap();
            if let Some(known) = known {
                assert!(read.is_some(), "the content of {file} is lost: {known:?}");
            }
            assert!(known.is_some() || !self.is_referred(file), "{file}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_needed_stays_and_what_is_not_goes(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            for step in steps {
                world.step(step).await;
                world.check().await;
            }
            world.store.close().await;
        });
    }
}

#[tokio::test]
async fn a_deleted_file_leaves_no_content_behind() {
    let mut world = World::new().await;
    world.upload(0).await;
    world.upload(1).await;
    world.refer(1, 7).await;
    world.now += GRACE_MS;
    for killed_after in [1, 2] {
        world.collect_killed(killed_after).await;
    }
    world.step(Step::Collect).await;
    world.check().await;
    let there = world.blobs.list(None, 10).await.unwrap();
    assert_eq!(there, [id(1)]);
    world.store.close().await;
}

#[tokio::test]
async fn files_are_kept_for_so_many_days() {
    let mut world = World::new().await;
    world.upload(0).await;
    world.refer(0, 7).await;
    world.upload(1).await;
    let retention = Retention {
        file_days: Some(1),
        image_days: None,
    };
    let collect = async |now| {
        let collected = collect(&*world.store, &world.blobs, retention, Millis(now));
        collected.await.unwrap()
    };
    assert_eq!(collect(DAY_MS).await, 1, "nothing refers to the second one");
    // A package is not too old, however old it is.
    assert_eq!(collect(DAY_MS + 1).await, 0);
    let blob = id(0);
    assert!(world.blobs.read(blob).await.unwrap().is_some());
    let unrefer = FileChange::Unrefer {
        by: Reference::Package(7),
        at: Millis(DAY_MS),
    };
    world.commit(Change::File(unrefer)).await;
    assert_eq!(collect(DAY_MS).await, 0);
    assert_eq!(collect(DAY_MS + 1).await, 1);
    assert_eq!(world.blobs.read(blob).await.unwrap().map(|_| ()), None);
    world.store.close().await;
}

#[tokio::test]
async fn a_file_that_comes_slowly_again_keeps_no_other_from_going() {
    let mut world = World::new().await;
    world.upload(0).await;
    world.upload(1).await;
    world.now += UNUSED_MS;
    let slow = world.blobs.publishing(id(0)).await.unwrap();
    let collect = || {
        let forever = Retention::default();
        collect(&*world.store, &world.blobs, forever, world.now())
    };
    assert_eq!(collect().await.unwrap(), 1);
    assert!(world.blobs.read(id(0)).await.unwrap().is_some());
    assert!(world.blobs.read(id(1)).await.unwrap().is_none());
    drop(slow);
    assert_eq!(collect().await.unwrap(), 1);
    assert!(world.blobs.read(id(0)).await.unwrap().is_none());
}
