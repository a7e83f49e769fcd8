//! What handlers take in: who asks, the body, the numbers in the path, the parameters of the query.

use std::error::Error as _;
use std::net::{IpAddr, SocketAddr};

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Path, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use super::operator::Operator;
use super::problem::Problem;
use super::router::WebState;
use super::{code, json};
use crate::command::admin::{Administrator, administrator};
use crate::command::{self, SignedIn};
use crate::rates::Class;

/// The longest body, in bytes: sixteen times the longest message.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Who asks, by `Authorization: Bearer TOKEN`. His own rate is counted here.
#[derive(Debug)]
pub(crate) struct Signed(pub(crate) SignedIn);

impl FromRequestParts<WebState> for Signed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        let token = bearer(&parts.headers).ok_or(code::UNAUTHENTICATED)?;
        let from = client_address(&parts.extensions)?;
        let signed = command::authenticate(&state.app, from, token).await?;
        if let Some(class) = parts.extensions.get::<Class>() {
            let account = signed.actor.user;
            let allowed = state.app.rates.take_of_account(*class, account);
            allowed.map_err(|wait| Problem::from(code::RATE_LIMITED).after(wait))?;
        }
        Ok(Self(signed))
    }
}

/// An administrator: somebody who is signed in and is one, or the operator of the machine.
#[derive(Debug)]
pub(crate) struct Admin(pub(crate) Administrator);

impl FromRequestParts<WebState> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        if let Some(Operator { uid }) = parts.extensions.get() {
            return Ok(Self(Administrator::operator(*uid)));
        }
        let Signed(signed) = Signed::from_request_parts(parts, state).await?;
        Ok(Self(administrator(&state.app, &signed).await?))
    }
}

pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// Where the request came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FromAddress(pub(crate) IpAddr);

impl FromRequestParts<WebState> for FromAddress {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &WebState) -> Result<Self, Problem> {
        client_address(&parts.extensions).map(Self)
    }
}

/// The address of the other end of the connection. Headers that claim another one are not
/// believed.
pub(super) fn client_address(extensions: &Extensions) -> Result<IpAddr, Problem> {
    extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(address)| address.ip().to_canonical())
        .ok_or_else(|| code::INTERNAL.into())
}

/// A JSON body.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<WebState> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &WebState) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(code::UNSUPPORTED_MEDIA_TYPE.into());
        }
        json::read(&bytes(request).await?).map(Self)
    }
}

/// A JSON body that may be left out.
#[derive(Debug)]
pub(crate) struct OptionalBody<T>(pub(crate) T);

impl<T: DeserializeOwned + Default> FromRequest<WebState> for OptionalBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &WebState) -> Result<Self, Problem> {
        let is_json = is_json(request.headers());
        let bytes = bytes(request).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        if !is_json {
            return Err(code::UNSUPPORTED_MEDIA_TYPE.into());
        }
        let body = json::read_optional(&bytes)?;
        Ok(Self(body.unwrap_or_default()))
    }
}

/// A JSON body, or a plain text in UTF-8.
#[derive(Debug)]
pub(crate) enum JsonOrText<T> {
    Json(T),
    Text(String),
}

impl<T: DeserializeOwned> FromRequest<WebState> for JsonOrText<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &WebState) -> Result<Self, Problem> {
        let is_text = is_kind(request.headers(), "text/plain");
        if !is_text && !is_json(request.headers()) {
            let detail = "the body is declared neither as application/json nor as text/plain";
            return Err(Problem::new(code::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        let bytes = bytes(request).await?;
        if !is_text {
            return json::read(&bytes).map(Self::Json);
        }
        let text = String::from_utf8(bytes.into());
        let problem = |_| Problem::new(code::INVALID_BODY, "the text is not UTF-8");
        text.map(Self::Text).map_err(problem)
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    is_kind(headers, "application/json")
}

fn is_kind(headers: &HeaderMap, wanted: &str) -> bool {
    let Some(Ok(declared)) = headers.get(CONTENT_TYPE).map(|value| value.to_str()) else {
        return false;
    };
    let kind = declared.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case(wanted)
}

async fn bytes(request: Request) -> Result<Bytes, Problem> {
    let declared = request.headers().get(CONTENT_LENGTH);
    let length = declared.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > BODY_BYTES_MAX) {
        return Err(code::PAYLOAD_TOO_LARGE.into());
    }
    let limited = Limited::new(request.into_body(), BODY_BYTES_MAX);
    let collected = limited.collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            code::PAYLOAD_TOO_LARGE.into()
        } else {
            Problem::new(code::INVALID_REQUEST, "the body broke off")
        }
    })?;
    Ok(collected.to_bytes())
}

/// The numbers in the path. Nothing stands at an address whose number is no number, so that is
/// `not_found`.
#[derive(Debug)]
pub(crate) struct InPath<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<WebState> for InPath<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(_) => Err(code::NOT_FOUND.into()),
        }
    }
}

/// The parameters of the query.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<WebState> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        let query = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        match query {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(QueryRejection::FailedToDeserializeQueryString(error)) => {
                // What is wrong, without the words about how it was found.
                let detail = error.source().map(ToString::to_string);
                let detail = detail.unwrap_or_else(|| error.body_text());
                Err(Problem::new(code::INVALID_PARAMETER, detail))
            }
            Err(_) => Err(code::INVALID_PARAMETER.into()),
        }
    }
}
