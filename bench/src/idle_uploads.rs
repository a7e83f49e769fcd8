//! Memory of the server while many people have begun uploads and hardly send anything.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};

use crate::server::Server;
use crate::table::{Cell, Table};
use crate::watched::{Highest, kib_each};

/// What was announced of each file, and what of it came before nothing more did.
const LENGTH: usize = 128 << 10;
const BEGIN_BYTES: usize = 64 << 10;

/// A byte comes so often: who is silent for longer is cut.
const EVERY: Duration = Duration::from_secs(5);

/// So many begin at the same time.
const AT_ONCE: u64 = 64;

/// How often memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long the server may take to see that all of them went.
const GONE_WITHIN: Duration = Duration::from_secs(60);

/// No head of an answer is longer.
const HEAD_BYTES_MAX: usize = 16 << 10;

pub(crate) async fn run(server: &Server, uploads: u64, seconds: u64) -> anyhow::Result<Vec<Table>> {
    // What the first one costs is not of the others.
    let mut first = begin(server.file).await?;
    first.write_all(b"x").await?;
    drop(first);
    let before = server.resident()?;
    let (begun, mut has_begun) = mpsc::channel(1);
    let (over, is_over) = watch::channel(false);
    let mut idle = JoinSet::new();
    let mut started = 0;
    let mut highest = Highest::default();
    let (mut looks, mut running) = (interval(LOOK_EVERY), 0);
    while running < uploads {
        while started < uploads && started < running + AT_ONCE {
            idle.spawn(stay(server.file, begun.clone(), is_over.clone()));
            started += 1;
        }
        tokio::select! {
            Some(()) = has_begun.recv() => running += 1,
            Some(ended) = idle.join_next() => {
                ended??;
                bail!("an upload ended before all were there");
            }
            _ = looks.tick() => highest.look(server)?,
        }
    }
    let hold = sleep(Duration::from_secs(seconds));
    tokio::pin!(hold);
    loop {
        tokio::select! {
            () = &mut hold => break,
            Some(ended) = idle.join_next() => {
                ended??;
                bail!("an upload ended before it was told to");
            }
            _ = looks.tick() => highest.look(server)?,
        }
    }
    let descriptors = server.descriptors()?;
    over.send(true)?;
    while let Some(ended) = idle.join_next().await {
        ended??;
    }
    // The server sees that they are gone when it looks for their next byte.
    let gone = async {
        while server.descriptors()? + usize::try_from(uploads)? > descriptors {
            looks.tick().await;
        }
        anyhow::Ok(())
    };
    timeout(GONE_WITHIN, gone)
        .await
        .context("the server keeps connections")??;
    let afterwards = server.resident()?;
    let mut table = columns();
    table.row([
        Cell::count(uploads),
        Cell::mib(before, 0),
        Cell::mib(highest.resident, 0),
        Cell::figure(kib_each(before, highest.resident, uploads), 1),
        Cell::size(descriptors),
        Cell::mib(afterwards, 0),
    ]);
    Ok(vec![table])
}

fn columns() -> Table {
    Table::begin(
        "idle_uploads",
        &[
            ("uploads", "idle uploads"),
            ("before_bytes", "before, MiB"),
            ("highest_bytes", "highest, MiB"),
            ("upload_kib", "KiB an upload"),
            ("descriptors", "descriptors"),
            ("afterwards_bytes", "without their connections, MiB"),
        ],
    )
}

/// Begins an upload, says so, and keeps it from being cut until all is over.
async fn stay(
    server: SocketAddr,
    begun: mpsc::Sender<()>,
    mut is_over: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let mut stream = begin(server).await?;
    begun.send(()).await?;
    let mut beats = interval(EVERY);
    beats.tick().await;
    loop {
        tokio::select! {
            told = is_over.changed() => {
                told?;
                break;
            }
            _ = beats.tick() => stream.write_all(b"x").await?,
        }
    }
    // Nobody answered, because it is not over.
    match stream.try_read(&mut [0; 1]) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
        other => bail!("it was cut: {other:?}"),
    }
}

/// An upload of which half has come.
async fn begin(server: SocketAddr) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    let create = format!(
        "POST /files/ HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\n\
         Upload-Length: {LENGTH}\r\nContent-Length: 0\r\n\r\n"
    );
    stream.write_all(create.as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        ensure!(head.len() < HEAD_BYTES_MAX, "no end of the head");
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head)?.to_ascii_lowercase();
    ensure!(head.starts_with("http/1.1 201"), "{head}");
    let place = head
        .lines()
        .find_map(|line| line.strip_prefix("location: "));
    let place = place.context("no place in the answer")?;
    let append = format!(
        "PATCH {place} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\n\
         Upload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\n\
         Content-Length: {LENGTH}\r\n\r\n"
    );
    stream.write_all(append.as_bytes()).await?;
    stream.write_all(&[0x5a; BEGIN_BYTES]).await?;
    Ok(stream)
}
