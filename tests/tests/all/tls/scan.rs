//! What a scanner of others (`sslscan`) thinks of the TLS of every port: versions, ciphers, old
//! holes, keys. A server that is weak on purpose shows that it would tell.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::thread;

use myim_tests::http::connect;
use myim_tests::machine::{Need, program_or_skip};
use myim_tests::process::{PROCESS_PATIENCE, Process};
use rustix::process::Signal;
use tempfile::TempDir;

use super::self_signing;

/// What is spoken, and nothing else.
const VERSIONS: [&str; 2] = ["tls 1.2", "tls 1.3"];

/// An element of the report: its name, and its attributes.
struct Element<'r>(&'r str);

impl<'r> Element<'r> {
    /// All elements of this name.
    fn all(report: &'r str, name: &str) -> Vec<Self> {
        let start = format!("<{name} ");
        let found = report.lines().map(str::trim);
        found
            .filter(|line| line.starts_with(&start))
            .map(Self)
            .collect()
    }

    fn get(&self, name: &str) -> &'r str {
        let start = format!(" {name}=\"");
        let found = self.0.split_once(&start);
        found
            .and_then(|(_, rest)| rest.split_once('"'))
            .map_or("", |(value, _)| value)
    }

    fn number(&self, name: &str) -> u32 {
        self.get(name).parse().unwrap_or_default()
    }
}

/// Lets the scanner look at a port; its report, line by line.
fn scan(scanner: &Path, address: SocketAddr) -> String {
    let folder = TempDir::with_prefix("myim-scan-").unwrap();
    let file = folder.path().join("report.xml");
    let mut command = Command::new(scanner);
    command.arg(format!("--xml={}", file.display()));
    let process = Process::spawn(command.arg("--no-colour").arg(address.to_string()));
    let status = process.wait(PROCESS_PATIENCE);
    assert!(status.success(), "{}", process.story());
    std::fs::read_to_string(file).unwrap()
}

/// What is not as it should be.
fn faults(report: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut enabled = Vec::new();
    for protocol in Element::all(report, "protocol") {
        if protocol.get("enabled") != "0" {
            enabled.push(format!(
                "{} {}",
                protocol.get("type"),
                protocol.get("version")
            ));
        }
    }
    if enabled != VERSIONS {
        faults.push(format!("versions: {enabled:?}"));
    }
    let ciphers = Element::all(report, "cipher");
    for version in ["TLSv1.2", "TLSv1.3"] {
        if !ciphers.iter().any(|one| one.get("sslversion") == version) {
            faults.push(format!("ciphers: none of {version}"));
        }
    }
    for cipher in &ciphers {
        let name = cipher.get("cipher");
        // Keys that are forgotten, and content that nobody can change.
        let is_forgetful = name.starts_with("ECDHE-") || name.starts_with("TLS_");
        let is_sealed = ["GCM", "CHACHA20"].iter().any(|seal| name.contains(seal));
        let is_strong = ["acceptable", "strong"].contains(&cipher.get("strength"));
        if !(is_forgetful && is_sealed && is_strong && cipher.number("bits") >= 128) {
            faults.push(format!("ciphers: {}", cipher.0));
        }
    }
    let groups = Element::all(report, "group");
    if groups.is_empty() || groups.iter().any(|group| group.number("bits") < 128) {
        faults.push("groups: none, or a weak one".to_owned());
    }
    let never = [
        ("renegotiation", "supported"),
        ("compression", "supported"),
        ("heartbleed", "vulnerable"),
    ];
    for (what, attribute) in never {
        for element in Element::all(report, what) {
            if element.get(attribute) != "0" {
                faults.push(format!("{what}: {}", element.0));
            }
        }
    }
    if Element::all(report, "heartbleed").len() < 2 || !report.contains("<renegotiation ") {
        faults.push("the scanner did not look".to_owned());
    }
    let keys = Element::all(report, "pk");
    // What an elliptic curve of 256 bits is worth is written as 128.
    let is_long = |key: &Element<'_>| match key.get("type") {
        "EC" => key.number("bits") >= 128,
        "RSA" => key.number("bits") >= 2048,
        _ => false,
    };
    if keys.is_empty() || !keys.iter().all(is_long) {
        let keys: Vec<_> = keys.iter().map(|key| key.0).collect();
        faults.push(format!("key: {keys:?}"));
    }
    if !report.contains("-with-SHA256</signature-algorithm>")
        && !report.contains("sha256WithRSAEncryption</signature-algorithm>")
    {
        faults.push("signature: by no SHA-256".to_owned());
    }
    faults
}

