//! Ranges and conditions beside nginx: the same requests, the same answers, and where not, why.

use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use myim_tests::api::{Answer, Api};
use myim_tests::files::Files;
use myim_tests::peer::PATIENCE;
use myim_tests::ports::kept_port;
use myim_tests::process::Process;
use myim_tests::server::Server;
use tempfile::TempDir;

/// Content that the sniffer takes for text, as nginx is told that it is.
const CONTENT: &[u8] = b"0123456789";

/// What is compared.
enum Expected {
    /// Status, length, range and bytes.
    Same,
    /// These statuses, ours and nginx's, for a reason.
    Other(u16, u16, &'static str),
}
use Expected::{Other, Same};

/// Names and values.
type Headers = &'static [(&'static str, &'static str)];

/// Of ten bytes. `{etag}` and `{modified}` stand for what the server itself says about the file.
#[rustfmt::skip]
const REQUESTS: &[(&str, Headers, Expected)] = &[
    ("GET", &[], Same),
    ("HEAD", &[], Same),
    ("GET", &[("range", "bytes=0-0")], Same),
    ("GET", &[("range", "bytes=-1")], Same),
    ("GET", &[("range", "bytes=5-")], Same),
    ("GET", &[("range", "bytes=9-")], Same),
    ("GET", &[("range", "bytes=-20")], Same),
    ("GET", &[("range", "bytes=0-99")], Same),
    ("GET", &[("range", "bytes=0-")], Same),
    ("GET", &[("range", "BYTES=2-3")], Same),
    ("GET", &[("range", "bytes= 2-3")], Same),
    ("GET", &[("range", "bytes=10-")], Same),
    ("GET", &[("range", "bytes=-0")], Same),
    ("GET", &[("range", "bytes=18446744073709551616-")], Same),
    ("GET", &[("range", "bytes=5-2")], Same),
    ("GET", &[("range", "bytes=abc")], Same),
    ("GET", &[("range", "bytes=0-0,abc")], Same),
    ("GET", &[("range", "items=0-1")], Same),
    ("GET", &[("range", "abc")], Same),
    ("GET", &[("range", "bytes=0-1,3-4")], Same),
    ("GET", &[("range", "bytes=3-4,0-1")], Same),
    ("GET", &[("range", "bytes=0-4,5-9")], Same),
    ("GET", &[("range", "bytes=0-1, 3-4,20-30")], Same),
    ("GET", &[("range", "bytes=0-1,20-30")], Same),
    ("GET", &[("range", "bytes=0-5,2-7")], Same),
    ("GET", &[("range", "bytes=0-,0-,0-,0-")], Same),
    ("GET", &[("range", "bytes=0-0"), ("if-range", "{etag}")], Same),
    ("GET", &[("range", "bytes=0-0"), ("if-range", "{modified}")], Same),
    ("GET", &[("range", "bytes=0-0"), ("if-range", "W/{etag}")], Same),
    ("GET", &[("range", "bytes=0-0"), ("if-range", "\"stale\"")], Same),
    ("GET", &[("range", "bytes=0-0"), ("if-range", EARLY)], Same),
    ("GET", &[("range", "bytes=50-"), ("if-range", "\"stale\"")], Same),
    ("GET", &[("range", "bytes=50-"), ("if-range", "{etag}")], Same),
    ("GET", &[("if-none-match", "{etag}")], Same),
    ("HEAD", &[("if-none-match", "{etag}")], Same),
    ("GET", &[("if-none-match", "W/{etag}")], Same),
    ("GET", &[("if-none-match", "\"b\", {etag}")], Same),
    ("GET", &[("if-none-match", "*")], Same),
    ("GET", &[("if-none-match", "\"b\"")], Same),
    ("GET", &[("if-none-match", "\"b\""), ("if-modified-since", "{modified}")], Same),
    ("GET", &[("if-none-match", "{etag}"), ("range", "bytes=0-0")], Same),
    ("GET", &[("if-modified-since", "{modified}")], Same),
    ("GET", &[("if-modified-since", EARLY)], Same),
    ("GET", &[("if-match", "{etag}")], Same),
    ("GET", &[("if-match", "*")], Same),
    ("GET", &[("if-match", "\"b\"")], Same),
    ("GET", &[("if-match", "W/{etag}")], Same),
    ("GET", &[("if-match", "\"b\""), ("range", "bytes=0-0")], Same),
    ("GET", &[("if-unmodified-since", "{modified}")], Same),
    ("GET", &[("if-unmodified-since", EARLY)], Same),
    ("HEAD", &[("range", "bytes=0-0")],
        Other(200, 206, "RFC 9110, 14.2: ranges are defined for GET only")),
    ("GET", &[("range", "bytes=0-0,2-2,4-4,6-6,8-8,1-1,3-3,5-5,7-7")],
        Other(200, 206, "so many parts are a flood: 8 are enough")),
    ("GET", &[("range", "bytes=0-2,2-3")],
        Other(206, 206, "RFC 9110, 15.3.7.2: parts that overlap may be joined")),
    ("GET", &[("range", "bytes=0-1,")],
        Other(206, 416, "RFC 9110, 5.6.1: an empty element of a list is to be ignored")),
    ("GET", &[("range", "bytes=0 - 1")],
        Other(416, 206, "RFC 9110, 14.1.2: there are no blanks within a range")),
    ("GET", &[("if-modified-since", LATE)],
        Other(304, 200, "RFC 9110, 13.1.3: earlier or equal; nginx wants it exact")),
    ("GET", &[("if-none-match", "{etag}"), ("if-modified-since", EARLY)],
        Other(304, 200, "RFC 9110, 13.1.3: ignored beside If-None-Match")),
    ("GET", &[("if-match", "{etag}"), ("if-unmodified-since", EARLY)],
        Other(200, 412, "RFC 9110, 13.1.4: ignored beside If-Match")),
];

const EARLY: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const LATE: &str = "Sun, 06 Nov 2095 08:49:37 GMT";

#[test]
fn ranges_and_conditions_as_nginx_answers_them() {
    let server = Server::sqlite();
    let ours = server.files().with_token(&server.newcomer("ann").token);
    let file = ours.post(CONTENT).ok(201)["file"]
        .as_str()
        .unwrap()
        .to_owned();
    let nginx = Nginx::start(&file, CONTENT, "text/plain; charset=utf-8");
    let nginxs = nginx.files();
    let path = format!("/files/{file}");
    let marks = [marks(&ours, &path), marks(&nginxs, &path)];
    for (method, headers, expected) in REQUESTS {
        let [our, their] = [(&ours, &marks[0]), (&nginxs, &marks[1])].map(|(files, marks)| {
            let filled: Vec<_> = headers
                .iter()
                .map(|(name, value)| (*name, filled(value, marks)))
                .collect();
            let headers: Vec<_> = filled
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            files.ask(method, &path, &headers, b"")
        });
        let what = format!("{method} {headers:?}");
        match expected {
            Same => {
                assert_eq!(our.status, their.status, "{what}\n{our}\n{their}");
                assert_eq!(told(&our), told(&their), "{what}");
            }
            Other(our_status, their_status, why) => {
                assert_eq!(our.status, *our_status, "{what}: {why}");
                assert_eq!(
                    their.status, *their_status,
                    "nginx changed its mind: {what}"
                );
                assert_ne!(
                    (our.status, told(&our)),
                    (their.status, told(&their)),
                    "{what}"
                );
            }
        }
    }
}

#[test]
fn an_empty_file_as_nginx_answers_it() {
    let server = Server::sqlite();
    let ours = server.files().with_token(&server.newcomer("ann").token);
    let file = ours.post(b"").ok(201)["file"].as_str().unwrap().to_owned();
    let nginx = Nginx::start(&file, b"", "application/octet-stream");
    let nginxs = nginx.files();
    for range in ["bytes=0-", "bytes=0-0", "bytes=-5", "items=0-1"] {
        let path = format!("/files/{file}");
        let [our, their] =
            [&ours, &nginxs].map(|files| files.ask("GET", &path, &[("range", range)], b""));
        assert_eq!(our.status, their.status, "{range}\n{our}\n{their}");
        assert_eq!(told(&our), told(&their), "{range}");
    }
}

/// The ETag and the time of a file, as its server writes them.
fn marks(files: &Files, path: &str) -> [String; 2] {
    let answer = files.ask("HEAD", path, &[], b"");
    assert_eq!(answer.status, 200, "{answer}");
    ["etag", "last-modified"].map(|name| {
        let mark = answer.header(name);
        assert_ne!(mark, "", "no {name} in {answer}");
        mark.to_owned()
    })
}

fn filled(value: &str, [etag, modified]: &[String; 2]) -> String {
    value
        .replace("{etag}", etag)
        .replace("{modified}", modified)
}

/// What must be alike in two answers: everything about content, nothing about how errors read.
fn told(answer: &Answer) -> HashMap<&'static str, String> {
    let mut told = HashMap::new();
    let mut tell = |name: &'static str| {
        told.insert(name, answer.header(name).to_owned());
    };
    match answer.status {
        200 => {
            for name in ["content-length", "content-type", "accept-ranges"] {
                tell(name);
            }
        }
        206 => {
            tell("content-range");
        }
        416 => {
            tell("content-range");
            return told;
        }
        304 => {
            tell("content-length");
        }
        _ => return told,
    }
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    // Every server draws a boundary of its own.
    let kind = answer.header("content-type");
    let body = match kind.split_once("multipart/byteranges; boundary=") {
        Some((_, boundary)) => body.replace(boundary, "BOUNDARY"),
        None => body,
    };
    told.insert("body", body);
    told
}

