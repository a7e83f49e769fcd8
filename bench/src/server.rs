//! The measured server: starts it on a fresh data directory and looks at it through `/proc`.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, bail};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A running server.
pub(crate) struct Server {
    child: Child,
    pid: u32,
    pub chat: SocketAddr,
    pub file: SocketAddr,
    /// The data directory, gone with the value.
    pub directory: TempDir,
}

impl Server {
    pub(crate) async fn start(program: &Path, database: Option<&str>) -> anyhow::Result<Self> {
        // Beside the program, because that disk is the one to measure: /tmp may be memory.
        let beside = program.parent().filter(|p| !p.as_os_str().is_empty());
        let directory = tempfile::Builder::new()
            .prefix("bench-")
            .tempdir_in(beside.unwrap_or_else(|| Path::new(".")))?;
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
        let (chat, file) = (port("chat")?, port("file")?);
        Ok(Self {
            child,
            pid,
            chat,
            file,
            directory,
        })
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let kib = line
            .and_then(|line| line.split_whitespace().nth(1))
            .context("no VmRSS")?;
        Ok(kib.parse::<u64>()? * 1024)
    }

    /// Processor time used so far, in seconds.
    pub(crate) fn processor_s(&self) -> anyhow::Result<f64> {
        /// The kernel counts in hundredths of a second (USER_HZ) whatever its own clock.
        const TICKS_A_SECOND: f64 = 100.0;
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid))?;
        // The program's name in parentheses may hold blanks: count behind it.
        let (_, fields) = stat.rsplit_once(')').context("no program name")?;
        let mut times = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(str::parse::<f64>);
        match (times.next(), times.next()) {
            (Some(Ok(user)), Some(Ok(system))) => Ok((user + system) / TICKS_A_SECOND),
            _ => bail!("no processor times"),
        }
    }

    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.child.kill().await?;
        Ok(())
    }
}
