//! Files and pictures, up and down.

use std::fs;
use std::io::Read;
use std::net::TcpListener;

use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::transfer::{content, md5_name};
use serde_json::Value;

use super::Machine;

#[test]
fn a_file_goes_up_and_comes_down() {
    let server = Server::sqlite();
    server.sign_up("ann");
    let ann = Machine::of(&server, "ann");
    let bytes = content(1_500_000, 7);
    ann.file("photo.zip", &bytes);
    let up = ann.json(&["upload", "photo.zip"]);
    assert_eq!(up["name"], md5_name(&bytes));
    assert_eq!(up["bytes"], 1_500_000);
    assert_eq!(up["was_there"], false);
    assert_eq!(up["file"].as_str().unwrap().len(), 64);
    assert_eq!(ann.json(&["upload", "photo.zip"])["was_there"], true);

    let name = md5_name(&bytes);
    ann.run(&["download", &name, "-o", "copy.zip"]).done();
    assert!(fs::read(ann.path().join("copy.zip")).unwrap() == bytes);
    ann.run(&["download", &name, "-o", "copy.zip"])
        .ended(5)
        .said("--force");
    ann.run(&["download", &name, "-o", "copy.zip", "--force"])
        .done();
    // Pictures are elsewhere.
    let ran = ann
        .run(&["download", &name, "--picture", "--json"])
        .ended(1);
    assert_eq!(ran.error(), "transfer");
    let left: Vec<_> = fs::read_dir(ann.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".part"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn what_the_server_cannot_do_is_said() {
    let server = Server::sqlite();
    server.sign_up("ann");
    let ann = Machine::of(&server, "ann");
    ann.run(&["download", &"a".repeat(64)]).ended(1).said("MD5");
    ann.file("empty", "");
    ann.run(&["upload", "empty"]).ended(1).said("empty");
}

#[test]
fn a_file_is_sent_along() {
    let server = Server::sqlite();
    let (ann, bob) = server.acquainted();
    let direct = ann.direct(&bob.user_id);
    let machine = Machine::of(&server, "ann");
    machine.file("notes.txt", "some notes");
    machine.file("cat.png", "no real picture");
    machine
        .run(&[
            "send",
            "bob",
            "look",
            "--file",
            "notes.txt",
            "--picture",
            "cat.png",
        ])
        .done();
    let history = bob.history(&direct);
    let parts = history[0]["segments"].as_array().unwrap();
    let kinds: Vec<_> = parts
        .iter()
        .map(|part| part["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["text", "image", "file"]);
    assert_eq!(parts[2]["name"], "notes.txt");
    assert_eq!(parts[2]["size"], 10);
    machine.run(&["send", "bob", "--file", "notes.txt"]).done();
}

#[test]
fn files_go_through_tls_where_the_server_says_https() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .open()
        .chat_flag("--tls-self-signed=true", "--require-tls=true")
        .start();
    let certificate = server.setup().data_dir().join("tls/certificate.pem");
    let machine = Machine::new(&server);
    let address = format!("https://localhost:{}", server.chat.port());
    let ca = certificate.to_str().unwrap();
    let secret = "password of ann\n";
    let to = [address.as_str(), "ann", "--ca", ca, "--password-file", "-"];
    machine
        .run_with(&[&["register"], &to[..]].concat(), secret)
        .done();
    let ports = [
        "--file-port",
        &machine.file_port,
        "--image-port",
        &machine.image_port,
    ];
    machine
        .run_with(&[&["login"], &to[..], &ports[..]].concat(), secret)
        .done();
    // Who is no administrator was known all the same: the certificate of the login is trusted.
    let stats = ["admin", "--server", &address, "stats"];
    machine.run(&stats).ended(4).said("administrators");
    machine.file("notes.txt", "some notes");
    let up = machine.json(&["upload", "notes.txt"]);
    let name = up["name"].as_str().unwrap();
    machine.run(&["download", name, "-o", "copy"]).done();
    assert_eq!(
        fs::read(machine.path().join("copy")).unwrap(),
        b"some notes"
    );
    // This server takes plain text from its own machine too: look at the first byte.
    let silent = silent_file_server(&machine);
    let running = machine.start(&["upload", "notes.txt"]);
    let (mut connection, _) = silent.accept().unwrap();
    let mut first = [0];
    connection.read_exact(&mut first).unwrap();
    assert_eq!(first, [0x16], "a TLS handshake");
    drop((running, connection));
}

/// Has the account take a listener that says nothing for its file server.
fn silent_file_server(machine: &Machine) -> TcpListener {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let kept = machine.path().join("config/credentials.json");
    let mut all: Value = serde_json::from_slice(&fs::read(&kept).unwrap()).unwrap();
    all["accounts"][0]["file_port"] = silent.local_addr().unwrap().port().into();
    fs::write(&kept, all.to_string()).unwrap();
    silent
}

#[test]
fn ctrl_c_says_what_is_left() {
    let server = Server::sqlite();
    server.sign_up("ann");
    let ann = Machine::of(&server, "ann");
    let silent = silent_file_server(&ann);
    ann.file("notes.txt", "some notes");
    for (args, words) in [
        (&["upload", "notes.txt"][..], "begins at its beginning"),
        (
            &["download", &"a".repeat(32)],
            "begins each download at the beginning",
        ),
    ] {
        let running = ann.start(args);
        let (connection, _) = silent.accept().unwrap();
        assert_eq!(super::interrupt(&running), Some(130));
        assert!(running.log().contains(words), "{}", running.log());
        drop(connection);
    }
    assert!(!ann.path().join(format!("{}.part", "a".repeat(32))).exists());
}
