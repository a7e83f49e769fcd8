//! What nobody but its owner may read: people do what they do over every protocol, with passwords,
//! tokens and words that are known here, and none of them is in a log at its most talkative, in the
//! numbers, or in what administrators are told.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use myim_tests::api::escaped;
use myim_tests::api_person::{ApiPerson, segments, text, try_sign_in};
use myim_tests::files::Files;
use myim_tests::hook_target::{HookTarget, Reply};
use myim_tests::http;
use myim_tests::person::{Person, befriend, code, login_data, register};
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::socket::Socket;
use myim_tests::stream::EventStream;
use myim_tests::wire::Flavor;
use serde_json::{Value, json};

/// What was said in confidence, and what it was.
#[derive(Default)]
struct Confided(Vec<(String, String)>);

impl Confided {
    fn note(&mut self, what: &str, secret: impl Into<String>) -> String {
        let secret = secret.into();
        assert!(secret.len() >= 8, "{what}: {secret} may be anywhere");
        self.0.push((what.to_owned(), secret.clone()));
        secret
    }

    /// A token; its last part is what cannot be guessed.
    fn token(&mut self, what: &str, token: &str) {
        self.note(what, token.rsplit('.').next().unwrap());
    }

    /// A word that nobody else uses.
    fn word(&mut self, what: &str) -> String {
        self.note(what, format!("confided-{}", what.replace(' ', "-")))
    }

    /// Nothing of it is in this text.
    fn is_not_in(&self, place: &str, text: &str) {
        let mut told = Vec::new();
        for (what, secret) in &self.0 {
            if let Some(line) = text.lines().find(|line| line.contains(secret)) {
                told.push(format!("{what} is in {place}: {line}"));
            }
        }
        assert!(told.is_empty(), "{}", told.join("\n"));
    }
}

