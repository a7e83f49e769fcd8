//! Databases to test on: a fresh one on the shared instance, or a private instance to torture.
//!
//! Knows nothing of the tables.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use mysql_async::prelude::Queryable;
use tempfile::TempDir;

use crate::ports::kept_port;
use crate::process::Process;

/// Names the shared instance, without a database: `mysql://root@127.0.0.1:PORT`.
pub const SHARED: &str = "MYIM_TEST_MYSQL";

/// Names a directory with a freshly installed, stopped instance, to be copied.
pub const TEMPLATE: &str = "MYIM_TEST_MARIADB_TEMPLATE";

/// A database that exists nowhere yet and is dropped at the end.
#[derive(Debug)]
pub struct Database {
    instance: String,
    name: String,
}

impl Database {
    /// On the instance that `scripts/test` started.
    pub fn shared() -> Self {
        let instance = std::env::var(SHARED).unwrap_or_else(|_| {
            panic!("{SHARED} is not set: run scripts/test, which starts a private MariaDB")
        });
        Self::on(&instance)
    }

    /// On this instance.
    pub fn on(instance: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let database = Self {
            instance: instance.trim_end_matches('/').to_owned(),
            name: format!("myim_test_{}_{count}", std::process::id()),
        };
        // An earlier run that was killed may have left one of this name.
        database.drop_it().expect("the test database answers");
        database
    }

    pub fn url(&self) -> String {
        format!("{}/{}", self.instance, self.name)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs statements, for tests that prepare or look at what a server finds.
    pub fn run(&self, statements: &[String]) {
        run(&self.instance, statements).expect("the statements are right");
    }

    /// The first column of each row, as text.
    pub fn read(&self, question: &str) -> Vec<String> {
        let url = self.url();
        let question = question.to_owned();
        blocking(async move {
            let mut connection = mysql_async::Conn::from_url(&url).await?;
            let rows: Vec<Option<String>> = connection.query(question).await?;
            connection.disconnect().await?;
            Ok(rows.into_iter().map(Option::unwrap_or_default).collect())
        })
        .expect("the question is right")
    }

    fn drop_it(&self) -> mysql_async::Result<()> {
        run(
            &self.instance,
            &[format!("DROP DATABASE IF EXISTS `{}`", self.name)],
        )
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A private instance may be gone already; then so is the database.
        let _ = self.drop_it();
    }
}

fn run(instance: &str, statements: &[String]) -> mysql_async::Result<()> {
    let (url, statements) = (format!("{instance}/"), statements.to_vec());
    blocking(async move {
        let mut connection = mysql_async::Conn::from_url(&url).await?;
        for statement in statements {
            connection.query_drop(statement).await?;
        }
        connection.disconnect().await
    })
}

/// Runs to the end on a thread of its own, so that it also works inside another runtime.
fn blocking<T: Send + 'static>(
    work: impl Future<Output = mysql_async::Result<T>> + Send + 'static,
) -> mysql_async::Result<T> {
    std::thread::spawn(|| {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime starts")
            .block_on(work)
    })
    .join()
    .expect("the driver does not panic")
}

/// A private instance that a test may stop, kill and freeze.
#[derive(Debug)]
pub struct MariaDb {
    directory: PathBuf,
    /// Removes the directory at the end, if it is our own.
    _own: Option<TempDir>,
    port: u16,
    flags: Vec<String>,
    process: Option<Process>,
}

impl MariaDb {
    /// A running instance.
    pub fn private() -> Self {
        let mut instance = Self::not_started();
        instance.start();
        instance
    }

    /// An instance with a port and its own data, not yet running.
    pub fn not_started() -> Self {
        let own = TempDir::with_prefix("myim-mariadb-").expect("a temporary directory");
        let instance = Self::not_started_in(own.path());
        Self {
            _own: Some(own),
            ..instance
        }
    }

    /// The same in a directory of the test's, which may be on a disk of its own.
    pub fn not_started_in(directory: &Path) -> Self {
        install(&directory.join("data"));
        Self {
            directory: directory.to_owned(),
            _own: None,
            port: kept_port(),
            flags: Vec::new(),
            process: None,
        }
    }

    /// Starts with this flag from now on.
    pub fn flag(&mut self, flag: String) {
        self.flags.push(flag);
    }

    /// The URL of the instance, without a database.
    pub fn url(&self) -> String {
        format!("mysql://root@127.0.0.1:{}", self.port)
    }

    pub fn start(&mut self) {
        let mut command = Command::new("mariadbd");
        command
            .arg("--no-defaults")
            .arg(format!("--datadir={}", self.data().display()))
            .arg(format!("--socket={}", self.path("socket").display()))
            .arg(format!("--pid-file={}", self.path("pid").display()))
            .arg(format!("--port={}", self.port))
            .args(["--bind-address=127.0.0.1", "--skip-log-bin"])
            .args([
                "--innodb-buffer-pool-size=32M",
                "--innodb-log-file-size=16M",
            ])
            .args(&self.flags);
        if is_root() {
            command.arg("--user=root");
        }
        let process = Process::spawn(&mut command);
        process.wait_for_log("ready for connections");
        self.process = Some(process);
    }

    pub fn process(&self) -> &Process {
        self.process.as_ref().expect("it is running")
    }

    /// An orderly end.
    pub fn stop(&mut self) {
        self.process.take().expect("it is running").stop();
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.process.take().expect("it is running").kill();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn data(&self) -> PathBuf {
        self.path("data")
    }
}

/// Puts a fresh instance's files there: a copy of the template if there is one.
fn install(data: &Path) {
    let mut command = if let Some(template) = std::env::var_os(TEMPLATE) {
        let mut copy = Command::new("cp");
        copy.arg("-a").arg(template).arg(data);
        copy
    } else {
        let mut install = Command::new("mariadb-install-db");
        install
            .args(["--no-defaults", "--skip-test-db"])
            .args(["--auth-root-authentication-method=normal"])
            .arg("--innodb-log-file-size=16M")
            .arg(format!("--datadir={}", data.display()));
        if is_root() {
            install.arg("--user=root");
        }
        install
    };
    let result = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}; scripts/test installs MariaDB"));
    assert!(
        result.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&result.stderr)
    );
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
