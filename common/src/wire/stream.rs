//! The fields inside a package body: big-endian numbers, length-prefixed strings, textual int64.
//!
//! Knows no commands; what the fields mean is the caller's business.

use thiserror::Error;

/// Bytes before the first field of a body: the total length (4) and a checksum nobody checks (2).
pub const PREFIX_BYTES: usize = 6;

/// The longest textual int64 a reader accepts, as the existing programs do.
const INT64_TEXT_BYTES_MAX: usize = 128;

/// More than this many length bytes cannot describe a 32-bit length.
const LENGTH_BYTES_MAX: usize = 5;

/// A field that is not what its place in the body asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    #[error("the body ends inside a field")]
    Truncated,
    #[error("a length prefix is longer than five bytes or exceeds 32 bits")]
    LengthPrefix,
    #[error("a string claims to be longer than the body")]
    StringPastEnd,
    #[error("a number in text form is longer than 128 bytes")]
    NumberTooLong,
}

impl Malformed {
    /// A short stable name for logs and counters.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Truncated => "field_truncated",
            Self::LengthPrefix => "length_prefix",
            Self::StringPastEnd => "string_past_end",
            Self::NumberTooLong => "number_too_long",
        }
    }
}

/// Reads fields from the front of a slice.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte of `fields`: give it a body without its prefix, or trailing fields.
    pub fn new(fields: &'a [u8]) -> Self {
        Self { left: fields }
    }

    /// Starts behind the prefix of a whole body.
    pub fn body(body: &'a [u8]) -> Result<Self, Malformed> {
        match body.get(PREFIX_BYTES..) {
            Some(fields) => Ok(Self::new(fields)),
            None => Err(Malformed::Truncated),
        }
    }

    pub fn i32(&mut self) -> Result<i32, Malformed> {
        let (number, left) = self
            .left
            .split_first_chunk::<4>()
            .ok_or(Malformed::Truncated)?;
        self.left = left;
        Ok(i32::from_be_bytes(*number))
    }

    /// A string: any bytes, not necessarily text.
    pub fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let (length, left) = read_length(self.left)?;
        let (string, left) = left
            .split_at_checked(length)
            .ok_or(Malformed::StringPastEnd)?;
        self.left = left;
        Ok(string)
    }

    /// A number in text form, read as C's `atoll` does: leading blanks, a sign, digits until
    /// something else comes; no digits are 0. Beyond 64 bits it stops at the nearest limit.
    pub fn int64(&mut self) -> Result<i64, Malformed> {
        let text = self.bytes()?;
        if text.len() > INT64_TEXT_BYTES_MAX {
            return Err(Malformed::NumberTooLong);
        }
        Ok(atoll(text))
    }

    /// What has not been read. Newer or careless clients append fields: leftovers are no error.
    pub fn rest(&self) -> &'a [u8] {
        self.left
    }
}

/// Reads a 7-bit length prefix; returns it and the bytes behind it.
pub(super) fn read_length(bytes: &[u8]) -> Result<(usize, &[u8]), Malformed> {
    let mut length: u64 = 0;
    for (place, byte) in bytes.iter().take(LENGTH_BYTES_MAX).enumerate() {
        length |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            let length = u32::try_from(length).map_err(|_| Malformed::LengthPrefix)?;
            let length = usize::try_from(length).map_err(|_| Malformed::LengthPrefix)?;
            return Ok((length, bytes.get(place + 1..).unwrap_or_default()));
        }
    }
    if bytes.len() < LENGTH_BYTES_MAX {
        Err(Malformed::Truncated)
    } else {
        Err(Malformed::LengthPrefix)
    }
}

fn atoll(text: &[u8]) -> i64 {
    // C's isspace: the vertical tab too, which Rust's is_ascii_whitespace leaves out.
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r');
    let start = text
        .iter()
        .position(|byte| !blank(byte))
        .unwrap_or(text.len());
    let text = text.get(start..).unwrap_or_default();
    let (negative, digits) = match text.split_first() {
        Some((b'-', digits)) => (true, digits),
        Some((b'+', digits)) => (false, digits),
        _ => (false, text),
    };
    let mut value: i64 = 0;
    for byte in digits.iter().take_while(|byte| byte.is_ascii_digit()) {
        let digit = i64::from(byte - b'0');
        let digit = if negative { -digit } else { digit };
        value = value.saturating_mul(10).saturating_add(digit);
    }
    value
}

/// Writes fields behind a prefix that [`Writer::finish`] fills in.
#[derive(Clone, Debug)]
pub struct Writer {
    body: Vec<u8>,
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

impl Writer {
    pub fn new() -> Self {
        Self {
            body: vec![0; PREFIX_BYTES],
        }
    }

    pub fn i32(&mut self, number: i32) -> &mut Self {
        self.body.extend_from_slice(&number.to_be_bytes());
        self
    }

    /// # Panics
    /// If the string has 4 GiB or more, which no frame can carry.
    pub fn bytes(&mut self, string: &[u8]) -> &mut Self {
        put_length(&mut self.body, string.len());
        self.body.extend_from_slice(string);
        self
    }

    pub fn int64(&mut self, number: i64) -> &mut Self {
        self.bytes(number.to_string().as_bytes())
    }

