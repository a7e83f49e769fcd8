//! One delivery: from a target and a body to what the target says of it.

use std::io;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use common::id::{HookId, UserId};
use common::store::outgoing_hook::{Found, HookSecret};
use common::telemetry::metrics;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::time::timeout;
use uuid::Uuid;

use super::backoff::asked;
use super::permits::Permit;
use super::signature::sign;
use super::target::{self, Target, TargetError};
use crate::app::App;

/// How much a target may answer. Nobody reads it.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// The body of a test.
const PING: &[u8] = br#"{"event":"ping"}"#;

/// Something to be posted.
#[derive(Debug)]
pub(super) struct Delivery<'a> {
    pub(super) target: &'a Target,
    pub(super) secret: &'a HookSecret,
    /// Always the same for the same entry: by it a target recognizes what it has already.
    pub(super) id: &'a str,
    pub(super) body: Bytes,
}

/// What a target answered.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    status: StatusCode,
    /// How long it wants to be left alone.
    asked: Option<Duration>,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub(crate) enum PostError {
    #[error("{0}")]
    Target(#[from] TargetError),
    #[error("the target cannot be reached: {0}")]
    Unreachable(io::Error),
    #[error("the target did not answer within {} ms", .0.as_millis())]
    Slow(Duration),
    #[error("what the target answers is no HTTP: {0}")]
    NoHttp(hyper::Error),
    #[error("the target's answer is longer than {ANSWER_BYTES_MAX} bytes")]
    LongAnswer,
    #[error("the target's answer broke off")]
    BrokenOff,
    #[error("the webhook's secret cannot be used; make a new one with rotate_secret")]
    BadSecret,
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Taken,
    /// The target wants nothing any more.
    Gone,
    Failed {
        reason: String,
        asked: Option<Duration>,
    },
}

impl From<Result<Answer, PostError>> for Verdict {
    fn from(posted: Result<Answer, PostError>) -> Self {
        let Answer { status, asked } = match posted {
            Ok(answer) => answer,
            Err(error) => {
                return Self::Failed {
                    reason: error.to_string(),
                    asked: None,
                };
            }
        };
        let number = status.as_u16();
        let reason = match number {
            200..=299 => return Self::Taken,
            410 => return Self::Gone,
            300..=399 => format!("the target answers {number}; redirects are not followed"),
            _ => format!("the target answers {number}"),
        };
        Self::Failed { reason, asked }
    }
}

/// Waits until not too much is on its way already, of the person who answers for the hook and of
/// all. Cancel-safe.
pub(super) async fn permit(app: &App, answerable: UserId) -> Permit {
    app.webhooks.permits.get(answerable).await
}

/// Posts, and counts how it went.
pub(super) async fn post(app: &App, delivery: &Delivery<'_>, permit: Permit) -> Verdict {
    let verdict = Verdict::from(answer(app, delivery).await);
    drop(permit);
    match verdict {
        Verdict::Taken => metrics::WEBHOOK_POSTS_TAKEN.increment(1),
        Verdict::Gone | Verdict::Failed { .. } => metrics::WEBHOOK_POSTS_FAILED.increment(1),
    }
    verdict
}

/// Posts something that only shows whether the target answers; its status.
pub(crate) async fn ping(app: &App, found: &Found) -> Result<u16, PostError> {
    let hook = &found.hook;
    let target = Target::parse(&hook.url)?;
    let delivery = Delivery {
        target: &target,
        secret: &hook.secret,
        id: &ping_id(hook.hook),
        body: Bytes::from_static(PING),
    };
    let _permit = permit(app, found.answerable).await;
    let answer = answer(app, &delivery).await?;
    Ok(answer.status.as_u16())
}

fn ping_id(hook: HookId) -> String {
    format!("{hook}-ping-{}", Uuid::now_v7().simple())
}

async fn answer(app: &App, delivery: &Delivery<'_>) -> Result<Answer, PostError> {
    let within = app.webhooks.within;
    let exchange = Box::pin(exchange(app, delivery));
    let answered = timeout(within, exchange).await;
    answered.unwrap_or(Err(PostError::Slow(within)))
}

async fn exchange(app: &App, delivery: &Delivery<'_>) -> Result<Answer, PostError> {
    let webhooks = &app.webhooks;
    let request = request(app, delivery)?;
    let target = delivery.target;
    let addresses = target::checked(target, &webhooks.allowed, &webhooks.outward).await?;
    let name = target.name();
    let tls_name = target.is_https().then_some(name.as_str());
    let stream = webhooks.outward.open(&addresses, tls_name).await;
    let stream = TokioIo::new(stream.map_err(PostError::Unreachable)?);
    let (mut sender, connection) = http1::handshake(stream).await.map_err(PostError::NoHttp)?;
    let asking = async {
        let response = sender.send_request(request).await;
        let (head, body) = response.map_err(PostError::NoHttp)?.into_parts();
        let limited = Limited::new(body, ANSWER_BYTES_MAX);
        limited.collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                PostError::LongAnswer
            } else {
                PostError::BrokenOff
            }
        })?;
        let retry_after = head.headers.get(RETRY_AFTER);
        let retry_after = retry_after.and_then(|header| header.to_str().ok());
        Ok(Answer {
            status: head.status,
            asked: retry_after.and_then(|header| asked(header, &*app.clock)),
        })
    };
    let (mut asking, connection) = (pin!(asking), pin!(connection));
    tokio::select! {
        biased;
        answer = &mut asking => answer,
        // What had come before the connection ended is still there.
        _ = connection => asking.await,
    }
}

fn request(app: &App, delivery: &Delivery<'_>) -> Result<Request<Full<Bytes>>, PostError> {
    let timestamp = app.clock.now().0.div_euclid(1000);
    let signature = sign(delivery.secret, delivery.id, timestamp, &delivery.body);
    Request::post(delivery.target.path_and_query())
        .header(HOST, delivery.target.authority())
        .header(USER_AGENT, concat!("myim/", env!("CARGO_PKG_VERSION")))
        .header(CONTENT_TYPE, "application/json")
        .header(CONNECTION, "close")
        .header("webhook-id", delivery.id)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signature.ok_or(PostError::BadSecret)?)
        .body(Full::new(delivery.body.clone()))
        .map_err(|_| PostError::Target(TargetError::NoUrl))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: u16) -> Verdict {
        let status = StatusCode::from_u16(status).unwrap();
        let asked = Some(Duration::from_secs(9));
        Verdict::from(Ok(Answer { status, asked }))
    }

    #[test]
    fn the_status_decides() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(verdict(status), Verdict::Taken, "{status}");
        }
        assert_eq!(verdict(410), Verdict::Gone);
        for status in [300, 302, 307, 400, 404, 429, 500, 503] {
            let Verdict::Failed { reason, asked } = verdict(status) else {
                panic!("{status}");
            };
            assert!(reason.contains(&status.to_string()), "{reason}");
            assert_eq!(reason.contains("redirect"), status < 400, "{reason}");
            assert_eq!(asked, Some(Duration::from_secs(9)));
        }
    }
}
