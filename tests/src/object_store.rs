//! An object store that speaks S3, for tests: moto, which scripts/install-foreign installs.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::http;
use crate::process::Process;

/// What a program needs in its environment to be let in.
pub const KEYS: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "tests"),
    ("AWS_SECRET_ACCESS_KEY", "a secret of the tests"),
];

/// A running object store with one bucket. Dropping it kills it.
#[derive(Debug)]
pub struct ObjectStore {
    process: Process,
    address: SocketAddr,
}

impl ObjectStore {
    /// # Panics
    /// If it is not installed.
    pub fn start() -> Self {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let program = package.with_file_name("target/foreign/venv/bin/moto_server");
        assert!(
            program.exists(),
            "{} is missing: run scripts/test or scripts/install-foreign",
            program.display()
        );
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", "0"]);
        command.env("PYTHONUNBUFFERED", "1");
        let process = Process::spawn(&mut command);
        process.wait_for_log("running on http://");
        let log = process.log();
        let (_, address) = log.split_once("http://").expect("it was just waited for");
        let address = address.split_whitespace().next().unwrap_or_default();
        let store = Self {
            address: address.parse().expect("an address and a port"),
            process,
        };
        store.make_bucket();
        store
    }

    fn make_bucket(&self) {
        let mut stream = http::connect(self.address);
        let request = "PUT /files HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\
                       Connection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).expect("it listens");
        let answer = http::answer(stream);
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// The bucket's files below this name, as `--blob-store` wants it.
    pub fn place(&self, prefix: &str) -> String {
        format!("s3://files/{prefix}?endpoint=http://{}", self.address)
    }

    pub fn kill(&self) {
        self.process.kill();
    }
}
