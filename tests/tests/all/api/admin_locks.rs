//! A locked account, for both protocols.

use myim_tests::api_person::{Device, try_sign_in};
use myim_tests::peer::PATIENCE;
use myim_tests::person::{Person, login_data, password};
use myim_tests::server::Server;
use myim_tests::wire::Flavor;
use serde_json::json;

tests! {
    sqlite: nobody_gets_into_a_locked_account, who_is_in_is_out, nothing_of_it_is_lost,
        a_waiting_call_ends;
    mariadb: nobody_gets_into_a_locked_account, who_is_in_is_out, nothing_of_it_is_lost,
}

/// The old clients' login.
const LOGIN: i32 = 1002;
/// What tells them that they were signed out.
const KICKED: i32 = 1102;

fn lock(server: &Server, name: &str) {
    server.admin(&["user", "disable", name]).ok();
}

fn nobody_gets_into_a_locked_account(server: &mut Server) {
    let bob = server.newcomer("bob");
    // A server that has just checked a token takes it for checked.
    bob.get("/me").ok(200);
    lock(server, "bob");
    let refused = |word: &str| try_sign_in(&server.api(), "bob", word, "laptop");
    refused(&password("bob")).refused(403, "account_disabled");
    // Who does not know the password learns nothing.
    refused("another one").refused(401, "bad_credentials");
    bob.get("/me").refused(401, "unauthenticated");
    // The old clients know no other word.
    let mut peer = server.peer(Flavor::Pc);
    peer.send(LOGIN, 1, login_data("bob", &password("bob"), 1, 1));
    let answer = peer.expect(LOGIN).json();
    assert_eq!(answer["code"], 103, "{answer}");
    server.admin(&["user", "enable", "bob"]).ok();
    server.sign_in("bob", "laptop").get("/me").ok(200);
    server.login("bob", Flavor::Pc);
}

fn who_is_in_is_out(server: &mut Server) {
    let bob = server.newcomer("bob");
    let mut socket = bob.connect();
    let phone = server.sign_in("bob", "phone");
    let (mut pc, mut android): (Person, Person) = (
        server.login("bob", Flavor::Pc),
        server.login("bob", Flavor::Android),
    );
    let mut cid = server.newcomer("cid").connect();
    lock(server, "bob");
    socket.is_signed_out();
    for old in [&mut pc, &mut android] {
        old.expect(KICKED);
        old.closed_at_last();
    }
    for token in [&bob, &phone] {
        token.get("/me").refused(401, "unauthenticated");
    }
    // Others stay.
    cid.ping();
}

/// One that waits for something to happen hears at once.
fn a_waiting_call_ends(server: &mut Server) {
    let bob = server.newcomer("bob");
    let waiting = bob.clone();
    let call = std::thread::spawn(move || waiting.get("/sync?wait=60"));
    // It waits when it is counted.
    let root = server.administrator("root");
    let deadline = std::time::Instant::now() + PATIENCE;
    while root.get("/admin/stats").ok(200)["online"]["connections"]["sync"] != 1 {
        assert!(std::time::Instant::now() < deadline, "the call never waits");
    }
    lock(server, "bob");
    call.join().unwrap().refused(401, "unauthenticated");
}

fn nothing_of_it_is_lost(server: &mut Server) {
    let (ann, bob) = server.acquainted();
    let direct = ann.direct(&bob.user_id);
    let group = bob.create_group_with_members("Choir", &[&ann]);
    ann.say(&direct, "1", "before");
    let mut device: Device = bob.connect();
    device.hears(&direct, &["before"]);
    device.ack_all();
    lock(server, "bob");
    device.is_signed_out();
    // It is only locked: others may write to it.
    ann.say(&direct, "2", "meanwhile");
    server.admin(&["user", "enable", "bob"]).ok();
    let bob = server.sign_in("bob", "laptop");
    let mut device = bob.connect();
    // The same device goes on where it was.
    device.hears(&direct, &["meanwhile"]);
    assert_eq!(
        bob.get(&format!("/groups/{group}")).ok(200)["name"],
        "Choir"
    );
    bob.try_say(&direct, "3", "I am back").ok(201);
    let told = bob.list("/contacts", 100);
    assert_eq!(told.len(), 1, "{}", json!(told));
}
