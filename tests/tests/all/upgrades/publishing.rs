//! Publishing: what is signed, what is refused, who may.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use common::upgrade::{PublisherKey, is_signed};
use http_body_util::Full;
use myim_tests::api::{Answer, Api};
use myim_tests::api_person::{text, time};
use myim_tests::person::password;
use myim_tests::process::{PROCESS_PATIENCE, Process, command};
use myim_tests::server::{Db, Kind, Server, Setup};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Publisher, zip};

tests! {
    sqlite: a_package_is_signed_and_published, what_was_not_signed_is_refused,
        only_administrators_publish, the_operator_publishes_too;
    mariadb: a_package_is_signed_and_published, what_was_not_signed_is_refused,
        only_administrators_publish,
}

fn hex(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Fetches a file without a token.
fn fetch(server: &Server, path: &str) -> Answer {
    let request = hyper::Request::get(path)
        .header("host", server.file.to_string())
        .body(Full::default())
        .unwrap();
    Api::new(server.file).send(format!("GET {path}"), request)
}

/// The signed text, as docs/upgrades.md describes it to client developers.
pub(crate) fn signed_text(manifest: &Value) -> String {
    let field = |name: &str| match &manifest[name] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let notes = hex(manifest["notes"].as_str().unwrap().as_bytes());
    let fields = ["platform", "channel", "version", "file", "size", "name"];
    let lines: Vec<String> = fields.iter().map(|name| field(name)).collect();
    format!("myim.upgrade.v1\n{}\n{notes}", lines.join("\n"))
}

fn a_package_is_signed_and_published(server: &mut Server) {
    let publisher = Publisher::new(server);
    let path = server.setup().directory().join("config/upgrade-key.pem");
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = server.upgrade_as_operator(&["key", "--json"]).json();
    assert_eq!(
        (&again[0]["key"], &again[0]["created"]),
        (&json!(publisher.key), &json!(false))
    );

    let package = zip(300_000, 1);
    let notes = "更快\nand 'quotes'";
    let made = publisher.publish("1.2.3", &package, &["--notes", notes]);
    let made = made.json().remove(0);
    assert_eq!(made["file"], hex(&package));
    assert_eq!(
        (&made["percent"], &made["old_name"]),
        (&json!(100), &Value::Null)
    );
    let offered = publisher.offer("1.2.2", "a").unwrap();
    for field in [
        "version",
        "file",
        "size",
        "name",
        "notes",
        "key",
        "signature",
    ] {
        assert_eq!(offered[field], made[field], "{field}");
    }
    assert_eq!(offered["size"], package.len());
    assert_eq!(offered["name"], "Setup-1.2.3.zip");
    assert_eq!(offered["url"], format!("/files/{}", hex(&package)));
    assert_eq!(offered["rollback"], Value::Null);
    time(&offered["published_at"]);
    let signature = text(&offered["signature"]);
    assert!(is_signed(
        &publisher.key,
        &signed_text(&offered),
        &signature
    ));
    assert_eq!(publisher.offer("1.2.3", "a"), None);
    let fetched = fetch(server, &text(&offered["url"]));
    assert!(
        fetched.status == 200 && fetched.body == package,
        "{fetched}"
    );

    let table = publisher.run(&["list", "--platform", "windows"]).ok();
    let line = table.lines().nth(1).unwrap_or_default();
    assert!(line.contains("1.2.3") && line.contains("100"), "{table}");
    assert_eq!(
        publisher.run(&["list", "--channel", "beta", "--json"]).ok(),
        ""
    );
    let book = publisher.root.list("/admin/audit", 100);
    assert_eq!(book[0]["action"], "upgrade.publish");
    assert_eq!(book[0]["target"], format!("upgrade:{}", text(&made["id"])));
    assert!(text(&book[0]["detail"]).starts_with("windows stable 1.2.3"));

    another_key_is_no_accident(server, &publisher, &package);
}

fn another_key_is_no_accident(server: &Server, publisher: &Publisher, package: &[u8]) {
    let other = PublisherKey::generate().unwrap();
    let place = server.setup().directory().join("other.pem");
    fs::write(&place, other.to_pem().unwrap()).unwrap();
    fs::set_permissions(&place, fs::Permissions::from_mode(0o600)).unwrap();
    let with_other = ["--key", "other.pem"];
    publisher
        .publish("1.2.4", package, &with_other)
        .fails(1, "signed by another key");
    let with_other = ["--key", "other.pem", "--new-key"];
    publisher.publish("1.2.4", package, &with_other).ok();
    fs::set_permissions(&place, fs::Permissions::from_mode(0o644)).unwrap();
    publisher
        .publish("1.2.5", package, &with_other)
        .fails(4, "others can read it");
}

/// What a publisher hands in for a package that lies on the file server.
fn claim(publisher: &Publisher<'_>, key: &PublisherKey, version: &str) -> Value {
    let package = zip(1000, 7);
    let files = Api {
        address: publisher.server.file,
        token: publisher.root.api.token.clone(),
    };
    let request = hyper::Request::post("/files")
        .header("host", files.address.to_string())
        .header("authorization", format!("Bearer {}", publisher.token()))
        .body(package.clone().into())
        .unwrap();
    let stored = files.send("POST /files".to_owned(), request);
    assert!([200, 201].contains(&stored.status), "{stored}");
    let mut claim = json!({
        "platform": "windows",
        "channel": "stable",
        "version": version,
        "file": hex(&package),
        "size": package.len(),
        "name": "Setup.zip",
        "notes": "ours",
    });
    let signature = key.sign(&signed_text(&claim));
    claim["key"] = key.public().into();
    claim["signature"] = signature.into();
    claim
}

fn what_was_not_signed_is_refused(server: &mut Server) {
    let publisher = Publisher::new(server);
    let (key, thief) = (
        PublisherKey::generate().unwrap(),
        PublisherKey::generate().unwrap(),
    );
    let good = claim(&publisher, &key, "1.0.0");
    let post = |claim: &Value| publisher.root.post("/admin/upgrades", claim);
    let changed = |field: &str, value: Value| {
        let mut claim = good.clone();
        claim[field] = value;
        claim
    };
    // Every field that is signed, and the signature's own.
    for (field, value) in [
        ("platform", json!("linux")),
        ("channel", json!("beta")),
        ("version", json!("1.0.1")),
        ("file", json!("ab".repeat(32))),
        ("size", json!(1003)),
        ("name", json!("Other.zip")),
        ("notes", json!("theirs")),
        ("key", json!(thief.public())),
        ("signature", json!(thief.sign("x"))),
        ("signature", json!("")),
    ] {
        let problem = post(&changed(field, value)).refused(422, "invalid_value");
        let detail = text(&problem["detail"]);
        assert!(detail.contains("`signature`"), "{field}: {detail}");
    }
    for (field, value) in [
        ("platform", json!("Windows 11")),
        ("version", json!("1.0")),
        ("file", json!("xyz")),
        ("name", json!("../Setup.zip")),
        ("percent", json!(101)),
        ("old_name", json!("a|b")),
    ] {
        let problem = post(&changed(field, value)).refused(422, "invalid_value");
        let detail = text(&problem["detail"]);
        assert!(detail.contains(&format!("`{field}`")), "{field}: {detail}");
    }
    // Signed, but nowhere.
    let mut nowhere = changed("file", json!("ab".repeat(32)));
    nowhere["signature"] = key.sign(&signed_text(&nowhere)).into();
    post(&nowhere).refused(422, "no_such_file");
    let mut long = changed("size", json!(9));
    long["signature"] = key.sign(&signed_text(&long)).into();
    post(&long).refused(422, "invalid_value");
    assert!(publisher.root.list("/admin/upgrades", 10).is_empty());
    post(&good).ok(201);
    post(&good).refused(409, "version_too_low");
    let none = publisher
        .root
        .patch("/admin/upgrades/999", &json!({"percent": 1}));
    none.refused(404, "no_such_upgrade");
}

fn only_administrators_publish(server: &mut Server) {
    let publisher = Publisher::new(server);
    let bob = server.newcomer("bob");
    fs::write(server.setup().directory().join("x.zip"), zip(10, 1)).unwrap();
    let args = [
        "publish",
        "--platform",
        "windows",
        "--version",
        "1.0.0",
        "x.zip",
    ];
    let token = bob.api.token.clone().unwrap();
    server.upgrade(&token, &args).fails(4, "administrators");
    server.upgrade("nonsense", &args).fails(4, "token");
    let key = PublisherKey::generate().unwrap();
    let good = claim(&publisher, &key, "1.0.0");
    bob.post("/admin/upgrades", &good)
        .refused(403, "not_an_admin");
    assert_eq!(publisher.offer("0.1.0", "a"), None);
    for (wrong, words) in [
        (&["--version", "1.0"][..], "1.0"),
        (&["--version", "1.0.0", "--percent", "101"], "101"),
        (
            &["--version", "1.0.0", "--notes-file", "nowhere"],
            "nowhere",
        ),
        (&["--version", "1.0.0", "--name", "a b"], "a b"),
        (&["--version", "1.0.0", "--key", "nowhere"], "nowhere"),
    ] {
        let mut args = vec!["publish", "--platform", "windows", "x.zip"];
        args.extend(wrong);
        let told = publisher.run(&args);
        assert!(told.code == 2 && told.err.contains(words), "{told:?}");
    }
}

/// On the machine itself nobody has to be an administrator; to upload one has to be signed in.
fn the_operator_publishes_too(server: &mut Server) {
    server.upgrade_as_operator(&["key"]).ok();
    fs::write(server.setup().directory().join("x.zip"), zip(10, 1)).unwrap();
    let args = [
        "publish",
        "--platform",
        "windows",
        "--version",
        "1.0.0",
        "x.zip",
    ];
    server.upgrade_as_operator(&args).fails(4, "signed in");
    server.sign_up("bob");
    let directory = server.setup().directory();
    fs::write(directory.join("password"), password("bob")).unwrap();
    let mut login = command("myim", directory);
    login.args(["login", &format!("http://{}", server.chat), "bob"]);
    login.args(["--password-file", "password"]);
    login.args(["--file-port", &server.file.port().to_string()]);
    login.env("MYIM_CONFIG_DIR", directory.join("config"));
    let status = Process::spawn(&mut login).wait(PROCESS_PATIENCE);
    assert!(status.success());
    let told = server.upgrade_as_operator(&args).ok();
    assert_eq!(told, "windows stable 1.0.0 is published for 100%.\n");
    assert!(super::latest(server, "from=0.9.0").is_some());
}

/// On a server that gives files to nobody else without a token.
#[test]
fn a_package_is_for_everybody_until_it_is_withdrawn() {
    let server = Setup::new(Kind::Whole, Db::Sqlite).start();
    let publisher = Publisher::new(&server);
    let package = zip(1000, 9);
    let made = publisher.publish("1.0.0", &package, &[]).json();
    let path = format!("/files/{}", text(&made[0]["file"]));
    let fetched = fetch(&server, &path);
    assert!(
        fetched.status == 200 && fetched.body == package,
        "{fetched}"
    );
    let roll_back = ["roll-back", "--platform", "windows"];
    publisher.run(&roll_back).ok();
    fetch(&server, &path).refused(401, "unauthenticated");
}
