//! What stands around the servers of a program: its settings, the log, ports, the database, the
//! ready line, and the end.
//!
//! `anyhow` stands here and in the programs' `main` only.

mod exit;
mod signals;

use std::ffi::OsString;
use std::fs::DirBuilder;
use std::future::Future;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::admin::{self, Admin, Health, Watched};
use crate::config::{self, About, AdminConfig, DatabaseConfig, Loaded, LogConfig, TlsConfig};
use crate::net::{
    Listener, Security, TlsError, TlsKeys, free_descriptors, raise_descriptor_limit, self_signed,
};
use crate::store::{self, DatabaseUrl, LateStore, Store, StoreError};
use crate::telemetry::{self, Insight, metrics};

pub use exit::Exit;

/// The ready line waits so long for the first attempt to open the database: usually it is there,
/// and the first client should not find it missing. One that cannot be reached says so at once; the
/// time is for making or changing the tables on a busy machine, and for one that does not answer.
const HEAD_START: Duration = Duration::from_secs(15);

/// How long the database may take to close, and blocking work to finish, at the end.
const CLOSE: Duration = Duration::from_millis(500);

/// The settings of this program, or the code to end with: help was asked for, or they are wrong.
pub fn settings<T: config::Program>(about: About, args: &[OsString]) -> Result<T, ExitCode> {
    match config::load(about, args) {
        Ok(Loaded::Run(settings)) => Ok(settings),
        Ok(Loaded::Print(text)) => {
            print(&text);
            Err(ExitCode::SUCCESS)
        }
        Err(config::ConfigError::Usage(answer)) if !answer.use_stderr() => {
            // Nobody is there to be told that standard output is closed.
            let _ = answer.print();
            Err(ExitCode::SUCCESS)
        }
        Err(error) => {
            let text = error.to_string();
            let text = text.trim_start_matches("error: ");
            let _ = writeln!(io::stderr(), "error: {text}");
            Err(ExitCode::from(Exit::CONFIG))
        }
    }
}

/// Writes to standard output. If nobody reads it, the program goes on all the same.
fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

/// Runs a program until it ends by itself or is told to, and says how it ended.
pub fn run<Main, Ended>(log: &LogConfig, main: Main) -> ExitCode
where
    Main: FnOnce(Process) -> Ended,
    Ended: Future<Output = anyhow::Result<()>>,
{
    let recent = telemetry::init(log);
    let counted = match metrics::install() {
        Ok(counted) => counted,
        Err(error) => {
            let exit = Exit::io(format!("cannot count: {error}"));
            exit.report();
            return ExitCode::from(exit.code());
        }
    };
    let process = Process::new(Insight {
        counted: Some(counted),
        recent,
    });
    let failure = Arc::clone(&process.failure);
    let late = Arc::clone(&process.store);
    let ended = signals::watch(process.shutdown.clone(), Arc::clone(&failure))
        .and_then(|()| {
            tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()
        })
        .map_err(|error| Exit::io(format!("cannot start: {error}")).into())
        .and_then(|runtime| {
            let ended = runtime.block_on(async {
                let ended = main(process).await;
                let _ = tokio::time::timeout(CLOSE, late.close()).await;
                ended
            });
            runtime.shutdown_timeout(CLOSE);
            ended
        });
    let exit = match (failure.get(), ended) {
        (Some(failure), _) => failure.clone(),
        (None, Err(error)) => Exit::from(error),
        (None, Ok(())) => {
            tracing::info!("stopped");
            return ExitCode::SUCCESS;
        }
    };
    exit.report();
    ExitCode::from(exit.code())
}

/// The running program, for its `main`.
#[derive(Debug)]
pub struct Process {
    shutdown: CancellationToken,
    /// What ended the program from a background task.
    failure: Arc<OnceLock<Exit>>,
    store: Arc<LateStore>,
    descriptors: u64,
    insight: Insight,
}

impl Process {
    fn new(insight: Insight) -> Self {
        Self {
            insight,
            shutdown: CancellationToken::new(),
            failure: Arc::default(),
            store: Arc::default(),
            descriptors: free_descriptors(raise_descriptor_limit()),
        }
    }

    /// What the program knows of itself.
    pub fn insight(&self) -> Insight {
        self.insight.clone()
    }

    /// Cancelled when the program is to end: servers stop accepting, finish and return.
    pub fn shutdown(&self) -> CancellationToken {
        self.shutdown.clone()
    }

    /// Descriptors that connections may take.
    pub fn descriptors(&self) -> u64 {
        self.descriptors
    }