    /// The whole body, prefix included.
    ///
    /// # Panics
    /// If the body has 4 GiB or more, which no frame can carry.
    pub fn finish(&mut self) -> Vec<u8> {
        let mut body = std::mem::take(self).body;
        let total = u32::try_from(body.len()).expect("a body is far below 4 GiB");
        body[..4].copy_from_slice(&total.to_be_bytes());
        body
    }

    /// The fields alone, without a prefix: what [`super::chat::Packet::trailing`] holds.
    pub fn fields(&mut self) -> Vec<u8> {
        let mut body = std::mem::take(self).body;
        body.drain(..PREFIX_BYTES);
        body
    }
}

/// Appends a 7-bit length prefix.
pub(super) fn put_length(out: &mut Vec<u8>, length: usize) {
    let mut left = u32::try_from(length).expect("a string is far below 4 GiB");
    loop {
        let [low, ..] = left.to_le_bytes();
        left >>= 7;
        if left == 0 {
            out.push(low & 0x7f);
            return;
        }
        out.push(low | 0x80);
    }
}

/// How many bytes a string occupies with its length prefix.
pub(super) fn string_bytes(length: usize) -> usize {
    let prefix = match length {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        0x4000..0x20_0000 => 3,
        0x20_0000..0x1000_0000 => 4,
        _ => 5,
    };
    length.saturating_add(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_the_specification() {
        let cases: [(usize, &[u8]); 14] = [
            (0, &[0]),
            (1, &[1]),
            (127, &[0x7f]),
            (128, &[0x80, 1]),
            (255, &[0xff, 1]),
            (300, &[0xac, 2]),
            (16383, &[0xff, 0x7f]),
            (16384, &[0x80, 0x80, 1]),
            (65535, &[0xff, 0xff, 3]),
            (65536, &[0x80, 0x80, 4]),
            (524_288, &[0x80, 0x80, 0x20]),
            (2_097_151, &[0xff, 0xff, 0x7f]),
            (2_097_152, &[0x80, 0x80, 0x80, 1]),
            (10_485_760, &[0x80, 0x80, 0x80, 5]),
        ];
        for (length, bytes) in cases {
            let mut out = Vec::new();
            put_length(&mut out, length);
            assert_eq!(out, bytes);
            assert_eq!(read_length(bytes), Ok((length, &[][..])));
            assert_eq!(string_bytes(length), length + bytes.len());
        }
        let largest = [0xff, 0xff, 0xff, 0xff, 0x0f];
        assert_eq!(read_length(&largest), Ok((4_294_967_295, &[][..])));
    }

    #[test]
    fn impossible_lengths() {
        assert_eq!(read_length(&[]), Err(Malformed::Truncated));
        assert_eq!(read_length(&[0x80; 4]), Err(Malformed::Truncated));
        assert_eq!(read_length(&[0xff; 5]), Err(Malformed::LengthPrefix));
        assert_eq!(read_length(&[0xff; 9]), Err(Malformed::LengthPrefix));
        let above_32_bits = [0xff, 0xff, 0xff, 0xff, 0x1f];
        assert_eq!(read_length(&above_32_bits), Err(Malformed::LengthPrefix));
        let past = Reader::new(&[5, b'a']).bytes();
        assert_eq!(past, Err(Malformed::StringPastEnd));
        assert_eq!(Reader::new(&[0, 0, 0]).i32(), Err(Malformed::Truncated));
    }

    #[test]
    fn fields_of_the_specification() {
        let mut writer = Writer::new();
        writer
            .i32(1002)
            .i32(-1)
            .int64(0)
            .int64(524_288)
            .int64(-1)
            .bytes(b"")
            .bytes(b"abc")
            .bytes("你好".as_bytes());
        let fields = [
            &[0, 0, 3, 0xea, 0xff, 0xff, 0xff, 0xff, 1, 0x30][..],
            &[6, 0x35, 0x32, 0x34, 0x32, 0x38, 0x38, 2, 0x2d, 0x31],
            &[
                0, 3, 0x61, 0x62, 0x63, 6, 0xe4, 0xbd, 0xa0, 0xe5, 0xa5, 0xbd,
            ],
        ]
        .concat();
        assert_eq!(writer.clone().fields(), fields);
        let body = writer.finish();
        assert_eq!(body[..6], [0, 0, 0, 38, 0, 0]);
        let mut reader = Reader::body(&body).unwrap();
        assert_eq!(reader.i32(), Ok(1002));
        assert_eq!(reader.i32(), Ok(-1));
        assert_eq!(reader.int64(), Ok(0));
        assert_eq!(reader.int64(), Ok(524_288));
        assert_eq!(reader.int64(), Ok(-1));
        assert_eq!(reader.bytes(), Ok(&b""[..]));
        assert_eq!(reader.bytes(), Ok(&b"abc"[..]));
        assert_eq!(reader.rest(), &fields[25..]);
    }

    #[test]
    fn int64_reads_like_c() {
        for (text, value) in [
            ("", 0),
            ("  \t\x0b+12x", 12),
            ("-7 8", -7),
            ("garbage", 0),
            ("- 5", 0),
            ("99999999999999999999", i64::MAX),
            ("-99999999999999999999", i64::MIN),
        ] {
            assert_eq!(atoll(text.as_bytes()), value, "{text:?}");
        }
        let mut writer = Writer::new();
        let long = writer.bytes(&[b'1'; 129]).fields();
        assert_eq!(Reader::new(&long).int64(), Err(Malformed::NumberTooLong));
    }
}
