//! What a server leaves that is killed while it keeps a file: the state before or the state after,
//! and nothing that the next start does not clear away.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

use bytes::{Bytes, BytesMut};
use tempfile::TempDir;

use super::fault::{DIES_AT, Step};
use super::{BlobError, Blobs};
use crate::id::BlobId;

const CONTENT: &[u8] = b"what is kept, or not";
const STEPS: [Step; 5] = [
    Step::Written,
    Step::Synced,
    Step::Folders,
    Step::Named,
    Step::Kept,
];

async fn keep(blobs: &Blobs) -> Result<BlobId, BlobError> {
    let mut staging = blobs.stage().await?;
    staging.write(Bytes::from_static(CONTENT)).await?;
    let size = staging.size();
    staging.finish(size).await
}

/// The server that dies. Its instructions are arguments which mean nothing to the test runner:
/// without them this is no test.
#[tokio::test]
async fn dying() {
    let given =
        |name: &str| std::env::args().find_map(|arg| Some(arg.strip_prefix(name)?.to_owned()));
    let (Some(step), Some(filecache)) = (given("dies-at="), given("filecache=")) else {
        return;
    };
    let step = STEPS.into_iter().find(|at| format!("{at:?}") == step);
    DIES_AT.set(step.unwrap()).unwrap();
    let blobs = Blobs::open(Path::new(&filecache)).unwrap();
    let kept = keep(&blobs).await;
    panic!("it was not to live so long: {kept:?}");
}

/// Starts a server that dies at this step.
fn die(step: Step, filecache: &Path) {
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "blob::crash_tests::dying", "--nocapture"])
        .arg(format!("dies-at={step:?}"))
        .arg(format!("filecache={}", filecache.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    let abort = rustix::process::Signal::ABORT.as_raw();
    assert_eq!(status.signal(), Some(abort), "{step:?}: {status}");
}

fn files_below(folder: &Path) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        count += if path.is_dir() { files_below(&path) } else { 1 };
    }
    count
}

async fn content(blobs: &Blobs, id: BlobId) -> Option<Vec<u8>> {
    let file = blobs.read(id).await.unwrap()?;
    let count = usize::try_from(file.len()).unwrap();
    Some(file.read(0, count, BytesMut::new()).await.unwrap().to_vec())
}

/// Dies at each step, in a file cache that has `before` under the name. Then that is still so, or,
/// once the content has its name, it is whole.
async fn dies_at_each_step(before: Option<&[u8]>) {
    let id = {
        let elsewhere = TempDir::new().unwrap();
        keep(&Blobs::open(elsewhere.path()).unwrap()).await.unwrap()
    };
    for step in STEPS {
        let dir = TempDir::new().unwrap();
        if let Some(before) = before {
            keep(&Blobs::open(dir.path()).unwrap()).await.unwrap();
            let hex = id.to_string();
            let folder = dir.path().join("blobs").join(&hex[..2]).join(&hex[2..4]);
            std::fs::write(folder.join(hex), before).unwrap();
        }
        die(step, dir.path());
        let has_its_name = matches!(step, Step::Named | Step::Kept);
        let unfinished = usize::from(!has_its_name);
        let kept = usize::from(before.is_some() || has_its_name);
        let tmp = dir.path().join("tmp");
        // The gate and the lock of the dead one.
        assert_eq!(files_below(&tmp), 2 + unfinished, "{step:?}");
        assert_eq!(files_below(&dir.path().join("blobs")), kept, "{step:?}");

        let blobs = Blobs::open(dir.path()).unwrap();
        let now = content(&blobs, id).await;
        let expected = if has_its_name { Some(CONTENT) } else { before };
        assert_eq!(now.as_deref(), expected, "{step:?}");
        assert_eq!(files_below(&tmp), 2, "{step:?}");
        // Nothing is in the way of the next upload.
        assert_eq!(keep(&blobs).await.unwrap(), id);
        assert_eq!(content(&blobs, id).await.unwrap(), CONTENT, "{step:?}");
    }
}

#[tokio::test]
async fn a_new_file_is_there_or_not() {
    dies_at_each_step(None).await;
}

#[tokio::test]
async fn a_replaced_file_is_the_old_or_the_new_one() {
    dies_at_each_step(Some(b"damaged")).await;
}
