//! `myim login`, `send`, `tail` and so on, as people and scripts use them: the real program against
//! a real server.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::process::Command;

use myim_tests::person::password;
use myim_tests::process::{self, Process};
use myim_tests::server::Server;
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

mod accounts;
mod documents;
mod endings;
mod files;
mod messages;
mod people;
mod tailing;

/// How long one command may take on a busy machine.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// A machine with the command line on it, and credentials of its own.
struct Machine {
    directory: TempDir,
    server: String,
    file_port: String,
    image_port: String,
}

/// What a command did.
struct Ran {
    story: String,
    code: Option<i32>,
    out: String,
    err: String,
}

impl Machine {
    fn new(server: &Server) -> Self {
        Self {
            directory: TempDir::with_prefix("myim-cli-").unwrap(),
            server: format!("http://{}", server.chat),
            file_port: server.file.port().to_string(),
            image_port: server.image.port().to_string(),
        }
    }

    /// A machine on which this account, which exists, has signed in.
    fn of(server: &Server, name: &str) -> Self {
        let machine = Self::new(server);
        machine.login(name).done();
        machine
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A file in the directory in which commands run.
    fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path().join(name), content).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = process::command("myim", self.path());
        command
            .args(args)
            .env("MYIM_CONFIG_DIR", self.path().join("config"));
        command
    }

    fn login(&self, name: &str) -> Ran {
        let ports = [
            "--file-port",
            &self.file_port,
            "--image-port",
            &self.image_port,
        ];
        let mut args = vec!["login", &self.server, name, "--password-file", "-"];
        args.extend(ports);
        self.run_with(&args, &format!("{}\n", password(name)))
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "")
    }

    fn run_with(&self, args: &[&str], input: &str) -> Ran {
        run(self.command(args), input)
    }

    /// Starts what goes on until it is told to end.
    fn start(&self, args: &[&str]) -> Process {
        Process::spawn(&mut self.command(args))
    }

    /// The one object that a command prints with `--json`.
    fn json(&self, args: &[&str]) -> Value {
        let mut lines = self.jsons(args);
        assert_eq!(lines.len(), 1, "one object: {lines:?}");
        lines.remove(0)
    }

    /// What a command prints with `--json`.
    fn jsons(&self, args: &[&str]) -> Vec<Value> {
        let mut args = args.to_vec();
        args.push("--json");
        let ran = self.run(&args).done();
        objects(&ran.out)
    }
}

/// Runs a command to its end.
fn run(mut command: Command, input: &str) -> Ran {
    let story = format!("{command:?}");
    // Files instead of pipes: nobody has to read while somebody writes.
    let mut stdin = tempfile::tempfile().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    stdin.rewind().unwrap();
    let (out, err) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
    let mut child = command
        .stdin(stdin)
        .stdout(out.try_clone().unwrap())
        .stderr(err.try_clone().unwrap())
        .spawn()
        .unwrap();
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    let pid = rustix::process::Pid::from_child(&child);
    std::thread::spawn(move || tell.send(child.wait().unwrap()));
    let status = told.recv_timeout(PATIENCE).unwrap_or_else(|_| {
        let _ = rustix::process::kill_process(pid, Signal::KILL);
        panic!("{story} does not end\n{}", text(err.try_clone().unwrap()))
    });
    Ran {
        story,
        code: status.code(),
        out: text(out),
        err: text(err),
    }
}

fn text(mut file: File) -> String {
    let mut text = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}

fn objects(lines: &str) -> Vec<Value> {
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect()
}

impl Ran {
    /// It must have succeeded.
    #[track_caller]
    fn done(self) -> Self {
        self.ended(0)
    }

    #[track_caller]
    fn ended(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "{}\n--- out\n{}--- err\n{}",
            self.story,
            self.out,
            self.err
        );
        self
    }

    /// Standard error must say this.
    #[track_caller]
    fn said(self, words: &str) -> Self {
        assert!(self.err.contains(words), "{}: {}", self.story, self.err);
        self
    }

    /// The error's word, of a command with `--json`.
    #[track_caller]
    fn error(&self) -> String {
        let last = self.err.lines().last().unwrap_or_default();
        let error: Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("{}", self.err));
        assert!(!error["error"]["message"].as_str().unwrap().is_empty());
        error["error"]["code"].as_str().unwrap().to_owned()
    }
}

/// Ctrl-C.
fn interrupt(process: &Process) -> Option<i32> {
    process.signal(Signal::INT);
    process.wait(PATIENCE).code()
}
