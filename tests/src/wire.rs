//! The Flamingo formats as the tests see them: bytes to and from simple values.
//!
//! Knows no sockets. Can also say what a well-behaved program would not: that is its purpose.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

/// Bytes of a chat header.
pub const CHAT_HEADER_BYTES: usize = 25;

/// Bytes of a file or image header.
pub const FILE_HEADER_BYTES: usize = 8;

/// The largest body size a chat header may announce: 10 MiB.
pub const CHAT_BODY_BYTES_MAX: i32 = 10_485_760;

/// Which client's habits a connection has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flavor {
    /// Compresses everything, counts the prefix in the body's length, client type 1, status 1.
    Pc,
    /// Compresses nothing, leaves the prefix out, client type 2, status 3.
    Android,
}

impl Flavor {
    pub fn client_type(self) -> i32 {
        match self {
            Self::Pc => 1,
            Self::Android => 2,
        }
    }

    /// The status this client always logs in with.
    pub fn status(self) -> i32 {
        match self {
            Self::Pc => 1,
            Self::Android => 3,
        }
    }
}

/// The fields of a body under construction.
#[derive(Clone, Debug)]
pub struct Fields(pub Vec<u8>);

impl Fields {
    /// The three fields every chat body starts with.
    pub fn chat(cmd: i32, seq: i32, data: impl AsRef<[u8]>) -> Self {
        Self(Vec::new()).int(cmd).int(seq).text(data)
    }

    #[must_use]
    pub fn int(mut self, value: i32) -> Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    /// A length prefix and the bytes.
    #[must_use]
    pub fn text(mut self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        self.0.extend(length_prefix(bytes.len()));
        self.0.extend(bytes);
        self
    }

    /// A 64-bit number: decimal digits in a string.
    #[must_use]
    pub fn long(self, value: i64) -> Self {
        self.text(value.to_string())
    }

    #[must_use]
    pub fn raw(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.0.extend(bytes.as_ref());
        self
    }

    /// The body with the prefix as the C++ programs write it: the length counts the prefix.
    pub fn body(&self) -> Vec<u8> {
        self.body_saying(self.0.len() + 6)
    }

    /// The body as Android writes it: the length leaves the six bytes of the prefix out.
    pub fn android_body(&self) -> Vec<u8> {
        self.body_saying(self.0.len())
    }

    fn body_saying(&self, total: usize) -> Vec<u8> {
        let total = u32::try_from(total).expect("a test body fits 32 bits");
        let mut body = total.to_be_bytes().to_vec();
        body.extend([0, 0]);
        body.extend(&self.0);
        body
    }

    /// The whole chat package as this client would write it.
    pub fn packed(&self, flavor: Flavor) -> Vec<u8> {
        match flavor {
            Flavor::Pc => zlib(&self.body()),
            Flavor::Android => {
                let body = self.android_body();
                let mut package = vec![0];
                package.extend(android_chat_size(body.len()));
                package.extend([0; 20]);
                package.extend(body);
                package
            }
        }
    }

    /// The whole file or image package as this client would write it.
    pub fn packed_for_transfer(&self, flavor: Flavor) -> Vec<u8> {
        match flavor {
            Flavor::Pc => {
                let body = self.body();
                let size = i64::try_from(body.len()).expect("a test body fits 63 bits");
                [&size.to_le_bytes()[..], &body].concat()
            }
            Flavor::Android => {
                let body = self.android_body();
                [&android_file_size(body.len())[..], &body].concat()
            }
        }
    }
}

