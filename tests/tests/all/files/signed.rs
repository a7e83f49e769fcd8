//! Downloads by signed addresses ask no database: it stands still meanwhile.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::sync::Arc;

use hyper::Uri;
use myim_tests::api::Answer;
use myim_tests::api_person::ApiPerson;
use myim_tests::files::{Files, sha256, status_of};
use myim_tests::mariadb::{Database, MariaDb};
use myim_tests::server::{Kind, Setup};
use myim_tests::transfer::content;
use rustix::process::Signal;

use crate::pictures::png;

/// How often each address is fetched.
const TIMES: usize = 25;

/// What the chat server tells of a file at `place`, as paths of the server that has it.
fn signed(who: &ApiPerson, file: &str, pointers: &[&str]) -> Vec<String> {
    let told = who.get(&format!("/files/{file}")).ok(200);
    let path = |pointer: &&str| {
        let url = told.pointer(pointer).and_then(|url| url.as_str());
        let url: Uri = url.expect("an address").parse().unwrap();
        url.path_and_query().unwrap().to_string()
    };
    pointers.iter().map(path).collect()
}

fn ask(stranger: &Files, path: &str, headers: &[(&str, &str)]) -> Answer {
    stranger.ask("GET", path, headers, b"")
}

/// Whether nobody has answered yet.
fn is_silent(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let seen = stream.peek(&mut [0; 1]);
    stream.set_nonblocking(false).unwrap();
    seen.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

#[test]
fn downloads_by_signed_addresses_ask_no_database() {
    let database = MariaDb::private();
    let on = Arc::new(Database::on(&database.url()));
    let server = Setup::with_database(Kind::Whole, Some(on))
        .wait_for_database()
        .start();
    let ann = server.newcomer("ann");
    let bytes = content(200_000, 50);
    let (files, images) = (server.files(), server.images());
    files.with_token(&ann.token).post(&bytes).ok(201);
    let picture = png(400, 300);
    images.with_token(&ann.token).post(&picture).ok(201);
    let file = signed(&ann, &sha256(&bytes), &["/url"]);
    let pictures = ["/url", "/renditions/thumb", "/renditions/preview"];
    let pictures = signed(&ann, &sha256(&picture), &pictures);
    // Once each, so that it is known what they are, and smaller pictures are made.
    let addresses: Vec<(&Files, &String)> = file
        .iter()
        .map(|path| (&files, path))
        .chain(pictures.iter().map(|path| (&images, path)))
        .collect();
    let first: Vec<Answer> = addresses
        .iter()
        .map(|(stranger, path)| ask(stranger, path, &[]))
        .collect();
    assert!(first[0].body == bytes && first[1].body == picture);

    database.process().freeze();
    let path = format!("/files/{}", sha256(&bytes));
    let mut with_token = files.with_token(&ann.token).begin("GET", &path, &[]);
    for _ in 0..TIMES {
        for ((stranger, path), first) in addresses.iter().zip(&first) {
            let again = ask(stranger, path, &[]);
            assert_eq!(again.status, 200, "{again}");
            assert!(again.body == first.body, "{path}");
            let part = ask(stranger, path, &[("range", "bytes=10-99")]);
            assert_eq!(part.status, 206, "{part}");
            assert!(part.body == first.body[10..100], "{path}");
            let known = ask(stranger, path, &[("if-none-match", first.header("etag"))]);
            assert_eq!(known.status, 304, "{known}");
            // Nor does it take a database to see that somebody made an address up.
            let forged = path.replace("sig=", "sig=A");
            ask(stranger, &forged, &[]).refused(403, "bad_signature");
        }
    }
    assert!(
        is_silent(&with_token),
        "this is to be asked of the database"
    );
    database.process().signal(Signal::CONT);
    assert_eq!(status_of(&mut with_token), 200);
}
