//! The measured server: starts it on a fresh data directory.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::proc;

/// A running server.
pub(crate) struct Server {
    child: Child,
    pub pid: u32,
    pub chat: SocketAddr,
    pub file: SocketAddr,
    pub image: SocketAddr,
    /// The data directory, gone with the value.
    pub directory: TempDir,
    program: PathBuf,
    database: Option<String>,
}

impl Server {
    pub(crate) async fn start(program: &Path, database: Option<&str>) -> anyhow::Result<Self> {
        Self::start_in(program, database, Self::fresh_directory(program)?).await
    }

    /// Beside the program, because that disk is the one to measure: /tmp may be memory.
    pub(crate) fn fresh_directory(program: &Path) -> anyhow::Result<TempDir> {
        let beside = program.parent().filter(|p| !p.as_os_str().is_empty());
        let directory = tempfile::Builder::new()
            .prefix("bench-")
            .tempdir_in(beside.unwrap_or_else(|| Path::new(".")))?;
        Ok(directory)
    }

    /// Kills the server and starts it again on the same data, at new ports.
    pub(crate) async fn kill_and_start(&mut self) -> anyhow::Result<()> {
        self.child.kill().await?;
        let directory = std::mem::replace(&mut self.directory, TempDir::new()?);
        let (program, database) = (self.program.clone(), self.database.clone());
        *self = Self::start_in(&program, database.as_deref(), directory).await?;
        Ok(())
    }

    /// The data are in `data` and `filecache` of the directory.
    pub(crate) async fn start_in(
        program: &Path,
        database: Option<&str>,
        directory: TempDir,
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command
            .args(["serve", "--bind", "127.0.0.1"])
            .args(["--chat-port", "0", "--file-port", "0", "--image-port", "0"])
            .args(["--admin-port", "off"])
            .arg("--data-dir")
            .arg(directory.path().join("data"))
            .arg("--filecache")
            .arg(directory.path().join("filecache"))
            // The load comes from one address: its limits are not what is measured.
            .args(["--registrations-per-minute-max", "4000000000"])
            .args(["--rate-sign-ins-per-s", "0", "--rate-sends-per-s", "0"])
            .args(["--rate-reads-per-s", "0", "--rate-writes-per-s", "0"])
            .args(["--login-failures-max", "4000000000"])
            .args(["--login-failures-per-address-max", "4000000000"])
            .args(["--connections-max", "20000"])
            .args(["--connections-per-address-max", "1000000"])
            .args(["--greeting-per-address-max", "1000000"])
            .args([
                "--upload-day-bytes-max",
                "1000GiB",
                "--access",
                "open",
                "--log",
                "warn",
            ]);
        if let Some(database) = database {
            command.args(["--database", database]);
        }
        let mut child = command
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be started; build it first", program.display()))?;
        let pid = child.id().context("the server ended at once")?;
        let stdout = child.stdout.take().context("the server has no output")?;
        let ready = BufReader::new(stdout)
            .lines()
            .next_line()
            .await?
            .unwrap_or_default();
        let port = |name: &str| {
            ready
                .split_whitespace()
                .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
                .and_then(|address| address.parse().ok())
                .with_context(|| format!("no {name} port in {ready:?}"))
        };
        let (chat, file, image) = (port("chat")?, port("file")?, port("image")?);
        Ok(Self {
            child,
            pid,
            chat,
            file,
            image,
            directory,
            program: program.to_owned(),
            database: database.map(str::to_owned),
        })
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> anyhow::Result<u64> {
        proc::resident(self.pid)
    }

    /// How many descriptors it has open.
    pub(crate) fn descriptors(&self) -> anyhow::Result<usize> {
        Ok(std::fs::read_dir(format!("/proc/{}/fd", self.pid))?.count())
    }

    /// Processor time used so far, in seconds.
    pub(crate) fn processor_s(&self) -> anyhow::Result<f64> {
        proc::processor_s(self.pid)
    }

    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.child.kill().await?;
        Ok(())
    }
}
