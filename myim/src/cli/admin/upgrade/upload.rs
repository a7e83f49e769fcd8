//! Brings a package to the file server.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use bytes::Bytes;
use common::config::PersonalEnvironment;
use futures_util::stream::try_unfold;
use http_body_util::{BodyExt, Limited};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE};
use hyper::{Request, Response};
use serde_json::Value;
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::package::Package;
use crate::account;
use crate::cli::admin::trouble::Trouble;
use crate::cli::admin::way::{ANSWER_WITHIN, Remote, escaped, odd, silent};
use crate::failure::{Ending, judge};

/// How much of the file is read at a time.
const PIECE_BYTES: usize = 256 << 10;
/// No answer to an upload is longer.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Who uploads.
pub(super) struct Uploader {
    pub(super) server: Option<String>,
    /// With a server; it goes before the token.
    pub(super) account: Option<String>,
    pub(super) token: Option<String>,
}

impl Uploader {
    /// The file server, as somebody who is signed in. `at` is its address if it is not on its usual
    /// port of the server.
    pub(super) fn file_server(&self, at: Option<&str>) -> Result<Remote, Trouble> {
        let environment = PersonalEnvironment::read();
        let token = self.token.as_deref().filter(|_| self.account.is_none());
        let named = self.server.clone();
        let named = named.or_else(|| token.and(environment.server.clone()));
        let (server, token, ca, port) = match (named, token) {
            (Some(server), Some(token)) => {
                let port = environment.file_port.as_deref().map(str::parse).transpose();
                let port = port.map_err(|_| Trouble::usage("MYIM_FILE_PORT is no port"))?;
                (server, token.to_owned(), environment.ca.clone(), port)
            }
            (named, _) => {
                let saved = match &named {
                    Some(server) => account::on_server(server, self.account.as_deref()),
                    None => account::saved(),
                };
                let saved = saved.map_err(|error| not_signed_in(&error))?;
                (
                    saved.server,
                    saved.command_line.token,
                    saved.ca,
                    saved.file_port,
                )
            }
        };
        let address = match at {
            Some(at) => at.to_owned(),
            None => {
                let parsed: client::Server = server
                    .parse()
                    .map_err(|error: client::ServerError| Trouble::usage(error.to_string()))?;
                let files = parsed.with_transfer_ports(port, None).file_server();
                files.to_string()
            }
        };
        Remote::new(&address, &token, ca.as_deref())
    }
}

fn not_signed_in(error: &anyhow::Error) -> Trouble {
    let sentence = format!(
        "to upload the package one has to be signed in: {error}, or put a token into MYIM_TOKEN \
         and give --server"
    );
    match judge(error).1 {
        Ending::Usage => Trouble::usage(sentence),
        _ => Trouble::not_allowed(sentence),
    }
}

/// Uploads the package. That what arrived is what was sent is checked on both sides.
pub(super) async fn upload(remote: &Remote, package: &Package, name: &str) -> Result<(), Trouble> {
    let file = File::open(&package.path).await;
    let file =
        file.map_err(|error| Trouble::usage(format!("{}: {error}", package.path.display())))?;
    let sent = Arc::new(AtomicU64::new(0));
    let uri = format!("/files?name={}&sha256={}", escaped(name), package.file);
    let request = Request::post(uri)
        .header(CONTENT_LENGTH, package.size)
        .header(CONTENT_TYPE, "application/octet-stream")
        .body(content(file, Arc::clone(&sent)))
        .map_err(|error| odd(&error))?;
    let line = remote.dial().await?;
    let answering = line.send(remote.addressed(request));
    tokio::pin!(answering);
    let mut patience = interval(ANSWER_WITHIN);
    patience.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sent_before = None;
    let response = loop {
        tokio::select! {
            biased;
            response = &mut answering => break response?,
            _ = patience.tick() => {
                // As long as anything moves, a slow line is no reason to give up.
                let so_far = sent.load(Ordering::Relaxed);
                if sent_before.replace(so_far) == Some(so_far) {
                    return Err(silent());
                }
            }
        }
    };
    let answer = answer(response).await?;
    if answer["file"] != package.file.to_string() {
        let path = package.path.display();
        let sentence = format!("{path} changed while it was uploaded: publish it again");
        return Err(Trouble::refused(sentence));
    }
    Ok(())
}

fn content(file: File, sent: Arc<AtomicU64>) -> Body {
    let pieces = try_unfold((file, sent), async |(mut file, sent)| {
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        let limit = u64::try_from(PIECE_BYTES).unwrap_or(u64::MAX);
        (&mut file).take(limit).read_to_end(&mut piece).await?;
        if piece.is_empty() {
            return Ok::<_, io::Error>(None);
        }
        let count = u64::try_from(piece.len()).unwrap_or(0);
        sent.fetch_add(count, Ordering::Relaxed);
        Ok(Some((Bytes::from(piece), (file, sent))))
    });
    Body::from_stream(pieces)
}

async fn answer(response: Response<Body>) -> Result<Value, Trouble> {
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX);
    let whole = timeout(ANSWER_WITHIN, body.collect()).await;
    let whole = whole.map_err(|_| silent())?.map_err(|error| odd(&error))?;
    let value = serde_json::from_slice(&whole.to_bytes());
    if (200..300).contains(&status) {
        return value.map_err(|error| odd(&error));
    }
    Err(Trouble::answered(status, &value.unwrap_or_default()))
}
