//! The programs in docs/sdk.md and docs/bots.md are those that are built, and run as they stand.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use myim_tests::api_person::{ApiPerson, Device, said, segments, text};
use myim_tests::ports::kept_port;
use myim_tests::process::Process;
use myim_tests::server::{Db, Kind, Server, Setup};
use serde_json::{Value, json};

/// How long a program of a few exchanges may take.
const PATIENCE: Duration = Duration::from_secs(60);

fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package
        .parent()
        .expect("tests/ stands in the root")
        .to_owned()
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join("docs").join(name)).unwrap()
}

/// The blocks of code in this language, in order.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let start = format!("```{language}\n");
    let parts = page.split(start.as_str()).skip(1);
    parts
        .map(|part| part.split("```").next().expect("a block ends").to_owned())
        .collect()
}

/// The blocks under this heading.
fn under(page: &str, heading: &str, language: &str) -> Vec<String> {
    let start = format!("\n## {heading}\n");
    let section = page
        .split(start.as_str())
        .nth(1)
        .expect("the heading is there");
    let section = section.split("\n## ").next().expect("a section ends");
    blocks(section, language)
}

#[test]
fn the_guide_shows_the_program_that_is_built() {
    let guide = fs::read_to_string(root().join("client/examples/guide.rs")).unwrap();
    let blocks = blocks(&page("sdk.md"), "rust");
    assert!(blocks.len() >= 7, "{}", blocks.len());
    for block in blocks {
        assert!(
            guide.contains(&block),
            "this does not stand in guide.rs:\n{block}"
        );
    }
}

#[test]
fn the_bot_on_the_page_is_the_one_that_is_built() {
    let bot = fs::read_to_string(root().join("client/examples/echo_bot.rs")).unwrap();
    let shown = blocks(&page("bots.md"), "rust");
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0], bot);
    let code = bot
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("//"));
    assert!(code.count() <= 32, "a bot should be short");
}

/// The environment of a program on the page.
fn as_person<'c>(command: &'c mut Command, server: &Server, person: &ApiPerson) -> &'c mut Command {
    command
        .current_dir(server.setup().directory())
        .env("MYIM_SERVER", format!("http://{}", server.chat))
        .env("MYIM_TOKEN", &person.token)
}

/// Runs shell to its end; its output.
fn shell(script: &str, server: &Server, person: &ApiPerson, more: &[(&str, &str)]) -> String {
    let script = format!("set -euo pipefail\n{script}");
    let mut command = Command::new("bash");
    command.args(["-c", &script]).envs(more.iter().copied());
    let process = Process::spawn(as_person(&mut command, server, person));
    let status = process.wait(PATIENCE);
    assert!(status.success(), "{}", process.story());
    process.output()
}

fn python(program: &str) -> Command {
    let mut command = Command::new("python3");
    command.args(["-c", program]);
    command
}

/// Waits until another one says this in the conversation. After a crash of the server the listener
/// hears again what it had heard.
fn hear_again(listener: &mut Device, conversation: &str, words: &str) {
    while hear(listener, conversation) != words {}
}

/// The next message of another one in this conversation.
fn hear(listener: &mut Device, conversation: &str) -> String {
    let me = listener.person.user_id.clone();
    let event = listener.find(|event| {
        event["event"] == "message"
            && event["conversation"] == *conversation
            && event["message"]["sender"] != *me
    });
    said(&event["message"])
}

#[test]
fn the_bot_in_python_answers_once() {
    let mut server = Server::sqlite();
    let (ann, bot) = server.acquainted();
    let chat = ann.direct(&bot.user_id);
    let program = under(&page("bots.md"), "In Python", "python").remove(0);
    let start = |server: &Server| Process::spawn(as_person(&mut python(&program), server, &bot));
    let mut process = start(&server);
    let mut listener = ann.connect();
    for number in 0..30 {
        let words = format!("word {number}");
        listener.say(&chat, &words);
        if number % 10 == 3 {
            // Before or after it has answered, nobody knows.
            process.kill();
            process = start(&server);
        }
        if number == 15 {
            server.crash();
            listener = ann.connect();
        }
        hear_again(&mut listener, &chat, &words);
    }
    let history = ann.history(&chat);
    let answers = history
        .iter()
        .filter(|message| message["sender"] == *bot.user_id);
    assert_eq!(answers.count(), 30, "each once");
}

#[test]
fn a_round_with_curl_hears_answers_and_acknowledges() {
    let server = Server::sqlite();
    let (ann, bot) = server.acquainted();
    let chat = ann.direct(&bot.user_id);
    ann.say(&chat, "one", "hello");
    let script = under(&page("bots.md"), "With curl", "bash").remove(0);
    shell(&script, &server, &bot, &[]);
    let words: Vec<_> = ann.history(&chat).iter().map(said).collect();
    assert_eq!(words, ["hello", "I heard you"]);
    let left = bot.get("/sync?wait=0").ok(200);
    assert_eq!(left["events"], json!([]), "it was acknowledged");
}

/// The receiver on the page, listening.
struct Receiver {
    address: SocketAddr,
    process: Process,
}

