//! Moves files to and from a file or image server, a piece at a time.
//!
//! Never holds more of a file than a piece. Knows no chat; telling somebody about an uploaded
//! file is [`super::Client::send_file_note`]'s business.

use std::io;
use std::path::Path;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use common::wire::transfer::{Decoder, TransferKind, TransferReply, TransferRequest, code};
use md5::{Digest, Md5};
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeekExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::connection::dial;
use super::{Error, Imitate, Result};

/// How much of a file is read at a time for its MD5.
const HASH_BYTES: usize = 256 * 1024;

/// How long a server may take for one piece. The last piece of a large file has to be made safe on
/// disk before it is answered, so this is generous.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A file that is on the server now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uploaded {
    /// The MD5 of its content, in lower-case hexadecimal: its name on the server.
    pub name: String,
    pub bytes: u64,
    /// The server had it already, and was sent no more than the first piece.
    pub was_there: bool,
}

/// A file that has come from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloaded {
    pub bytes: u64,
    /// The MD5 of what came. Usually the name asked for; pictures from some cameras differ.
    pub md5: String,
}

/// Uploads the file at `path`. `progress` hears how many bytes of how many have been taken.
pub async fn upload(
    address: &str,
    path: &Path,
    imitate: Imitate,
    progress: impl FnMut(u64, u64),
) -> Result<Uploaded> {
    let failed = |cause| Error::File {
        path: path.to_owned(),
        cause,
    };
    let (mut file, name, bytes) = open(path).await.map_err(failed)?;
    Transfer::connect(address, imitate)
        .await?
        .upload(&name, bytes, &mut file, progress)
        .await
}

/// The file, its name on the server, and its size.
async fn open(path: &Path) -> io::Result<(File, String, u64)> {
    let mut file = File::open(path).await?;
    let (name, bytes) = digest(&mut file).await?;
    file.rewind().await?;
    Ok((file, name, bytes))
}

/// Uploads what is in memory.
pub async fn upload_bytes(address: &str, content: &[u8], imitate: Imitate) -> Result<Uploaded> {
    let name = hex(&Md5::digest(content));
    let bytes = content.len().try_into().unwrap_or(u64::MAX);
    let mut content = content;
    Transfer::connect(address, imitate)
        .await?
        .upload(&name, bytes, &mut content, |_, _| {})
        .await
}

/// Downloads the file `name` into `to`. `progress` hears how many bytes of how many have come.
pub async fn download(
    address: &str,
    name: &str,
    imitate: Imitate,
    to: &mut (impl AsyncWrite + Unpin + Send),
    progress: impl FnMut(u64, u64),
) -> Result<Downloaded> {
    Transfer::connect(address, imitate)
        .await?
        .download(name, imitate.net_type(), to, progress)
        .await
}

