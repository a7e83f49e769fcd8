//! What is written about the command line: its page, completions and manual pages.

use std::fs;
use std::path::Path;
use std::process::Command;

use myim_tests::process::program;
use myim_tests::server::Server;

use super::{Machine, run};

fn page() -> String {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(package.join("../docs/command-line.md")).unwrap()
}

/// A command of the page, and what it prints there.
struct Example {
    command: String,
    prints: String,
}

/// The blocks of the page that show a terminal.
fn examples(page: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match line {
            "```console" => inside = true,
            "```" => inside = false,
            _ if !inside => {}
            line => match (line.strip_prefix("$ "), examples.last_mut()) {
                (Some(command), _) => examples.push(Example {
                    command: command.to_owned(),
                    prints: String::new(),
                }),
                (None, Some(example)) => {
                    example.prints.push_str(line);
                    example.prints.push('\n');
                }
                (None, None) => panic!("{line} is printed by nothing"),
            },
        }
    }
    examples
}

/// Takes out what is never twice the same: times, and the ids that are made at random.
fn timeless(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_inclusive(['"', ' ', '\n', ':', ',']) {
        let (word, end) = word.split_at(word.len() - 1);
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        let day = word.len() >= 10 && digits >= 8 && word.matches('-').count() == 2;
        let uuid = word.len() == 36 && word.matches('-').count() == 4;
        let clock = word.len() == 2 && digits == 2 || word.ends_with('Z') && digits >= 2;
        match () {
            () if day || clock => out.push('T'),
            () if uuid => out.push('U'),
            () => out.push_str(word),
        }
        out.push_str(end);
    }
    out
}

#[test]
fn the_examples_of_the_page_print_what_stands_there() {
    let server = Server::sqlite();
    let machine = Machine::new(&server);
    let examples = examples(&page());
    assert!(examples.len() > 15, "{} examples", examples.len());
    let place = server.chat.to_string();
    let ports = format!(
        "--file-port {} --image-port {}",
        machine.file_port, machine.image_port
    );
    let mut script = "exec 2>&1\n".to_owned();
    for example in &examples {
        // On a machine where the ports are not the usual ones.
        let command = example
            .command
            .replace("localhost", &format!("http://{place}"));
        let command = match command.strip_prefix("myim login ") {
            Some(rest) => format!("myim login {ports} {rest}"),
            None => command,
        };
        script.push_str(&format!("{command}\necho '--end--'\n"));
    }
    let mut command = Command::new("bash");
    let programs = program("myim");
    let others = std::env::var("PATH").unwrap();
    let path = format!("{}:{others}", programs.parent().unwrap().display());
    command
        .args(["-c", &script])
        .current_dir(machine.path())
        .env("MYIM_CONFIG_DIR", machine.path().join("config"))
        .env("TZ", "UTC")
        .env("PATH", path);
    let ran = run(command, "").done();
    let printed: Vec<_> = ran.out.split("--end--\n").collect();
    assert_eq!(printed.len(), examples.len() + 1, "{}", ran.out);
    for (example, printed) in examples.iter().zip(printed) {
        let printed = printed.replace(&format!("http://{place}"), "http://localhost:20000");
        assert_eq!(
            timeless(&printed),
            timeless(&example.prints),
            "$ {}",
            example.command
        );
    }
}

#[test]
fn every_verb_stands_on_the_page() {
    let server = Server::sqlite();
    let machine = Machine::new(&server);
    let help = machine.run(&["--help"]).done().out;
    let page = page();
    let verbs = help
        .split("Commands:")
        .nth(1)
        .and_then(|rest| rest.split("Options:").next())
        .unwrap();
    let verbs = verbs
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    // These have pages of their own.
    let elsewhere = ["serve", "import", "admin", "flamingo", "chat", "help"];
    let mut count = 0;
    for verb in verbs.filter(|verb| !elsewhere.contains(verb)) {
        assert!(page.contains(&format!("`myim {verb}")), "{verb}");
        count += 1;
    }
    assert!(count >= 15, "{help}");
}

#[test]
fn shells_complete_and_manual_pages_are_written() {
    let server = Server::sqlite();
    let machine = Machine::new(&server);
    for shell in ["bash", "zsh", "fish"] {
        let script = machine.run(&["completions", shell]).done().out;
        assert!(script.contains("conversations"), "{shell}");
    }
    let script = machine.run(&["completions", "bash"]).done().out;
    machine.file("completions", &script);
    let mut command = Command::new("bash");
    let line = "source completions && complete -p myim";
    command.args(["-c", line]).current_dir(machine.path());
    assert!(run(command, "").done().out.contains("_myim"));

    machine.run(&["man", "pages/man1"]).done();
    for name in [
        "myim",
        "myim-send",
        "myim-contacts-add",
        "myim-bot-token-rotate",
    ] {
        let page = machine.path().join(format!("pages/man1/{name}.1"));
        let page = fs::read_to_string(&page).unwrap_or_else(|_| panic!("{}", page.display()));
        assert!(page.contains(".SH NAME"), "{name}");
    }
    let send = fs::read_to_string(machine.path().join("pages/man1/myim-send.1")).unwrap();
    assert!(send.contains("Exit codes"), "{send}");
    machine.file("taken", "");
    machine.run(&["man", "taken"]).ended(5);
}