#[test]
fn a_scanner_finds_nothing_to_complain_of() {
    let Some(scanner) = program_or_skip(Need::SslScan, "what a scanner thinks of TLS") else {
        return;
    };
    let server = self_signing().start();
    let scans = [server.chat, server.file, server.image].map(|port| {
        let scanner = scanner.clone();
        thread::spawn(move || (port, scan(&scanner, port)))
    });
    for scan in scans {
        let (port, report) = scan.join().unwrap();
        let faults = faults(&report);
        assert!(faults.is_empty(), "{port}: {faults:#?}\n{report}");
    }
}

#[test]
fn a_scanner_finds_a_weak_server() {
    let what = "whether a scanner finds weak TLS";
    let (Some(scanner), Some(openssl)) = (
        program_or_skip(Need::SslScan, what),
        program_or_skip(Need::OpenSsl, what),
    ) else {
        return;
    };
    let folder = TempDir::with_prefix("myim-weak-").unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (key, certificate) = (path("key.pem"), path("certificate.pem"));
    let mut command = Command::new(&openssl);
    command.args(["req", "-x509", "-newkey", "rsa:1024", "-nodes", "-sha1"]);
    command.args(["-keyout", &key, "-out", &certificate, "-days", "2"]);
    let made = Process::spawn(command.args(["-subj", "/CN=localhost"]));
    assert!(made.wait(PROCESS_PATIENCE).success(), "{}", made.story());
    let mut command = Command::new(&openssl);
    command.args(["s_server", "-accept", "0", "-www", "-min_protocol", "TLSv1"]);
    command.args(["-key", &key, "-cert", &certificate]);
    let server = Process::spawn(command.args(["-cipher", "ALL:@SECLEVEL=0"]));
    let line = server.line_starting("ACCEPT ");
    let port = line.rsplit_once(':').unwrap().1.parse().unwrap();
    let report = scan(&scanner, SocketAddr::from(([127, 0, 0, 1], port)));
    server.signal(Signal::KILL);
    let faults = faults(&report);
    for what in ["versions", "ciphers", "renegotiation", "key", "signature"] {
        let is_told = faults.iter().any(|fault| fault.starts_with(what));
        assert!(is_told, "{what}: {faults:#?}\n{report}");
    }
}

/// What a client says first that would like its content compressed (1), or not at all (0).
fn hello(compressions: &[u8]) -> Vec<u8> {
    // TLS 1.2, 32 bytes that need not be random, no session.
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.push(0);
    // ECDHE with ECDSA and AES-128-GCM.
    body.extend([0, 2, 0xc0, 0x2b]);
    body.push(u8::try_from(compressions.len()).unwrap());
    body.extend(compressions);
    // Groups: P-256. Points: uncompressed. Signatures: ECDSA with P-256.
    let extensions = [
        &[0, 10, 0, 4, 0, 2, 0, 23][..],
        &[0, 11, 0, 2, 1, 0],
        &[0, 13, 0, 4, 0, 2, 4, 3],
    ]
    .concat();
    body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    body.extend(extensions);
    let length = u16::try_from(body.len()).unwrap();
    let mut message = vec![1, 0];
    message.extend(length.to_be_bytes());
    message.extend(body);
    let mut record = vec![22, 3, 1];
    record.extend((length + 4).to_be_bytes());
    record.extend(message);
    record
}

#[test]
fn nothing_is_compressed() {
    // Scanners cannot ask: their libraries cannot compress any more.
    let server = self_signing().start();
    for port in [server.chat, server.file, server.image] {
        let mut stream = connect(port);
        stream.write_all(&hello(&[1, 0])).unwrap();
        let mut head = [0; 5 + 4 + 2 + 32 + 1];
        stream.read_exact(&mut head).unwrap();
        assert_eq!((head[0], head[5]), (22, 2), "it says hello: {head:?}");
        let mut rest = vec![0; usize::from(head[43]) + 3];
        stream.read_exact(&mut rest).unwrap();
        assert_eq!(rest.last(), Some(&0), "compressed: {rest:?}");
        // Who can do nothing else is not talked to.
        let mut stream = connect(port);
        stream.write_all(&hello(&[1])).unwrap();
        let mut kind = [0];
        stream.read_exact(&mut kind).unwrap();
        assert_eq!(kind, [21], "an alert");
    }
}
