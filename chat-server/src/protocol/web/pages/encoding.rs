//! In which compressed form a client wants a file, and making it.

use std::io::Write;

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_ENCODING;
use brotli::CompressorWriter;
use bytes::Bytes;
use common::pool::BlockingPool;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Files compressed at a time: it is done once for each, and nobody is kept from his messages by it.
const COMPRESSED_AT_A_TIME: usize = 1;

/// Of 11: the last two steps take many times as long for a few percent.
const BROTLI_QUALITY: u32 = 9;
/// The logarithm of how far back it looks; more than any file has.
const BROTLI_WINDOW: u32 = 22;
const BROTLI_BUFFER_BYTES: usize = 16 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Brotli,
    Gzip,
    Identity,
}

impl Encoding {
    /// As `Content-Encoding` calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
            Self::Identity => "identity",
        }
    }

    /// What a client likes best by its `Accept-Encoding`; of what it likes equally the smallest.
    pub(super) fn wanted(headers: &HeaderMap) -> Self {
        let accepted: Vec<(&str, f32)> = headers
            .get_all(ACCEPT_ENCODING)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(accepted)
            .collect();
        let weight = |name: &str| {
            let of = |name: &str| {
                let mut found = accepted.iter();
                found.find(|(other, _)| other.eq_ignore_ascii_case(name))
            };
            of(name).or_else(|| of("*")).map(|(_, weight)| *weight)
        };
        let mut wanted = (
            Self::Identity,
            weight("identity").unwrap_or(f32::MIN_POSITIVE),
        );
        for encoding in [Self::Gzip, Self::Brotli] {
            match weight(encoding.name()) {
                Some(weight) if weight > 0.0 && weight >= wanted.1 => wanted = (encoding, weight),
                _ => {}
            }
        }
        wanted.0
    }
}

/// One element of `Accept-Encoding`: a name, and how much it is liked from 0 to 1.
fn accepted(element: &str) -> Option<(&str, f32)> {
    let (name, parameter) = element.split_once(';').unwrap_or((element, "q=1"));
    let weight = parameter.trim().strip_prefix(['q', 'Q'])?;
    let weight = weight.trim_start().strip_prefix('=')?.trim().parse().ok()?;
    (0.0..=1.0)
        .contains(&weight)
        .then_some((name.trim(), weight))
}

/// Compresses beside the runtime.
#[derive(Debug)]
pub(super) struct Compressor(BlockingPool);

impl Default for Compressor {
    fn default() -> Self {
        Self(BlockingPool::new(COMPRESSED_AT_A_TIME))
    }
}

impl Compressor {
    /// Nothing if it is to stay as it is, or cannot be done, which then is told in the log.
    pub(super) async fn encode(&self, content: Bytes, encoding: Encoding) -> Option<Bytes> {
        let compress = match encoding {
            Encoding::Brotli => brotli,
            Encoding::Gzip => gzip,
            Encoding::Identity => return None,
        };
        match self.0.run(move || compress(&content)).await {
            Ok(encoded) => Some(encoded.into()),
            Err(error) => {
                tracing::error!(%error, "a file of the web client cannot be compressed");
                None
            }
        }
    }
}

fn brotli(content: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = CompressorWriter::new(
        Vec::new(),
        BROTLI_BUFFER_BYTES,
        BROTLI_QUALITY,
        BROTLI_WINDOW,
    );
    encoder.write_all(content)?;
    Ok(encoder.into_inner())
}

fn gzip(content: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn clients_get_what_they_like_best() {
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, value.parse().unwrap());
            Encoding::wanted(&headers)
        };
        for (value, wanted) in [
            ("gzip, deflate, br, zstd", Encoding::Brotli),
            ("gzip, deflate", Encoding::Gzip),
            ("GZIP", Encoding::Gzip),
            ("gzip;q=1.0, br;q=0.5", Encoding::Gzip),
            ("br ; q = 0.1", Encoding::Brotli),
            ("br;q=0, gzip", Encoding::Gzip),
            ("br;q=0, gzip;q=0.000", Encoding::Identity),
            ("*", Encoding::Brotli),
            ("*;q=0", Encoding::Identity),
            ("br;q=0, *;q=0.5", Encoding::Gzip),
            ("identity, gzip;q=0.5", Encoding::Identity),
            ("identity;q=0.5, gzip;q=0.5", Encoding::Gzip),
            ("br;q=2, gzip;q=x, deflate", Encoding::Identity),
            ("brotli", Encoding::Identity),
            ("", Encoding::Identity),
        ] {
            assert_eq!(read(value), wanted, "{value}");
        }
        assert_eq!(Encoding::wanted(&HeaderMap::new()), Encoding::Identity);
        let mut two = HeaderMap::new();
        two.append(ACCEPT_ENCODING, "deflate".parse().unwrap());
        two.append(ACCEPT_ENCODING, "gzip".parse().unwrap());
        assert_eq!(Encoding::wanted(&two), Encoding::Gzip);
    }

    #[tokio::test]
    async fn what_is_compressed_can_be_read_again() {
        let compressor = Compressor::default();
        let content = Bytes::from("the same again and ".repeat(5000));
        let encoded = compressor.encode(content.clone(), Encoding::Brotli).await;
        let mut read = Vec::new();
        brotli::Decompressor::new(&encoded.unwrap()[..], 4096)
            .read_to_end(&mut read)
            .unwrap();
        assert_eq!(read, content);
        let encoded = compressor.encode(content.clone(), Encoding::Gzip).await;
        let mut read = Vec::new();
        flate2::read::GzDecoder::new(&encoded.unwrap()[..])
            .read_to_end(&mut read)
            .unwrap();
        assert_eq!(read, content);
    }
}
