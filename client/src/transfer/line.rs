//! Carries requests to one transfer server, and reads its answers.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use http::request::Builder;
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use crate::error::{Error, NO_CONNECTION, Problem, Result};
use crate::net::{Connector, http_client, innermost};
use crate::server::Server;

/// A server answers within this time. The last piece of a large file has to be made safe on its
/// disk before that, and a picture to be looked into, so this is generous.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);
/// A request whose content does not get on for this time is given up. The system may have taken some
/// megabytes in that a slow line has still to carry.
const STALLED_AFTER: Duration = Duration::from_secs(60);
/// No answer but a file is longer.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// What a request carries.
pub(super) type Content = UnsyncBoxBody<Bytes, io::Error>;

/// No content.
pub(super) fn nothing() -> Content {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// One transfer server, and who calls it.
pub(super) struct Line {
    server: Server,
    client: Client<Connector, Content>,
    bearer: Option<HeaderValue>,
}

/// An answer that was read.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Line {
    /// Without a token it asks for nothing but signed addresses.
    pub(super) fn new(server: Server, token: Option<&str>) -> Result<Self> {
        let mut line = Self {
            client: http_client(server.clone()),
            server,
            bearer: None,
        };
        if let Some(token) = token {
            let bearer = HeaderValue::try_from(format!("Bearer {token}"));
            let mut bearer = bearer.map_err(|error| line.strange(error.to_string()))?;
            bearer.set_sensitive(true);
            line.bearer = Some(bearer);
        }
        Ok(line)
    }

    /// A request for what stands at this path.
    pub(super) fn request(&self, method: Method, path: &str) -> Builder {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.server));
        match &self.bearer {
            Some(bearer) => request.header(AUTHORIZATION, bearer),
            None => request,
        }
    }

    /// The head of the answer, whatever it says.
    pub(super) async fn send(
        &self,
        request: Builder,
        content: Content,
    ) -> Result<Response<Incoming>> {
        let request = self.build(request, content)?;
        match timeout(ANSWER_WITHIN, self.client.request(request)).await {
            Ok(answer) => answer.map_err(|error| self.broken(&error)),
            Err(_late) => Err(self.silent(ANSWER_WITHIN)),
        }
    }

    /// The same for content that takes its time: as long as it gets on, nobody gives up. `gone` says
    /// how much of it is on its way; `told` hears of that.
    pub(super) async fn send_watched(
        &self,
        request: Builder,
        content: Content,
        mut gone: watch::Receiver<u64>,
        mut told: impl FnMut(u64),
    ) -> Result<Response<Incoming>> {
        let request = self.build(request, content)?;
        let answer = self.client.request(request);
        tokio::pin!(answer);
        let mut patience = STALLED_AFTER;
        let mut moved = Instant::now();
        let mut is_gone = false;
        loop {
            tokio::select! {
                biased;
                answer = &mut answer => return answer.map_err(|error| self.broken(&error)),
                changed = gone.changed(), if !is_gone => {
                    moved = Instant::now();
                    match changed {
                        Ok(()) => told(*gone.borrow_and_update()),
                        // All of it is, or nobody wants it any more.
                        Err(_) => (is_gone, patience) = (true, ANSWER_WITHIN),
                    }
                }
                () = sleep_until(moved + patience) => return Err(self.silent(patience)),
            }
        }
    }

    /// The whole answer of a request that was carried out.
    ///
    /// # Errors
    /// `Refused` for one that was not.
    pub(super) async fn read(&self, response: Response<Incoming>) -> Result<Answer> {
        let (head, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect();
        let body = match timeout(ANSWER_WITHIN, body).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) => return Err(self.unreachable(error.to_string())),
            Err(_late) => return Err(self.silent(ANSWER_WITHIN)),
        };
        if head.status.is_success() {
            return Ok(Answer {
                headers: head.headers,
                body,
            });
        }
        Err(self.refusal(head.status, &body))
    }

    /// Why a request was not carried out.
    fn refusal(&self, status: StatusCode, body: &[u8]) -> Error {
        if let Ok(problem) = serde_json::from_slice::<Problem>(body) {
            return Error::Refused(problem.with_status(status.as_u16()));
        }
        // The answer to a question with HEAD has no body.
        let (code, detail) = match status.as_u16() {
            401 => ("unauthenticated", "the sign-in is over"),
            404 => ("no_such_upload", "the server does not know it"),
            410 => ("upload_expired", "the server has given it up"),
            423 => ("upload_locked", "another request works on it"),
            _ => return self.strange(format!("it says {status} and not why")),
        };
        Error::Refused(Problem::new(code, detail).with_status(status.as_u16()))
    }

    fn build(&self, request: Builder, content: Content) -> Result<Request<Content>> {
        let built = request.body(content);
        built.map_err(|error| self.strange(error.to_string()))
    }

    fn broken(&self, error: &hyper_util::client::legacy::Error) -> Error {
        let cause = innermost(error);
        let unconnected = if error.is_connect() {
            NO_CONNECTION
        } else {
            ""
        };
        self.unreachable(format!("{unconnected}{cause}"))
    }

    fn silent(&self, time: Duration) -> Error {
        self.unreachable(format!("nothing came for {} seconds", time.as_secs()))
    }

    pub(super) fn unreachable(&self, cause: String) -> Error {
        Error::Unreachable {
            server: self.server.to_string(),
            cause,
        }
    }

    pub(super) fn strange(&self, detail: String) -> Error {
        Error::Protocol {
            server: self.server.to_string(),
            detail,
        }
    }

    /// A number that an answer has to tell.
    pub(super) fn number(&self, headers: &HeaderMap, name: &HeaderName) -> Result<u64> {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        let number = value.and_then(|value| value.parse().ok());
        number.ok_or_else(|| self.strange(format!("it does not tell {name}")))
    }
}