/// The MD5 of everything in `source`, and how much that is.
pub async fn digest(source: &mut (impl AsyncRead + Unpin + Send)) -> io::Result<(String, u64)> {
    let mut md5 = Md5::new();
    let mut bytes = 0;
    let mut piece = vec![0; HASH_BYTES];
    loop {
        let read = source.read(&mut piece).await?;
        if read == 0 {
            return Ok((hex(&md5.finalize()), bytes));
        }
        md5.update(&piece[..read]);
        bytes += u64::try_from(read).unwrap_or(u64::MAX);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A connection to a file or image server. It can carry several transfers, one after the other.
#[derive(Debug)]
pub struct Transfer {
    stream: TcpStream,
    buffer: BytesMut,
    out: Vec<u8>,
    imitate: Imitate,
    timeout: Duration,
    seq: i32,
}

impl Transfer {
    pub async fn connect(address: &str, imitate: Imitate) -> Result<Self> {
        Ok(Self {
            stream: dial(address, TIMEOUT).await?,
            buffer: BytesMut::new(),
            out: Vec::new(),
            imitate,
            timeout: TIMEOUT,
            seq: 0,
        })
    }

    /// How long to wait for the answer to each piece.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Uploads `bytes` bytes of `content` under `name`, which should be their MD5.
    pub async fn upload(
        &mut self,
        name: &str,
        bytes: u64,
        content: &mut (impl AsyncRead + Unpin + Send),
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Uploaded> {
        let size = i64::try_from(bytes).map_err(|_| Error::FileChanged)?;
        if bytes == 0 {
            return Err(Error::EmptyFile);
        }
        let wire_name = Bytes::copy_from_slice(name.as_bytes());
        let chunk = self.imitate.chunk_bytes();
        let mut sent: u64 = 0;
        progress(0, bytes);
        loop {
            let left = usize::try_from(bytes - sent).unwrap_or(chunk);
            let mut piece = vec![0; chunk.min(left)];
            content
                .read_exact(&mut piece)
                .await
                .map_err(|error| match error.kind() {
                    io::ErrorKind::UnexpectedEof => Error::FileChanged,
                    _ => Error::Source(error),
                })?;
            let request = TransferRequest::Upload {
                seq: self.next_seq(),
                name: wire_name.clone(),
                offset: i64::try_from(sent).map_err(|_| Error::FileChanged)?,
                size,
                data: piece.into(),
            };
            let taken = request_data(&request);
            let reply = self.ask(&request, TransferKind::Upload).await?;
            let done = sent + taken == bytes;
            match reply.code {
                code::COMPLETE => {
                    progress(bytes, bytes);
                    return Ok(Uploaded {
                        name: name.to_owned(),
                        bytes,
                        was_there: !done,
                    });
                }
                code::IN_PROGRESS if !done => {
                    sent += taken;
                    progress(sent, bytes);
                }
                other => return Err(wrong_code("an upload", other)),
            }
        }
    }

    /// Downloads the file `name`; `net_type` decides how large the pieces are.
    pub async fn download(
        &mut self,
        name: &str,
        net_type: i32,
        to: &mut (impl AsyncWrite + Unpin + Send),
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Downloaded> {
        let wire_name = Bytes::copy_from_slice(name.as_bytes());
        let mut md5 = Md5::new();
        let mut come: u64 = 0;
        loop {
            let request = TransferRequest::Download {
                seq: self.next_seq(),
                name: wire_name.clone(),
                net_type,
            };
            let reply = self.ask(&request, TransferKind::Download).await?;
            match reply.code {
                code::IN_PROGRESS | code::COMPLETE => {}
                code::MISSING => {
                    return Err(Error::Missing {
                        name: name.to_owned(),
                    });
                }
                other => return Err(wrong_code("a download", other)),
            }
            check_piece(&reply, come)?;
            md5.update(&reply.data);
            to.write_all(&reply.data).await.map_err(Error::Sink)?;
            come += u64::try_from(reply.data.len()).unwrap_or(u64::MAX);
            let size = u64::try_from(reply.size).unwrap_or_default();
            progress(come, size);
            if reply.code == code::COMPLETE {
                if come != size {
                    return Err(wrong("the file ended early or late"));
                }
                to.flush().await.map_err(Error::Sink)?;
                return Ok(Downloaded {
                    bytes: come,
                    md5: hex(&md5.finalize()),
                });
            }
        }
    }

    /// One request, one answer.
    async fn ask(
        &mut self,
        request: &TransferRequest,
        kind: TransferKind,
    ) -> Result<TransferReply> {
        self.out.clear();
        request.encode(self.imitate.style(), &mut self.out)?;
        let after = self.timeout;
        let answer = timeout(after, self.exchange()).await;
        let reply = answer.unwrap_or(Err(Error::NoReply {
            command: "a piece of a file",
            after,
        }))?;
        let name = match request {
            TransferRequest::Upload { name, .. } | TransferRequest::Download { name, .. } => name,
        };
        if reply.kind != kind || reply.name != *name {
            return Err(wrong("it belongs to another request"));
        }
        Ok(reply)
    }

    async fn exchange(&mut self) -> Result<TransferReply> {
        self.stream.write_all(&self.out).await?;
        loop {
            if let Some(reply) = Decoder::default().reply(&mut self.buffer)? {
                return Ok(reply);
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(Error::Closed);
            }
        }
    }

    fn next_seq(&mut self) -> i32 {
        let seq = self.seq;
        self.seq = seq.wrapping_add(1);
        seq
    }
}

fn request_data(request: &TransferRequest) -> u64 {
    match request {
        TransferRequest::Upload { data, .. } => data.len().try_into().unwrap_or(u64::MAX),
        TransferRequest::Download { .. } => 0,
    }
}

/// A piece must bring something and begin where the last one ended: else a loop would never end,
/// or the file would have a hole.
fn check_piece(reply: &TransferReply, come: u64) -> Result<()> {
    if reply.data.is_empty() {
        return Err(wrong("a piece is empty"));
    }
    if u64::try_from(reply.offset) != Ok(come) {
        return Err(wrong("a piece is missing"));
    }
    Ok(())
}

fn wrong(problem: &str) -> Error {
    Error::Reply {
        command: "a piece of a file",
        problem: problem.to_owned(),
    }
}

fn wrong_code(command: &'static str, code: i32) -> Error {
    Error::Reply {
        command,
        problem: format!("it has the code {code}"),
    }
}
