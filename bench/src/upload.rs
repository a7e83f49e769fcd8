//! One large file up over HTTP, in every way, beside what no upload can be faster than: the same
//! bytes written, hashed and synced by a program that does nothing else. And beside nginx, which
//! stores what a `PUT` brings, and neither hashes nor syncs it.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper_util::rt::{TokioExecutor, TokioIo};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::nginx::Nginx;
use crate::server::Server;
use crate::table::{Cell, Table};

/// How much is written at a time.
const PIECE_BYTES: usize = 256 << 10;

/// A server that used no processor for so long rests.
const REST: Duration = Duration::from_millis(300);

/// What was measured in each round, in seconds, and the server's processor time.
#[derive(Default)]
struct Row {
    took_s: Vec<f64>,
    cpu_s: Vec<f64>,
}

const WAYS: [&str; 4] = [
    "one request, HTTP/1.1",
    "one request, HTTP/2",
    "resumable (tus), HTTP/1.1",
    "resumable (tus), pieces of 8 MiB",
];

pub(crate) async fn run(server: &Server, size: u64, rounds: usize) -> anyhow::Result<Vec<Table>> {
    let nginx = Nginx::start(
        server.directory.path().join("nginx"),
        "dav_methods PUT; client_max_body_size 0;",
    )
    .await?;
    let measured = measure(server, nginx.address, size, rounds).await;
    nginx.stop().await?;
    let (bare, ours, theirs) = measured?;
    let limit = median(bare);
    let mut table = Table::begin(
        "uploads",
        &[
            ("what", &format!("{} MiB up", size >> 20)),
            ("mib_per_s", "MiB/s"),
            ("share_of_limit", "of the limit"),
            ("server_cpu_s", "server CPU, s"),
        ],
    );
    let mut row = |what: &str, took: f64, cpu: Cell| {
        let speed = Cell::figure(speed(size, took), 0);
        table.row([Cell::text(what), speed, Cell::figure(limit / took, 2), cpu]);
    };
    for (way, measured) in WAYS.iter().zip(ours) {
        let cpu = Cell::figure(median(measured.cpu_s), 1);
        row(way, median(measured.took_s), cpu);
    }
    row(
        "for comparison: nginx, `PUT`, neither hashed nor synced",
        median(theirs),
        Cell::none(""),
    );
    row(
        "the limit: written, hashed and synced, no server",
        limit,
        Cell::none(""),
    );
    Ok(vec![table])
}

async fn measure(
    server: &Server,
    nginx: SocketAddr,
    size: u64,
    rounds: usize,
) -> anyhow::Result<(Vec<f64>, [Row; 4], Vec<f64>)> {
    let (mut bare, mut theirs) = (Vec::new(), Vec::new());
    let mut ours: [Row; 4] = Default::default();
    let folder = server.directory.path();
    for number in 0..rounds {
        let number = u64::try_from(number)?;
        let file = folder.join("bare");
        let content = Content { size, number };
        let written = tokio::task::spawn_blocking(move || written(&file, content));
        bare.push(written.await??);
        for (way, row) in (0..).zip(&mut ours) {
            // Each way has a content of its own: what is there already is not stored again.
            let content = Content {
                size,
                number: 1000 * (way + 1) + number,
            };
            let before = server.processor_s()?;
            row.took_s.push(sent(server.file, way, content).await?);
            row.cpu_s.push(server.processor_s()? - before);
            rest(server).await?;
            remove_stored(folder)?;
        }
        let began = Instant::now();
        let content = Content { size, number };
        let head = format!("PUT /{number} HTTP/1.1\r\nContent-Length: {size}\r\n");
        request(nginx, &head, content, 0..size).await?;
        theirs.push(began.elapsed().as_secs_f64());
        fs::remove_file(folder.join("nginx/html").join(number.to_string()))?;
    }
    Ok((bare, ours, theirs))
}

/// Seconds for one upload.
async fn sent(server: SocketAddr, way: u64, content: Content) -> anyhow::Result<f64> {
    let began = Instant::now();
    match way {
        0 => {
            let head = format!(
                "POST /files HTTP/1.1\r\nContent-Length: {}\r\n",
                content.size
            );
            request(server, &head, content, 0..content.size).await?;
        }
        1 => over_http2(server, content).await?,
        2 => resumable(server, content, content.size).await?,
        _ => resumable(server, content, 8 << 20).await?,
    }
    Ok(began.elapsed().as_secs_f64())
}

