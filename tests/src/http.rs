//! HTTP/1.1 by hand: one request, and everything that is answered.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use crate::peer::PATIENCE;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// The body, which must be JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Reads what came until the end of a connection.
    ///
    /// # Panics
    /// If that is no answer.
    pub fn read(text: &str) -> Self {
        let (head, body) = text
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("no whole answer: {text:?}"));
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        Self {
            status: status.unwrap_or_else(|| panic!("no status: {head:?}")),
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }
}

/// A connection that waits no longer than tests have patience.
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)
        .unwrap_or_else(|error| panic!("cannot connect to {address}: {error}"));
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a connected socket");
    stream.set_nodelay(true).expect("a connected socket");
    stream
}

/// The text of a request after which the server closes.
pub fn request(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
}

/// Reads to the end.
pub fn answer(mut stream: TcpStream) -> Answer {
    let mut text = String::new();
    stream
        .read_to_string(&mut text)
        .unwrap_or_else(|error| panic!("{error} after {text:?}"));
    Answer::read(&text)
}

/// Asks once.
pub fn get(address: SocketAddr, target: &str) -> Answer {
    let mut stream = connect(address);
    stream
        .write_all(request(target).as_bytes())
        .expect("the server listens");
    answer(stream)
}
