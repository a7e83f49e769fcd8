//! A token that was stolen is worth nothing as soon as the password is another one, on every door.

use std::time::Instant;

use myim_tests::api_person::{ApiPerson, ended};
use myim_tests::http;
use myim_tests::peer::PATIENCE;
use myim_tests::person::{Person, code, password};
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::socket::Socket;
use myim_tests::stream::EventStream;
use myim_tests::wire::Flavor;
use serde_json::json;

const NEW: &str = "another long password";

/// Changes the password of this user.
type Change = fn(&Server, &ApiPerson);

fn over_the_api(server: &Server, user: &ApiPerson) {
    let body = json!({"old_password": password(&user.name), "new_password": NEW});
    let laptop = server.sign_in(&user.name, "another laptop");
    laptop.put("/me/password", &body).ok(204);
    laptop.get("/me").ok(200);
}

fn with_an_old_client(server: &Server, user: &ApiPerson) {
    let mut old = server.login(&user.name, Flavor::Pc);
    let body = json!({"oldpassword": password(&user.name), "newpassword": NEW});
    assert_eq!(code(&old.ask(1008, body.to_string())), 0);
    // "Sessions stay logged in", as the old protocol has it.
    old.barrier();
}

fn by_an_administrator(server: &Server, user: &ApiPerson) {
    let root = server.administrator(&format!("root-of-{}", user.name));
    let path = format!("/admin/users/{}/password", user.user_id);
    root.put(&path, &json!({"password": NEW})).ok(200);
}

#[test]
fn a_stolen_token_ends_with_the_password() {
    // Files are for those who have signed in.
    let server = Setup::new(Kind::Whole, Db::Sqlite).start();
    let ways: [(&str, Change); 3] = [
        ("api", over_the_api),
        ("old", with_an_old_client),
        ("admin", by_an_administrator),
    ];
    for (name, change) in ways {
        let user = server.newcomer(name);
        // Open connections of the thief, and one that he makes later.
        let mut live = user.connect();
        let mut events = EventStream::open(&user.api, None).expect("it opens");
        let files = server.files().with_token(&user.token);
        let stored = files.post(b"mine");
        assert_eq!(stored.status, 201, "{stored}");
        change(&server, &user);
        assert!(ended(&live.ends()), "{name}: his WebSocket goes on");
        let end = loop {
            if let Err(end) = events.try_event(PATIENCE) {
                break end;
            }
        };
        assert_ne!(end, "the time is over", "{name}: he listens on");
        user.get("/me").refused(401, "unauthenticated");
        user.get("/sync?wait=0").refused(401, "unauthenticated");
        let mut again = Socket::connect(server.chat);
        again.request("hello", json!({"token": user.token}));
        again.closed_with(4001);
        assert!(
            EventStream::open(&user.api, None).is_err(),
            "{name}: he listens"
        );
        // The file server believes for five seconds what it knows of a token.
        let deadline = Instant::now() + PATIENCE;
        while files.post(b"his").status != 401 {
            assert!(Instant::now() < deadline, "{name}: he stores files");
        }
        let place = stored.header("location");
        assert_eq!(
            files.get(place.trim_start_matches("/files/")).status,
            401,
            "{name}"
        );
        // The old password opens nothing, the new one does.
        let old = Person::try_login(server.peer(Flavor::Android), name, &password(name));
        assert!(old.is_err(), "{name}: the old password still works");
        Person::login(server.peer(Flavor::Android), name, NEW);
    }
    assert_eq!(http::get(server.chat, "/api/v1/me").status, 401);
}