    /// Opens a port. `flag` is where another one can be chosen.
    pub fn bind(&self, server: &str, address: SocketAddr, flag: &str) -> Result<Listener, Exit> {
        Listener::bind(address).map_err(|error| {
            let advice = match error.kind() {
                ErrorKind::AddrInUse => format!(
                    "another program listens there; stop it, or choose another port with {flag} \
                     (0 takes a free one)"
                ),
                ErrorKind::AddrNotAvailable => {
                    "this machine has no such address; choose another with --bind".to_owned()
                }
                _ => format!("choose another port with {flag} or another address with --bind"),
            };
            Exit::io(format!(
                "the {server} server cannot listen on {address}: {error}; {advice}"
            ))
        })
    }

    /// What connections are asked for: reads or makes the certificate, and goes on looking after
    /// its files.
    pub async fn security(&self, config: &TlsConfig) -> Result<Security, Exit> {
        let files = match (&config.tls_cert, &config.tls_key) {
            (Some(certificate), Some(key)) => Some((certificate.clone(), key.clone())),
            (Some(_), None) | (None, Some(_)) => {
                let half = "--tls-cert and --tls-key belong together: give both";
                return Err(Exit::config(half));
            }
            (None, None) if config.tls_self_signed => {
                let both = self_signed(&config.folder()).await;
                let both = both.map_err(|error| Exit::io(error.to_string()))?;
                Some((both.clone(), both))
            }
            (None, None) => None,
        };
        let Some((certificate, key)) = files else {
            if config.require_tls {
                return Err(Exit::config(
                    "--require-tls needs a certificate: --tls-cert and --tls-key, or \
                     --tls-self-signed",
                ));
            }
            return Ok(Security::default());
        };
        let wrong = |error: TlsError| Exit::config(error.to_string());
        let keys = Arc::new(TlsKeys::load(&certificate, &key).map_err(wrong)?);
        let watching = Arc::clone(&keys).watch(self.shutdown()).map_err(wrong)?;
        // The task ends with `shutdown`, so nobody needs to wait for it.
        tokio::spawn(watching);
        Ok(Security {
            keys: Some(keys),
            require_tls: config.require_tls,
        })
    }

    /// Opens the admin port, unless it is off, and answers on it until the program has ended.
    pub fn serve_admin(
        &self,
        config: &AdminConfig,
        database: &DatabaseConfig,
        filecache: Option<&Path>,
    ) -> Result<Option<SocketAddr>, Exit> {
        let Some(address) = config.address() else {
            return Ok(None);
        };
        let listener = self.bind("admin", address, "--admin-port")?;
        let local = listener.local_addr();
        let watched = Watched {
            filecache: filecache.map(Path::to_owned),
            data: folder_of(&database.database).map(Path::to_owned),
            disk_free_bytes_min: config.ready_disk_free_bytes_min.0,
            weak_durability_accepted: database.accept_weak_durability,
        };
        let store: Arc<LateStore> = Arc::clone(&self.store);
        let admin = Admin {
            health: Health::new(watched, store, self.shutdown()),
            insight: self.insight.clone(),
        };
        // It tells about the end too, so it ends with the runtime.
        tokio::spawn(admin::serve(admin, listener, CancellationToken::new()));
        Ok(Some(local))
    }

    /// Makes the folder of an embedded database.
    pub fn prepare_database(&self, config: &DatabaseConfig) -> Result<(), Exit> {
        make_folder(&config.database)
    }

    /// Opens the database or fails; for commands that do one thing and end.
    pub async fn open_store_now(&self, config: &DatabaseConfig) -> Result<Arc<dyn Store>, Exit> {
        make_folder(&config.database)?;
        attempt(config)
            .await
            .map_err(|error| Exit::database(&config.shown(), &error))
    }

    /// Starts opening the database. The store answers with an error until it is open. What waiting
    /// does not heal ends the program, now or later.
    pub async fn open_store(&self, config: &DatabaseConfig) -> Result<Arc<dyn Store>, Exit> {
        make_folder(&config.database)?;
        let (store, config) = (Arc::clone(&self.store), config.clone());
        let settled = Arc::new(Notify::new());
        let tell = Arc::clone(&settled);
        let (failure, shutdown) = (Arc::clone(&self.failure), self.shutdown.clone());
        // The task ends with `shutdown`, so nobody needs to wait for it.
        tokio::spawn(async move {
            let opened = tokio::select! {
                opened = open(&store, &config, || tell.notify_one()) => opened,
                () = shutdown.cancelled() => return,
            };
            let exit = match opened {
                Err(exit) => exit,
                Ok(()) => {
                    tell.notify_one();
                    tokio::select! {
                        error = store.lost() => Exit::database(&config.shown(), &error),
                        () = shutdown.cancelled() => return,
                    }
                }
            };
            // The first failure is the one that is told.
            let _ = failure.set(exit);
            shutdown.cancel();
            tell.notify_one();
        });
        let _ = tokio::time::timeout(HEAD_START, settled.notified()).await;
        match self.failure.get() {
            Some(exit) => Err(exit.clone()),
            None => {
                let store: Arc<LateStore> = Arc::clone(&self.store);
                Ok(store)
            }
        }
    }

