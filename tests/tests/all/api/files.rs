//! Files in messages and in profiles: who may fetch them, and where.

use myim_tests::api::Answer;
use myim_tests::api_person::{ApiPerson, text};
use myim_tests::files::{Files, sha256};
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::transfer::{Transfer, content, md5_name};
use myim_tests::wire::Flavor;
use serde_json::{Value, json};

use super::{Village, server_with, went_well};

tests! {
    sqlite: a_file_is_for_those_who_got_it, what_is_taken_back_is_for_nobody,
        a_picture_of_a_profile_is_for_all, what_old_clients_uploaded, a_large_file_has_its_name;
    mariadb: a_file_is_for_those_who_got_it, what_is_taken_back_is_for_nobody,
        a_picture_of_a_profile_is_for_all,
}

/// A picture of one pixel.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\
    \x89\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";

fn show(who: &ApiPerson, file: &str) -> Answer {
    who.get(&format!("/files/{file}"))
}

/// A file that somebody uploaded; its hash.
fn put(server: &Server, who: &ApiPerson, bytes: &[u8]) -> String {
    let files = server.files().with_token(&who.token);
    went_well(&files.post(bytes));
    sha256(bytes)
}

/// A picture that somebody uploaded: its hash, and what the server made of it.
fn put_picture(server: &Server, who: &ApiPerson) -> (String, Vec<u8>) {
    let images = server.images().with_token(&who.token);
    let file = text(&went_well(&images.post(PNG))["file"]);
    let kept = images.get(&file).body;
    (file, kept.to_vec())
}

/// A message with this file, about which its author is wrong.
fn with_file(client_id: &str, file: &str) -> Value {
    json!({"client_id": client_id, "segments": [
        {"type": "file", "file": file, "name": "a.txt", "size": 1, "mime": "wrong/kind"}
    ]})
}

fn send(who: &ApiPerson, conversation: &str, client_id: &str, file: &str) -> Answer {
    let path = format!("/conversations/{conversation}/messages");
    who.post(&path, &with_file(client_id, file))
}

/// What somebody without a token gets at the address that `shown` names.
fn fetch(nobody: &Files, shown: &Value) -> Answer {
    let url = shown["url"].as_str().expect("a url");
    let (scheme, rest) = url.split_once("://").expect("a scheme");
    assert_eq!(scheme, "http");
    let (host, _) = rest.split_once('/').expect("a path");
    assert_eq!(host, nobody.api.address.to_string());
    nobody.ask("GET", &rest[host.len()..], &[], b"")
}

fn a_file_is_for_those_who_got_it(server: &mut Server) {
    let village = Village::new(server);
    let Village {
        ann,
        bob,
        cid,
        eve,
        direct,
        ..
    } = &village;
    let bytes = b"the secret recipe\n";
    let file = put(server, ann, bytes);
    // A hash is not a key.
    for other in [bob, eve] {
        show(other, &file).refused(404, "no_such_file");
        send(other, &other.direct(&other.user_id), "steal", &file).refused(422, "no_such_file");
    }
    send(ann, direct, "recipe", &"0".repeat(64)).refused(422, "no_such_file");
    let seq = went_well(&send(ann, direct, "recipe", &file))["seq"].clone();
    let message = bob
        .get(&format!("/conversations/{direct}/messages/{seq}"))
        .ok(200);
    let segment = &message["segments"][0];
    assert_eq!(segment["size"], bytes.len());
    assert_eq!(segment["mime"], "text/plain");
    let shown = show(bob, &file).ok(200);
    assert_eq!(shown["file"], file);
    assert_eq!(shown["size"], bytes.len());
    assert_eq!(shown["mime"], "text/plain");
    assert_eq!(shown["renditions"], Value::Null);
    let nobody = server.files();
    let fetched = fetch(&nobody, &shown);
    assert_eq!(fetched.status, 200, "{fetched}");
    assert_eq!(&fetched.body[..], &bytes[..]);
    for other in [cid, eve] {
        show(other, &file).refused(404, "no_such_file");
    }
    // Who passes it on makes others readers.
    let from = json!({"client_id": "on", "forward": {"conversation": direct, "seq": seq}});
    let on = bob.direct(&cid.user_id);
    bob.befriend(cid);
    went_well(&bob.post(&format!("/conversations/{on}/messages"), &from));
    show(cid, &file).ok(200);
    show(eve, &file).refused(404, "no_such_file");
    for nonsense in [
        "0",
        "..%2f..%2fetc%2fpasswd",
        &file.to_uppercase(),
        &"g".repeat(64),
    ] {
        show(ann, nonsense).refused(404, "no_such_file");
    }
    ann.get(&format!("/files/{file}?class=folder"))
        .refused(400, "invalid_parameter");
}

/// The everyday server of the tests lets everybody read; this one does not.
#[test]
fn an_address_is_for_one_file_and_for_a_time() {
    let server = Setup::new(Kind::Whole, Db::Sqlite).start();
    let Village { ann, bob, cid, .. } = &Village::new(&server);
    let file = put(&server, ann, b"the secret recipe\n");
    let nobody = server.files();
    nobody.get(&file).refused(401, "unauthenticated");
    for other in [bob, cid] {
        let files = nobody.with_token(&other.token);
        files.get(&file).refused(404, "no_such_file");
    }
    let shown = show(ann, &file).ok(200);
    assert_eq!(fetch(&nobody, &shown).status, 200);
    let url = shown["url"].as_str().expect("a url");
    let path = url.split_once("/files/").expect("a path").1;
    let another = put(&server, ann, b"another secret");
    let (_, query) = path.split_once('?').expect("a query");
    let later = query.replacen("exp=", "exp=9", 1);
    for forged in [format!("{another}?{query}"), format!("{file}?{later}")] {
        let answer = nobody.ask("GET", &format!("/files/{forged}"), &[], b"");
        answer.refused(403, "bad_signature");
    }
}

