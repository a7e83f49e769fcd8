//! Starting, stopping, settings and commands, with the real programs.

use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use myim_tests::peer::{Nothing, PATIENCE};
use myim_tests::person::{Person, befriend, code, password, register};
use myim_tests::process::{self, Process};
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::terminal::Terminal;
use myim_tests::transfer::{Transfer, content, md5_name};
use myim_tests::wire::Flavor;
use rustix::process::Signal;

tests! {
    sqlite:
        a_burst_comes_once_and_in_order,
        offline_delivery_across_a_kill,
        what_was_confirmed_is_there_after_a_kill,
        an_orderly_end,
        a_second_start_changes_nothing,
        the_log_holds_no_secrets;
    mariadb:
        a_burst_comes_once_and_in_order,
        offline_delivery_across_a_kill,
        what_was_confirmed_is_there_after_a_kill,
        an_orderly_end,
        a_second_start_changes_nothing,
        the_log_holds_no_secrets,
}

fn a_burst_comes_once_and_in_order(server: &mut Server) {
    let (mut ann, mut bob) = server.friends();
    for round in 0..20 {
        let texts: Vec<_> = (0..50).map(|number| format!("{round} {number}")).collect();
        for text in &texts {
            ann.say(bob.id, text);
        }
        bob.hears(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        bob.silent();
        ann.silent();
    }
}

fn offline_delivery_across_a_kill(server: &mut Server) {
    let (mut ann, bob) = server.friends();
    // A device that has been here before has a place of its own in what follows.
    server.login("bob", Flavor::Android).digest();
    bob.hang_up_and_wait(&mut ann);
    let texts: Vec<_> = (0..200).map(|number| format!("message {number}")).collect();
    for text in &texts {
        ann.say(2, text);
    }
    ann.silent_but_notices();
    server.crash();
    let mut bob = server.login("bob", Flavor::Pc);
    bob.hears(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    bob.silent();
    // Received is received, also after another crash.
    bob.digest();
    server.crash();
    server.login("bob", Flavor::Pc).silent();
    // His other device has its own place.
    let mut phone = server.login("bob", Flavor::Android);
    phone.hears(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    phone.silent();
}

fn what_was_confirmed_is_there_after_a_kill(server: &mut Server) {
    let (mut ann, mut bob) = server.friends();
    let group = ann.create_group("g");
    let bytes = content(700_000, 5);
    let name = Transfer::connect(server.file, Flavor::Pc).upload(&bytes);
    assert_eq!(register(server.chat, "cid", "Cid", &password("cid")), 0);
    bob.operate(ann.id, 4, None);
    bob.expect(1005);
    server.crash();
    let mut ann = server.login("ann", Flavor::Pc);
    assert!(ann.member(group).is_some() && ann.member(bob.id).is_none());
    assert_eq!(server.login("cid", Flavor::Android).id, 3);
    let mut peer = Transfer::connect(server.file, Flavor::Pc);
    assert_eq!(peer.download(&name), Some(bytes));
}

fn an_orderly_end(server: &mut Server) {
    let (mut ann, mut bob) = server.friends();
    let stranger = server.peer(Flavor::Pc);
    for number in 0..50 {
        ann.say(bob.id, &number.to_string());
    }
    ann.silent();
    let started = Instant::now();
    for status in server.stop() {
        assert_eq!(
            status.code(),
            Some(0),
            "SIGTERM is a request, and was followed"
        );
    }
    assert!(started.elapsed() < Duration::from_secs(10));
    // What was being written was finished; then everybody was hung up on.
    let heard = (0..50).take_while(|number| {
        bob.try_next(Duration::from_secs(1))
            .is_ok_and(|packet| packet.text().contains(&format!("\"{number}\"")))
    });
    let heard = heard.count();
    ann.closed_at_last();
    bob.closed_at_last();
    drop(stranger);
    // And the rest is there when it starts again.
    server.again();
    let mut bob = server.login("bob", Flavor::Pc);
    for packet in bob.barrier() {
        if packet.cmd == 1100 {
            assert!(packet.text().contains('"'));
        }
    }
    assert!(heard <= 50);
}

fn a_second_start_changes_nothing(server: &mut Server) {
    let (mut ann, _bob) = server.friends();
    let before = ann.contacts();
    for _ in 0..3 {
        server.stop();
        server.again();
    }
    let mut ann = server.login("ann", Flavor::Pc);
    let offline = before.to_string().replace("\"status\":1", "\"status\":0");
    let offline = offline.replace("\"clienttype\":1", "\"clienttype\":0");
    assert_eq!(ann.contacts().to_string(), offline);
}

fn the_log_holds_no_secrets(server: &mut Server) {
    let (secret, word) = ("very-secret-word", "intimate-message-text");
    assert_eq!(register(server.chat, "eve", "Eve", secret), 0);
    let mut eve = Person::login(server.peer(Flavor::Pc), "eve", secret);
    let mut ann = server.join("ann", Flavor::Pc);
    befriend(&mut eve, &mut ann);
    eve.say(ann.id, word);
    ann.hears(&[word]);
    let change = format!(r#"{{"oldpassword": "{secret}", "newpassword": "{secret}2"}}"#);
    assert_eq!(code(&eve.ask(1008, change)), 0);
    eve.send(4242, 1, word);
    eve.closed();
    server.stop();
    for program in server.programs() {
        for hidden in [secret, word] {
            assert!(!program.log().contains(hidden), "{}", program.story());
        }
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    let mut server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--drain-s", "8")
        .chat_flag("--write-stall-s", "60")
        .start();
    let (mut ann, bob) = server.friends();
    // Bob does not read: there is always something left to write to him.
    for _ in 0..400 {
        ann.say(bob.id, &"x".repeat(50_000));
    }
    ann.silent();
    let program = server.program();
    let started = Instant::now();
    program.signal(Signal::TERM);
    ann.closed_at_last();
    program.signal(Signal::TERM);
    program.wait(Duration::from_secs(3));
    assert!(
        started.elapsed() < Duration::from_secs(7),
        "it did not wait for Bob"
    );
    drop(bob);
    server.again();
    assert_eq!(server.login("ann", Flavor::Pc).members().len(), 1);
}

#[test]
fn a_slow_reader_does_not_hold_up_the_end() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--drain-s", "2")
        .start();
    let (mut ann, bob) = server.friends();
    for _ in 0..400 {
        ann.say(bob.id, &"x".repeat(50_000));
    }
    ann.silent();
    let started = Instant::now();
    assert_eq!(server.stop()[0].code(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn two_servers_on_one_data_directory() {
    let server = Server::sqlite();
    let second = server.setup().start_unready();
    let status = second[0].wait(Duration::from_secs(30));
    assert!(!status.success(), "{}", second[0].story());
    assert!(second[0].log().contains("in use"), "{}", second[0].story());
    assert!(!second[0].output().contains("ready"));
    // The first did not notice.
    let (mut ann, mut bob) = server.friends();
    ann.say(bob.id, "still here");
    bob.hears(&["still here"]);
}

#[test]
fn a_taken_port_is_named() {
    let server = Server::sqlite();
    let other = Setup::new(Kind::Whole, Db::Sqlite);
    let mut command = other.whole([server.chat.port(), 0, 0]);
    let second = Process::spawn(&mut command);
    assert!(!second.wait(Duration::from_secs(30)).success());
    let log = second.log();
    assert!(log.contains(&server.chat.port().to_string()), "{log}");
    assert!(log.contains("--chat-port"), "{log}");
}

/// Runs a program of the suite to its end.
fn run(setup: &Setup, program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Process {
    let mut command = process::command(program, setup.directory());
    command.args(arguments).envs(environment.iter().copied());
    let process = Process::spawn(&mut command);
    process.wait(Duration::from_secs(30));
    process
}

fn succeeded(process: &Process) -> bool {
    process.wait(Duration::from_secs(30)).success()
}

#[test]
fn the_effective_settings() {
    let setup = Setup::new(Kind::Whole, Db::Sqlite);
    fs::write(
        setup.directory().join("my.toml"),
        "login_timeout_s = 7\nteams_max = 8\n",
    )
    .unwrap();
    let printed = run(
        &setup,
        "myim",
        &[
            "serve",
            "--config",
            "my.toml",
            "--teams-max",
            "9",
            "--print-config",
        ],
        &[("MYIM_FRIENDS_MAX", "77"), ("MYIM_TEAMS_MAX", "10")],
    );
    assert!(succeeded(&printed), "{}", printed.story());
    let text = printed.output();
    for line in ["login_timeout_s = 7", "teams_max = 9", "friends_max = 77"] {
        assert!(text.contains(line), "{line} in {text}");
    }
    // What it prints it also understands.
    fs::write(setup.directory().join("again.toml"), &text).unwrap();
    let again = run(
        &setup,
        "myim",
        &["serve", "--config", "again.toml", "--print-config"],
        &[],
    );
    assert_eq!(again.output(), text);
    for program in ["mychatserver", "myfileserver", "myimgserver"] {
        let url = "mysql://someone:hidden@127.0.0.1:3306/x";
        let printed = run(&setup, program, &["--database", url, "--print-config"], &[]);
        assert!(succeeded(&printed), "{}", printed.story());
        assert!(!printed.output().contains("hidden"), "{}", printed.output());
        assert!(printed.output().contains("someone"), "{}", printed.output());
        let help = run(&setup, program, &["--help"], &[]);
        assert!(succeeded(&help) && help.output().contains("--database"));
    }
}

#[test]
fn wrong_settings_are_named() {
    let setup = Setup::new(Kind::Whole, Db::Sqlite);
    fs::write(setup.directory().join("wrong.toml"), "chat_prot = 5\n").unwrap();
    fs::write(
        setup.directory().join("value.toml"),
        "chat_port = \"many\"\n",
    )
    .unwrap();
    for (arguments, environment, words) in [
        (
            &["serve", "--chat-prot", "5"][..],
            &[][..],
            &["--chat-prot", "--chat-port"][..],
        ),
        (
            &["serve", "--config", "wrong.toml"],
            &[],
            &["chat_prot", "chat_port", "wrong.toml"],
        ),
        (
            &["serve", "--config", "value.toml"],
            &[],
            &["chat_port", "many"],
        ),
        (&["serve", "--config", "absent.toml"], &[], &["absent.toml"]),
        (
            &["serve"],
            &[("MYIM_CHAT_PROT", "5")],
            &["MYIM_CHAT_PROT", "MYIM_CHAT_PORT"],
        ),
        (
            &["serve", "--chat-port", "70000"],
            &[],
            &["--chat-port", "70000"],
        ),
        (&["serve", "--teams-max", "0"], &[], &["--teams-max"]),
        (&["serve", "--database", "oracle://x"], &[], &["oracle"]),
        (&["sevre"], &[], &["sevre", "serve"]),
    ] {
        let ended = run(&setup, "myim", arguments, environment);
        assert!(!succeeded(&ended), "{}", ended.story());
        for word in words {
            assert!(ended.log().contains(word), "{word}: {}", ended.story());
        }
    }
}

#[test]
fn without_a_command_it_serves() {
    let setup = Setup::new(Kind::Whole, Db::Sqlite);
    let mut command = process::command("myim", setup.directory());
    command.args([
        "--bind",
        "127.0.0.1",
        "--chat-port",
        "0",
        "--file-port",
        "0",
    ]);
    command.args(["--image-port", "0", "--admin-port", "0"]);
    let process = Process::spawn(&mut command);
    let line = process.line_starting("ready ");
    assert!(line.contains("chat=") && line.contains("file=") && line.contains("image="));
    assert!(process.stop().success());
    assert!(setup.directory().join("data").is_dir());
    assert!(setup.directory().join("filecache").is_dir());
}

#[test]
fn on_a_terminal_it_says_once_that_it_is_ready() {
    let setup = Setup::new(Kind::Whole, Db::Sqlite);
    let command = setup.whole([0, 0, 0]);
    let words: Vec<_> = command
        .get_args()
        .map(|word| word.to_str().unwrap())
        .collect();
    let mut terminal = Terminal::start((250, 60), setup.directory(), &words, &[]);
    terminal.sees("in a browser.");
    let shown = terminal.text();
    assert_eq!(shown.matches("ready chat=").count(), 1, "{shown}");
    terminal.types("\u{3}");
    assert!(terminal.ends().success());
}

/// Runs `myim flamingo ...` against this port of the server.
fn flamingo(server: &Server, address: SocketAddr, arguments: &[&str]) -> Process {
    let mut command = process::command("myim", server.setup().directory());
    command.arg("flamingo").args(arguments);
    command.args(["--server", &address.ip().to_string()]);
    command.args(["--port", &address.port().to_string()]);
    command.env("MYIM_PASSWORD", "secret1");
    Process::spawn(&mut command)
}

#[test]
fn the_command_line_talks() {
    let server = Server::sqlite();
    let run = |arguments: &[&str]| flamingo(&server, server.chat, arguments);
    for name in ["cli", "other"] {
        let done = run(&["register", name]);
        assert!(succeeded(&done), "{}", done.story());
    }
    let again = run(&["register", "cli"]);
    assert!(!succeeded(&again), "{}", again.story());
    let login = |name: &str| Person::login(server.peer(Flavor::Android), name, "secret1");
    let (mut cli, mut other) = (login("cli"), login("other"));
    befriend(&mut cli, &mut other);
    let sent = run(&["send", "cli", "other", "good", "morning"]);
    assert!(succeeded(&sent), "{}", sent.story());
    other.hears(&["good morning"]);
    let nobody = run(&["send", "cli", "nobody", "hello"]);
    assert!(!succeeded(&nobody), "{}", nobody.story());

    // Shows the friend list, then what happens.
    let live = run(&["login", "cli", "--json"]);
    assert!(live.prints_within("other", PATIENCE), "{}", live.story());
    other.say(cli.id, "good evening");
    assert!(
        live.prints_within("good evening", PATIENCE),
        "{}",
        live.story()
    );
    live.signal(Signal::INT);
    live.wait(PATIENCE);
}

#[test]
fn the_command_line_moves_files() {
    let server = Server::sqlite();
    let bytes = content(1_500_000, 9);
    let folder = server.setup().directory();
    fs::write(folder.join("picture.bin"), &bytes).unwrap();
    let name = md5_name(&bytes);
    for (address, image) in [(server.file, None), (server.image, Some("--image"))] {
        let run = |arguments: &[&str]| {
            let arguments: Vec<_> = arguments.iter().copied().chain(image).collect();
            flamingo(&server, address, &arguments)
        };
        let up = run(&["upload", "picture.bin"]);
        assert!(succeeded(&up), "{}", up.story());
        assert!(up.output().contains(&name), "{}", up.story());
        let down = run(&["download", &name, "--to", "copy.bin", "--force"]);
        assert!(succeeded(&down), "{}", down.story());
        assert!(fs::read(folder.join("copy.bin")).unwrap() == bytes);
        let none = run(&["download", &md5_name(b"nothing"), "--to", "none.bin"]);
        assert!(!succeeded(&none), "{}", none.story());
        assert!(!folder.join("none.bin").exists());
    }
}

#[test]
fn an_original_database_that_is_not_there_is_told() {
    let setup = Setup::new(Kind::Whole, Db::Sqlite);
    let mut command = process::command("myim", setup.directory());
    let from = "mysql://ann:secret@127.0.0.1:1/f";
    command.args(["import", "flamingo", "--from", from]);
    command.arg("--data-dir").arg(setup.data_dir());
    let import = Process::spawn(&mut command);
    assert_eq!(import.wait(process::PROCESS_PATIENCE).code(), Some(74));
    let log = import.log();
    let told =
        "cannot read the database mysql://ann:***@127.0.0.1:1/f: 127.0.0.1:1: Connection refused";
    assert!(log.contains(told) && !log.contains("secret"), "{log}");
}

#[test]
fn files_of_an_original_server_are_taken_over() {
    let setup = Setup::new(Kind::Whole, Db::Sqlite).open();
    let bytes = content(300_000, 10);
    let original = setup.directory().join("original");
    fs::create_dir(&original).unwrap();
    fs::write(original.join(md5_name(&bytes)), &bytes).unwrap();
    fs::write(original.join("update.version"), "1.0").unwrap();
    let import = |images: bool| {
        let mut command = process::command("myim", setup.directory());
        command.args(["import", "files"]).arg(&original);
        command.arg("--data-dir").arg(setup.data_dir());
        command.arg("--filecache").arg(setup.filecache());
        if images {
            command.arg("--images");
        }
        let process = Process::spawn(&mut command);
        assert!(succeeded(&process), "{}", process.story());
    };
    import(false);
    import(false);
    import(true);
    let server = setup.clone().start();
    for address in [server.file, server.image] {
        let mut peer = Transfer::connect(address, Flavor::Pc);
        assert_eq!(peer.download(&md5_name(&bytes)).as_ref(), Some(&bytes));
    }
    let mut peer = Transfer::connect(server.file, Flavor::Pc);
    assert_eq!(
        peer.download("update.version").as_deref(),
        Some(&b"1.0"[..])
    );
    assert!(
        original.join("update.version").exists(),
        "the original is only read"
    );
}

#[test]
fn a_closed_registration() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--registration", "closed")
        .start();
    assert_eq!(register(server.chat, "ann", "Ann", "ppp"), 100);
    let mut peer = server.peer(Flavor::Pc);
    assert!(matches!(
        peer.try_next(Duration::from_millis(200)),
        Err(Nothing::TimedOut)
    ));
}
