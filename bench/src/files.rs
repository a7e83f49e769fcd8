//! One large file through the file server's binary protocol, up and down.

use std::time::Instant;

use anyhow::bail;
use bytes::{Bytes, BytesMut};
use common::wire::transfer::{CHUNK_BYTES, Decoder, Style, TransferReply, TransferRequest, code};
use md5::Md5;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::server::Server;
use crate::table::{Cell, Table};

pub(crate) async fn run(server: &Server, size: u64) -> anyhow::Result<Vec<Table>> {
    let content = Content { size };
    let name = content.md5();
    let bare = content.through_loopback().await?;
    let before = server.processor_s()?;
    let up = upload(server, &content, &name).await?;
    let between = server.processor_s()?;
    let down = download(server, size, &name).await?;
    let after = server.processor_s()?;
    let mut table = Table::begin(
        "transfers",
        &[
            ("what", &format!("{} MiB", size / 1024 / 1024)),
            ("mib_per_s", "MiB/s"),
            ("server_cpu_s", "server CPU, s"),
        ],
    );
    let cpu = |spent| Cell::figure(spent, 1);
    for (what, took, cpu) in [
        ("up: hashed twice, synced", up, cpu(between - before)),
        ("down", down, cpu(after - between)),
        (
            "for comparison: loopback into SHA-256, no server",
            bare,
            Cell::none(""),
        ),
    ] {
        table.row([Cell::text(what), Cell::figure(speed(size, took), 0), cpu]);
    }
    Ok(vec![table])
}

/// A file that is made while it is sent: every chunk begins with its number.
struct Content {
    size: u64,
}

impl Content {
    fn chunk(&self, offset: u64) -> Bytes {
        let left = usize::try_from(self.size - offset).unwrap_or(usize::MAX);
        let mut chunk = vec![0x5a; CHUNK_BYTES.min(left)];
        let number = offset.to_le_bytes();
        let marked = number.len().min(chunk.len());
        chunk[..marked].copy_from_slice(&number[..marked]);
        chunk.into()
    }

    fn offsets(&self) -> impl Iterator<Item = u64> + use<> {
        (0..self.size).step_by(CHUNK_BYTES)
    }

    fn md5(&self) -> Bytes {
        let mut hash = Md5::new();
        for offset in self.offsets() {
            hash.update(self.chunk(offset));
        }
        let digits = hash
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>();
        digits.into()
    }

    /// The same bytes over a socket into one hash: what an upload cannot be faster than.
    async fn through_loopback(&self) -> anyhow::Result<f64> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let receiving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await?;
            let (mut hash, mut buffer) = (Sha256::new(), vec![0; CHUNK_BYTES]);
            loop {
                match stream.read(&mut buffer).await? {
                    0 => return anyhow::Ok(hash.finalize()),
                    count => hash.update(&buffer[..count]),
                }
            }
        });
        let began = Instant::now();
        let mut stream = TcpStream::connect(address).await?;
        for offset in self.offsets() {
            stream.write_all(&self.chunk(offset)).await?;
        }
        drop(stream);
        receiving.await??;
        Ok(began.elapsed().as_secs_f64())
    }
}

async fn upload(server: &Server, content: &Content, name: &Bytes) -> anyhow::Result<f64> {
    let mut transfer = Transfer::connect(server).await?;
    let began = Instant::now();
    for offset in content.offsets() {
        let reply = transfer
            .ask(&TransferRequest::Upload {
                seq: 0,
                name: name.clone(),
                offset: i64::try_from(offset)?,
                size: i64::try_from(content.size)?,
                data: content.chunk(offset),
            })
            .await?;
        if reply.code == code::COMPLETE {
            return Ok(began.elapsed().as_secs_f64());
        }
    }
    bail!("the upload was not complete after its last chunk")
}

async fn download(server: &Server, size: u64, name: &Bytes) -> anyhow::Result<f64> {
    let mut transfer = Transfer::connect(server).await?;
    let began = Instant::now();
    let mut received = 0;
    loop {
        let request = TransferRequest::Download {
            seq: 0,
            name: name.clone(),
            net_type: 0,
        };
        let reply = transfer.ask(&request).await?;
        received += u64::try_from(reply.data.len())?;
        match reply.code {
            code::IN_PROGRESS => {}
            code::COMPLETE if received == size => return Ok(began.elapsed().as_secs_f64()),
            other => bail!("the download ended with code {other} after {received} bytes"),
        }
    }
}

struct Transfer {
    stream: TcpStream,
    inbox: BytesMut,
}

impl Transfer {
    async fn connect(server: &Server) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(server.file).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            inbox: BytesMut::new(),
        })
    }

    async fn ask(&mut self, request: &TransferRequest) -> anyhow::Result<TransferReply> {
        let mut bytes = Vec::new();
        request.encode(Style::Pc, &mut bytes)?;
        self.stream.write_all(&bytes).await?;
        loop {
            if let Some(reply) = Decoder::default().reply(&mut self.inbox)? {
                return Ok(reply);
            }
            self.inbox.reserve(CHUNK_BYTES);
            if self.stream.read_buf(&mut self.inbox).await? == 0 {
                bail!("the server closed the connection");
            }
        }
    }
}

/// MiB a second.
fn speed(bytes: u64, seconds: f64) -> f64 {
    let kib = u32::try_from(bytes / 1024).unwrap_or(u32::MAX);
    f64::from(kib) / 1024.0 / seconds.max(0.001)
}
