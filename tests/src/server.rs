//! The suite as a user starts it: one program or three, on SQLite or MariaDB, on free ports.
//!
//! Knows the flags and the ready line; nothing of what is said on the connections.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::Arc;

use rusqlite::Connection;
use rustix::process::Signal;
use tempfile::TempDir;

use crate::mariadb::Database;
use crate::peer::Peer;
use crate::person::PASSWORD;
use crate::ports::kept_port;
use crate::process::{self, PROCESS_PATIENCE, Process};
use crate::wire::Flavor;

/// Where the data is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Db {
    Sqlite,
    MariaDb,
}

/// Which programs run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `myim serve`: everything in one process.
    Whole,
    /// `mychatserver`, `myfileserver` and `myimgserver`.
    Separate,
}

/// Where a server works.
#[derive(Debug)]
enum Directory {
    /// Gone with the server.
    Own(TempDir),
    /// The test's.
    Given(PathBuf),
}

/// How to start it; [`Setup::start`] does.
#[derive(Clone, Debug)]
pub struct Setup {
    kind: Kind,
    database: Option<Arc<Database>>,
    /// `--name value` for the program that serves chat.
    chat_flags: Vec<String>,
    /// `--name value` for the programs that serve files and pictures.
    transfer_flags: Vec<String>,
    /// What every program finds in its environment, beside ours.
    variables: Vec<(String, String)>,
    /// Words in front of every program: another one, which becomes it.
    wrapper: Vec<String>,
    directory: Arc<Directory>,
    bind: String,
    admin_port: String,
    /// Servers take connections before their database answers: wait until it does.
    waits_for_database: bool,
    /// The programs were built with bugs.
    may_panic: bool,
}

impl Setup {
    pub fn new(kind: Kind, db: Db) -> Self {
        let database = match db {
            Db::Sqlite => None,
            Db::MariaDb => Some(Arc::new(Database::shared())),
        };
        Self::with_database(kind, database)
    }

    /// On a database that the test already has; none means SQLite.
    pub fn with_database(kind: Kind, database: Option<Arc<Database>>) -> Self {
        Self {
            kind,
            database,
            chat_flags: Vec::new(),
            transfer_flags: Vec::new(),
            variables: Vec::new(),
            wrapper: Vec::new(),
            directory: Arc::new(Directory::Own(
                TempDir::with_prefix("myim-test-").expect("a directory"),
            )),
            waits_for_database: false,
            may_panic: false,
            bind: "127.0.0.1".to_owned(),
            admin_port: "0".to_owned(),
        }
    }

    /// Listens on this address instead of loopback.
    #[must_use]
    pub fn bind(mut self, address: &str) -> Self {
        address.clone_into(&mut self.bind);
        self
    }

    /// Another admin port than a free one.
    #[must_use]
    pub fn admin_port(mut self, port: &str) -> Self {
        port.clone_into(&mut self.admin_port);
        self
    }

    /// Adds a flag that every program understands.
    #[must_use]
    pub fn flag(self, name: &str, value: &str) -> Self {
        let setup = self.chat_flag(name, value);
        if setup.kind == Kind::Separate {
            setup.transfer_flag(name, value)
        } else {
            setup
        }
    }

    /// Adds a flag of the chat server.
    #[must_use]
    pub fn chat_flag(mut self, name: &str, value: &str) -> Self {
        self.chat_flags.extend([name.to_owned(), value.to_owned()]);
        self
    }

    /// Takes a flag of the chat server back.
    #[must_use]
    pub fn without_chat_flag(mut self, name: &str) -> Self {
        if let Some(place) = self.chat_flags.iter().position(|flag| flag == name) {
            self.chat_flags.drain(place..place + 2);
        }
        self
    }

    /// Adds a flag of the file and image servers.
    #[must_use]
    pub fn transfer_flag(mut self, name: &str, value: &str) -> Self {
        let flags = match self.kind {
            Kind::Whole => &mut self.chat_flags,
            Kind::Separate => &mut self.transfer_flags,
        };
        flags.extend([name.to_owned(), value.to_owned()]);
        self
    }

