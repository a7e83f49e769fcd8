//! What a client can know before anybody signs in.

use myim_tests::api::Api;
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::tls::Tunnel;

tests! {
    sqlite: a_server_introduces_itself;
    mariadb: a_server_introduces_itself,
}

fn a_server_introduces_itself(server: &mut Server) {
    let server_says = server.api().get("/server").ok(200);
    assert_eq!(server_says["name"], "myim");
    assert_eq!(server_says["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(server_says["registration"], "open");
    assert_eq!(server_says["direct_messages"], "friends");
    assert_eq!(server_says["file_url"], format!("http://{}", server.file));
    assert_eq!(server_says["image_url"], format!("http://{}", server.image));
    let limits = &server_says["limits"];
    for (name, wanted) in [
        ("message_bytes_max", 64_000),
        ("segments_max", 100),
        ("recall_within_s", 120),
        ("edit_within_s", 86_400),
        ("group_members_max", 5000),
        ("password_chars_min", 8),
        ("username_bytes_max", 31),
    ] {
        assert_eq!(limits[name], wanted, "{name}");
    }
    // Every limit is a number, or is left out.
    let limits = limits.as_object().unwrap();
    assert!(limits.values().all(serde_json::Value::is_u64), "{limits:?}");
    // It is said where it holds, and only there.
    let is_one_program = server.programs().len() == 1;
    assert_eq!(limits.contains_key("file_bytes_max"), is_one_program);
}

#[test]
fn a_server_says_how_it_was_set_up() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--registration", "invite")
        .chat_flag("--direct-messages", "everyone")
        .chat_flag("--public-url", "https://chat.example:8443")
        .chat_flag("--file-url", "https://files.example/")
        .chat_flag("--upload-bytes-max", "1MiB")
        .chat_flag("--recall-within-s", "7")
        .start();
    let said = server.api().get("/server").ok(200);
    assert_eq!(said["name"], "chat.example");
    assert_eq!(said["registration"], "invite");
    assert_eq!(said["direct_messages"], "everyone");
    assert_eq!(said["file_url"], "https://files.example");
    assert_eq!(said["limits"]["file_bytes_max"], 1 << 20);
    // No picture is larger than a file may be.
    assert_eq!(said["limits"]["picture_bytes_max"], 1 << 20);
    assert_eq!(said["limits"]["recall_within_s"], 7);

    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--registration", "closed")
        .chat_flag("--server-name", "Our chat")
        .start();
    let said = server.api().get("/server").ok(200);
    assert_eq!(
        (&said["name"], &said["registration"]),
        (&"Our chat".into(), &"closed".into())
    );
}

#[test]
fn what_is_asked_through_tls_leads_to_tls() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--tls-self-signed=true", "--require-tls=true")
        .start();
    let tunnel = Tunnel::to(server.chat);
    let said = Api::new(tunnel.address).get("/server").ok(200);
    let place = format!("https://127.0.0.1:{}", server.file.port());
    assert_eq!(said["file_url"], place);
}

#[test]
fn an_administrator_knows_that_he_is_one() {
    let server = Server::sqlite();
    let (root, ann) = (server.administrator("root"), server.newcomer("ann"));
    let me = root.get("/me").ok(200);
    assert_eq!(
        (&me["admin"], &me["username"]),
        (&true.into(), &"root".into())
    );
    assert_eq!(ann.get("/me").ok(200)["admin"], false);
}