    /// Tells whoever started the program that it accepts connections: a line for programs, and one
    /// for people if there is a `page` to open.
    pub fn ready(
        &self,
        servers: &[(&str, SocketAddr)],
        admin: Option<SocketAddr>,
        page: Option<&str>,
    ) {
        let mut line = "ready".to_owned();
        let admin = admin.map(|address| ("admin", address));
        for (name, address) in servers.iter().copied().chain(admin) {
            line.push_str(&format!(" {name}={address}"));
        }
        // Who looks at both on one terminal reads it once.
        if !(io::stdout().is_terminal() && io::stderr().is_terminal()) {
            tracing::info!("{line}");
        }
        line.push('\n');
        if let Some(page) = page {
            line.push_str(&format!("Open {page} in a browser.\n"));
        }
        print(&line);
    }
}

/// Makes the directory of the stored files, so that an operator finds it once the program is ready.
pub fn make_filecache(filecache: &Path) -> Result<(), Exit> {
    std::fs::create_dir_all(filecache).map_err(|error| {
        unmade(
            "directory of stored files",
            filecache,
            &error,
            "--filecache",
        )
    })
}

/// The folder of an embedded database.
fn folder_of(database: &DatabaseUrl) -> Option<&Path> {
    match database {
        DatabaseUrl::Sqlite(path) => path.parent().filter(|path| !path.as_os_str().is_empty()),
        DatabaseUrl::MySql(_) => None,
    }
}

/// The folder of an embedded database, closed to other users of the machine.
fn make_folder(database: &DatabaseUrl) -> Result<(), Exit> {
    let Some(folder) = folder_of(database) else {
        return Ok(());
    };
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .recursive(true)
        .create(folder)
        .map_err(|error| unmade("data directory", folder, &error, "--data-dir or --database"))
}

/// `flag` is where another directory can be chosen.
fn unmade(what: &str, folder: &Path, error: &io::Error, flag: &str) -> Exit {
    let shown = folder.display();
    // The system only says that something is there.
    Exit::io(if folder.is_file() {
        format!("{shown} is a file, not a directory; choose another {what} with {flag}")
    } else {
        format!("cannot make the {what} {shown}: {error}; make it, or choose another with {flag}")
    })
}

/// Opens the database. A server that went away comes back by itself and is waited for; a file
/// that cannot be opened does not.
async fn open(
    late: &LateStore,
    config: &DatabaseConfig,
    waiting: impl Fn() + Send,
) -> Result<(), Exit> {
    let database = config.shown();
    let opened = match config.database {
        DatabaseUrl::MySql(_) => late.open(&database, || attempt(config), waiting).await,
        DatabaseUrl::Sqlite(_) => match attempt(config).await {
            Ok(store) => {
                let ready = || std::future::ready(Ok(Arc::clone(&store)));
                late.open(&database, ready, waiting).await
            }
            Err(error) => Err(error),
        },
    };
    opened.map_err(|error| Exit::database(&database, &error))
}

async fn attempt(config: &DatabaseConfig) -> Result<Arc<dyn Store>, StoreError> {
    store::open(&config.database, &config.options()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_is_told_with_what_to_do() {
        let process = Process::new(Insight::default());
        let free = "127.0.0.1:0".parse().unwrap();
        let taken = process.bind("chat", free, "--chat-port").unwrap();
        let again = process.bind("chat", taken.local_addr(), "--chat-port");
        let exit = again.unwrap_err();
        assert_eq!(exit.code(), 74);
        let text = exit.to_string();
        let port = taken.local_addr().port().to_string();
        assert!(
            text.contains(&port) && text.contains("--chat-port"),
            "{text}"
        );
    }

    #[tokio::test]
    async fn the_folder_of_an_embedded_database_is_made_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;

        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("a/b");
        make_folder(&DatabaseUrl::Sqlite(folder.join("myim.db"))).unwrap();
        let mode = folder.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let file = outer.path().join("file");
        std::fs::write(&file, "").unwrap();
        let wrong = make_folder(&DatabaseUrl::Sqlite(file.join("x/myim.db")));
        assert_eq!(wrong.unwrap_err().code(), 74);
    }

    #[test]
    fn a_file_that_should_be_a_directory_is_told() {
        let outer = tempfile::tempdir().unwrap();
        let file = outer.path().join("afile");
        std::fs::write(&file, "").unwrap();
        let data = make_folder(&DatabaseUrl::Sqlite(file.join("myim.db"))).unwrap_err();
        let stored = make_filecache(&file).unwrap_err();
        for (exit, flag) in [(data, "--data-dir"), (stored, "--filecache")] {
            assert_eq!(exit.code(), 74);
            let text = exit.to_string();
            let wanted = format!("{} is a file, not a directory", file.display());
            assert!(text.contains(&wanted) && text.contains(flag), "{text}");
        }
    }
}
