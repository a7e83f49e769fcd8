//! Every route of the file and image servers, as every kind of caller. The table is `transfer.txt`; a
//! path of the servers' sources that it does not name fails the test, and so does a method that is
//! answered there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use myim_tests::api::Answer;
use myim_tests::api_person::{ApiPerson, text};
use myim_tests::files::{Files, TUS, sha256};
use myim_tests::person::password;
use myim_tests::server::{Db, Kind, Server, Setup};
use serde_json::json;

use crate::pictures::png;

/// The callers that have a column, in its order.
const ROLES: [&str; 5] = ["stranger", "bot", "receiver", "uploader", "admin"];

/// Where routes are put together.
const SOURCES: [&str; 3] = [
    include_str!("../../../../common/src/transfer/http/router.rs"),
    include_str!("../../../../common/src/transfer/upgrade/manifest.rs"),
    include_str!("../../../../image-server/src/routes.rs"),
];

/// What may be tried on each path. OPTIONS is answered for all of them by one layer.
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

struct World {
    callers: BTreeMap<&'static str, String>,
    /// Tokens that are worth nothing; `None` for nobody.
    outsiders: Vec<(&'static str, Option<String>)>,
    /// What parameters of a path mean, by path.
    things: BTreeMap<&'static str, String>,
}

fn world(server: &Server) -> World {
    let names = ["ann", "bob", "eve", "dan", "ivy"];
    let [ann, bob, eve, dan, ivy] = names.map(|name| server.newcomer(name));
    let root = server.administrator("root");
    ann.befriend(&bob);
    let robot = ann.post("/bots", &json!({"username": "robot"})).ok(201);
    let things = things(server, &ann, &bob);
    let signed_out = server.sign_in("bob", "old phone");
    signed_out.call("DELETE", "/sessions/current", None).ok(204);
    let change = json!({"old_password": password("ivy"), "new_password": "another long one"});
    let phone = server.sign_in("ivy", "phone");
    phone.put("/me/password", &change).ok(204);
    let disable = format!("/admin/users/{}/disable", dan.user_id);
    root.call("POST", &disable, None).ok(204);
    World {
        outsiders: vec![
            ("nobody", None),
            ("forged", Some(format!("{}x", ann.token))),
            ("signed-out", Some(signed_out.token)),
            ("old-password", Some(ivy.token)),
            ("disabled", Some(dan.token)),
        ],
        callers: BTreeMap::from([
            ("stranger", eve.token),
            ("bot", text(&robot["token"])),
            ("receiver", bob.token),
            ("uploader", ann.token),
            ("admin", root.token),
        ]),
        things,
    }
}

/// A file and a picture that Ann sent to Bob, the addresses that he was given, and what she has begun
/// to upload.
fn things(server: &Server, ann: &ApiPerson, bob: &ApiPerson) -> BTreeMap<&'static str, String> {
    let files = server.files().with_token(&ann.token);
    let images = server.images().with_token(&ann.token);
    let (document, picture) = (b"for Bob alone".to_vec(), png(64, 48));
    files.post(&document).ok(201);
    images.post(&picture).ok(201);
    let sizes = [document.len(), picture.len()];
    let (document, picture) = (sha256(&document), sha256(&picture));
    let message = json!({"client_id": "sent", "segments": [
        {"type": "file", "file": document, "name": "a.txt", "size": sizes[0], "mime": "text/plain"},
        {"type": "image", "file": picture, "name": "a.png", "size": sizes[1], "width": 64, "height": 48},
    ]});
    let direct = ann.direct(&bob.user_id);
    let sent = ann.post(&format!("/conversations/{direct}/messages"), &message);
    sent.ok(201);
    let signed = |file: &str| {
        let url = text(&bob.get(&format!("/files/{file}")).ok(200)["url"]);
        let (_, query) = url.split_once('?').expect("it is signed");
        query.to_owned()
    };
    BTreeMap::from([
        ("/files/uploads", files.create(100)),
        ("/images/uploads", images.create(100)),
        ("/files signed", signed(&document)),
        ("/images signed", signed(&picture)),
        ("/files", document),
        ("/images", picture),
    ])
}

/// Where a path of the table is.
fn address(world: &World, path: &str) -> String {
    let class = if path.starts_with("/images") {
        "/images"
    } else {
        "/files"
    };
    path.replace(
        &format!("{class}/uploads/{{id}}"),
        &world.things[format!("{class}/uploads").as_str()],
    )
    .replace(
        "{signed}",
        &world.things[format!("{class} signed").as_str()],
    )
    .replace("{name}", &world.things[class])
    .replace("{rendition}", "thumb")
    .replace("{platform}", "windows")
    .replace("{channel}", "stable")
    .replace("{id}", "7")
}

