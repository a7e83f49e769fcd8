//! Files and pictures, up and down.

use std::fs;
use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use myim_tests::fault_proxy::{Fate, FaultProxy};
use myim_tests::files::sha256;
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::transfer::{content, md5_name};
use serde_json::Value;

use super::{Machine, PATIENCE};
use crate::pictures::{png, telling};

/// Long enough to be interrupted on a slow line.
const FILM_BYTES: usize = 12_000_000;

#[test]
fn a_file_goes_up_and_comes_down() {
    let server = Server::sqlite();
    server.sign_up("ann");
    let ann = Machine::of(&server, "ann");
    let bytes = content(1_500_000, 7);
    ann.file("photo.zip", &bytes);
    let up = ann.json(&["upload", "photo.zip"]);
    let file = sha256(&bytes);
    assert_eq!(up["file"], file);
    assert_eq!(up["bytes"], 1_500_000);
    assert_eq!(up["was_there"], false);
    assert_eq!(ann.json(&["upload", "photo.zip"])["was_there"], true);

    let down = ann.json(&["download", &file, "-o", "copy.zip"]);
    assert_eq!(down["original"], true);
    assert!(fs::read(ann.path().join("copy.zip")).unwrap() == bytes);
    ann.run(&["download", &file, "-o", "copy.zip"])
        .ended(5)
        .said("--force");
    ann.file("copy.zip", "something else");
    ann.run(&["download", &file, "-o", "copy.zip", "--force"])
        .done();
    assert!(fs::read(ann.path().join("copy.zip")).unwrap() == bytes);
    // Without a place it goes here, under its own name.
    ann.run(&["download", &file.to_uppercase()]).done();
    assert!(ann.path().join(file.to_uppercase()).is_file());
    assert_eq!(parts(&ann), Vec::<String>::new());
}

/// What is left of downloads.
fn parts(machine: &Machine) -> Vec<String> {
    fs::read_dir(machine.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".part"))
        .collect()
}

#[test]
fn what_cannot_be_is_said() {
    let server = Server::sqlite();
    server.sign_up("ann");
    server.sign_up("bob");
    let machine = Machine::of(&server, "ann");
    machine
        .run(&["download", &md5_name(b"x")])
        .ended(2)
        .said("myim flamingo download");
    let ran = machine.run(&["download", &"a".repeat(64), "--json"]);
    assert_eq!(ran.ended(1).error(), "no_such_file");
    let ran = machine.run(&["download", &"a".repeat(64)]).ended(1);
    let told = "myim: There is no such file, or it is not yours to read.\n";
    assert_eq!(ran.err, told);
    // What others uploaded is not told, whatever one knows.
    let bobs = Machine::of(&server, "bob");
    bobs.file("secret", "of bob");
    bobs.run(&["upload", "secret"]).done();
    let ran = machine.run(&["download", &sha256(b"of bob"), "--json"]);
    assert_eq!(ran.ended(1).error(), "no_such_file");
    machine.file("broken.png", "no real picture");
    let ran = machine.run(&["upload", "--picture", "broken.png", "--json"]);
    assert_eq!(ran.ended(1).error(), "picture_unsupported");
    machine.run(&["upload", "nowhere"]).ended(5).said("nowhere");
    machine.run(&["upload", "."]).ended(5).said("no file");
    machine.file("empty", "");
    assert_eq!(machine.json(&["upload", "empty"])["bytes"], 0);
    let empty = sha256(b"");
    machine.run(&["download", &empty, "-o", "nothing"]).done();
    assert_eq!(fs::read(machine.path().join("nothing")).unwrap(), b"");
    assert_eq!(unfinished(&machine), 0);
}

#[test]
fn a_file_is_sent_along() {
    let server = Server::sqlite();
    let (ann, bob) = server.acquainted();
    let direct = ann.direct(&bob.user_id);
    let machine = Machine::of(&server, "ann");
    machine.file("notes.txt", "some notes");
    machine.file("cat.png", png(60, 40));
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
    assert_eq!(parts[1]["width"], 60);
    assert_eq!(parts[1]["height"], 40);
    assert!(parts[1]["thumbhash"].as_str().unwrap().len() > 8);
    assert_eq!(parts[2]["name"], "notes.txt");
    assert_eq!(parts[2]["size"], 10);
    assert_eq!(parts[2]["mime"], "text/plain");
    machine.run(&["send", "bob", "--file", "notes.txt"]).done();
    // Whom it was sent to may have it, and send it on without its bytes.
    let bobs = Machine::of(&server, "bob");
    let file = parts[2]["file"].as_str().unwrap();
    bobs.run(&["download", file, "-o", "notes.txt"]).done();
    assert_eq!(bobs.json(&["upload", "notes.txt"])["was_there"], true);
}