fn old_clients(server: &Server, confided: &mut Confided) {
    let secret = confided.word("old password");
    assert_eq!(register(server.chat, "eve", "Eve", &secret), 0);
    let mut stranger = server.peer(Flavor::Pc);
    let guess = confided.word("old guess");
    let unfinished = confided.word("old password in broken JSON");
    let wrong_kind = confided.word("old password of the wrong kind");
    for data in [
        login_data("eve", &guess, 1, 1),
        format!(r#"{{"username":"eve","password":"{unfinished}"#),
        json!({"username": "eve", "password": [wrong_kind]}).to_string(),
    ] {
        for cmd in [1001, 1002] {
            stranger.send(cmd, 1, &data);
            for reply in stranger.barrier() {
                assert_ne!(code(&reply.json()), 0, "{data}");
            }
        }
    }
    let mut eve = Person::login(server.peer(Flavor::Pc), "eve", &secret);
    let mut ann = server.join("ann", Flavor::Android);
    befriend(&mut eve, &mut ann);
    let words = confided.word("old message");
    eve.say(ann.id, &words);
    ann.hears(&[&words]);
    let group = eve.create_group("g");
    let words = confided.word("old message in a group");
    eve.say(group, &words);
    let remark = confided.word("old remark");
    eve.mark(ann.id, &remark);
    let data = confided.word("no message at all");
    eve.send_chat(ann.id, &data);
    eve.forget();
    let next = confided.word("next old password");
    let change = json!({"oldpassword": secret, "newpassword": next});
    assert_eq!(code(&eve.ask(1008, change.to_string())), 0);
    let strange = confided.word("unknown command");
    eve.send(4242, 1, &strange);
    eve.closed();
}

fn accounts(server: &Server, confided: &mut Confided) {
    let root = server.administrator("root");
    confided.token("token of an administrator", &root.token);
    let made = server
        .admin(&["--json", "user", "create", "zoe", "--random"])
        .json();
    let word = confided.note("random password", text(&made[0]["password"]));
    let signed = try_sign_in(&server.api(), "zoe", &word, "laptop").ok(201);
    confided.token("token of a random password", &text(&signed["token"]));
    let api = server.api();
    let guess = confided.word("guess");
    try_sign_in(&api, "zoe", &guess, "laptop").refused(401, "bad_credentials");
    for (what, body) in [
        (
            "password of the wrong kind",
            r#"{"username":"zoe","password":["SECRET"]}"#,
        ),
        (
            "password in broken JSON",
            r#"{"username":"zoe","password":"SECRET"#,
        ),
        (
            "password twice",
            r#"{"username":"zoe","password":"SECRET","password":"x"}"#,
        ),
        ("password under another name", r#"{"SECRET":"zoe"}"#),
    ] {
        let secret = confided.word(what);
        let body = body.replace("SECRET", &secret).into_bytes();
        for path in ["/sessions", "/users"] {
            let answer = api.call_raw("POST", path, body.clone(), &[]);
            assert!(answer.status >= 400, "{answer}");
        }
    }
    let next = confided.word("next password");
    let change = json!({"old_password": word, "new_password": next});
    let zoe = server.api().with_token(&text(&signed["token"]));
    assert!(zoe.call("PUT", "/me/password", Some(&change)).status < 300);
    let forged = confided.word("forged token");
    for forged in [forged.clone(), format!("v1.{forged}.{forged}")] {
        let nobody = server.api().with_token(&forged);
        nobody.get("/me").refused(401, "unauthenticated");
        let mut socket = Socket::connect(server.chat);
        socket.request("hello", json!({"token": forged}));
        socket.closed_with(4001);
    }
    // Who knows an invite may make an account, and its code stands in an address.
    let made = root.post("/admin/invites", &json!({})).ok(201);
    let invite = confided.note("invite", text(&made["code"]));
    let secret = confided.word("password of a guest");
    let guest = json!({"username": "guest", "password": secret, "invite": invite});
    api.post("/users", &guest).ok(201);
    root.delete(&format!("/admin/invites/{invite}")).ok(204);
}

fn conversations(server: &Server, confided: &mut Confided) -> (ApiPerson, ApiPerson, String) {
    let (cid, dan) = (server.newcomer("cid"), server.newcomer("dan"));
    confided.token("token", &cid.token);
    confided.token("token of a friend", &dan.token);
    let note = confided.word("note of a request");
    dan.accept_friend(&cid.ask_friend(&dan.user_id, &note));
    let direct = cid.direct(&dan.user_id);
    let mut laptop = dan.connect();
    let words = confided.word("message");
    let seq = cid.say(&direct, "c1", &words);
    laptop.hears(&direct, &[&words]);
    let words = confided.word("message on a WebSocket");
    laptop.say(&direct, &words);
    let path = format!("/conversations/{direct}/messages/{seq}");
    let words = confided.word("edited message");
    let body = json!({"segments": segments(&words)});
    assert!(cid.patch(&path, &body).status < 300);
    let words = confided.word("words that are searched for");
    cid.get(&format!("/search?q={}", escaped(&words))).ok(200);
    let remark = confided.word("remark");
    let contact = format!("/contacts/{}", dan.user_id);
    assert!(cid.patch(&contact, &json!({"remark": remark})).status < 300);
    // Refused, and not quoted.
    let words = confided.word("refused message");
    let wrong = json!({"client_id": words, "segments": words});
    let place = format!("/conversations/{direct}/messages");
    assert!(cid.post(&place, &wrong).status >= 400);
    let words = confided.word("refused message on a WebSocket");
    let wrong = json!({"to": {"conversation": words}, "client_id": words, "segments": words});
    laptop.ask("message.send", wrong).unwrap_err();
    let words = confided.word("frame that is none");
    laptop.send_text(&words);
    laptop.closed_with(4003);
    dan.get("/sync?wait=0").ok(200);
    drop(EventStream::open(&dan.api, None).unwrap());
    (cid, dan, direct)
}

fn files(server: &Server, cid: &ApiPerson, dan: &ApiPerson, direct: &str, confided: &mut Confided) {
    let content = confided.word("content of a file");
    let name = confided.word("name of a file");
    let files = server.files().with_token(&cid.token);
    let path = format!("/files?name={name}.txt");
    let stored = files.ask("POST", &path, &[], content.as_bytes());
    assert!(stored.status < 300, "{stored}");
    let file = text(&stored.json()["file"]);
    let name = STANDARD.encode(confided.word("name in tus"));
    confided.note("name in tus, encoded", name.as_str());
    let metadata = format!("filename {name}");
    let begun = files.create_with(&[
        ("upload-length", "3"),
        ("upload-metadata", metadata.as_str()),
    ]);
    assert!(files.patch(&begun, 0, b"abc").status < 300);
    let words = confided.word("name in a message");
    let body = json!({"client_id": "f1", "segments": [
        {"type": "file", "file": file, "name": words, "size": content.len(), "mime": "text/plain"}
    ]});
    let place = format!("/conversations/{direct}/messages");
    cid.post(&place, &body).ok(201);
    let shown = dan.get(&format!("/files/{file}")).ok(200);
    let url = text(&shown["url"]);
    let at = url.find("/files/").expect("it stands there");
    let nobody = server.files();
    let fetched = nobody.ask("GET", &url[at..], &[], b"");
    assert_eq!(
        (fetched.status, &fetched.body[..]),
        (200, content.as_bytes())
    );
    let (_, signature) = url.split_once('?').expect("it is signed");
    for part in signature.split('&') {
        let (name, value) = part.split_once('=').expect("a field");
        // Which key and until when is no secret.
        if value.len() >= 16 {
            confided.note(&format!("signature {name}"), value);
        }
    }
    let forged = confided.word("forged signature");
    let (path, _) = url[at..].split_once('?').expect("it is signed");
    refused(&nobody, &format!("{path}?signature={forged}&s={forged}"));
    refused(&server.images(), &format!("/images/{file}?token={forged}"));
}

fn refused(files: &Files, path: &str) {
    let answer = files.ask("GET", path, &[], b"");
    assert!(answer.status >= 400, "{answer}");
}

fn bots_and_hooks(server: &Server, cid: &ApiPerson, direct: &str, confided: &mut Confided) {
    let made = cid.post("/bots", &json!({"username": "clock"})).ok(201);
    confided.token("token of a bot", &text(&made["token"]));
    let (bot, token) = (text(&made["bot"]["id"]), text(&made["token_id"]));
    let path = format!("/bots/{bot}/tokens/{token}/rotate");
    let rotated = cid.call("POST", &path, None).ok(200);
    confided.token("next token of a bot", &text(&rotated["token"]));

    let path = format!("/conversations/{direct}/webhooks");
    let made = cid.post(&path, &json!({"name": "builds"})).ok(201);
    let url = text(&made["url"]);
    let path = url.strip_prefix("/api/v1").expect("an absolute path");
    confided.note(
        "secret of an incoming webhook",
        path.rsplit('/').next().unwrap(),
    );
    let words = confided.word("what a webhook said");
    let api = server.api();
    api.post(path, &json!({"text": words})).ok(201);
    let words = confided.word("what a webhook should not say");
    assert!(api.post(path, &json!({"text": [words]})).status >= 400);
    let wrong = confided.word("wrong secret of a webhook");
    let path = format!("/hooks/7/{wrong}");
    api.post(&path, &json!({})).refused(404, "no_such_webhook");

    // The first attempt fails, and that is told without saying where it went.
    let mut attempts = 0;
    let target = HookTarget::answering(move |_| {
        attempts += 1;
        Reply::Status(if attempts == 1 { 500 } else { 204 })
    });
    let path = confided.word("path of a target");
    let key = confided.word("query of a target");
    let url = format!("http://{}/{path}?key={key}", target.address);
    let body = json!({"url": url, "conversation": direct});
    let made = cid.post("/webhooks/outgoing", &body).ok(201);
    confided.note("secret of an outgoing webhook", text(&made["secret"]));
    let words = confided.word("message for a target");
    cid.say(direct, "h1", &words);
    target.until_count(2);
    let nowhere = format!("http://10.255.255.1/{path}?key={key}");
    let answer = cid.post("/webhooks/outgoing", &json!({"url": nowhere}));
    assert!(answer.status >= 400, "{answer}");
}

/// The same doors over HTTP/2, whose library has much to say.
fn http2(server: &Server, cid: &ApiPerson, confided: &mut Confided) {
    let word = confided.word("header over HTTP2");
    let password = confided.word("password over HTTP2");
    for (address, path) in [
        (server.chat, "/api/v1/me"),
        (server.chat, "/api/v1/sessions"),
        (server.file, "/files"),
        (server.image, "/images"),
    ] {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--max-time", "60", "--http2-prior-knowledge"])
            .args(["-H", &format!("Authorization: Bearer {}", cid.token)])
            .args([
                "-H",
                &format!("X-Word: {word}"),
                "-H",
                "Content-Type: application/json",
            ])
            .args(["-H", &format!("Cookie: word={word}")]);
        if path != "/api/v1/me" {
            let body = json!({"username": "cid", "password": password});
            curl.args(["-d", &body.to_string()]);
        }
        let ran = curl
            .arg(format!("http://{address}{path}?word={word}"))
            .output();
        let ran = ran.expect("curl is installed; scripts/test does that");
        assert!(ran.status.success(), "{path}: {ran:?}");
    }
}

/// What everybody who looks after the server may read. The book of what administrators did names
/// invites by their codes, which they are there to give out.
fn told_to_operators(server: &Server, root: &ApiPerson) -> Vec<(String, String)> {
    let mut told = Vec::new();
    for admin in &server.admin {
        for path in ["/metrics", "/readyz", "/version"] {
            told.push((format!("{path} of {admin}"), http::get(*admin, path).body));
        }
    }
    for path in [
        "/admin/errors",
        "/admin/config",
        "/admin/activity",
        "/admin/stats",
    ] {
        let answer: Value = root.get(path).ok(200);
        told.push((path.to_owned(), answer.to_string()));
    }
    told
}

fn nothing_is_told(setup: Setup) {
    let socket = setup.data_dir().join("admin.sock");
    let server = setup
        .flag("--log", "trace")
        .chat_flag("--admin-socket", &socket.to_string_lossy())
        .chat_flag("--webhook-allowed-networks", "127.0.0.0/8")
        .chat_flag("--webhook-retry-first-ms", "20")
        .wait_for_database()
        .start();
    let mut confided = Confided::default();
    old_clients(&server, &mut confided);
    accounts(&server, &mut confided);
    let (cid, dan, direct) = conversations(&server, &mut confided);
    files(&server, &cid, &dan, &direct, &mut confided);
    bots_and_hooks(&server, &cid, &direct, &mut confided);
    http2(&server, &cid, &mut confided);
    let root = server.sign_in("root", "desk");
    for (place, text) in told_to_operators(&server, &root) {
        confided.is_not_in(&place, &text);
    }
    server.stop();
    for program in server.programs() {
        let log = program.log();
        assert!(
            log.contains("TRACE"),
            "it was to tell everything: {}",
            program.story()
        );
        confided.is_not_in("the log", &log);
        confided.is_not_in("standard output", &program.output());
    }
}

#[test]
fn nothing_that_was_confided_is_told_on_sqlite() {
    nothing_is_told(Setup::new(Kind::Whole, Db::Sqlite));
}

#[test]
fn nothing_that_was_confided_is_told_on_mariadb() {
    nothing_is_told(Setup::new(Kind::Separate, Db::MariaDb));
}

#[test]
fn the_password_of_a_database_is_told_nowhere() {
    let mut confided = Confided::default();
    let secret = confided.word("password of a database");
    // Nobody listens there.
    let url = format!("mysql://myim:{secret}@127.0.0.1:1/myim");
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .variable("MYIM_DATABASE", &url)
        .chat_flag("--log", "trace")
        .start();
    let admin = server.admin[0];
    let ready = http::get(admin, "/readyz");
    assert_eq!(ready.status, 503, "{ready:?}");
    confided.is_not_in("/readyz", &ready.body);
    confided.is_not_in("/metrics", &http::get(admin, "/metrics").body);
    let body = json!({"username": "ann", "password": "a guess of mine", "device": {"kind": "web"}});
    let answer = server.api().post("/sessions", &body);
    assert_eq!(answer.status, 503, "{answer}");
    confided.is_not_in("an error", &answer.to_string());
    server.stop();
    confided.is_not_in("the log", &server.program().log());
    confided.is_not_in("standard output", &server.program().output());
}
