//! Files over HTTP: uploads whole and resumable, limits, crashes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use myim_tests::files::Files;
use myim_tests::server::{Server, Setup};

mod alone;
mod bucket;
mod crash;
mod download;
mod kills;
mod limits;
mod nginx;
mod parts;
mod scrub;
mod signed;
mod slow;
mod tus;
mod tus_clients;
mod tus_limits;
mod upload;

/// The everyday server with more flags of the transfer servers.
fn server_with(flags: &[(&str, &str)]) -> Server {
    use myim_tests::server::{Db, Kind};
    let setup = Setup::new(Kind::Whole, Db::Sqlite).open();
    flags
        .iter()
        .fold(setup, |setup, (name, value)| {
            setup.transfer_flag(name, value)
        })
        .start()
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64.encode(bytes)
}

/// The stored file is this content, byte for byte.
fn stored(files: &Files, file: &str, content: &[u8]) {
    let answer = files.get(file);
    assert_eq!(answer.status, 200, "{answer}");
    assert!(answer.body == content, "{file} is not what was uploaded");
}