/// Seven bits a byte, least significant first; the top bit says that more follows.
pub fn length_prefix(length: usize) -> Vec<u8> {
    let mut rest = length;
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(rest & 0x7f).expect("seven bits fit a byte");
        rest >>= 7;
        if rest == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// A chat header.
pub fn chat_header(flag: u8, origin_size: i32, compress_size: i32) -> Vec<u8> {
    let mut header = vec![flag];
    header.extend(origin_size.to_le_bytes());
    header.extend(compress_size.to_le_bytes());
    header.extend([0; 16]);
    header
}

/// A plain package the way Android and the original's own tools write it: `compresssize` 0.
pub fn plain(body: &[u8]) -> Vec<u8> {
    [&chat_header(0, size(body), 0)[..], body].concat()
}

/// A compressed package.
pub fn zlib(body: &[u8]) -> Vec<u8> {
    let small = deflate(body);
    [&chat_header(1, size(body), size(&small))[..], &small].concat()
}

/// Compresses as a zlib stream.
pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

fn size(bytes: &[u8]) -> i32 {
    i32::try_from(bytes.len()).expect("a test package fits 31 bits")
}

/// The size field of Android's chat header, with its bug: the bytes are added up as signed.
pub fn android_chat_size(length: usize) -> [u8; 4] {
    android_size(length, 16)
}

/// The size field of Android's file header, with the same bug; four zero bytes follow.
pub fn android_file_size(length: usize) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&android_size(length, 8));
    bytes
}

fn android_size(length: usize, third_shift: u32) -> [u8; 4] {
    let length = u32::try_from(length).expect("a test package fits 32 bits");
    let [s0, s1, s2, s3] = length
        .to_le_bytes()
        .map(|byte| i64::from(byte.cast_signed()));
    let sum = (s0 << 24) + (s1 << 16) + (s2 << third_shift) + s3;
    let low = sum.rem_euclid(1 << 32);
    u32::try_from(low)
        .expect("reduced to 32 bits")
        .to_be_bytes()
}

/// A chat package that a server sent.
#[derive(Clone, Debug)]
pub struct Packet {
    pub flag: u8,
    pub origin_size: i32,
    pub compress_size: i32,
    pub reserved: Vec<u8>,
    /// The inflated body with its prefix.
    pub body: Vec<u8>,
    pub cmd: i32,
    pub seq: i32,
    pub data: Vec<u8>,
    /// What follows the three common fields.
    pub rest: Vec<u8>,
}

impl Packet {
    /// Takes one package off the front of `bytes`; `None` if it is not complete yet.
    ///
    /// # Panics
    /// If the bytes break a rule that a shipped client depends on.
    pub fn take(bytes: &mut Vec<u8>) -> Option<Self> {
        if bytes.len() < CHAT_HEADER_BYTES {
            return None;
        }
        let flag = bytes[0];
        let origin_size = i32::from_le_bytes(bytes[1..5].try_into().expect("four bytes"));
        let compress_size = i32::from_le_bytes(bytes[5..9].try_into().expect("four bytes"));
        assert!(flag <= 1, "a server sends flag 0 or 1, not {flag}");
        assert!(
            (1..CHAT_BODY_BYTES_MAX).contains(&origin_size),
            "announced body size {origin_size}"
        );
        assert!(
            (1..CHAT_BODY_BYTES_MAX).contains(&compress_size),
            "announced compressed size {compress_size}; Android reads exactly that much"
        );
        let on_wire = usize::try_from(compress_size).expect("positive");
        if bytes.len() < CHAT_HEADER_BYTES + on_wire {
            return None;
        }
        let reserved = bytes[9..CHAT_HEADER_BYTES].to_vec();
        let packed = &bytes[CHAT_HEADER_BYTES..CHAT_HEADER_BYTES + on_wire];
        let body = if flag == 1 {
            inflate(packed)
        } else {
            packed.to_vec()
        };
        assert_eq!(
            i32::try_from(body.len()).ok(),
            Some(origin_size),
            "the announced size is the body's size"
        );
        bytes.drain(..CHAT_HEADER_BYTES + on_wire);
        let mut cursor = Cursor::new(&body);
        cursor.skip(6);
        let cmd = cursor.int();
        let seq = cursor.int();
        let data = cursor.text().to_vec();
        let rest = cursor.rest().to_vec();
        let packet = Self {
            flag,
            origin_size,
            compress_size,
            reserved,
            body,
            cmd,
            seq,
            data,
            rest,
        };
        Some(packet)
    }

    /// The data as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.data).expect("servers send UTF-8")
    }

    /// The data as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.data)
            .unwrap_or_else(|error| panic!("{error} in the data of {self:?}"))
    }

    /// The 32-bit numbers behind the data.
    pub fn ints(&self) -> Vec<i32> {
        assert_eq!(self.rest.len() % 4, 0, "only numbers follow in {self:?}");
        let mut cursor = Cursor::new(&self.rest);
        std::iter::from_fn(|| (!cursor.rest().is_empty()).then(|| cursor.int())).collect()
    }
}

