//! Replicas of what a stopped server left: on each of them something is killed at another step.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};

use myim_tests::admin::{Told, wait};
use myim_tests::faults::{Fault, Faults};
use myim_tests::process::{PROCESS_PATIENCE, Process, command};
use myim_tests::server::{Server, Setup};
use rusqlite::Connection;
use rustix::process::Signal;
use tempfile::TempDir;

use super::kills::strike_chosen;

/// How long a file may be kept, as the collector is told.
pub(super) const DAYS: &str = "1";

/// Everything that the server had.
pub(super) struct Replica {
    folder: TempDir,
}

impl Replica {
    fn of(server: &Server) -> Self {
        let folder = TempDir::with_prefix("myim-copy-").unwrap();
        let mut copy = Command::new("cp");
        copy.arg("-a").arg(server.setup().directory().join("."));
        assert!(copy.arg(folder.path()).status().unwrap().success());
        Self { folder }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// How a server runs on it that lets files go.
    pub(super) fn setup(&self) -> Setup {
        super::rig::setup()
            .transfer_flag("--retention-file-days", DAYS)
            .in_directory(self.folder.path())
    }

    /// `myim admin files …`
    pub(super) fn files_command(&self, args: &[&str]) -> Command {
        let mut command = command("myim", self.folder.path());
        command.args(["admin", "--data"]).arg(self.path("data"));
        command.arg("files").args(args);
        command.env("MYIM_RETENTION_FILE_DAYS", DAYS);
        command
    }

    /// Runs it.
    pub(super) fn files(&self, args: &[&str]) -> Told {
        wait(&mut self.files_command(args))
    }

    /// The names of the files in a folder of the file cache, and below it; none if it is not there.
    pub(super) fn names(&self, folder: &str) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut folders = vec![self.path("filecache").join(folder)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.file_name().unwrap();
                    names.insert(name.to_string_lossy().into_owned());
                }
            }
        }
        names
    }

    /// The files of which the database says that they are here.
    pub(super) fn known(&self) -> BTreeSet<String> {
        let database = Connection::open(self.path("data/myim.db")).unwrap();
        let question = "SELECT f_sha256 FROM t_blob WHERE f_gone IS NULL";
        let mut rows = database.prepare(question).unwrap();
        let names = rows.query_map([], |row| row.get(0)).unwrap();
        names.collect::<Result<_, _>>().unwrap()
    }
}

/// Runs a command with faults; how it ended.
pub(super) fn end_with(faults: &Faults, mut command: Command) -> ExitStatus {
    faults.load_into(&mut command);
    Process::spawn(&mut command).wait(PROCESS_PATIENCE)
}

/// Does something on a replica to count its steps, then kills it at so many of them, or at each, every
/// time on another one. `act` tells how it ended; `check` looks at what it left.
pub(super) fn kill_everywhere(
    what: &str,
    choice: (u64, u64),
    server: &Server,
    act: impl Fn(&Replica, &Faults) -> ExitStatus,
    check: impl Fn(&Replica),
) {
    let faults = Faults::new();
    let unharmed = Replica::of(server);
    faults.order(Fault::None);
    let status = act(&unharmed, &faults);
    let steps = faults.steps();
    faults.over();
    assert_eq!(status.signal(), None, "nobody killed it: {status}");
    check(&unharmed);
    strike_chosen(what, choice, &steps, |step| {
        let replica = Replica::of(server);
        faults.order(Fault::Kill(step));
        let status = act(&replica, &faults);
        faults.over();
        check(&replica);
        status.signal() == Some(Signal::KILL.as_raw())
    });
}