    /// Adds a variable of the environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Lets another program start each of them, one that changes something and then becomes it.
    #[must_use]
    pub fn wrapped(mut self, words: &[&str]) -> Self {
        self.wrapper = words.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// Anybody may upload and download without having logged in.
    #[must_use]
    pub fn open(self) -> Self {
        self.transfer_flag("--access", "open")
    }

    /// Works in a directory of the test's, which may be on a disk of its own.
    #[must_use]
    pub fn in_directory(mut self, path: &Path) -> Self {
        self.directory = Arc::new(Directory::Given(path.to_owned()));
        self
    }

    /// Starts are over when the database is open.
    #[must_use]
    pub fn wait_for_database(mut self) -> Self {
        self.waits_for_database = true;
        self
    }

    /// Panics in the log are what is looked for.
    #[must_use]
    pub fn may_panic(mut self) -> Self {
        self.may_panic = true;
        self
    }

    /// The database on a server; none with SQLite.
    pub fn database(&self) -> Option<&Database> {
        self.database.as_deref()
    }

    pub fn directory(&self) -> &Path {
        match &*self.directory {
            Directory::Own(directory) => directory.path(),
            Directory::Given(path) => path,
        }
    }

    pub fn start(self) -> Server {
        let programs = self.spawn([kept_port(), kept_port(), kept_port()]);
        Server::ready(self, programs)
    }

    /// Starts it without waiting until it is ready; for starts that must fail.
    pub fn start_unready(&self) -> Vec<Process> {
        self.spawn([kept_port(), kept_port(), kept_port()])
    }

    fn spawn(&self, ports: [u16; 3]) -> Vec<Process> {
        let commands = match self.kind {
            Kind::Whole => vec![self.whole(ports)],
            Kind::Separate => self.separate(ports).into(),
        };
        let launch = |command| self.launch(command);
        commands.into_iter().map(launch).collect()
    }

    fn launch(&self, command: Command) -> Process {
        let mut command = self.wrap(command);
        let process = Process::spawn(command.envs(self.variables.iter().cloned()));
        let process = process.never_says(PASSWORD);
        if self.may_panic {
            process.may_panic()
        } else {
            process
        }
    }

    fn wrap(&self, command: Command) -> Command {
        let Some((program, words)) = self.wrapper.split_first() else {
            return command;
        };
        let mut wrapped = Command::new(program);
        wrapped.args(words).arg(command.get_program());
        wrapped
            .args(command.get_args())
            .current_dir(self.directory());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => wrapped.env(name, value),
                None => wrapped.env_remove(name),
            };
        }
        wrapped
    }

    /// `myim serve` with everything this setup asks for.
    pub fn whole(&self, [chat, file, image]: [u16; 3]) -> Command {
        let mut command = process::command("myim", self.directory());
        command.args(["serve", "--bind", &self.bind]);
        command.args(["--chat-port", &chat.to_string()]);
        command.args(["--file-port", &file.to_string()]);
        command.args(["--image-port", &image.to_string()]);
        command.args(["--admin-port", &self.admin_port]);
        command.arg("--data-dir").arg(self.data_dir());
        command.arg("--filecache").arg(self.filecache());
        if let Some(database) = &self.database {
            command.args(["--database", &database.url()]);
        }
        command.args(&self.chat_flags);
        command
    }

    fn separate(&self, [chat, file, image]: [u16; 3]) -> [Command; 3] {
        let database = self
            .database
            .as_ref()
            .expect("the separate servers share a MySQL database")
            .url();
        let start = |name: &str, port: u16| {
            let mut command = process::command(name, self.directory());
            command.args(["--bind", &self.bind, "--port", &port.to_string()]);
            command.args(["--admin-port", &self.admin_port]);
            command.args(["--database", &database]);
            command
        };
        let mut chat = start("mychatserver", chat);
        // It cannot know that the others are not where they usually are.
        chat.args(["--file-url", &format!("http://127.0.0.1:{file}")]);
        chat.args(["--image-url", &format!("http://127.0.0.1:{image}")]);
        chat.args(&self.chat_flags);
        let [mut files, mut images] = [start("myfileserver", file), start("myimgserver", image)];
        for transfer in [&mut files, &mut images] {
            transfer.arg("--filecache").arg(self.filecache());
            transfer.args(&self.transfer_flags);
        }
        [chat, files, images]
    }

    pub fn data_dir(&self) -> PathBuf {
        self.directory().join("data")
    }

    pub fn filecache(&self) -> PathBuf {
        self.directory().join("filecache")
    }
}

/// A running suite. Dropping it kills it.
#[derive(Debug)]
pub struct Server {
    setup: Setup,
    programs: Vec<Process>,
    pub chat: SocketAddr,
    pub file: SocketAddr,
    pub image: SocketAddr,
    /// The admin port of each program.
    pub admin: Vec<SocketAddr>,
}

impl Server {
    /// The everyday server of the tests: `myim serve` on SQLite, transfers open to all.
    pub fn sqlite() -> Self {
        Setup::new(Kind::Whole, Db::Sqlite).open().start()
    }

