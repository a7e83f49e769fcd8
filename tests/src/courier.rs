//! Requests over HTTP/1.1 that may fail, because the server dies meanwhile: each on a connection of
//! its own, with its body in slices of which the test hears.

use std::io::{self, Read, Write};
use std::net::SocketAddr;

use crate::peer::PATIENCE;

/// So much of a body is written at a time.
const SLICE_BYTES: usize = 16 << 10;

/// Somebody who makes such requests.
#[derive(Clone, Debug)]
pub struct Courier {
    pub address: SocketAddr,
    pub token: String,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Reply {
    /// A header; nothing if it is not there.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(one, _)| one.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }
}

impl Courier {
    /// Sends a request and reads the answer to its end. `progress` hears of every slice that was
    /// handed over.
    ///
    /// # Errors
    /// When there is no connection, or it ends before the answer does.
    pub fn ask(
        &self,
        what: (&str, &str),
        headers: &[(&str, &str)],
        body: &[u8],
        progress: impl FnMut(),
    ) -> io::Result<Reply> {
        self.send(what, headers, (body, body.len()), progress)?
            .reply()
    }

    /// Sends only the beginning of a body of `length` bytes, and goes.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub fn begin_and_leave(
        &self,
        what: (&str, &str),
        headers: &[(&str, &str)],
        (begin, length): (&[u8], usize),
        progress: impl FnMut(),
    ) -> io::Result<()> {
        self.send(what, headers, (begin, length), progress)
            .map(drop)
    }

    fn send(
        &self,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        (body, length): (&[u8], usize),
        mut progress: impl FnMut(),
    ) -> io::Result<Sent> {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Connection: close\r\nContent-Length: {length}\r\n",
            self.address, self.token
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut stream = std::net::TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        stream.write_all(head.as_bytes())?;
        for slice in body.chunks(SLICE_BYTES) {
            stream.write_all(slice)?;
            progress();
        }
        Ok(Sent(stream))
    }
}

struct Sent(std::net::TcpStream);

impl Sent {
    fn reply(mut self) -> io::Result<Reply> {
        let mut bytes = Vec::new();
        self.0.read_to_end(&mut bytes)?;
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let body = bytes.split_off(end.ok_or_else(cut)? + 4);
        let head = String::from_utf8(bytes).map_err(|_| cut())?;
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        let reply = Reply {
            status: status.ok_or_else(cut)?,
            head,
            body,
        };
        let length = reply.header("content-length");
        let length = length.and_then(|length| length.parse().ok()).unwrap_or(0);
        match reply.body.len() == length {
            true => Ok(reply),
            false => Err(cut()),
        }
    }
}
