//! The examples under `client/examples/` do what they say, also while the server crashes, they are
//! killed themselves, and their connections break.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use myim_tests::api_person::{ApiPerson, Device, said, seq, text, try_sign_in};
use myim_tests::fault_proxy::FaultProxy;
use myim_tests::process::{self, Process};
use myim_tests::server::{Db, Kind, Server, Setup};
use serde_json::{Value, json};

/// How long a program may need to come back from everything that broke.
const PATIENCE: Duration = Duration::from_secs(90);

/// An example, built beside the suite, as this person.
fn example(name: &str, person: &ApiPerson, server: &str, folder: &Path) -> Command {
    let mut command = process::command(&format!("examples/{name}"), folder);
    command.env("MYIM_SERVER", server);
    command.env("MYIM_TOKEN", &person.token);
    command
}

fn server() -> Server {
    let setup = Setup::new(Kind::Whole, Db::Sqlite).open();
    setup.chat_flag("--heartbeat-s", "1").start()
}

/// A program that is killed and started again, on connections that break.
struct Victim {
    command: Box<dyn Fn() -> Command>,
    process: Process,
    proxy: FaultProxy,
}

impl Victim {
    fn start(name: &'static str, person: &ApiPerson, server: &Server, arguments: &[&str]) -> Self {
        let proxy = FaultProxy::start(7, server.chat);
        let address = format!("http://{}", proxy.address());
        let folder = server.setup().directory().to_owned();
        let (person, arguments) = (person.clone(), arguments.iter());
        let arguments: Vec<_> = arguments.map(|one| (*one).to_owned()).collect();
        let command = Box::new(move || {
            let mut command = example(name, &person, &address, &folder);
            command.args(&arguments);
            command
        });
        let process = Process::spawn(&mut command());
        Self {
            command,
            process,
            proxy,
        }
    }

    /// `kill -9`, and a start on the same store.
    fn crash(&mut self) {
        assert!(self.process.is_running(), "{}", self.process.story());
        self.process.kill();
        self.process = Process::spawn(&mut (self.command)());
    }
}

/// Says this many things, and breaks everything meanwhile.
fn say_all(server: &mut Server, victim: &mut Victim, count: usize, mut say: impl FnMut(usize)) {
    for number in 0..count {
        say(number);
        match number % 60 {
            12 | 31 => victim.crash(),
            45 => server.crash(),
            _ => {}
        }
    }
    victim.proxy.heal();
}

/// Waits until a message of this text stands in the conversation.
fn wait_for(listener: &mut Device, victim: &Victim, conversation: &str, wanted: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let event = listener.try_event(left).unwrap_or_else(|silence| {
            panic!(
                "{wanted:?}: {silence:?}\n{}\n{}",
                victim.proxy.story(),
                victim.process.story()
            )
        });
        let is_here = event["event"] == "message" && event["conversation"] == *conversation;
        if is_here && said(&event["message"]) == wanted {
            return;
        }
    }
}

/// What this user wrote, in order.
fn by(history: &[Value], user: &str) -> Vec<String> {
    let own = history.iter().filter(|message| message["sender"] == *user);
    own.map(said).collect()
}

#[test]
fn the_echo_bot_answers_everything_once() {
    let mut server = server();
    let (ann, bot) = (server.newcomer("ann"), server.newcomer("echo"));
    ann.befriend(&bot);
    let chat = ann.direct(&bot.user_id);
    let mut victim = Victim::start("echo_bot", &bot, &server, &[]);
    let words: Vec<_> = (0..240).map(|number| format!("word {number}")).collect();
    say_all(&mut server, &mut victim, words.len(), |number| {
        ann.say(&chat, &format!("say-{number}"), &words[number]);
    });
    let mut listener = server.sign_in("ann", "tablet").connect();
    ann.say(&chat, "last", "the last word");
    let mut all = words;
    all.push("the last word".to_owned());
    // It is told by the bot: ann's own comes first, and then its echo.
    wait_for(&mut listener, &victim, &chat, "the last word");
    wait_for(&mut listener, &victim, &chat, "the last word");
    let history = ann.history(&chat);
    assert_eq!(by(&history, &ann.user_id), all);
    assert_eq!(by(&history, &bot.user_id), all, "all of it, once, in order");
    assert!(
        victim.proxy.connections() > 5,
        "it came back after each crash"
    );
    assert!(victim.proxy.overlaps().is_empty());
}

