//! When work on a picture has to end early, because it took too long.
//!
//! Decoders cannot be interrupted, but they read; so what they read from ends.

use std::io::{self, BufRead, Cursor, Read, Seek, SeekFrom};
use std::time::{Duration, Instant};

use super::Fault;

/// Says when to stop.
#[derive(Clone, Copy, Debug)]
pub struct Halt {
    until: Instant,
}

impl Halt {
    /// Work may take `limit` from now on.
    pub fn after(limit: Duration) -> Self {
        Self {
            until: Instant::now() + limit,
        }
    }

    /// # Errors
    /// [`Fault::Slow`], if work should stop.
    pub fn check(&self) -> Result<(), Fault> {
        if Instant::now() >= self.until {
            return Err(Fault::Slow);
        }
        Ok(())
    }

    /// What went wrong, seen from outside: a decoder whose bytes ended because it was to stop calls
    /// the picture broken.
    pub(super) fn explain(&self, fault: impl Into<Fault>) -> Fault {
        self.check().err().unwrap_or_else(|| fault.into())
    }
}

/// The bytes of a picture, which fail to be read once work should stop.
#[derive(Debug)]
pub(super) struct Watched<'a> {
    bytes: Cursor<&'a [u8]>,
    halt: &'a Halt,
    /// Bytes that were read since the last look at the clock, and [`READ_COUNTS_AS`] for each read.
    unwatched: usize,
}

/// After so many bytes comes another look at the clock; no more are handed out at a time.
const BYTES_BETWEEN: usize = 64 << 10;

/// A read costs time even if it brings nothing. Decoders of JPEG read single bytes.
const READ_COUNTS_AS: usize = 16;

impl<'a> Watched<'a> {
    pub(super) fn new(bytes: &'a [u8], halt: &'a Halt) -> Self {
        Self {
            bytes: Cursor::new(bytes),
            halt,
            unwatched: 0,
        }
    }

    #[inline]
    fn watch(&mut self) -> io::Result<()> {
        self.unwatched += READ_COUNTS_AS;
        if self.unwatched >= BYTES_BETWEEN {
            self.unwatched = 0;
            self.halt.check().map_err(io::Error::other)?;
        }
        Ok(())
    }
}

impl Read for Watched<'_> {
    #[inline]
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.watch()?;
        let count = self.bytes.read(into)?;
        self.unwatched += count;
        Ok(count)
    }
}

impl BufRead for Watched<'_> {
    #[inline]
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.watch()?;
        let rest = self.bytes.fill_buf()?;
        Ok(&rest[..rest.len().min(BYTES_BETWEEN)])
    }

    #[inline]
    fn consume(&mut self, count: usize) {
        self.unwatched += count;
        self.bytes.consume(count);
    }
}

impl Seek for Watched<'_> {
    #[inline]
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }

    #[inline]
    fn stream_position(&mut self) -> io::Result<u64> {
        self.bytes.stream_position()
    }
}
