//! Memory of the server while many people download a large file slowly at the same time.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::arguments::Http;
use crate::download::Line;
use crate::server::Server;
use crate::table::{Cell, Table};
use crate::watched::{highest_while, kib_each};

/// The file: far more than anybody reads of it.
const FILE_BYTES: u64 = 256 << 20;

/// Each reader takes something so often.
const EVERY: Duration = Duration::from_millis(250);

/// No head of an answer is longer.
const HEAD_BYTES_MAX: usize = 16 << 10;

/// What every download is.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) protocol: Http,
    pub(crate) downloads: u64,
    /// A second, of each.
    pub(crate) bytes: u64,
    pub(crate) seconds: u64,
}

impl Plan {
    /// How much is read at a time, and how often.
    fn reads(self) -> (usize, u64) {
        let per_s = u64::try_from(1000 / EVERY.as_millis()).unwrap_or(1);
        let size = usize::try_from(self.bytes / per_s).unwrap_or(usize::MAX);
        (size.max(1), self.seconds * per_s)
    }
}

pub(crate) async fn run(server: &Server, plan: Plan) -> anyhow::Result<Vec<Table>> {
    let name = Line::connect(server.file)
        .await?
        .upload(FILE_BYTES, 0)
        .await?;
    // What the first one costs is not of the others.
    let first = Plan { seconds: 1, ..plan };
    download(server.file, name.clone(), first).await?;
    let before = server.resident()?;
    let mut downloads = JoinSet::new();
    for _ in 0..plan.downloads {
        downloads.spawn(download(server.file, name.clone(), plan));
    }
    let highest = highest_while(server, downloads).await?;
    let mut table = Table::begin(
        "slow_downloads",
        &[
            ("downloads", "slow downloads"),
            ("each_kib_per_s", "each, KiB/s"),
            ("before_bytes", "before, MiB"),
            ("highest_bytes", "highest, MiB"),
            ("download_kib", "KiB a download"),
            ("system_bytes", "the system's for connections, MiB"),
        ],
    );
    table.row([
        Cell::count(plan.downloads),
        Cell::count(plan.bytes >> 10),
        Cell::mib(before, 0),
        Cell::mib(highest.resident, 0),
        Cell::figure(kib_each(before, highest.resident, plan.downloads), 0),
        Cell::mib(highest.sockets, 0),
    ]);
    Ok(vec![table])
}

/// Reads for so long, and goes.
async fn download(server: SocketAddr, name: String, plan: Plan) -> anyhow::Result<()> {
    match plan.protocol {
        Http::One => over_http1(server, &name, plan).await,
        Http::Two => over_http2(server, &name, plan).await,
    }
}

fn pace() -> Interval {
    let mut pace = interval(EVERY);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}

async fn over_http1(server: SocketAddr, name: &str, plan: Plan) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(server).await?;
    let request = format!("GET /files/{name} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        ensure!(head.len() < HEAD_BYTES_MAX, "no end of the head");
        head.push(stream.read_u8().await?);
    }
    ensure!(
        head.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&head)
    );
    let (size, times) = plan.reads();
    let (mut taken, mut pace) = (vec![0; size], pace());
    for _ in 0..times {
        pace.tick().await;
        stream.read_exact(&mut taken).await?;
    }
    Ok(())
}

async fn over_http2(server: SocketAddr, name: &str, plan: Plan) -> anyhow::Result<()> {
    let stream = TcpStream::connect(server).await?;
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let request = hyper::Request::get(format!("http://{server}/files/{name}"));
    let answer = sender
        .send_request(request.body(Empty::<Bytes>::new())?)
        .await?;
    ensure!(answer.status() == 200, "{}", answer.status());
    let mut body = answer.into_body();
    let (size, times) = plan.reads();
    let (mut taken, mut pace) = (0, pace());
    for time in 1..=times {
        pace.tick().await;
        let due = u64::try_from(size)? * time;
        while taken < due {
            let frame = body.frame().await.context("the file ended")??;
            taken += u64::try_from(frame.data_ref().map_or(0, Bytes::len))?;
        }
    }
    driver.abort();
    Ok(())
}