#[test]
fn the_bridge_carries_everything_once_both_ways() {
    let mut server = server();
    let (ann, bob) = (server.newcomer("ann"), server.newcomer("bob"));
    let bridge = server.newcomer("bridge");
    ann.befriend(&bridge);
    bob.befriend(&bridge);
    let left = ann.direct(&bridge.user_id);
    let group = bob.create_group_with_members("Right", &[&bridge]);
    let right = bob.of_group(&group);
    let mut victim = Victim::start("bridge", &bridge, &server, &[&left, &right]);
    let count = 120;
    say_all(&mut server, &mut victim, count, |number| {
        ann.say(&left, &format!("left-{number}"), &format!("left {number}"));
        bob.say(
            &right,
            &format!("right-{number}"),
            &format!("right {number}"),
        );
    });
    let mut anns = server.sign_in("ann", "tablet").connect();
    ann.say(&left, "last", "left is done");
    bob.say(&right, "last", "right is done");
    wait_for(&mut anns, &victim, &left, "bob: right is done");
    // Only now: a connection that nobody reads would be given up after two seconds.
    let mut bobs = server.sign_in("bob", "tablet").connect();
    wait_for(&mut bobs, &victim, &right, "ann: left is done");
    let carried = |side: &str, name: &str| {
        let mut all: Vec<_> = (0..count)
            .map(|number| format!("{name}: {side} {number}"))
            .collect();
        all.push(format!("{name}: {side} is done"));
        all
    };
    let (here, there) = (ann.history(&left), bob.history(&right));
    assert_eq!(by(&here, &bridge.user_id), carried("right", "bob"));
    assert_eq!(by(&there, &bridge.user_id), carried("left", "ann"));
    let own = here
        .iter()
        .filter(|message| message["sender"] == *ann.user_id);
    assert_eq!(own.count(), count + 1, "nothing came back");
}

#[test]
fn the_export_goes_on_where_it_was_interrupted() {
    let server = server();
    let (ann, bob) = server.acquainted();
    let chat = ann.direct(&bob.user_id);
    let file = server.setup().directory().join("history.jsonl");
    let address = format!("http://{}", server.chat);
    let export = || {
        let mut command = example("export", &ann, &address, server.setup().directory());
        let process = Process::spawn(command.arg(&chat).arg(&file));
        let status = process.wait(PATIENCE);
        assert!(status.success(), "{}", process.story());
        fs::read(&file).unwrap()
    };
    let seqs = |bytes: &[u8]| {
        let lines = std::str::from_utf8(bytes).unwrap().lines();
        lines
            .map(|line| seq(&serde_json::from_str(line).unwrap()))
            .collect::<Vec<_>>()
    };
    for number in 0..30 {
        ann.say(&chat, &format!("a{number}"), &format!("päge {number}"));
    }
    let first = export();
    assert_eq!(seqs(&first), (1..=30).collect::<Vec<_>>());
    // Interrupted in the middle of a letter.
    let at = first.len() - 60;
    let half = (at..first.len())
        .find(|at| first[*at] == 0xA4)
        .unwrap_or(at);
    fs::write(&file, &first[..half]).unwrap();
    for number in 0..7 {
        bob.say(&chat, &format!("b{number}"), "more");
    }
    let second = export();
    assert_eq!(seqs(&second), (1..=37).collect::<Vec<_>>());
    assert_eq!(
        second[..first.len()],
        first[..],
        "what was there is the same again"
    );
    assert_eq!(export(), second, "nothing new");
}

/// What the guide in the documents does, once from beginning to end.
#[test]
fn the_guide_runs() {
    let server = server();
    let mut command = process::command("examples/guide", server.setup().directory());
    command.env("MYIM_SERVER", format!("http://{}", server.chat));
    command.env("MYIM_FILE_PORT", server.file.port().to_string());
    let process = Process::spawn(&mut command);
    let status = process.wait(PATIENCE);
    assert!(status.success(), "{}", process.story());
    let came = server.setup().directory().join("notes-again.txt");
    assert_eq!(fs::read(came).unwrap(), b"some notes");
    let sign_in = |name: &str, password: &str| {
        let answer = try_sign_in(&server.api(), name, password, "check").ok(201);
        let token = text(&answer["token"]);
        (text(&answer["user"]["id"]), server.api().with_token(&token))
    };
    let (ann_id, ann) = sign_in("guide-ann", "correct horse");
    let (bob_id, _) = sign_in("guide-bob", "battery staple");
    let chat = ann
        .post("/conversations", &json!({"user_id": bob_id}))
        .ok(200);
    let chat = text(&chat["conversation"]["id"]);
    let page = ann.get(&format!("/conversations/{chat}/messages")).ok(200);
    let history = page["items"].as_array().unwrap();
    let words: Vec<_> = history.iter().map(said).collect();
    assert_eq!(words, ["hello", "hello to you"], "{}", process.story());
    assert_eq!(text(&history[0]["sender"]), ann_id);
    assert_eq!(history[1]["reply_to"], json!(seq(&history[0])));
}
