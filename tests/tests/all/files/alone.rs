//! The file server and the image server with nothing beside them: on embedded SQLite, for clients of
//! both protocols.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use myim_tests::api::Api;
use myim_tests::files::Files;
use myim_tests::ports::kept_port;
use myim_tests::process::{Process, command};
use myim_tests::transfer::{Transfer, content, md5_name};
use myim_tests::wire::Flavor;
use tempfile::TempDir;

use super::stored;

/// A server that stands alone.
struct Alone {
    program: Process,
    address: SocketAddr,
    files: Files,
}

impl Alone {
    fn start(program: &str, prefix: &'static str, directory: &Path) -> Self {
        let port = kept_port();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut command = command(program, directory);
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string()]);
        command.args(["--admin-port", "off", "--access", "open"]);
        command.args(["--database", "sqlite:alone.db", "--filecache", "cache"]);
        let program = Process::spawn(&mut command);
        program.line_starting("ready ");
        let api = Api::new(address);
        Self {
            program,
            address,
            files: Files { api, prefix },
        }
    }
}

#[test]
fn a_file_server_keeps_files_for_both_protocols() {
    let directory = TempDir::with_prefix("myim-alone-").unwrap();
    let start = || Alone::start("myfileserver", "/files", directory.path());
    let (by_http, by_old) = (content(300_000, 1), content(200_000, 2));
    let server = start();
    let file = server.files.post(&by_http).ok(201)["file"].clone();
    let file = file.as_str().unwrap();
    let name = Transfer::connect(server.address, Flavor::Pc).upload(&by_old);
    assert_eq!(name, md5_name(&by_old));
    // Nothing but the disk remembers.
    server.program.kill();
    let server = start();
    stored(&server.files, file, &by_http);
    let mut old = Transfer::connect(server.address, Flavor::Pc);
    assert!(old.download(&name).unwrap() == by_old);
    // Who is nobody is not told that somebody has sent this before.
    let again = server.files.post(&by_http).ok(201);
    assert_eq!(again["file"], file);
    assert!(server.program.stop().success());
}

#[test]
fn an_image_server_looks_into_pictures() {
    let directory = TempDir::with_prefix("myim-alone-").unwrap();
    let server = Alone::start("myimgserver", "/images", directory.path());
    let refused = server.files.post(b"no picture");
    assert_eq!(refused.status, 415, "{refused}");
    assert!(server.program.stop().success());
}
