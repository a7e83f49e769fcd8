//! A connection to the file or image server: uploads and downloads as the clients do them.
//!
//! Knows nothing of accounts.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Instant;

use md5::{Digest, Md5};

use crate::peer::PATIENCE;
use crate::wire::{Fields, Flavor, TransferReply};

/// The answer says: go on.
pub const IN_PROGRESS: i32 = 1;
/// The answer says: that was all.
pub const COMPLETE: i32 = 2;
/// The answer says: there is no such file.
pub const NOT_FOUND: i32 = 3;

/// The chunk of a PC, and of a download over broadband.
pub const PC_CHUNK: usize = 524_288;
/// The chunk of Android, and of a download over a cellular net.
pub const ANDROID_CHUNK: usize = 65_536;

/// One end of a connection to a transfer server.
#[derive(Debug)]
pub struct Transfer {
    stream: TcpStream,
    received: Vec<u8>,
    flavor: Flavor,
    seq: i32,
}

/// The name of this content: the MD5 in lower-case hex.
pub fn md5_name(content: &[u8]) -> String {
    let mut name = String::new();
    for byte in Md5::digest(content) {
        use std::fmt::Write as _;
        write!(name, "{byte:02x}").expect("writing to memory");
    }
    name
}

/// Content that no other seed gives and that does not compress.
pub fn content(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// The fields of an upload request.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    pub name: &'a str,
    pub offset: i64,
    pub size: i64,
    pub data: &'a [u8],
}

impl Transfer {
    pub fn connect(address: SocketAddr, flavor: Flavor) -> Self {
        Self::try_connect(address, flavor)
            .unwrap_or_else(|error| panic!("cannot connect to {address}: {error}"))
    }

    /// The same where the server may be down.
    ///
    /// # Errors
    /// The system's.
    pub fn try_connect(address: SocketAddr, flavor: Flavor) -> std::io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            received: Vec::new(),
            flavor,
            seq: 0,
        })
    }

    /// Writes these bytes; false if the server did not take them all.
    pub fn send_raw(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    pub fn send_fields(&mut self, fields: &Fields) -> bool {
        self.send_raw(&fields.packed_for_transfer(self.flavor))
    }

    /// Sends one upload request.
    pub fn send_chunk(&mut self, chunk: Chunk<'_>) -> bool {
        self.seq += 1;
        let fields = Fields(Vec::new())
            .int(1)
            .int(self.seq)
            .text(chunk.name)
            .long(chunk.offset)
            .long(chunk.size)
            .text(chunk.data);
        self.send_fields(&fields)
    }

    /// Sends one download request for the next part.
    pub fn send_get(&mut self, name: impl AsRef<[u8]>, net_type: i32) -> bool {
        self.seq += 1;
        let mut fields = Fields(Vec::new()).int(3).int(self.seq).text(name);
        fields = fields.long(0).long(0).text("");
        if self.flavor == Flavor::Android {
            fields = fields.text("");
        }
        self.send_fields(&fields.int(net_type))
    }

    /// The next answer; `None` if the server closed instead.
    pub fn answer(&mut self) -> Option<TransferReply> {
        let deadline = Instant::now() + PATIENCE;
        let mut chunk = vec![0; 65_536];
        loop {
            if let Some(reply) = TransferReply::take(&mut self.received) {
                return Some(reply);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no answer from the transfer server");
            self.stream.set_read_timeout(Some(left)).expect("positive");
            match self.stream.read(&mut chunk) {
                Ok(0) => return None,
                Ok(count) => self.received.extend(&chunk[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    panic!("no answer from the transfer server");
                }
                Err(_) => return None,
            }
        }
    }

    /// The next answer, to the last request.
    pub fn reply(&mut self) -> TransferReply {
        let reply = self
            .answer()
            .expect("the server answers and does not close");
        assert_eq!(
            reply.seq, self.seq,
            "the reply carries the request's number"
        );
        reply
    }

    /// The server closes without another word.
    pub fn closed(&mut self) {
        let answer = self.answer();
        assert!(answer.is_none(), "expected a close, got {answer:?}");
    }

    /// Uploads as this client does; true if the server confirmed it, false if it closed.
    pub fn upload_as(&mut self, name: &str, content: &[u8]) -> bool {
        let step = match self.flavor {
            Flavor::Pc => PC_CHUNK,
            Flavor::Android => ANDROID_CHUNK,
        };
        let size = i64::try_from(content.len()).expect("a test file fits 63 bits");
        let mut offset = 0;
        for data in content.chunks(step) {
            self.send_chunk(Chunk {
                name,
                offset,
                size,
                data,
            });
            let Some(reply) = self.answer() else {
                return false;
            };
            assert_eq!((reply.cmd, reply.seq), (2, self.seq));
            assert_eq!(reply.name, name.as_bytes());
            assert_eq!((reply.size, reply.data.len()), (size, 0));
            if reply.code == COMPLETE {
                assert_eq!(reply.offset, size);
                return true;
            }
            assert_eq!((reply.code, reply.offset), (IN_PROGRESS, offset));
            offset += i64::try_from(data.len()).expect("a chunk fits 63 bits");
        }
        panic!("the server did not confirm the last chunk of {name}");
    }

    /// Uploads under the right name.
    pub fn upload(&mut self, content: &[u8]) -> String {
        let name = md5_name(content);
        assert!(self.upload_as(&name, content), "the upload was refused");
        name
    }

    /// Downloads a whole file as this client does; `None` if it does not exist.
    pub fn download(&mut self, name: &str) -> Option<Vec<u8>> {
        let mut content = Vec::new();
        loop {
            self.send_get(name, 0);
            let reply = self.reply();
            assert_eq!((reply.cmd, reply.name.as_slice()), (4, name.as_bytes()));
            if reply.code == NOT_FOUND {
                assert_eq!((reply.offset, reply.size, reply.data.len()), (0, 0, 0));
                return None;
            }
            assert_eq!(usize::try_from(reply.offset).ok(), Some(content.len()));
            assert!(!reply.data.is_empty(), "the PC needs data in every answer");
            content.extend(&reply.data);
            if reply.code == COMPLETE {
                assert_eq!(usize::try_from(reply.size).ok(), Some(content.len()));
                return Some(content);
            }
            assert_eq!(reply.code, IN_PROGRESS);
        }
    }

    pub fn hang_up(&self) {
        // An error means that the other side was faster.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