fn what_is_taken_back_is_for_nobody(server: &mut Server) {
    let Village {
        ann, bob, direct, ..
    } = &Village::new(server);
    let (first, second) = (put(server, ann, b"first"), put(server, ann, b"second"));
    let seq = went_well(&send(ann, direct, "one", &first))["seq"].clone();
    show(bob, &first).ok(200);
    let place = format!("/conversations/{direct}/messages/{seq}");
    let edit = json!({"segments": with_file("", &second)["segments"]});
    went_well(&ann.patch(&place, &edit));
    show(bob, &first).refused(404, "no_such_file");
    show(bob, &second).ok(200);
    went_well(&ann.post(&format!("{place}/recall"), &json!({})));
    show(bob, &second).refused(404, "no_such_file");
    for file in [&first, &second] {
        show(ann, file).ok(200);
    }
}

fn a_picture_of_a_profile_is_for_all(server: &mut Server) {
    let Village {
        ann,
        bob,
        eve,
        group,
        ..
    } = &Village::new(server);
    let (file, picture) = put_picture(server, ann);
    let name = md5_name(&picture);
    let avatar = |avatar: &str| json!({"avatar": avatar});
    show(eve, &file).refused(404, "no_such_file");
    let words = put(server, ann, b"no picture");
    for wrong in [&*words, &"0".repeat(64), &"0".repeat(32), "cat.png"] {
        ann.patch("/me", &avatar(wrong))
            .refused(422, "no_such_file");
        let group = format!("/groups/{group}");
        ann.patch(&group, &avatar(wrong))
            .refused(422, "no_such_file");
    }
    // Whose picture it is decides who may show it.
    for stolen in [&file, &name] {
        eve.patch("/me", &avatar(stolen))
            .refused(422, "no_such_file");
    }
    for chosen in [&file, &name] {
        let me = ann.patch("/me", &avatar(chosen)).ok(200);
        assert_eq!(me["avatar"], name, "as old clients call it");
    }
    let shown = eve.get(&format!("/users/{}", ann.user_id)).ok(200);
    for named in [&*file, shown["avatar"].as_str().expect("a name")] {
        let shown = show(eve, &format!("{named}?class=image")).ok(200);
        assert_eq!(shown["file"], file);
        assert_eq!(shown["mime"], "image/png");
        assert_eq!(fetch(&server.images(), &shown).body, picture);
    }
    let mut old = Transfer::connect(server.image, Flavor::Pc);
    assert_eq!(old.download(&name).expect("the picture"), picture);
    let path = format!("/groups/{group}");
    assert_eq!(ann.patch(&path, &avatar(&file)).ok(200)["avatar"], name);
    // The group goes on to show it.
    assert_eq!(
        ann.patch("/me", &avatar("builtin:7")).ok(200)["avatar"],
        "builtin:7"
    );
    show(bob, &file).ok(200);
    went_well(&ann.patch(&path, &avatar("")));
    show(bob, &file).refused(404, "no_such_file");
}

fn what_old_clients_uploaded(server: &mut Server) {
    let Village {
        ann,
        bob,
        eve,
        direct,
        ..
    } = &Village::new(server);
    let bytes = content(200_000, 7);
    let mut old = Transfer::connect(server.file, Flavor::Pc);
    old.upload(&bytes);
    let file = sha256(&bytes);
    // Nobody knows whose it is, and so whoever knows it may send it, as old clients may.
    went_well(&send(ann, direct, "old", &file));
    let shown = show(bob, &file).ok(200);
    assert_eq!(shown["size"], bytes.len());
    assert!(fetch(&server.files(), &shown).body == bytes);
    show(eve, &file).refused(404, "no_such_file");
}

fn a_large_file_has_its_name(server: &mut Server) {
    let Village { ann, direct, .. } = &Village::new(server);
    // So large that its MD5 is computed after the upload was answered.
    let bytes = content(10 << 20, 6);
    let file = put(server, ann, &bytes);
    went_well(&send(ann, direct, "large", &file));
    let mut old = Transfer::connect(server.file, Flavor::Pc);
    let found = old.download(&md5_name(&bytes));
    assert!(
        found.is_some_and(|found| found == bytes),
        "old clients cannot find it"
    );
}

#[test]
fn the_operator_says_how_the_servers_are_reached() {
    let server = server_with("--file-url", "https://files.example");
    let ann = server.newcomer("ann");
    let file = put(&server, &ann, b"x");
    let url = |path: &str| show(&ann, &format!("{file}{path}")).ok(200)["url"].clone();
    let of_file = url("");
    let of_file = of_file.as_str().expect("a url");
    assert!(
        of_file.starts_with(&format!("https://files.example/files/{file}?exp=")),
        "{of_file}"
    );
    let of_image = url("?class=image");
    let expected = format!("http://{}/images/{file}?exp=", server.image);
    assert!(
        of_image.as_str().expect("a url").starts_with(&expected),
        "{of_image}"
    );
}
