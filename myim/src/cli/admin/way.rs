//! How the routes of the administration are reached: through the admin socket of a server on this
//! machine, over HTTP with a token, or on a database that no server has open.

mod dial;
mod offline;

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use common::blob::scrub::{Progress, Report, ScrubOptions};
use common::config::{About, Loaded, SUITE_DEFAULTS, SuiteConfig, load};
use common::net::connect_local;
use http_body_util::BodyExt;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use serde_json::Value;
use tokio::time::timeout;

use self::dial::Line;
pub(super) use self::dial::Remote;
use self::offline::Database;
use super::trouble::Trouble;
use crate::account;
use crate::failure::{Ending, judge};

/// How long the server may take for an answer, and between two pieces of one.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(120);
/// Where the administration stands.
const PREFIX: &str = "/api/v1/admin";
/// The longest line of an answer that comes line by line.
const LINE_BYTES_MAX: usize = 1024 * 1024;

const ABOUT: About = About {
    name: "myim admin",
    text: "Administers a server.",
    defaults: SUITE_DEFAULTS,
};

/// Where the user says that the server is.
pub(super) struct Place {
    pub(super) data: Option<PathBuf>,
    pub(super) socket: Option<PathBuf>,
    pub(super) server: Option<String>,
    pub(super) account: Option<String>,
    pub(super) token: Option<String>,
    pub(super) config: Option<OsString>,
}

/// See the module's description.
pub(super) enum Way {
    /// The admin socket of a server.
    Socket(PathBuf),
    Remote {
        remote: Box<Remote>,
        /// Who asks, of the accounts of this machine; none with a token from the environment.
        asker: Option<String>,
    },
    /// No server runs.
    Database(Box<Database>),
}

impl Way {
    /// Finds out how to reach the administration.
    pub(super) async fn find(place: Place) -> Result<Self, Trouble> {
        if let Some(server) = place.server {
            let (account, token) = (place.account.as_deref(), place.token.as_deref());
            return remote(&server, account, token);
        }
        if place.account.is_some() {
            return Err(Trouble::usage("--account goes with --server"));
        }
        if let Some(socket) = place.socket {
            return match connect_local(&socket).await {
                Ok(_) => Ok(Self::Socket(socket)),
                Err(error) => Err(no_socket(&socket, &error)),
            };
        }
        let config = settings(place.data, place.config)?;
        let socket = config
            .chat
            .admin_socket
            .clone()
            .ok_or_else(|| Trouble::usage("there is no admin socket; give --socket"))?;
        match connect_local(&socket).await {
            Ok(_) => Ok(Self::Socket(socket)),
            Err(error) if is_nobody(error.kind()) => Database::open(config, &socket)
                .await
                .map(|database| Self::Database(Box::new(database))),
            Err(error) => Err(no_socket(&socket, &error)),
        }
    }

    /// Asks for something and takes the whole answer.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Trouble> {
        let mut answer = self.begin(method, path, body).await?;
        let mut whole = Vec::new();
        while let Some(piece) = answer.next().await? {
            whole.extend_from_slice(&piece);
        }
        if whole.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&whole).map_err(|error| odd(&error))
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, Trouble> {
        self.call(Method::GET, path, None).await
    }

    /// Asks for something and hands over every line of the answer as it comes.
    pub(super) async fn lines(
        &self,
        method: Method,
        path: &str,
        mut each: impl FnMut(Value) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        let mut answer = self.begin(method, path, None).await?;
        let mut waiting: Vec<u8> = Vec::new();
        while let Some(piece) = answer.next().await? {
            waiting.extend_from_slice(&piece);
            while let Some(end) = waiting.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = waiting.drain(..=end).collect();
                each(serde_json::from_slice(&line).map_err(|error| odd(&error))?)?;
            }
            if waiting.len() > LINE_BYTES_MAX {
                return Err(odd(&"a line is too long"));
            }
        }
        Ok(())
    }

    /// The items of a list, page by page, until `limit` of them were handed over.
    pub(super) async fn pages(
        &self,
        path: &str,
        limit: u64,
        mut each: impl FnMut(Vec<Value>) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        const PAGE: u64 = 500;
        let mut left = limit;
        let mut cursor: Option<String> = None;
        loop {
            let separator = if path.contains('?') { '&' } else { '?' };
            let mut address = format!("{path}{separator}limit={}", left.clamp(1, PAGE));
            if let Some(cursor) = &cursor {
                address.push_str(&format!("&cursor={cursor}"));
            }
            let mut page = self.get(&address).await?;
            let items = match page["items"].take() {
                Value::Array(items) => items,
                _ => return Err(odd(&"a list without items")),
            };
            left = left.saturating_sub(u64::try_from(items.len()).unwrap_or(u64::MAX));
            let is_last = items.is_empty() || left == 0;
            each(items)?;
            match page["next"].as_str() {
                Some(next) if !is_last => cursor = Some(next.to_owned()),
                _ => return Ok(()),
            }
        }
    }

    async fn begin(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Trouble> {
        let mut request = Request::new(match body {
            Some(body) => Body::from(body.to_string()),
            None => Body::empty(),
        });
        *request.method_mut() = method;
        let address = format!("{PREFIX}{path}");
        *request.uri_mut() = address
            .parse()
            .map_err(|_| Trouble::usage("there can be nothing of this name"))?;
        let headers = request.headers_mut();
        if body.is_some() {
            headers.insert(
                CONTENT_TYPE,
                "application/json".parse().map_err(|e| odd(&e))?,
            );
        }
        let sent = match self {
            Self::Socket(path) => {
                headers.insert(HOST, "localhost".parse().map_err(|error| odd(&error))?);
                let socket = connect_local(path).await;
                let socket = socket.map_err(|error| no_socket(path, &error))?;
                let line = Line::open(hyper_util::rt::TokioIo::new(socket)).await?;
                timeout(ANSWER_WITHIN, line.send(request)).await
            }
            Self::Remote { remote, .. } => {
                let line = remote.dial().await?;
                timeout(ANSWER_WITHIN, line.send(remote.addressed(request))).await
            }
            Self::Database(database) => {
                let answered = database.answer(request);
                timeout(ANSWER_WITHIN, async { Ok(answered.await) }).await
            }
        };
        let response = sent.map_err(|_| silent())??;
        let status = response.status().as_u16();
        let mut answer = Answer {
            body: response.into_body(),
        };
        if (200..300).contains(&status) {
            return Ok(answer);
        }
        let mut whole = Vec::new();
        while let Some(piece) = answer.next().await? {
            whole.extend_from_slice(&piece);
        }
        let problem = serde_json::from_slice(&whole).unwrap_or_default();
        let trouble = Trouble::answered(status, &problem);
        Err(match self {
            Self::Remote {
                asker: Some(asker), ..
            } => trouble.asked_as(asker),
            _ => trouble,
        })
    }

    /// Deletes files that are due. Answers how many.
    pub(super) async fn collect(&self) -> Result<usize, Trouble> {
        match self {
            Self::Socket(_) | Self::Remote { .. } => Err(Trouble::refused(
                "a running server deletes what is due by itself, every minute",
            )),
            Self::Database(database) => database.collect().await,
        }
    }

    /// Compares the files that are kept with the database.
    pub(super) async fn scrub(
        &self,
        options: &ScrubOptions,
        progress: impl FnMut(Progress),
    ) -> Result<Report, Trouble> {
        match self {
            Self::Socket(_) | Self::Remote { .. } => Err(Trouble::refused(
                "files are looked through while no server runs; stop it first",
            )),
            Self::Database(database) => database.scrub(options, progress).await,
        }
    }

    /// Lets go; on a database, when everything is saved.
    pub(super) async fn end(self) -> Result<(), Trouble> {
        match self {
            Self::Socket(_) | Self::Remote { .. } => Ok(()),
            Self::Database(database) => database.end().await,
        }
    }
}

