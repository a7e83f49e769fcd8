//! Files in a bucket of an object store that others wrote.

use std::net::TcpListener;
use std::path::Path;

use common::blob::Blobs;
use common::config::{AwsEnvironment, BlobStoreAt};
use myim_tests::object_store::{KEYS, ObjectStore};
use myim_tests::process::PROCESS_PATIENCE;
use myim_tests::server::{Db, Kind, Setup};
use myim_tests::transfer::{Transfer, content};
use myim_tests::wire::Flavor;
use tempfile::TempDir;

use super::stored;

/// The same that the disk has to do, one after the other: a start of the object store takes longer
/// than all of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_keeps_the_contract() {
    let object_store = ObjectStore::start();
    let environment = KEYS.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let environment = AwsEnvironment(environment.to_vec());
    let mut number = 0;
    let mut fresh = async || {
        number += 1;
        let place = object_store.place(&format!("contract/{number}"));
        let place: BlobStoreAt = place.parse().unwrap();
        let dir = TempDir::new().unwrap();
        let blobs = Blobs::connect(dir.path(), &place, &environment).await;
        (blobs.unwrap(), dir)
    };
    common::blob_contract!(in_turn fresh);
}

fn setup(place: &str) -> Setup {
    let setup = Setup::new(Kind::Whole, Db::Sqlite).open();
    let setup = setup.transfer_flag("--blob-store", place);
    KEYS.into_iter()
        .fold(setup, |setup, (name, value)| setup.variable(name, value))
}

#[test]
fn a_suite_keeps_its_files_in_a_bucket() {
    let object_store = ObjectStore::start();
    let mut server = setup(&object_store.place("suite")).start();
    let old = content(700_000, 1);
    let name = Transfer::connect(server.file, Flavor::Pc).upload(&old);
    // Larger than what is sent to a bucket at once.
    let new = content(20 << 20, 2);
    let ann = server.files().with_token(&server.newcomer("ann").token);
    let told = ann.post(&new).ok(201);
    let file = told["file"].as_str().unwrap();

    let status = server.stop();
    assert!(status[0].success(), "{status:?}");
    server.again();
    let mut other = Transfer::connect(server.file, Flavor::Android);
    assert!(other.download(&name).unwrap() == old);
    stored(&server.files(), file, &new);
    let range = [("range", "bytes=1000000-1000009")];
    let part = server
        .files()
        .ask("GET", &format!("/files/{file}"), &range, b"");
    assert_eq!(part.status, 206, "{part}");
    assert!(part.body == new[1_000_000..1_000_010]);
    assert_eq!(files_below(&server.setup().filecache().join("blobs")), 0);
    // Nothing is left of what was received, either.
    assert_eq!(files_below(&server.setup().filecache().join("uploads")), 0);
}

fn files_below(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| if path.is_dir() { files_below(&path) } else { 1 })
        .sum()
}

#[test]
fn a_bucket_out_of_reach_is_told_at_the_start() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let setup = setup(&format!("s3://files/?endpoint=http://{address}"));
    for program in setup.start_unready() {
        let status = program.wait(PROCESS_PATIENCE);
        assert!(!status.success());
        program.wait_for_log("the bucket s3://files/?endpoint=");
        program.wait_for_log("cannot be reached");
        assert!(!program.log().contains("a secret of the tests"));
    }
}

#[test]
fn a_bucket_that_goes_away_fails_a_transfer_and_nothing_else() {
    let object_store = ObjectStore::start();
    let server = setup(&object_store.place("")).start();
    let name = Transfer::connect(server.file, Flavor::Pc).upload(b"here");
    object_store.kill();
    let mut client = Transfer::connect(server.file, Flavor::Pc);
    client.send_get(&name, 0);
    client.closed();
    server.logged("cannot look at blobs/");
    // Whoever talks does not notice.
    server.newcomer("ann");
}