#[test]
fn a_picture_comes_as_others_may_see_it_or_as_it_is() {
    let server = Server::sqlite();
    server.sign_up("ann");
    let ann = Machine::of(&server, "ann");
    let (plain, talks) = (png(50, 30), telling());
    ann.file("plain.png", &plain);
    ann.file("telling.png", &talks);
    let up = ann.json(&["upload", "--picture", "plain.png"]);
    assert_eq!(
        (up["width"].clone(), up["height"].clone()),
        (50.into(), 30.into())
    );
    ann.run(&["upload", "--picture", "telling.png"]).done();
    let get = |bytes: &[u8], more: &[&str]| {
        let file = sha256(bytes);
        let down = ann.json(&[&["download", &file, "-o", "copy", "--force"], more].concat());
        let came = fs::read(ann.path().join("copy")).unwrap();
        (down["original"].as_bool().unwrap(), came)
    };
    assert!(get(&plain, &[]) == (true, plain.clone()));
    let (is_original, came) = get(&talks, &[]);
    assert!(!is_original && came.len() < talks.len());
    assert!(get(&talks, &["--original"]) == (true, talks.clone()));
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
    let file = up["file"].as_str().unwrap();
    machine.run(&["download", file, "-o", "copy"]).done();
    assert_eq!(
        fs::read(machine.path().join("copy")).unwrap(),
        b"some notes"
    );
    // This server takes plain text from its own machine too: look at the first byte.
    machine.file("more.txt", "more notes");
    let silent = silent_file_server(&machine);
    let running = machine.start(&["upload", "more.txt"]);
    let (mut connection, _) = silent.accept().unwrap();
    let mut first = [0];
    connection.read_exact(&mut first).unwrap();
    assert_eq!(first, [0x16], "a TLS handshake");
    drop((running, connection));
}

/// Has the account take this for its file server.
fn goes_through(machine: &Machine, address: SocketAddr) {
    let kept = machine.path().join("config/credentials.json");
    let mut all: Value = serde_json::from_slice(&fs::read(&kept).unwrap()).unwrap();
    all["accounts"][0]["file_port"] = address.port().into();
    fs::write(&kept, all.to_string()).unwrap();
}

/// Has the account take a listener that says nothing for its file server.
fn silent_file_server(machine: &Machine) -> TcpListener {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    goes_through(machine, silent.local_addr().unwrap());
    silent
}

/// Has the account reach its file server over a slow line, until that is healed.
fn slow_line(machine: &Machine, server: &Server) -> FaultProxy {
    let slow = Fate {
        latency: Duration::from_millis(20),
        ..Fate::CLEAN
    };
    let proxy = FaultProxy::with_fate(server.file, slow);
    goes_through(machine, proxy.address());
    proxy
}

/// What a machine remembers of uploads that were interrupted.
fn unfinished(machine: &Machine) -> usize {
    let state = machine.path().join("config/state");
    let accounts = fs::read_dir(state).into_iter().flatten();
    let folders = accounts.map(|account| account.unwrap().path().join("uploads"));
    let files = folders.flat_map(|folder| fs::read_dir(folder).into_iter().flatten());
    files.count()
}

/// The uploads that a server has on its disk: what came of each, if it did not become a file yet.
fn uploads(server: &Server) -> Vec<Option<u64>> {
    let folder = server.setup().filecache().join("uploads");
    let all = fs::read_dir(folder).unwrap();
    let notes: Vec<PathBuf> = all
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    let came = |note: PathBuf| fs::metadata(note.with_extension("")).ok();
    notes
        .into_iter()
        .map(|note| came(note).map(|about| about.len()))
        .collect()
}

/// The server has this file, byte for byte.
fn is_stored(server: &Server, bytes: &[u8]) {
    let answer = server.files().get(&sha256(bytes));
    assert_eq!(answer.status, 200, "{answer}");
    assert!(answer.body == bytes, "it is not what was uploaded");
}

#[test]
fn ctrl_c_before_anything_was_moved() {
    let server = Server::sqlite();
    server.sign_up("ann");
    let ann = Machine::of(&server, "ann");
    ann.file("old.txt", "old notes");
    ann.run(&["upload", "old.txt"]).done();
    let silent = silent_file_server(&ann);
    ann.file("notes.txt", "some notes");
    let old = sha256(b"old notes");
    for (args, words) in [
        (&["upload", "notes.txt"][..], "nothing of notes.txt was"),
        (&["download", &old, "-o", "copy"], "nothing came for copy"),
    ] {
        let running = ann.start(args);
        let (connection, _) = silent.accept().unwrap();
        assert_eq!(super::interrupt(&running), Some(130));
        assert!(running.log().contains(words), "{}", running.log());
        drop(connection);
    }
    assert_eq!(parts(&ann), Vec::<String>::new());
}

