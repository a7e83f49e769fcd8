//! Memory of the server while many people upload slowly at the same time.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::arguments::Http;
use crate::server::Server;
use crate::table::{Cell, Table};
use crate::watched::{highest_while, kib_each};

/// A slice leaves each sender so often.
const EVERY: Duration = Duration::from_millis(250);

/// What every upload is.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) protocol: Http,
    pub(crate) uploads: u64,
    /// A second, of each.
    pub(crate) bytes: u64,
    pub(crate) seconds: u64,
}

pub(crate) async fn run(server: &Server, plan: Plan) -> anyhow::Result<Vec<Table>> {
    // What the first one costs is not of the others.
    upload(server.file, Plan { seconds: 1, ..plan }, 0).await?;
    let before = server.resident()?;
    let mut uploads = JoinSet::new();
    for number in 1..=plan.uploads {
        uploads.spawn(upload(server.file, plan, number));
    }
    let highest = highest_while(server, uploads).await?.resident;
    let mut table = Table::begin(
        "slow_uploads",
        &[
            ("uploads", "slow uploads"),
            ("each_kib_per_s", "each, KiB/s"),
            ("before_bytes", "before, MiB"),
            ("highest_bytes", "highest, MiB"),
            ("upload_kib", "KiB an upload"),
        ],
    );
    table.row([
        Cell::count(plan.uploads),
        Cell::count(plan.bytes >> 10),
        Cell::mib(before, 0),
        Cell::mib(highest, 0),
        Cell::figure(kib_each(before, highest, plan.uploads), 0),
    ]);
    Ok(vec![table])
}

async fn upload(server: SocketAddr, plan: Plan, number: u64) -> anyhow::Result<()> {
    match plan.protocol {
        Http::One => over_http1(server, plan, number).await,
        Http::Two => over_http2(server, plan, number).await,
    }
}

/// The slices of one upload; no two uploads are alike.
fn slices(plan: Plan, number: u64) -> impl Iterator<Item = Bytes> {
    let per_s = u64::try_from(1000 / EVERY.as_millis()).unwrap_or(1);
    let slice = usize::try_from(plan.bytes / per_s)
        .unwrap_or(usize::MAX)
        .max(16);
    (0..plan.seconds * per_s).map(move |at| {
        let mut bytes = vec![0x5a; slice];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        bytes[8..16].copy_from_slice(&at.to_le_bytes());
        bytes.into()
    })
}

fn length(plan: Plan) -> usize {
    slices(plan, 0).map(|slice| slice.len()).sum()
}

fn pace() -> tokio::time::Interval {
    let mut pace = interval(EVERY);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}

async fn over_http1(server: SocketAddr, plan: Plan, number: u64) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(server).await?;
    let head = format!(
        "POST /files HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n",
        length(plan)
    );
    stream.write_all(head.as_bytes()).await?;
    let mut pace = pace();
    for slice in slices(plan, number) {
        pace.tick().await;
        stream.write_all(&slice).await?;
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    ensure!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    Ok(())
}

async fn over_http2(server: SocketAddr, plan: Plan, number: u64) -> anyhow::Result<()> {
    let stream = TcpStream::connect(server).await?;
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let body = stream::unfold(
        (slices(plan, number), pace()),
        async |(mut slices, mut pace)| {
            let slice = slices.next()?;
            pace.tick().await;
            Some((Ok::<_, std::io::Error>(Frame::data(slice)), (slices, pace)))
        },
    );
    let request = hyper::Request::post(format!("http://{server}/files"))
        .header("content-length", length(plan))
        .body(StreamBody::new(Box::pin(body)))?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let body = answer.into_body().collect().await.context("no answer")?;
    ensure!(status == 201, "{status}: {:?}", body.to_bytes());
    driver.abort();
    Ok(())
}