/// The body of an answer that is coming.
struct Answer {
    body: Body,
}

impl Answer {
    async fn next(&mut self) -> Result<Option<Bytes>, Trouble> {
        loop {
            let frame = timeout(ANSWER_WITHIN, self.body.frame()).await;
            match frame.map_err(|_| silent())? {
                None => return Ok(None),
                Some(Ok(frame)) => {
                    if let Ok(piece) = frame.into_data() {
                        return Ok(Some(piece));
                    }
                }
                Some(Err(error)) => {
                    let sentence = format!("the server's answer broke off: {error}");
                    return Err(Trouble::unreachable(sentence));
                }
            }
        }
    }
}

/// A server elsewhere, as the account that was chosen, else with the token that was given, else with
/// the sign-in of `myim login` there.
fn remote(server: &str, account: Option<&str>, token: Option<&str>) -> Result<Way, Trouble> {
    if let (None, Some(token)) = (account, token) {
        return Ok(Way::Remote {
            remote: Box::new(Remote::new(server, token, None)?),
            asker: None,
        });
    }
    let saved = account::on_server(server, account).map_err(|error| {
        let instead = "or put the token of an administrator's session into MYIM_TOKEN";
        match judge(&error).1 {
            Ending::Usage => Trouble::usage(error.to_string()),
            _ => Trouble::not_allowed(format!("{error}, {instead}")),
        }
    })?;
    let remote = Remote::new(
        &saved.server,
        &saved.command_line.token,
        saved.ca.as_deref(),
    )?;
    Ok(Way::Remote {
        remote: Box::new(remote),
        asker: Some(saved.name()),
    })
}

/// The settings of `myim serve` on this machine.
fn settings(data: Option<PathBuf>, config: Option<OsString>) -> Result<SuiteConfig, Trouble> {
    let given = [
        ("--data-dir", data.map(PathBuf::into_os_string)),
        ("--config", config),
    ];
    let args: Vec<OsString> = given
        .into_iter()
        .filter_map(|(flag, value)| Some([flag.into(), value?]))
        .flatten()
        .collect();
    match load::<SuiteConfig>(ABOUT, &args) {
        Ok(Loaded::Run(config)) => Ok(config),
        Ok(Loaded::Print(_)) => Err(Trouble::usage("nobody asked to print the settings")),
        Err(error) => {
            let text = error.to_string();
            Err(Trouble::usage(text.trim_start_matches("error: ")))
        }
    }
}

/// Whether nobody listens, so that the database may be free.
fn is_nobody(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::ConnectionRefused)
}

fn no_socket(path: &Path, error: &std::io::Error) -> Trouble {
    let path = path.display();
    match error.kind() {
        ErrorKind::PermissionDenied => Trouble::not_allowed(format!(
            "only the user that the server runs as may open {path}; become that user, for example \
             with sudo"
        )),
        kind if is_nobody(kind) => Trouble::unreachable(format!("no server answers at {path}")),
        _ => Trouble::unreachable(format!("the admin socket {path} cannot be opened: {error}")),
    }
}

pub(super) fn silent() -> Trouble {
    let seconds = ANSWER_WITHIN.as_secs();
    Trouble::unreachable(format!("the server did not answer within {seconds} s"))
}

pub(super) fn odd(error: &impl std::fmt::Display) -> Trouble {
    Trouble::unreachable(format!("the answer is none of a myim server: {error}"))
}

/// A text as it stands in a path or a query.
pub(super) fn escaped(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to memory does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
