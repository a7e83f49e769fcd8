//! Files on lines that break all the time.

use std::fs;
use std::net::SocketAddr;

use client::transfer::{Download, Progress, Shelf, Upload};
use client::{Api, Server as Address};
use myim_tests::fault_proxy::{Fate, Fault, FaultProxy, Moment};
use myim_tests::files::sha256;
use myim_tests::server::Server;
use myim_tests::transfer::content;
use tempfile::TempDir;

/// No connection carries more than this.
const CARRIED_BYTES: u64 = 1_000_000;
/// So nothing of this comes through at once.
const FILE_BYTES: usize = 5_500_000;
/// It breaks at least so often: what is on its way when a connection breaks still comes through,
/// but never as much again.
const BREAKS_MIN: usize = 2;

pub(super) fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(work)
}

/// The SDK, with files going through here.
fn api(server: &Server, files: SocketAddr) -> Api {
    let address: Address = format!("http://{}", server.chat).parse().unwrap();
    let address = address.with_transfer_ports(Some(files.port()), Some(server.image.port()));
    let ann = server.newcomer("ann");
    Api::new(address).with_token(&ann.token)
}

fn breaks(server: &Server, moment: Moment, fault: Fault) -> FaultProxy {
    let fate = Fate {
        moment,
        fault,
        ..Fate::CLEAN
    };
    FaultProxy::with_fate(server.file, fate)
}

/// Where it was when it broke, and how often.
#[derive(Default)]
struct Breaks {
    count: usize,
    done: u64,
    at: Vec<u64>,
}

impl Breaks {
    fn hear(&mut self, step: &Progress) {
        match step {
            Progress::Moved { done, .. } => self.done = *done,
            Progress::Waiting { .. } => {
                self.count += 1;
                self.at.push(self.done);
            }
        }
    }
}

/// Every connection breaks before the file is through: whoever began at the beginning again would
/// never come to the end.
fn goes_up(fault: Fault) {
    let server = Server::sqlite();
    let proxy = breaks(&server, Moment::Said(CARRIED_BYTES), fault);
    let api = api(&server, proxy.address());
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("film.mp4");
    let bytes = content(FILE_BYTES, 11);
    fs::write(&path, &bytes).unwrap();
    let mut breaks = Breaks::default();
    let upload = Upload::new(&path, Shelf::Files);
    let uploaded = run(api.upload(&upload, |step| breaks.hear(&step)));
    let uploaded = uploaded.unwrap_or_else(|error| panic!("{error}\n{}", proxy.story()));
    assert_eq!(uploaded.file.to_string(), sha256(&bytes));
    assert!(breaks.count >= BREAKS_MIN, "{:?}", breaks.at);
    let stored = server.files().get(&sha256(&bytes));
    assert!(stored.body == bytes, "{stored}");
}

#[test]
fn an_upload_survives_cuts() {
    goes_up(Fault::Cut);
}

#[test]
fn an_upload_survives_resets() {
    goes_up(Fault::Reset);
}

#[test]
fn an_upload_survives_answers_that_are_lost() {
    let server = Server::sqlite();
    // All of the content reaches the server, and what it answers does not come back.
    let proxy = breaks(&server, Moment::Said(800_000), Fault::LoseAnswer);
    let api = api(&server, proxy.address());
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("film.mp4");
    let bytes = content(900_000, 12);
    fs::write(&path, &bytes).unwrap();
    let mut breaks = Breaks::default();
    let upload = Upload::new(&path, Shelf::Files);
    let uploaded = run(api.upload(&upload, |step| breaks.hear(&step)));
    let uploaded = uploaded.unwrap_or_else(|error| panic!("{error}\n{}", proxy.story()));
    // The first attempt after a break is made at once, without a word.
    assert!(breaks.count <= 1, "{:?}", breaks.at);
    assert_eq!(uploaded.bytes, 900_000);
    assert!(server.files().get(&sha256(&bytes)).body == bytes);
}

/// The same for what comes down.
fn comes_down(fault: Fault) {
    let server = Server::sqlite();
    let proxy = breaks(&server, Moment::Answered(CARRIED_BYTES), fault);
    let api = api(&server, proxy.address());
    let bytes = content(FILE_BYTES, 13);
    let ann = server
        .files()
        .with_token(&server.sign_in("ann", "other").token);
    let up = ann.ask("POST", "/files", &[], &bytes);
    assert_eq!(up.status, 201, "{up}");
    let folder = TempDir::new().unwrap();
    let to = folder.path().join("film.mp4");
    let file = client::model::BlobId::from_hex(&sha256(&bytes)).unwrap();
    let download = Download::new(file, &to);
    let came = run(api.download(&download, |_| {}));
    let came = came.unwrap_or_else(|error| panic!("{error}\n{}", proxy.story()));
    assert!(came.is_original);
    assert!(fs::read(&to).unwrap() == bytes);
    // How much more than that is on its way when a connection breaks is the system's choice, and the
    // first attempt after a break is made without a word: so what counts is that it did break.
    assert!(proxy.connections() >= 2, "{}", proxy.story());
}

#[test]
fn a_download_survives_cuts() {
    comes_down(Fault::Cut);
}

#[test]
fn a_download_survives_ends_that_look_orderly() {
    comes_down(Fault::HalfClose);
}

/// The ports of a test are nobody's guess.
#[test]
fn files_go_to_where_the_server_says_that_they_are() {
    let server = Server::sqlite();
    let address: Address = format!("http://{}", server.chat).parse().unwrap();
    let ann = server.newcomer("ann");
    let api = Api::new(address).with_token(&ann.token);
    let folder = TempDir::new().unwrap();
    let (path, to) = (folder.path().join("here"), folder.path().join("there"));
    let bytes = content(70_000, 14);
    fs::write(&path, &bytes).unwrap();
    let upload = Upload::new(&path, Shelf::Files);
    let uploaded = run(api.upload(&upload, |_| {})).unwrap();
    run(api.download(&Download::new(uploaded.file, &to), |_| {})).unwrap();
    assert!(fs::read(&to).unwrap() == bytes);
}
