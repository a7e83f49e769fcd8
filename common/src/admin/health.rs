//! Whether clients should come: one check for each thing that a server cannot do without.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::probe::Probe;
use crate::store::Store;

/// A disk that hangs must not keep those waiting who ask.
const DISK_WITHIN: Duration = Duration::from_secs(1);

/// A disk is also too full when less than one part in so many is free: file systems become slow.
const FREE_PART: u64 = 20;

/// Nobody can download a name that begins with a dot.
const TRIAL_FILE: &str = ".writable";

/// What a server depends on.
#[derive(Clone, Debug)]
pub struct Watched {
    /// Where it writes files, if it does.
    pub filecache: Option<PathBuf>,
    /// Where an embedded database is, if it has one.
    pub data: Option<PathBuf>,
    /// Less than this, or than a twentieth of the disk, is too little; 0 for any will do.
    pub disk_free_bytes_min: u64,
    /// The operator accepted a database that may forget in a power cut.
    pub weak_durability_accepted: bool,
}

/// Knows how a server is.
#[derive(Debug)]
pub struct Health {
    watched: Watched,
    probe: Probe,
    disk: Disk,
    filecache: Disk,
    /// Cancelled when the server began to stop.
    draining: CancellationToken,
}

/// What was found at one time.
#[derive(Debug)]
pub(super) struct Report(Vec<Check>);

#[derive(Debug)]
struct Check {
    name: &'static str,
    /// What is wrong, or what there is to know.
    found: Result<Map<String, Value>, String>,
}

impl Report {
    pub(super) fn is_ready(&self) -> bool {
        self.0.iter().all(|check| check.found.is_ok())
    }

    pub(super) fn json(&self) -> Value {
        let checks: Map<String, Value> = self.0.iter().map(Check::json).collect();
        json!({ "ready": self.is_ready(), "checks": checks })
    }
}

impl Check {
    fn json(&self) -> (String, Value) {
        let mut about = match &self.found {
            Ok(known) => known.clone(),
            Err(wrong) => Map::from_iter([("reason".to_owned(), json!(wrong))]),
        };
        about.insert("ok".to_owned(), json!(self.found.is_ok()));
        (self.name.to_owned(), about.into())
    }
}

impl Health {
    /// Looks after the store in a task that ends with this.
    pub fn new(watched: Watched, store: Arc<dyn Store>, draining: CancellationToken) -> Self {
        Self {
            watched,
            probe: Probe::start(store),
            disk: Disk::default(),
            filecache: Disk::default(),
            draining,
        }
    }

    pub(super) async fn report(&self) -> Report {
        let (database, disk, filecache) =
            tokio::join!(self.database(), self.disk(), self.filecache());
        let mut checks = vec![self.draining(), database, self.durability()];
        checks.extend(disk);
        checks.extend(filecache);
        Report(checks)
    }

    fn draining(&self) -> Check {
        let found = match self.draining.is_cancelled() {
            false => Ok(Map::new()),
            true => Err("the server is stopping".to_owned()),
        };
        Check {
            name: "draining",
            found,
        }
    }

    async fn database(&self) -> Check {
        let found = self.probe.ask().await.map(|()| Map::new());
        Check {
            name: "database",
            found,
        }
    }

    /// A weak setting keeps the database from being opened, unless it was accepted.
    fn durability(&self) -> Check {
        let found = match (
            self.watched.weak_durability_accepted,
            self.probe.has_saved(),
        ) {
            (true, _) => Ok(Map::from_iter([("accepted_weak".to_owned(), json!(true))])),
            (false, true) => Ok(Map::new()),
            (false, false) => Err("the database was not opened yet".to_owned()),
        };
        Check {
            name: "durability",
            found,
        }
    }

    async fn disk(&self) -> Option<Check> {
        let floor = self.watched.disk_free_bytes_min;
        let folders = [&self.watched.filecache, &self.watched.data];
        let folders: Vec<_> = folders.into_iter().flatten().cloned().collect();
        if floor == 0 || folders.is_empty() {
            return None;
        }
        let found = self.disk.ask(move || {
            let (mut free_least, mut needed) = (u64::MAX, floor);
            for folder in folders {
                let (free, all) = space(&folder)?;
                if free < free_least {
                    (free_least, needed) = (free, floor.max(all / FREE_PART));
                }
            }
            Ok((free_least, needed))
        });
        let found = found.await.and_then(|(free, needed)| match free >= needed {
            true => Ok(Map::from_iter([
                ("free_bytes".to_owned(), json!(free)),
                ("needed_bytes".to_owned(), json!(needed)),
            ])),
            false => Err(format!("{free} bytes are free, {needed} are needed")),
        });
        Some(Check {
            name: "disk",
            found,
        })
    }