/// nginx from the system's packages, with a configuration of its own.
struct Nginx {
    _process: Process,
    address: SocketAddr,
    _directory: TempDir,
}

impl Nginx {
    /// Serves a file of this type under `/files/`.
    fn start(name: &str, content: &[u8], kind: &str) -> Self {
        let directory = TempDir::with_prefix("myim-nginx-").unwrap();
        let root = directory.path().join("html/files");
        fs::create_dir_all(&root).unwrap();
        fs::write(root.join(name), content).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], kept_port()));
        let configuration = directory.path().join("nginx.conf");
        fs::write(configuration, configured(address, kind)).unwrap();
        // Debian keeps it in a directory that is not in everybody's path.
        let debian = Path::new("/usr/sbin/nginx");
        let mut command = Command::new(match debian.exists() {
            true => debian,
            false => Path::new("nginx"),
        });
        command
            .arg("-p")
            .arg(directory.path())
            .args(["-c", "nginx.conf", "-e", "error.log"]);
        let process = Process::spawn(&mut command);
        let began = Instant::now();
        while std::net::TcpStream::connect(address).is_err() {
            assert!(process.is_running(), "nginx ended: {}", process.log());
            assert!(began.elapsed() < PATIENCE, "nginx does not listen");
            std::thread::yield_now();
        }
        Self {
            _process: process,
            address,
            _directory: directory,
        }
    }

    fn files(&self) -> Files {
        Files {
            api: Api::new(self.address),
            prefix: "/files",
        }
    }
}

/// One process, so that none is left when it is killed, which writes nowhere but to its directory.
fn configured(address: SocketAddr, kind: &str) -> String {
    let folders: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|name| format!("{name}_temp_path temp-{name};\n"))
        .collect();
    format!(
        "daemon off;
         master_process off;
         pid nginx.pid;
         events {{ worker_connections 64; }}
         http {{
             access_log off;
             {folders}
             types {{ }}
             default_type '{kind}';
             server {{ listen {address}; root html; }}
         }}"
    )
}