fn inflate(packed: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    ZlibDecoder::new(packed)
        .read_to_end(&mut body)
        .expect("a compressed body is a zlib stream");
    body
}

/// Walks the fields of a body. A server's bytes are right or the test fails, so every method
/// panics at the end of the bytes.
#[derive(Clone, Debug)]
pub struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn skip(&mut self, count: usize) {
        self.take(count);
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        assert!(self.0.len() >= count, "a field is missing");
        let (field, rest) = self.0.split_at(count);
        self.0 = rest;
        field
    }

    pub fn int(&mut self) -> i32 {
        i32::from_be_bytes(self.take(4).try_into().expect("four bytes"))
    }

    pub fn text(&mut self) -> &'a [u8] {
        let mut length = 0_usize;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.take(1)[0];
            length |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return self.take(length);
            }
        }
        panic!("a length prefix of more than five bytes");
    }

    pub fn long(&mut self) -> i64 {
        std::str::from_utf8(self.text())
            .ok()
            .and_then(|digits| digits.parse().ok())
            .expect("canonical decimal digits: Android reads nothing else")
    }

    pub fn rest(&self) -> &'a [u8] {
        self.0
    }
}

/// A package that a file or image server sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferReply {
    pub cmd: i32,
    pub seq: i32,
    /// 1 in progress, 2 complete, 3 does not exist.
    pub code: i32,
    pub name: Vec<u8>,
    pub offset: i64,
    pub size: i64,
    pub data: Vec<u8>,
}

impl TransferReply {
    /// Takes one package off the front of `bytes`; `None` if it is not complete yet.
    pub fn take(bytes: &mut Vec<u8>) -> Option<Self> {
        if bytes.len() < FILE_HEADER_BYTES {
            return None;
        }
        let size = i64::from_le_bytes(bytes[..8].try_into().expect("eight bytes"));
        let size = usize::try_from(size).expect("a positive size");
        if bytes.len() < FILE_HEADER_BYTES + size {
            return None;
        }
        let reply = {
            let body = &bytes[FILE_HEADER_BYTES..FILE_HEADER_BYTES + size];
            let total = u32::from_be_bytes(body[..4].try_into().expect("four bytes"));
            assert_eq!(
                usize::try_from(total).ok(),
                Some(size),
                "the body's own length"
            );
            let mut cursor = Cursor::new(body);
            cursor.skip(6);
            Self {
                cmd: cursor.int(),
                seq: cursor.int(),
                code: cursor.int(),
                name: cursor.text().to_vec(),
                offset: cursor.long(),
                size: cursor.long(),
                data: cursor.text().to_vec(),
            }
        };
        bytes.drain(..FILE_HEADER_BYTES + size);
        Some(reply)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn android_sizes_are_wrong_as_documented() {
        assert_eq!(android_chat_size(32_767), [0xff, 0x7f, 0, 0]);
        assert_eq!(android_chat_size(32_768), [0xff, 0x80, 0, 0]);
        assert_eq!(android_chat_size(40_000), [0x3f, 0x9c, 0, 0]);
        assert_eq!(android_chat_size(65_536), [0, 1, 0, 0]);
        assert_eq!(android_file_size(65_598)[..4], [0x3e, 0, 1, 0]);
        assert_eq!(android_file_size(100_000)[..4], [0x9f, 0x86, 1, 0]);
    }

    #[test]
    fn a_heartbeat_is_the_documented_bytes() {
        let beat = plain(&Fields::chat(1000, 0, "").body());
        assert_eq!(beat.len(), 40);
        assert_eq!(
            beat[25..],
            [0, 0, 0, 15, 0, 0, 0, 0, 3, 0xe8, 0, 0, 0, 0, 0]
        );
        assert_eq!(length_prefix(300), [0xac, 2]);
        assert_eq!(length_prefix(10_485_760), [0x80, 0x80, 0x80, 5]);
    }
}
