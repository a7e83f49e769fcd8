//! The command line of administrators, run against a server of the tests.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::api::Answer;
use crate::api_person::ApiPerson;
use crate::process::{PROCESS_PATIENCE, Process, command};
use crate::server::Server;

/// How a command ended, and what it said.
#[derive(Debug)]
pub struct Told {
    /// The command, for the failure message.
    asked: String,
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs `myim admin` with these arguments in this directory.
pub fn admin(directory: &Path, args: &[impl AsRef<OsStr>]) -> Told {
    run(directory, args, None)
}

/// As [`admin`], with a token in the environment.
pub fn admin_with_token(directory: &Path, args: &[impl AsRef<OsStr>], token: &str) -> Told {
    run(directory, args, Some(token))
}

fn run(directory: &Path, args: &[impl AsRef<OsStr>], token: Option<&str>) -> Told {
    let mut command = command("myim", directory);
    command.arg("admin").args(args);
    if let Some(token) = token {
        command.env("MYIM_TOKEN", token);
    }
    wait(&mut command)
}

/// Runs a command to its end.
pub fn wait(command: &mut Command) -> Told {
    let process = Process::spawn(command);
    let status = process.wait(PROCESS_PATIENCE);
    Told {
        asked: format!("{command:?}"),
        code: status.code().unwrap_or(-1),
        out: process.output(),
        err: process.log(),
    }
}

impl Told {
    /// It went well; what was printed.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (0, ""), "{self:?}");
        self.out
    }

    /// It went well; each line is an object.
    #[track_caller]
    pub fn json(self) -> Vec<Value> {
        let out = self.ok();
        let lines = out.lines();
        lines
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))
            })
            .collect()
    }

    /// It found something that is wrong; each line is an object.
    #[track_caller]
    pub fn finds(self) -> Vec<Value> {
        assert_eq!(self.code, 1, "{self:?}");
        let objects = self.out.lines().map(serde_json::from_str);
        objects.collect::<Result<_, _>>().expect("objects")
    }

    /// It ended with this code, and one sentence that has these words in it.
    #[track_caller]
    pub fn fails(self, code: i32, words: &str) {
        assert_eq!(self.code, code, "{self:?}");
        assert!(
            self.err.starts_with("myim: ") && self.err.lines().count() == 1,
            "one sentence: {self:?}"
        );
        assert!(self.err.contains(words), "{self:?}");
        assert_eq!(self.out, "", "{}", self.asked);
    }
}

impl Server {
    /// Runs `myim admin` on this server's data directory.
    pub fn admin(&self, args: &[&str]) -> Told {
        let data = self.setup().data_dir();
        let mut all = vec![OsStr::new("--data"), data.as_os_str()];
        all.extend(args.iter().map(OsStr::new));
        admin(self.setup().directory(), &all)
    }

    /// Runs `myim upgrade` on this server with this token, and with the key in the test's directory.
    pub fn upgrade(&self, token: &str, args: &[&str]) -> Told {
        let mut command = self.upgrading(args);
        command.args(["--server", &format!("http://{}", self.chat)]);
        command.env("MYIM_TOKEN", token);
        command.env("MYIM_FILE_PORT", self.file.port().to_string());
        wait(&mut command)
    }

    /// Runs `myim upgrade` on this server's data directory, as who signed in with `myim login`.
    pub fn upgrade_as_operator(&self, args: &[&str]) -> Told {
        let mut command = self.upgrading(args);
        command.arg("--data").arg(self.setup().data_dir());
        wait(&mut command)
    }

    fn upgrading(&self, args: &[&str]) -> Command {
        let directory = self.setup().directory();
        let mut command = command("myim", directory);
        command.arg("upgrade").args(args);
        command.env("MYIM_CONFIG_DIR", directory.join("config"));
        command
    }

    /// Makes an account and signs it in; the operator makes it an administrator.
    pub fn administrator(&self, name: &str) -> ApiPerson {
        let person = self.newcomer(name);
        self.admin(&["user", "grant", name]).ok();
        person
    }
}

impl Answer {
    /// It went well; each line of the body is an object.
    #[track_caller]
    pub fn ndjson(&self) -> Vec<Value> {
        assert_eq!(self.status, 200, "{self}");
        assert_eq!(self.header("content-type"), "application/x-ndjson");
        let body = String::from_utf8_lossy(&self.body);
        assert!(body.ends_with('\n'), "{self}");
        body.lines()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))
            })
            .collect()
    }
}