/// Waits until the server does nothing any more: it looks through large files once more when they
/// are here, for the names that old clients use.
async fn rest(server: &Server) -> anyhow::Result<()> {
    let mut used = server.processor_s()?;
    loop {
        tokio::time::sleep(REST).await;
        let now = server.processor_s()?;
        if now <= used {
            return Ok(());
        }
        used = now;
    }
}

/// Room for the next one: the disk is not what is measured. The server's database still knows it.
fn remove_stored(folder: &Path) -> anyhow::Result<()> {
    let blobs = folder.join("filecache/blobs");
    for middle in fs::read_dir(&blobs)? {
        for leaf in fs::read_dir(middle?.path())? {
            for blob in fs::read_dir(leaf?.path())? {
                fs::remove_file(blob?.path())?;
            }
        }
    }
    Ok(())
}

/// A file that is made while it is sent, unlike those with other numbers.
#[derive(Clone, Copy)]
struct Content {
    size: u64,
    number: u64,
}

impl Content {
    fn piece(self, piece: &mut [u8], offset: u64) {
        piece[..8].copy_from_slice(&self.number.to_le_bytes());
        piece[8..16].copy_from_slice(&offset.to_le_bytes());
    }
}

fn length(left: u64) -> usize {
    usize::try_from(left).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES))
}

/// The limit: what any upload has to do with the bytes, in one thread.
fn written(path: &Path, content: Content) -> anyhow::Result<f64> {
    let began = Instant::now();
    let mut file = fs::File::create(path)?;
    let (mut hash, mut piece) = (Sha256::new(), vec![0x5a; PIECE_BYTES]);
    for offset in (0..content.size).step_by(PIECE_BYTES) {
        content.piece(&mut piece, offset);
        let piece = &piece[..length(content.size - offset)];
        file.write_all(piece)?;
        hash.update(piece);
    }
    file.sync_all()?;
    ensure!(!hash.finalize().is_empty());
    let took = began.elapsed().as_secs_f64();
    fs::remove_file(path)?;
    Ok(took)
}

/// Sends one request with these bytes of the content; the head of the answer.
async fn request(
    to: SocketAddr,
    head: &str,
    content: Content,
    bytes: std::ops::Range<u64>,
) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    let head = format!("{head}Host: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let mut piece = vec![0x5a; PIECE_BYTES];
    let mut at = bytes.start;
    while at < bytes.end {
        content.piece(&mut piece, at);
        let piece = &piece[..length(bytes.end - at)];
        stream.write_all(piece).await?;
        at += u64::try_from(piece.len())?;
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    ensure!(answer.starts_with("HTTP/1.1 20"), "{answer}");
    Ok(answer.to_ascii_lowercase())
}

/// By tus, in pieces of so many bytes.
async fn resumable(server: SocketAddr, content: Content, piece: u64) -> anyhow::Result<()> {
    let tus = "Tus-Resumable: 1.0.0\r\n";
    let size = content.size;
    let head =
        format!("POST /files/ HTTP/1.1\r\n{tus}Upload-Length: {size}\r\nContent-Length: 0\r\n");
    let created = request(server, &head, content, 0..0).await?;
    let place = created
        .lines()
        .find_map(|line| line.strip_prefix("location: "))
        .context("no place of the upload")?;
    let mut at = 0;
    while at < size {
        let end = (at + piece).min(size);
        let head = format!(
            "PATCH {place} HTTP/1.1\r\n{tus}Upload-Offset: {at}\r\nContent-Length: {}\r\n\
             Content-Type: application/offset+octet-stream\r\n",
            end - at
        );
        let answer = request(server, &head, content, at..end).await?;
        if end == size && !answer.contains("myim-file: ") {
            bail!("the upload was not complete: {answer}");
        }
        at = end;
    }
    Ok(())
}

async fn over_http2(server: SocketAddr, content: Content) -> anyhow::Result<()> {
    let stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let pieces = (0..content.size).step_by(PIECE_BYTES).map(move |offset| {
        let mut piece = vec![0x5a; length(content.size - offset)];
        content.piece(&mut piece, offset);
        Ok::<_, std::io::Error>(Frame::data(Bytes::from(piece)))
    });
    let request = hyper::Request::post(format!("http://{server}/files"))
        .header("content-length", content.size)
        .body(StreamBody::new(stream::iter(pieces)))?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let body = answer.into_body().collect().await?.to_bytes();
    ensure!(status.is_success(), "{status}: {body:?}");
    driver.abort();
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// MiB a second.
fn speed(bytes: u64, seconds: f64) -> f64 {
    let kib = u32::try_from(bytes / 1024).unwrap_or(u32::MAX);
    f64::from(kib) / 1024.0 / seconds.max(0.001)
}
