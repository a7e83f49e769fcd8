//! Carries one call to the server and reads its answer.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::Api;
use crate::error::{Error, NO_CONNECTION, Problem, Result};
use crate::net::{Connector, http_client, innermost};
use crate::server::Server;

const PREFIX: &str = "/api/v1";
/// The server gives a call 30 seconds.
const CALL_TIMEOUT: Duration = Duration::from_secs(35);
/// The longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// What may stand in a piece of a path as it is.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// A server and the open connections to it.
pub(crate) struct Caller {
    server: Server,
    client: Client<Connector, Full<Bytes>>,
}

impl Caller {
    pub(crate) fn new(server: Server) -> Self {
        let client = http_client(server.clone());
        Self { server, client }
    }

    pub(crate) fn server(&self) -> &Server {
        &self.server
    }
}

/// A piece of a path, for example an emoji.
pub(super) fn piece(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

/// `?a=1&b=2` of those that are given.
pub(super) fn query(parameters: &[(&str, Option<String>)]) -> String {
    let mut text = String::new();
    for (name, value) in parameters {
        if let Some(value) = value {
            text.push(if text.is_empty() { '?' } else { '&' });
            text.push_str(name);
            text.push('=');
            text.push_str(&piece(value));
        }
    }
    text
}

impl Api {
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.read(self.call(Method::GET, path, None).await?)
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T> {
        self.read(
            self.call(Method::POST, path, Some(self.json(body)?))
                .await?,
        )
    }

    pub(crate) async fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T> {
        self.read(
            self.call(Method::PATCH, path, Some(self.json(body)?))
                .await?,
        )
    }

    /// A call whose answer says nothing, or nothing of interest.
    pub(crate) async fn tell(
        &self,
        method: Method,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<()> {
        let body = body.map(|body| self.json(body)).transpose()?;
        self.call(method, path, body).await.map(drop)
    }

    /// Any call below `/api/v1`, for what this crate has no function for. The answer is its status
    /// and body.
    ///
    /// # Errors
    /// `Refused` for what the server answers with an error; the network's.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<(StatusCode, Bytes)> {
        match timeout(CALL_TIMEOUT, self.exchange(method, path, body)).await {
            Ok(answer) => answer,
            Err(_) => Err(self.unreachable(format!(
                "no answer within {} seconds",
                CALL_TIMEOUT.as_secs()
            ))),
        }
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<(StatusCode, Bytes)> {
        let request = self.request(method, path, body)?;
        let response = self.caller.client.request(request).await;
        let response = response.map_err(|error| {
            let cause = innermost(&error);
            let unconnected = if error.is_connect() {
                NO_CONNECTION
            } else {
                ""
            };
            self.unreachable(format!("{unconnected}{cause}"))
        })?;
        let (status, body) = self.collect(response).await?;
        if status.is_success() {
            return Ok((status, body));
        }
        match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => Err(Error::Refused(problem)),
            Err(_) => Err(self.strange(format!("it says {status} and not why"))),
        }
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<Request<Full<Bytes>>> {
        let wrong = |error: &dyn std::error::Error| Error::Protocol {
            server: self.server().to_string(),
            detail: error.to_string(),
        };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{PREFIX}{path}", self.server()));
        if let Some(token) = &self.token {
            let bearer = HeaderValue::try_from(format!("Bearer {token}"));
            let mut bearer = bearer.map_err(|error| wrong(&error))?;
            bearer.set_sensitive(true);
            request = request.header(AUTHORIZATION, bearer);
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        request
            .body(Full::new(body.unwrap_or_default()))
            .map_err(|error| wrong(&error))
    }

    async fn collect(&self, response: Response<Incoming>) -> Result<(StatusCode, Bytes)> {
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX);
        let body = body.collect().await;
        let body = body.map_err(|error| self.unreachable(error.to_string()))?;
        Ok((status, body.to_bytes()))
    }

    fn json(&self, body: &impl Serialize) -> Result<Bytes> {
        let json = serde_json::to_vec(body).map_err(|error| self.strange(error.to_string()))?;
        Ok(json.into())
    }

    fn read<T: DeserializeOwned>(&self, (_, body): (StatusCode, Bytes)) -> Result<T> {
        serde_json::from_slice(&body).map_err(|error| self.strange(error.to_string()))
    }

    fn strange(&self, detail: String) -> Error {
        Error::Protocol {
            server: self.server().to_string(),
            detail,
        }
    }

    fn unreachable(&self, cause: String) -> Error {
        Error::Unreachable {
            server: self.server().to_string(),
            cause,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_given_parameters_stand_in_a_query() {
        assert_eq!(query(&[("a", None)]), "");
        let both = query(&[
            ("q", Some("你好 &".to_owned())),
            ("b", None),
            ("l", Some("2".to_owned())),
        ]);
        assert_eq!(both, "?q=%E4%BD%A0%E5%A5%BD%20%26&l=2");
    }
}
