//! A client of the file and image servers over HTTP: whole uploads, and the tus protocol by hand.
//!
//! Knows headers and status codes, so that tests can say what a well-meaning library never would.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use http_body_util::Full;
use hyper::header::{AUTHORIZATION, HOST};
use hyper::{Method, Request};
use sha2::{Digest, Sha256};

use crate::api::{Answer, Api};
use crate::http::connect;
use crate::server::Server;

/// How content of an upload is declared.
const OFFSET_STREAM: (&str, &str) = ("content-type", "application/offset+octet-stream");
/// The version of the protocol.
pub const TUS: (&str, &str) = ("tus-resumable", "1.0.0");

/// Somebody who moves files.
#[derive(Clone, Debug)]
pub struct Files {
    pub api: Api,
    /// Where files stand: `/files` or `/images`.
    pub prefix: &'static str,
}

impl Server {
    /// The file server, for somebody without a token.
    pub fn files(&self) -> Files {
        Files {
            api: Api::new(self.file),
            prefix: "/files",
        }
    }

    /// The image server, for somebody without a token.
    pub fn images(&self) -> Files {
        Files {
            api: Api::new(self.image),
            prefix: "/images",
        }
    }
}

/// The SHA-256 of this content, in hexadecimal.
pub fn sha256(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is in all files below this folder, some of which may go away meanwhile.
pub fn bytes_below(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let bytes = entries.map(|entry| match entry.metadata() {
        Ok(about) if about.is_dir() => bytes_below(&entry.path()),
        Ok(about) => about.len(),
        Err(_) => 0,
    });
    bytes.sum()
}

impl Files {
    /// The same, with this token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            api: self.api.with_token(token),
            prefix: self.prefix,
        }
    }

    /// Any request.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).expect("a method"))
            .uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header(HOST, self.api.address.to_string());
        }
        if let Some(token) = &self.api.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(body.to_vec())).expect("a request");
        self.api.send(format!("{method} {path}"), request)
    }

    /// A request of tus.
    pub fn tus(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let headers: Vec<_> = [TUS].iter().chain(headers).copied().collect();
        self.ask(method, path, &headers, body)
    }

    /// Begins an upload with these headers; where it stands.
    pub fn create_with(&self, headers: &[(&str, &str)]) -> String {
        let answer = self.tus("POST", &format!("{}/", self.prefix), headers, b"");
        assert_eq!(answer.status, 201, "{answer}");
        assert_eq!(answer.header("tus-resumable"), "1.0.0", "{answer}");
        answer.header("location").to_owned()
    }

    /// Begins an upload of this length; where it stands.
    pub fn create(&self, length: usize) -> String {
        self.create_with(&[("upload-length", &length.to_string())])
    }

    /// Adds content.
    pub fn patch(&self, place: &str, offset: usize, content: &[u8]) -> Answer {
        self.patch_with(place, offset, content, &[])
    }

    /// Adds content, with more headers.
    pub fn patch_with(
        &self,
        place: &str,
        offset: usize,
        content: &[u8],
        headers: &[(&str, &str)],
    ) -> Answer {
        let offset = offset.to_string();
        let own = [OFFSET_STREAM, ("upload-offset", offset.as_str())];
        let headers: Vec<_> = own.iter().chain(headers).copied().collect();
        self.tus("PATCH", place, &headers, content)
    }

    /// How far an upload got.
    pub fn head(&self, place: &str) -> Answer {
        self.tus("HEAD", place, &[], b"")
    }

    /// How far an upload got that is there.
    pub fn offset(&self, place: &str) -> usize {
        let answer = self.head(place);
        assert_eq!(answer.status, 200, "{answer}");
        number(&answer, "upload-offset")
    }

    /// Uploads content whole.
    pub fn post(&self, content: &[u8]) -> Answer {
        self.ask("POST", self.prefix, &[], content)
    }

    /// The file of this hash.
    pub fn get(&self, file: &str) -> Answer {
        self.ask("GET", &format!("{}/{file}", self.prefix), &[], b"")
    }

    /// Begins a request whose body the test sends itself, piece by piece.
    pub fn begin(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> TcpStream {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.api.address);
        if let Some(token) = &self.api.token {
            head.push_str(&format!("Authorization: Bearer {token}\r\n"));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut stream = connect(self.api.address);
        stream
            .write_all(head.as_bytes())
            .expect("the server listens");
        stream
    }

    /// Begins to add content of `length` bytes to an upload.
    pub fn begin_patch(&self, place: &str, offset: usize, length: usize) -> TcpStream {
        let (offset, length) = (offset.to_string(), length.to_string());
        let headers = [
            TUS,
            OFFSET_STREAM,
            ("upload-offset", offset.as_str()),
            ("content-length", length.as_str()),
        ];
        self.begin("PATCH", place, &headers)
    }
}

/// A header that is a number.
pub fn number(answer: &Answer, name: &str) -> usize {
    let text = answer.header(name);
    text.parse()
        .unwrap_or_else(|_| panic!("{answer}: {name} is {text:?}"))
}

/// Reads until the head of an answer is there; its status.
pub fn status_of(stream: &mut TcpStream) -> u16 {
    let mut text = Vec::new();
    let mut byte = [0; 1];
    while !text.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => text.push(byte[0]),
            other => panic!("{other:?} after {:?}", String::from_utf8_lossy(&text)),
        }
    }
    let text = String::from_utf8_lossy(&text);
    let status = text.split(' ').nth(1).and_then(|word| word.parse().ok());
    status.unwrap_or_else(|| panic!("no status: {text:?}"))
}
