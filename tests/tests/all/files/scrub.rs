//! `myim admin files`: what is kept is looked through, and damage is found.

use std::fs;
use std::path::PathBuf;

use myim_tests::files::sha256;
use myim_tests::server::Server;
use serde_json::{Value, json};

fn place(server: &Server, file: &str) -> PathBuf {
    let blobs = server.setup().filecache().join("blobs");
    blobs.join(&file[..2]).join(&file[2..4]).join(file)
}

fn of(findings: &[Value], file: &str) -> Vec<(Value, Value)> {
    let of_it = findings.iter().filter(|finding| finding["file"] == file);
    of_it
        .map(|finding| (finding["fault"].clone(), finding["repair"].clone()))
        .collect()
}

#[test]
fn damage_is_found_and_put_aside() {
    let server = Server::sqlite();
    let ann = server.newcomer("ann");
    let files = server.files().with_token(&ann.token);
    let [good, damaged, lost] = [b"good".as_slice(), b"damaged", b"lost"].map(|bytes| {
        files.post(bytes).ok(201);
        sha256(bytes)
    });
    let scrub = |more: &[&str]| server.admin(&[&["files", "scrub"], more].concat());
    scrub(&[]).fails(1, "while no server runs");
    let stats = server.admin(&["files", "stats", "--json"]).json();
    assert_eq!(stats[0]["files"], 3);
    server.stop();
    scrub(&[]).ok();

    // Of the same length: only who reads it sees it.
    fs::write(place(&server, &damaged), b"DAMAGED").unwrap();
    fs::remove_file(place(&server, &lost)).unwrap();
    let backup = server.setup().directory().join("backup");
    let copy = place(&server, &lost);
    let copy = backup.join(copy.strip_prefix(server.setup().filecache()).unwrap());
    fs::create_dir_all(copy.parent().unwrap()).unwrap();
    fs::write(copy, b"lost").unwrap();

    let quick = scrub(&["--quick", "--json"]).finds();
    assert_eq!(of(&quick, &damaged), []);
    let nothing_done = [(json!("missing"), Value::Null)];
    assert_eq!(of(&quick, &lost), nothing_done);
    let told = scrub(&["--json"]).finds();
    assert_eq!(of(&told, &good), []);
    assert_eq!(of(&told, &damaged), [(json!("damaged"), Value::Null)]);
    assert_eq!(of(&told, &lost), nothing_done);
    assert_eq!(told.last().unwrap()["missing"], 1);

    let backup = backup.display().to_string();
    let repaired = scrub(&["--repair", "--copies", &backup, "--json"]).finds();
    let put_aside = [(json!("damaged"), json!("quarantined"))];
    assert_eq!(of(&repaired, &damaged), put_aside);
    assert_eq!(
        of(&repaired, &lost),
        [(json!("missing"), json!("restored"))]
    );
    assert_eq!(fs::read(place(&server, &lost)).unwrap(), b"lost");
    let quarantine = server.setup().filecache().join("quarantine");
    assert_eq!(fs::read(quarantine.join(&damaged)).unwrap(), b"DAMAGED");
    // It is known to be missing until somebody uploads it again.
    let told = scrub(&["--json"]).finds();
    assert_eq!(of(&told, &damaged), [(json!("missing"), Value::Null)]);
}
