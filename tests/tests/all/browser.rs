//! People use the web client in a real Chromium. What they do stands in `tests/browser/*.mjs`; here
//! is the server, and what a script asks to be done to it.
//!
//! scripts/test installs Chromium, and Playwright under `target/browser`; without them these tests
//! fail.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use myim_tests::admin;
use myim_tests::person::Person;
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::wire::Flavor;
use serde_json::json;

/// How long a whole script may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(400);

fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("tests/ stands in the root")
}

fn modules() -> PathBuf {
    let path = root().join("target/browser/node_modules");
    assert!(
        path.exists(),
        "{} is missing: run scripts/test or scripts/install-browser-tests",
        path.display()
    );
    path
}

#[test]
fn two_people_find_each_other_and_chat_also_with_an_existing_client() {
    play("tour.mjs");
}

#[test]
fn accounts_are_signed_in_and_out_and_do_not_mix() {
    play("account.mjs");
}

#[test]
fn what_people_do_every_day_works() {
    play("daily.mjs");
}

#[test]
fn people_and_groups_are_looked_after() {
    play("people.mjs");
}

#[test]
fn pictures_and_files_are_pasted_dropped_and_given_up() {
    play("files.mjs");
}

#[test]
fn what_is_typed_without_a_connection_is_sent_once() {
    play("offline.mjs");
}

#[test]
fn an_upload_that_was_cut_goes_on_and_pictures_are_shown() {
    play("upload.mjs");
}

#[test]
fn a_long_recording_is_played_from_its_middle() {
    play("ranges.mjs");
}

#[test]
fn ten_thousand_messages_are_scrolled_through() {
    play("scroll.mjs");
}

#[test]
fn hostile_texts_are_shown_as_text() {
    play("hostile.mjs");
}

#[test]
fn each_part_of_the_page_comes_when_it_is_needed() {
    play("load.mjs");
}

#[test]
fn every_page_is_for_everybody() {
    play("look.mjs");
}

/// Where screenshots are kept; the next run writes over them.
fn artifacts() -> PathBuf {
    root().join("target/browser/pictures")
}

/// Lets a script play its part against a server; it must say that all is well.
fn play(script: &str) {
    let mut server = Setup::new(Kind::Whole, Db::Sqlite).start();
    let address = format!("http://localhost:{}", server.chat.port());
    let mut child = Command::new("node")
        .arg(root().join("tests/browser").join(script))
        .arg(modules())
        .arg(&address)
        .arg(artifacts())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("node is installed");
    let mut input = child.stdin.take().expect("a pipe");
    let output = BufReader::new(child.stdout.take().expect("a pipe"));
    let (sender, lines) = mpsc::channel();
    let reader = thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let mut crew = Crew::default();
    let deadline = Instant::now() + PATIENCE;
    let is_well = loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match lines.recv_timeout(left) {
            Ok(line) if line == "all is well" => break true,
            Ok(line) => match line.strip_prefix("please ") {
                Some(wish) => {
                    let answer = crew.do_it(&mut server, wish);
                    writeln!(input, "done {answer}").expect("the script listens");
                }
                None => eprintln!("{line}"),
            },
            Err(mpsc::RecvTimeoutError::Disconnected) => break false,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                child.kill().ok();
                break false;
            }
        }
    };
    drop(input);
    let status = child.wait().expect("it ends");
    reader.join().expect("the reader ends");
    assert!(
        is_well && status.success(),
        "{script}: {status}\n{}",
        server.program().story()
    );
}

/// What a script may ask for.
#[derive(Default)]
struct Crew {
    /// Somebody with an existing Windows client.
    old_client: Option<Person>,
}

impl Crew {
    fn do_it(&mut self, server: &mut Server, wish: &str) -> String {
        let (verb, rest) = wish.split_once(' ').unwrap_or((wish, ""));
        match verb {
            "crash" => server.crash(),
            "kill" => server.kill(),
            "start" => server.again(),
            "grant" => {
                let user = ["user", "grant", rest];
                admin::admin(server.setup().directory(), &user).ok();
            }
            // An existing client registers and logs in; the answer is its number.
            "old-client-joins" => {
                let person = server.join(rest, Flavor::Pc);
                let id = person.id.to_string();
                self.old_client = Some(person);
                return id;
            }
            "old-client-befriends" => {
                let person = self.old_client();
                person.operate(number(rest), 1, None);
            }
            "old-client-was-accepted" => {
                self.old_client().expect(1005);
            }
            "old-client-sends-face" => {
                let (to, face) = rest.split_once(' ').expect("whom, and which");
                let data = json!({"msgType": 1, "content": [{"faceID": number(face)}]});
                self.old_client().send_chat(number(to), data.to_string());
            }
            "old-client-says" => {
                let (to, text) = rest.split_once(' ').expect("whom, and what");
                self.old_client().say(number(to), text);
            }
            "old-client-hears" => self.old_client().hears(&[rest]),
            // A face alone, by its number.
            "old-client-shows" => {
                let shown = json!([{"faceID": number(rest)}]);
                assert_eq!(self.old_client().hear().json["content"], shown);
            }
            _ => panic!("no {wish:?} can be done"),
        }
        String::new()
    }

    fn old_client(&mut self) -> &mut Person {
        self.old_client.as_mut().expect("it joined")
    }
}

fn number(text: &str) -> i32 {
    text.parse().expect("a user's number")
}
