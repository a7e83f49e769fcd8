//! The terminal is given back, however the program ends; and an idle program does nothing.

use std::time::Duration;

use myim_tests::server::Server;
use myim_tests::terminal::{PROMPT, Terminal};
use rustix::process::{Pid, Signal, kill_process};

use super::{CTRL_C, CTRL_Z, Desk, friends, go_to};

#[test]
fn a_signal_ends_it_in_order() {
    let server = Server::sqlite();
    friends(&server);
    let desk = Desk::of(&server, "ann");
    for signal in [Signal::TERM, Signal::HUP] {
        let mut terminal = desk.chat((80, 24));
        go_to(&mut terminal, "bob");
        kill_process(Pid::from_raw(terminal.pid()).unwrap(), signal).unwrap();
        assert!(terminal.ends().success());
        terminal.is_restored();
    }
}

#[test]
fn a_first_start_says_what_to_do() {
    let server = Server::sqlite();
    server.sign_up("eve");
    let desk = Desk::of(&server, "eve");
    let mut terminal = desk.chat((80, 24));
    terminal.sees("No conversations yet.");
    terminal.sees("Ctrl-N");
    terminal.types(CTRL_C);
    assert!(terminal.ends().success());
}

#[test]
fn a_shell_suspends_it_and_brings_it_back() {
    let server = Server::sqlite();
    friends(&server);
    let desk = Desk::of(&server, "ann");
    let program = myim_tests::process::program("myim").display().to_string();
    let mut terminal = Terminal::shell((80, 24), desk.path(), &desk.variables());
    terminal.sees(PROMPT);
    terminal.types(&format!("{program} chat\r"));
    go_to(&mut terminal, "bob");
    terminal.types("half a message");
    terminal.types(CTRL_Z);
    terminal.sees("Stopped");
    terminal.sees_last(PROMPT);
    terminal.types("fg\r");
    terminal.sees("half a message");
    terminal.sees("connected");
    terminal.types(CTRL_C);
    terminal.sees("Ctrl-C again quits");
    terminal.types(CTRL_C);
    terminal.sees_no_longer("connected");
    terminal.sees_last(PROMPT);
    terminal.types("exit\r");
    terminal.ends();
    terminal.is_restored();
}

#[test]
fn an_idle_screen_writes_nothing() {
    let server = Server::sqlite();
    let (_, bob) = friends(&server);
    let desk = Desk::of(&server, "ann");
    let mut terminal = desk.chat((80, 24));
    go_to(&mut terminal, "bob");
    terminal.types("still");
    terminal.sees("still");
    // The end of the picture may come a moment after its words.
    let mut before = terminal.bytes();
    for _ in 0..20 {
        match terminal.bytes_within(Duration::from_millis(500)) {
            same if same == before => break,
            more => before = more,
        }
    }
    // Something has to pass before one can say that nothing was written: calls to the server do.
    for _ in 0..50 {
        bob.conversations();
    }
    let quiet = terminal.bytes_within(Duration::from_secs(2));
    assert_eq!(quiet, before, "{}", terminal.text());
}

#[test]
fn without_a_terminal_it_says_so() {
    let server = Server::sqlite();
    server.sign_up("eve");
    let desk = Desk::of(&server, "eve");
    let mut command = myim_tests::process::command("myim", desk.path());
    command.arg("chat").envs(desk.variables());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(words.contains("needs a terminal"), "{words}");
}