    /// The same commands against the three separate servers on MariaDB.
    pub fn mariadb() -> Self {
        let mut setup = Setup::new(Kind::Separate, Db::MariaDb).open();
        setup.waits_for_database = true;
        let socket = setup.data_dir().join("admin.sock");
        let setup = setup.chat_flag("--admin-socket", &socket.to_string_lossy());
        setup.start()
    }

    fn ready(setup: Setup, programs: Vec<Process>) -> Self {
        let lines: Vec<_> = programs
            .iter()
            .map(|program| program.line_starting("ready "))
            .collect();
        let admin = lines.iter().filter_map(|line| admin_of(line)).collect();
        let line = lines.join(" ");
        let address = |word: &str| {
            let start = format!("{word}=");
            line.split(' ')
                .find_map(|part| part.strip_prefix(&start))
                .and_then(|address| address.parse().ok())
                .unwrap_or_else(|| panic!("no {word} address in {line:?}"))
        };
        let (chat, file, image) = (address("chat"), address("file"), address("image"));
        if setup.waits_for_database {
            for program in &programs {
                program.wait_for_log("database open");
            }
        }
        Self {
            setup,
            programs,
            chat,
            file,
            image,
            admin,
        }
    }

    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The program that serves chat.
    pub fn program(&self) -> &Process {
        &self.programs[0]
    }

    pub fn programs(&self) -> &[Process] {
        &self.programs
    }

    /// The program that serves files; for setups in which it is one of its own.
    pub fn file_program(&self) -> &Process {
        &self.programs[1]
    }

    /// Starts the program that serves files again, on the same port. It must have ended.
    pub fn file_program_again(&mut self) {
        assert!(!self.file_program().is_running(), "it still runs");
        let ports = [self.chat.port(), self.file.port(), self.image.port()];
        let [_, command, _] = self.setup.separate(ports);
        let program = self.setup.launch(command);
        if let Some(admin) = admin_of(&program.line_starting("ready ")) {
            self.admin[1] = admin;
        }
        if self.setup.waits_for_database {
            program.wait_for_log("database open");
        }
        self.programs[1] = program;
    }

    /// A raw connection to the chat server.
    pub fn peer(&self, flavor: Flavor) -> Peer {
        Peer::connect(self.chat, flavor)
    }

    /// Fails with the server's own words unless it logged this.
    pub fn logged(&self, words: &str) {
        self.program().wait_for_log(words);
    }

    pub fn kill(&self) {
        self.programs.iter().for_each(Process::kill);
    }

    /// SIGTERM to all; their exit statuses.
    pub fn stop(&self) -> Vec<ExitStatus> {
        for program in &self.programs {
            program.signal(Signal::TERM);
        }
        // A second signal would mean "at once".
        let wait = |program: &Process| program.wait(PROCESS_PATIENCE);
        self.programs.iter().map(wait).collect()
    }

    /// Starts again on the same data and the same ports. It must have ended.
    pub fn again(&mut self) {
        self.again_with(|setup| setup);
    }

    /// Starts again, set up differently.
    pub fn again_with(&mut self, change: impl FnOnce(Setup) -> Setup) {
        assert!(
            !self.programs.iter().any(Process::is_running),
            "it still runs"
        );
        let ports = [self.chat.port(), self.file.port(), self.image.port()];
        let setup = change(self.setup.clone());
        let programs = setup.spawn(ports);
        *self = Self::ready(setup, programs);
    }

    /// Stops, gives accounts other names in the SQLite file, and starts again. So people come to
    /// names that nobody gets any more, but that some have.
    pub fn rename(&mut self, names: &[(&str, &str)]) {
        self.stop();
        let file = self.setup.data_dir().join("myim.db");
        let database = Connection::open(file).expect("the database's file");
        for (before, now) in names {
            for table in ["t_user", "t_username"] {
                let sql = format!("UPDATE {table} SET f_username = ?2 WHERE f_username = ?1");
                let renamed = database.execute(&sql, (before, now));
                assert_eq!(renamed.expect("a statement that works"), 1, "{before}");
            }
        }
        drop(database);
        self.again();
    }

    /// `kill -9` and a start on the same data.
    pub fn crash(&mut self) {
        self.kill();
        self.again();
    }
}

/// The admin port in what a program says when it is ready.
fn admin_of(line: &str) -> Option<SocketAddr> {
    let (_, address) = line.rsplit_once("admin=")?;
    address.parse().ok()
}