#[test]
fn an_interrupted_upload_goes_on_where_it_stopped() {
    let server = Server::sqlite();
    server.sign_up("ann");
    let ann = Machine::of(&server, "ann");
    let line = slow_line(&ann, &server);
    let bytes = content(FILM_BYTES, 3);
    ann.file("film.mp4", &bytes);
    let running = ann.start(&["upload", "film.mp4"]);
    // How far it is, after a second.
    running.wait_for_log(" left");
    assert_eq!(super::interrupt(&running), Some(130));
    let log = running.log();
    assert!(log.contains("the same command goes on there"), "{log}");
    assert_eq!(unfinished(&ann), 1);
    assert!(matches!(uploads(&server)[..], [Some(1..)]), "some came");

    line.heal();
    let up = ann.json(&["upload", "film.mp4"]);
    assert_eq!(up["was_there"], false);
    assert_eq!(uploads(&server), [None], "it is the same upload");
    is_stored(&server, &bytes);
    assert_eq!(unfinished(&ann), 0);
}

#[test]
fn a_file_that_became_another_one_is_begun_anew() {
    let server = Server::sqlite();
    let (ann, bob) = server.acquainted();
    let direct = ann.direct(&bob.user_id);
    let machine = Machine::of(&server, "ann");
    let line = slow_line(&machine, &server);
    machine.file("film.mp4", content(FILM_BYTES, 3));
    let send = ["send", "bob", "look", "--file", "film.mp4"];
    let running = machine.start(&send);
    running.wait_for_log(" left");
    assert_eq!(super::interrupt(&running), Some(130));
    let log = running.log();
    assert!(log.contains("nothing was sent"), "{log}");

    line.heal();
    let bytes = content(FILM_BYTES, 4);
    machine.file("film.mp4", &bytes);
    machine.run(&send).done();
    assert_eq!(uploads(&server), [None], "the first one was given up");
    is_stored(&server, &bytes);
    let history = bob.history(&direct);
    assert_eq!(history.len(), 1);
    assert_eq!(history[0]["segments"][1]["file"], sha256(&bytes));
}

#[test]
fn an_upload_outlives_the_server() {
    let mut server = Server::sqlite();
    server.sign_up("ann");
    let ann = Machine::of(&server, "ann");
    let line = slow_line(&ann, &server);
    let bytes = content(FILM_BYTES, 5);
    ann.file("film.mp4", &bytes);
    let running = ann.start(&["upload", "film.mp4"]);
    running.wait_for_log(" left");
    server.crash();
    running.wait_for_log("going on in");
    line.heal();
    let status = running.wait(PATIENCE);
    assert!(status.success(), "{}", running.story());
    assert_eq!(uploads(&server), [None], "it is the same upload");
    is_stored(&server, &bytes);
}

#[test]
fn an_interrupted_download_goes_on_where_it_stopped() {
    let server = Server::sqlite();
    server.sign_up("ann");
    let ann = Machine::of(&server, "ann");
    let bytes = content(FILM_BYTES, 6);
    ann.file("film.mp4", &bytes);
    ann.run(&["upload", "film.mp4"]).done();
    let line = slow_line(&ann, &server);
    let args = ["download", &sha256(&bytes), "-o", "copy.mp4"];
    let running = ann.start(&args);
    running.wait_for_log(" left");
    assert_eq!(super::interrupt(&running), Some(130));
    let log = running.log();
    assert!(log.contains("what came stays in copy.mp4.part"), "{log}");
    let part = ann.path().join("copy.mp4.part");
    let came = fs::read(&part).unwrap();
    assert!(!came.is_empty() && came.len() < bytes.len());
    assert!(bytes.starts_with(&came));

    line.heal();
    ann.run(&args).done();
    assert!(fs::read(ann.path().join("copy.mp4")).unwrap() == bytes);
    assert_eq!(parts(&ann), Vec::<String>::new());
}

#[test]
fn a_file_that_rotted_on_the_server_is_noticed() {
    let server = Server::sqlite();
    server.sign_up("ann");
    let ann = Machine::of(&server, "ann");
    ann.file("notes.txt", "some notes");
    ann.run(&["upload", "notes.txt"]).done();
    let file = sha256(b"some notes");
    let blobs = server.setup().filecache().join("blobs");
    let stored = blobs.join(&file[..2]).join(&file[2..4]).join(&file);
    // Files of the store are read-only.
    fs::remove_file(&stored).unwrap();
    fs::write(&stored, "same notes").unwrap();
    let ran = ann.run(&["download", &file, "-o", "copy", "--json"]);
    assert_eq!(ran.ended(1).error(), "transfer");
    assert!(!ann.path().join("copy").exists());
    assert_eq!(parts(&ann), Vec::<String>::new());
}