fn receiver(secret: &str) -> Receiver {
    let program = under(&page("bots.md"), "Be posted to", "python").remove(0);
    let port = kept_port();
    let mut command = python(&program);
    command
        .env("PORT", port.to_string())
        .env("MYIM_SECRET", secret);
    Receiver {
        address: SocketAddr::from(([127, 0, 0, 1], port)),
        process: Process::spawn(&mut command),
    }
}

/// Posts to the receiver as a server does, with a signature that Python makes on its own; prints
/// the status. Waits until the receiver listens.
const POST: &str = r#"
import base64, hashlib, hmac, sys, time, urllib.error, urllib.request
url, secret, name, age, body = sys.argv[1:]
moment = str(int(time.time()) - int(age))
key = base64.b64decode(secret[6:])
signature = base64.b64encode(hmac.digest(key, f"{name}.{moment}.{body}".encode(), hashlib.sha256))
request = urllib.request.Request(url, body.encode(), {"webhook-id": name,
    "webhook-timestamp": moment, "webhook-signature": "v1," + signature.decode()})
for _ in range(200):
    try:
        print(urllib.request.urlopen(request).status)
        break
    except urllib.error.HTTPError as error:
        print(error.code)
        break
    except OSError:
        time.sleep(0.05)
"#;

#[test]
fn the_receiver_takes_what_is_signed_and_fresh_and_new() {
    const SECRET: &str = "whsec_bXlpbSBpcyBhIHNlcnZlciBvZiBvdXIgb3du";
    const OTHER: &str = "whsec_bm90IHRoZSBzZWNyZXQgdGhhdCBpdCBrbm93cw==";
    let receiver = receiver(SECRET);
    let post = |secret: &str, name: &str, age: &str, event: &Value| {
        let url = format!("http://{}/", receiver.address);
        let mut command = python(POST);
        let process = Process::spawn(command.args([&url, secret, name, age, &event.to_string()]));
        assert!(process.wait(PATIENCE).success(), "{}", process.story());
        process.output().trim().to_owned()
    };
    let event = |seq| json!({"event": "message", "conversation": "7", "seq": seq});
    assert_eq!(post(SECRET, "a", "0", &event(1)), "204");
    assert_eq!(
        post(SECRET, "a", "0", &event(1)),
        "204",
        "again, and it is left out"
    );
    assert_eq!(
        post(OTHER, "b", "0", &event(2)),
        "401",
        "signed by somebody else"
    );
    assert_eq!(post(SECRET, "c", "400", &event(3)), "401", "old");
    assert_eq!(post(SECRET, "d", "0", &json!({"event": "ping"})), "204");
    assert!(receiver.process.prints_within("ping None None", PATIENCE));
    let printed = receiver.process.output();
    assert_eq!(
        printed.lines().collect::<Vec<_>>(),
        ["message 7 1", "ping None None"]
    );
}

/// Everything on the page that needs the server's bots and webhooks, in one story.
#[test]
fn bots_and_webhooks_work_as_the_page_says() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .open()
        .chat_flag("--webhook-allowed-networks", "127.0.0.0/8")
        .start();
    let ann = server.newcomer("ann");
    let page = page("bots.md");
    let made = under(&page, "Make a bot", "bash").remove(0);
    let made: Value = serde_json::from_str(&shell(&made, &server, &ann, &[])).unwrap();
    let api = ann.api.with_token(&text(&made["token"]));
    let sessions = api.list("/sessions", 100);
    let bot = ApiPerson {
        name: "helper".to_owned(),
        user_id: text(&made["bot"]["id"]),
        token: text(&made["token"]),
        session_id: text(&sessions[0]["session_id"]),
        device: "default".to_owned(),
        api,
    };
    let chat = ann.direct(&bot.user_id);

    // The port is known before the secret is, and nobody listens there yet.
    let port = kept_port();
    let url = format!("http://127.0.0.1:{port}/");
    let hook = under(&page, "Be posted to", "bash").remove(0);
    let hook = shell(&hook, &server, &bot, &[("MYIM_RECEIVER", &url)]);
    let hook: Value = serde_json::from_str(&hook).unwrap();
    let program = under(&page, "Be posted to", "python").remove(0);
    let mut command = python(&program);
    command
        .env("PORT", port.to_string())
        .env("MYIM_SECRET", text(&hook["secret"]));
    let receiver = Process::spawn(&mut command);
    let place = ann.say(&chat, "one", "hello");
    let line = format!("message {chat} {place}");
    assert!(
        receiver.prints_within(&line, PATIENCE),
        "{}",
        receiver.story()
    );

    let builds = under(&page, "Post to it", "bash");
    let made = shell(&builds[0], &server, &ann, &[("MYIM_CONVERSATION", &chat)]);
    let made: Value = serde_json::from_str(&made).unwrap();
    let url = text(&made["url"]);
    for _ in 0..2 {
        shell(&builds[1], &server, &ann, &[("MYIM_HOOK", &url)]);
    }
    let words: Vec<_> = ann.history(&chat).iter().map(said).collect();
    assert_eq!(words, ["hello", "build 17 is done"]);
    bot.connect()
        .try_send_to(
            &json!({"conversation": chat}),
            "answer",
            &segments("thanks"),
        )
        .unwrap();
}
