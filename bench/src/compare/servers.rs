//! The peers as somebody would set them up who wants them to be fast: one host, no TLS, no
//! history, no logs but errors, on a free port of this machine.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

/// Erlang takes a few seconds.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Mosquitto,
    Ejabberd,
    Prosody,
}

/// A running peer; its directory is gone with it.
pub(crate) struct Started {
    child: Child,
    _directory: TempDir,
    pub process: u32,
    pub address: SocketAddr,
}

impl Kind {
    /// The name of the server, and of its package in Debian.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Mosquitto => "mosquitto",
            Self::Ejabberd => "ejabberd",
            Self::Prosody => "prosody",
        }
    }

    /// Whether it is installed.
    pub(crate) fn is_here(self) -> bool {
        match self {
            Self::Mosquitto => program("mosquitto").is_some(),
            Self::Ejabberd => program("erl").is_some() && ejabberd_libraries().is_some(),
            Self::Prosody => program("prosody").is_some(),
        }
    }

    /// As Debian names it.
    pub(crate) async fn version(self) -> String {
        let asked = Command::new("dpkg-query")
            .args(["-W", "-f", "${Version}", self.name()])
            .stderr(Stdio::null())
            .output()
            .await;
        match asked {
            Ok(told) if told.status.success() => String::from_utf8_lossy(&told.stdout).into_owned(),
            _ => "of unknown version".to_owned(),
        }
    }

    pub(crate) async fn start(self) -> anyhow::Result<Started> {
        let directory = tempfile::Builder::new().prefix("bench-").tempdir()?;
        let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
        let mut command = match self {
            Self::Mosquitto => mosquitto(directory.path(), address)?,
            Self::Ejabberd => ejabberd(directory.path(), address)?,
            Self::Prosody => prosody(directory.path(), address)?,
        };
        let output = fs::File::create(directory.path().join("output"))?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be started", self.name()))?;
        let process = child.id().context("the server ended at once")?;
        let began = Instant::now();
        while TcpStream::connect(address).await.is_err() {
            if child.try_wait()?.is_some() || began.elapsed() > PATIENCE {
                let said = fs::read_to_string(directory.path().join("output"))?;
                bail!("{} does not listen on {address}: {said}", self.name());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(Started {
            child,
            _directory: directory,
            process,
            address,
        })
    }
}

impl Started {
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.child.kill().await?;
        Ok(())
    }
}

fn mosquitto(directory: &Path, address: SocketAddr) -> anyhow::Result<Command> {
    let file = directory.join("mosquitto.conf");
    let port = address.port();
    // No limit of messages under way, because the default of 20 is less than what is measured.
    fs::write(
        &file,
        format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\n\
             max_inflight_messages 0\nmax_queued_messages 0\nset_tcp_nodelay true\n\
             log_dest stderr\nlog_type error\n"
        ),
    )?;
    let mut command = Command::new(program("mosquitto").context("no mosquitto")?);
    command.arg("-c").arg(file);
    Ok(command)
}

fn ejabberd(directory: &Path, address: SocketAddr) -> anyhow::Result<Command> {
    let file = directory.join("ejabberd.yml");
    let port = address.port();
    fs::write(
        &file,
        format!(
            "hosts: [localhost]\nloglevel: error\nauth_method: internal\n\
             registration_timeout: infinity\n\
             listen:\n  - port: {port}\n    ip: \"127.0.0.1\"\n    module: ejabberd_c2s\n    \
             access: all\n    shaper: none\n    max_stanza_size: 65536\n\
             modules:\n  mod_register:\n    access: all\n    ip_access: all\n  \
             mod_roster: {{}}\n  mod_disco: {{}}\n"
        ),
    )?;
    let database = format!("\"{}\"", directory.join("database").display());
    let mut command = Command::new(program("erl").context("no erl")?);
    command
        .env("HOME", directory)
        .env("ERL_LIBS", ejabberd_libraries().context("no ejabberd")?)
        .env("EJABBERD_CONFIG_PATH", &file)
        .env("EJABBERD_LOG_PATH", directory.join("log"))
        .current_dir(directory)
        .args(["-noinput", "+K", "true", "+P", "250000", "+Q", "65536"])
        .args(["-mnesia", "dir", &database, "-s", "ejabberd"]);
    Ok(command)
}

fn prosody(directory: &Path, address: SocketAddr) -> anyhow::Result<Command> {
    let data = directory.join("data");
    fs::create_dir(&data)?;
    let file = directory.join("prosody.cfg.lua");
    let (port, data, log) = (address.port(), data.display(), directory.join("log"));
    fs::write(
        &file,
        format!(
            "run_as_root = true\ndata_path = \"{data}\"\nlog = {{ error = \"{}\" }}\n\
             modules_enabled = {{ \"roster\", \"saslauth\", \"disco\", \"register_ibr\" }}\n\
             modules_disabled = {{ \"s2s\", \"offline\" }}\nallow_registration = true\n\
             c2s_require_encryption = false\nallow_unencrypted_plain_auth = true\n\
             authentication = \"internal_plain\"\ninterfaces = {{ \"127.0.0.1\" }}\n\
             c2s_ports = {{ {port} }}\nc2s_direct_tls_ports = {{ }}\ns2s_ports = {{ }}\n\
             VirtualHost \"localhost\"\n",
            log.display()
        ),
    )?;
    let mut command = Command::new(program("prosody").context("no prosody")?);
    command.arg("--config").arg(file).arg("-F");
    Ok(command)
}

/// Where a program is: Debian keeps some in a folder that is not in everybody's path.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// The folder that Debian puts ejabberd's compiled modules into, for every kind of processor.
fn ejabberd_libraries() -> Option<PathBuf> {
    let has_ejabberd = |folder: &PathBuf| {
        fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .any(|entry| {
                let is_ejabberd = entry.file_name().to_string_lossy().starts_with("ejabberd-");
                is_ejabberd && entry.path().join("ebin").is_dir()
            })
    };
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    folders.map(|entry| entry.path()).find(has_ejabberd)
}