    async fn filecache(&self) -> Option<Check> {
        let folder = self.watched.filecache.clone()?;
        let found = self.filecache.ask(move || try_writing(&folder)).await;
        Some(Check {
            name: "filecache",
            found: found.map(|()| Map::new()),
        })
    }
}

/// A disk that is asked by one thread at a time: one that hangs must not take a thread more each
/// time that somebody asks, until none is left for passwords.
#[derive(Debug, Default)]
struct Disk {
    asked: Arc<Mutex<()>>,
}

impl Disk {
    /// Does something with the disk on a thread of its own.
    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, String> {
        let working = async {
            // The thread gives its turn back, also if nobody waits for it any more.
            let turn = Arc::clone(&self.asked).lock_owned().await;
            let work = move || {
                let _turn = turn;
                work()
            };
            tokio::task::spawn_blocking(work).await
        };
        match timeout(DISK_WITHIN, working).await {
            Ok(Ok(done)) => done.map_err(|error| error.to_string()),
            Ok(Err(failed)) => Err(failed.to_string()),
            Err(_) => Err(format!("no answer within {} s", DISK_WITHIN.as_secs())),
        }
    }
}

/// Free and all bytes of the disk on which this folder is.
fn space(folder: &Path) -> io::Result<(u64, u64)> {
    let about = rustix::fs::statvfs(folder)?;
    let bytes = |blocks: u64| blocks.saturating_mul(about.f_frsize);
    Ok((bytes(about.f_bavail), bytes(about.f_blocks)))
}

fn try_writing(folder: &Path) -> io::Result<()> {
    // Several servers may share the folder.
    let path = folder.join(format!("{TRIAL_FILE}.{}", std::process::id()));
    let mut options = OpenOptions::new();
    let mut file = options
        .create(true)
        .write(true)
        .truncate(true)
        .open(&path)?;
    let written = file.write_all(b"x");
    fs::remove_file(&path)?;
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::LateStore;

    fn watched(folder: &Path, floor: u64) -> Watched {
        Watched {
            filecache: Some(folder.to_owned()),
            data: None,
            disk_free_bytes_min: floor,
            weak_durability_accepted: false,
        }
    }

    /// What the report of a server on this folder says about one check.
    async fn found(watched: Watched, draining: CancellationToken, name: &str) -> Option<Value> {
        let health = Health::new(watched, Arc::new(LateStore::default()), draining);
        let report = health.report().await;
        // The database of these tests is never there.
        assert!(!report.is_ready());
        report.json()["checks"].get(name).cloned()
    }

    #[tokio::test(start_paused = true)]
    async fn a_disk_that_hangs_takes_one_thread() {
        let disk = Disk::default();
        // As a thread does that hangs.
        let turn = Arc::clone(&disk.asked).lock_owned().await;
        let asked = disk.ask(|| Ok(1)).await;
        assert!(asked.unwrap_err().contains("no answer"));
        drop(turn);
        assert_eq!(disk.ask(|| Ok(1)).await, Ok(1));
    }

    #[tokio::test]
    async fn every_check_says_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let check = |floor, name| {
            let watched = watched(folder.path(), floor);
            async move {
                found(watched, CancellationToken::new(), name)
                    .await
                    .unwrap()
            }
        };
        let database = check(1, "database").await;
        assert_eq!(database["ok"], false);
        assert!(
            database["reason"]
                .as_str()
                .unwrap()
                .contains("not open yet")
        );
        assert_eq!(check(1, "durability").await["ok"], false);
        assert_eq!(check(1, "filecache").await["ok"], true);
        assert_eq!(check(1, "draining").await["ok"], true);
        assert_eq!(check(u64::MAX, "disk").await["ok"], false);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

        let stopping = CancellationToken::new();
        stopping.cancel();
        let drained = found(watched(folder.path(), 0), stopping.clone(), "draining").await;
        assert_eq!(drained.unwrap()["ok"], false);
        let unlooked = found(watched(folder.path(), 0), stopping.clone(), "disk").await;
        assert_eq!(unlooked, None);
        let gone = watched(&folder.path().join("gone"), 0);
        let gone = found(gone, stopping, "filecache").await;
        assert_eq!(gone.unwrap()["ok"], false);
    }
}
