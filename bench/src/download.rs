//! Downloads over HTTP beside nginx: one large file, and many small ones over connections that stay
//! open.
//!
//! Both serve the same bytes from the same pages of memory: nginx gets hard links to the stored
//! files. They take turns, and what is told are medians, because the machine's mood changes.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, bail};
use bytes::{Buf, BytesMut};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::nginx::Nginx;
use crate::server::Server;
use crate::table::{Cell, Table};

/// A thumbnail, a voice message.
const SMALL_BYTES: usize = 20 << 10;

/// Connections that ask for small files at the same time.
const CONNECTIONS: usize = 16;

/// How much is written, and read, at a time.
const PIECE_BYTES: usize = 256 << 10;

/// How large and how often.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) large_bytes: u64,
    pub(crate) small_files: usize,
    pub(crate) rounds: usize,
}

pub(crate) async fn run(server: &Server, plan: Plan) -> anyhow::Result<Vec<Table>> {
    let Stored { large, small } = store(server, plan).await?;
    let folder = server.directory.path().join("nginx");
    link(
        server.directory.path(),
        &folder,
        small.iter().chain([&large]),
    )?;
    let nginx = Nginx::start(folder, "").await?;
    let measured = measure(server, nginx.address, &large, &small, plan).await;
    nginx.stop().await?;
    let Measured {
        ours,
        nginxs,
        cpu_s,
    } = measured?;
    let large_mib = f64::from(u32::try_from(plan.large_bytes >> 20)?);
    let count = f64::from(u32::try_from(small.len())?);
    let mut table = Table::begin(
        "downloads",
        &[
            ("what", "download"),
            ("myim_per_s", "myim"),
            ("nginx_per_s", "nginx"),
            ("ratio", "ratio"),
            ("myim_cpu_ms_each", "myim CPU"),
        ],
    );
    for (what, unit, amount, which, per) in [
        ("one large file", "MiB/s", large_mib, 0, "ms a MiB"),
        ("many small files", "files/s", count, 1, "ms a file"),
    ] {
        let (our, their) = (amount / ours[which], amount / nginxs[which]);
        table.row([
            Cell::text(what),
            Cell::with_unit(our, 0, unit),
            Cell::with_unit(their, 0, unit),
            Cell::figure(our / their, 2),
            Cell::with_unit(cpu_s[which] * 1000.0 / amount, 3, per),
        ]);
    }
    Ok(vec![table])
}

/// Median seconds for the large file and for all small ones.
struct Measured {
    ours: [f64; 2],
    nginxs: [f64; 2],
    /// Processor time of the server for one round.
    cpu_s: [f64; 2],
}

