//! nginx, to compare with: started on a free port, on a folder of ours, and stopped.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

/// A running nginx.
pub(crate) struct Nginx {
    child: Child,
    directory: PathBuf,
    pub(crate) address: SocketAddr,
}

impl Nginx {
    /// Serves what stands in `html` of this folder; `more` is said about it.
    pub(crate) async fn start(directory: PathBuf, more: &str) -> anyhow::Result<Self> {
        fs::create_dir_all(directory.join("html"))?;
        let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
        fs::write(directory.join("nginx.conf"), configuration(address, more))?;
        let child = Self::command(&directory)
            .stderr(Stdio::null())
            .spawn()
            .context("nginx cannot be started; install it, on Debian: apt install nginx-light")?;
        let nginx = Self {
            child,
            directory,
            address,
        };
        let began = Instant::now();
        while TcpStream::connect(address).await.is_err() {
            if began.elapsed() > Duration::from_secs(10) {
                nginx.stop().await?;
                bail!("nginx does not listen on {address}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(nginx)
    }

    fn command(directory: &Path) -> Command {
        // Debian keeps it in a directory that is not in everybody's path.
        let debian = Path::new("/usr/sbin/nginx");
        let mut command = Command::new(match debian.exists() {
            true => debian,
            false => Path::new("nginx"),
        });
        command.arg("-p").arg(directory).args(["-c", "nginx.conf"]);
        command
    }

    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        // Its workers would outlive it if it were killed.
        Self::command(&self.directory)
            .args(["-s", "stop"])
            .stderr(Stdio::null())
            .status()
            .await?;
        self.child.wait().await?;
        Ok(())
    }
}

/// As somebody would set it up who wants it to be fast.
fn configuration(address: SocketAddr, more: &str) -> String {
    let folders: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|name| format!("{name}_temp_path temp-{name};\n"))
        .collect();
    format!(
        "daemon off;
         user root;
         worker_processes auto;
         pid nginx.pid;
         error_log error.log;
         events {{ worker_connections 1024; }}
         http {{
             access_log off;
             sendfile on;
             tcp_nopush on;
             keepalive_requests 100000000;
             {folders}
             server {{ listen {address}; root html; {more} }}
         }}"
    )
}