fn ask(
    server: &Server,
    world: &World,
    token: Option<&String>,
    row: (&str, &str),
    nth: u32,
) -> Answer {
    let (method, path) = row;
    let is_image = path.starts_with("/images") || path.starts_with("/avatars");
    let door = if is_image {
        server.images()
    } else {
        server.files()
    };
    let door = token.map_or_else(|| Files::clone(&door), |token| door.with_token(token));
    let address = address(world, path);
    // Nobody has uploaded it before.
    let content = || png(100 + nth, 3);
    let offset = ("upload-offset", "0");
    let stream = ("content-type", "application/offset+octet-stream");
    match method {
        // A `/` at the end begins an upload that goes on later.
        "POST" if path.ends_with('/') => {
            door.ask(method, &address, &[TUS, ("upload-length", "9")], b"")
        }
        "POST" if path.contains("/uploads/") => {
            let meant = ("x-http-method-override", "PATCH");
            door.ask(method, &address, &[TUS, meant, offset, stream], b"")
        }
        "PATCH" => door.ask(method, &address, &[TUS, offset, stream], b""),
        "HEAD" | "DELETE" if path.contains("/uploads/") => door.ask(method, &address, &[TUS], b""),
        // The last part is what it is called.
        "PUT" => {
            let address = address.replace(&world.things[door.prefix], "a.png");
            door.ask(method, &address, &[], &content())
        }
        "POST" => door.ask(method, &address, &[], &content()),
        _ => door.ask(method, &address, &[], b""),
    }
}

/// The paths of the sources, of both servers.
fn known() -> BTreeSet<String> {
    let routes = SOURCES
        .iter()
        .flat_map(|source| source.split(".route(").skip(1));
    let words = routes.map(|route| {
        route
            .split([',', '\n'])
            .find(|part| !part.trim().is_empty())
    });
    let mut known = BTreeSet::new();
    for word in words {
        let word = word.expect("a path").trim().trim_start_matches("&format!(");
        let path = word
            .trim_matches(['"', ')'])
            .replace("{{", "{")
            .replace("}}", "}");
        let path = if path == "prefix" {
            "{prefix}".to_owned()
        } else {
            path
        };
        if path.contains("{prefix}") {
            known.extend(["/files", "/images"].map(|prefix| path.replace("{prefix}", prefix)));
        } else {
            known.insert(path);
        }
    }
    known
}

#[test]
fn every_route_of_files_answers_every_caller_as_the_table_says() {
    let server = Setup::new(Kind::Whole, Db::Sqlite).start();
    let world = world(&server);
    let mut wrong = String::new();
    let (mut rows, mut nth) = (BTreeSet::new(), 0);
    for line in include_str!("transfer.txt").lines() {
        if line.starts_with('#') {
            continue;
        }
        let (route, wanted) = line.split_once(" | ").expect("two columns");
        let row = route.trim().split_once(' ').expect("a method and a path");
        rows.insert((row.0, row.1.split('?').next().unwrap()));
        let mut status = |token: Option<&String>| {
            nth += 1;
            ask(&server, &world, token, row, nth).status
        };
        let open = wanted.trim().strip_prefix("open ");
        for (who, token) in &world.outsiders {
            let got = status(token.as_ref()).to_string();
            // Where nobody needs a token, nobody is asked whether his is good.
            if got != open.unwrap_or("401") {
                writeln!(wrong, "{route} by {who}: {got}").unwrap();
            }
        }
        let got = ROLES.map(|role| status(Some(&world.callers[role])).to_string());
        let is_right = match open {
            Some(one) => got.iter().all(|got| got == one),
            None => got.join(" ") == wanted.trim(),
        };
        if !is_right {
            writeln!(wrong, "{route} | {}", got.join(" ")).unwrap();
        }
    }
    let mut paths: BTreeSet<String> = known();
    for path in &paths {
        for method in METHODS {
            nth += 1;
            let owner = &world.callers["uploader"];
            let status = ask(&server, &world, Some(owner), (method, path), nth).status;
            if status != 405 && !rows.contains(&(method, path.as_str())) {
                writeln!(
                    wrong,
                    "{method} {path} has no row, and is answered {status}"
                )
                .unwrap();
            }
        }
    }
    for (_, path) in rows {
        paths.remove(path);
    }
    assert!(paths.is_empty(), "paths without a row: {paths:?}");
    assert!(wrong.is_empty(), "{wrong}");
}