async fn measure(
    server: &Server,
    nginx: SocketAddr,
    large: &str,
    small: &[String],
    plan: Plan,
) -> anyhow::Result<Measured> {
    let (mut ours, mut nginxs) = ([vec![], vec![]], [vec![], vec![]]);
    let mut cpu_s = [vec![], vec![]];
    // The first round warms up.
    for round in 0..=plan.rounds {
        for (which, names) in [(0, &[large.to_owned()][..]), (1, small)] {
            let theirs = fetch_all(nginx, names).await?;
            let before = server.processor_s()?;
            let mine = fetch_all(server.file, names).await?;
            let used = server.processor_s()? - before;
            if round > 0 {
                nginxs[which].push(theirs);
                ours[which].push(mine);
                cpu_s[which].push(used);
            }
        }
    }
    Ok(Measured {
        ours: ours.map(median),
        nginxs: nginxs.map(median),
        cpu_s: cpu_s.map(median),
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The names under which the server keeps what is downloaded.
struct Stored {
    large: String,
    small: Vec<String>,
}

async fn store(server: &Server, plan: Plan) -> anyhow::Result<Stored> {
    let mut line = Line::connect(server.file).await?;
    let large = line.upload(plan.large_bytes, 0).await?;
    let mut small = Vec::with_capacity(plan.small_files);
    for number in 1..=plan.small_files {
        let size = u64::try_from(SMALL_BYTES)?;
        small.push(line.upload(size, u64::try_from(number)?).await?);
    }
    Ok(Stored { large, small })
}

/// Hard links to the stored files of these names, for nginx to serve at the same paths.
fn link<'a>(
    data: &Path,
    folder: &Path,
    names: impl Iterator<Item = &'a String>,
) -> anyhow::Result<()> {
    let files = folder.join("html/files");
    fs::create_dir_all(&files)?;
    for name in names {
        let stored = data.join("filecache/blobs").join(&name[..2]);
        fs::hard_link(stored.join(&name[2..4]).join(name), files.join(name))?;
    }
    Ok(())
}

/// Fetches every file once, over so many connections as there are files, but not too many.
async fn fetch_all(address: SocketAddr, names: &[String]) -> anyhow::Result<f64> {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS.min(names.len()) {
        connections.push(Line::connect(address).await?);
    }
    let each = names.len().div_ceil(connections.len());
    let began = Instant::now();
    let mut fetching = JoinSet::new();
    for (mut line, names) in connections.into_iter().zip(names.chunks(each)) {
        let names = names.to_vec();
        fetching.spawn(async move {
            for name in &names {
                line.fetch(name).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(fetched) = fetching.join_next().await {
        fetched??;
    }
    Ok(began.elapsed().as_secs_f64())
}

/// A connection, and what came on it.
pub(crate) struct Line {
    stream: TcpStream,
    arrived: BytesMut,
}

impl Line {
    pub(crate) async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let arrived = BytesMut::with_capacity(PIECE_BYTES);
        Ok(Self { stream, arrived })
    }

    /// Stores a file that is unlike those with other numbers; tells its name.
    pub(crate) async fn upload(&mut self, size: u64, number: u64) -> anyhow::Result<String> {
        let head =
            format!("POST /files HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n");
        self.stream.write_all(head.as_bytes()).await?;
        let mut piece = vec![0x5a; PIECE_BYTES];
        for offset in (0..size).step_by(PIECE_BYTES) {
            piece[..8].copy_from_slice(&number.to_le_bytes());
            piece[8..16].copy_from_slice(&offset.to_le_bytes());
            let left = usize::try_from(size - offset).unwrap_or(usize::MAX);
            self.stream
                .write_all(&piece[..left.min(PIECE_BYTES)])
                .await?;
        }
        let len = self.head(&["200", "201"]).await?;
        while self.arrived.len() < len {
            self.fill().await?;
        }
        let answer: Value = serde_json::from_slice(&self.arrived.split_to(len))?;
        let name = answer["file"].as_str().context("no name in the answer")?;
        Ok(name.to_owned())
    }

    /// Fetches a file and forgets it.
    async fn fetch(&mut self, name: &str) -> anyhow::Result<()> {
        let request = format!("GET /files/{name} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        self.stream.write_all(request.as_bytes()).await?;
        let mut left = self.head(&["200"]).await?;
        loop {
            let count = left.min(self.arrived.len());
            self.arrived.advance(count);
            left -= count;
            if left == 0 {
                return Ok(());
            }
            self.fill().await?;
        }
    }

    /// Reads the head of an answer; tells how long the body is.
    async fn head(&mut self, expected: &[&str]) -> anyhow::Result<usize> {
        let end = loop {
            let end = self.arrived.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = end {
                break end;
            }
            self.fill().await?;
        };
        let head = self.arrived.split_to(end + 4);
        let head = std::str::from_utf8(&head)?.to_ascii_lowercase();
        let status = head.split(' ').nth(1).unwrap_or_default();
        if !expected.contains(&status) {
            bail!("the answer was {head}");
        }
        head.lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .and_then(|len| len.parse().ok())
            .with_context(|| format!("no length in {head}"))
    }

    async fn fill(&mut self) -> anyhow::Result<()> {
        if self.arrived.is_empty() {
            // All of the buffer again, instead of a new one.
            self.arrived.clear();
        }
        self.arrived.reserve(PIECE_BYTES);
        match self.stream.read_buf(&mut self.arrived).await? {
            0 => bail!("the connection was closed"),
            _ => Ok(()),
        }
    }
}
