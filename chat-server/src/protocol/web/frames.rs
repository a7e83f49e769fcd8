//! What travels in the text frames of a WebSocket: requests and answers as JSON.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::json;
use super::problem::Problem;

/// The longest text that a client may call a request, in bytes.
const ID_BYTES_MAX: usize = 64;

/// What a client calls its request. Repeated in the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Id {
    Positive(u64),
    Negative(i64),
    Text(String),
}

/// What every request has.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Envelope {
    /// A request without one gets no answer.
    #[serde(default)]
    pub(super) id: Option<Id>,
    pub(super) op: String,
}

/// Reads the frame of a request; `None` for what cannot even be answered: no JSON, no object, no
/// operation, no usable id. What is JSON but nested too deep, or has a key twice, is a problem.
pub(super) fn envelope(text: &[u8]) -> Option<(Envelope, Result<(), Problem>)> {
    let (envelope, checked) = match json::read::<Envelope>(text) {
        Ok(envelope) => (envelope, Ok(())),
        Err(problem) => (serde_json::from_slice(text).ok()?, Err(problem)),
    };
    match &envelope.id {
        Some(Id::Text(id)) if id.len() > ID_BYTES_MAX => None,
        _ => Some((envelope, checked)),
    }
}

/// Reads what an operation needs.
///
/// # Errors
/// `invalid_body`, as for the same mistake in the body of a request over HTTP.
pub(super) fn fields<T: DeserializeOwned>(text: &[u8]) -> Result<T, Problem> {
    json::fields(text)
}

#[derive(Serialize)]
struct Answer<'a, T> {
    id: &'a Id,
    #[serde(skip_serializing_if = "Option::is_none")]
    ok: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Error<'a>>,
}

#[derive(Serialize)]
struct Error<'a> {
    code: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

/// The answer to a request that was carried out.
pub(super) fn ok<T: Serialize>(id: &Id, ok: T) -> String {
    write(&Answer {
        id,
        ok: Some(ok),
        error: None,
    })
}

/// The answer to a request that was not.
pub(super) fn error(id: &Id, problem: &Problem) -> String {
    write(&Answer::<()> {
        id,
        ok: None,
        error: Some(Error {
            code: problem.code.word,
            message: &problem.detail,
            retry_after: problem.retry_after,
        }),
    })
}

fn write<T: Serialize>(answer: &T) -> String {
    // Texts, numbers and lists can always be written.
    serde_json::to_string(answer).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::code;
    use super::*;

    #[test]
    fn a_request_has_an_operation_and_perhaps_an_id() {
        let read = |text: &str| envelope(text.as_bytes()).map(|(envelope, _)| envelope);
        let ping = |id| {
            let op = "ping".to_owned();
            Some(Envelope { id, op })
        };
        assert_eq!(read(r#"{"op":"ping","x":1}"#), ping(None));
        assert_eq!(read(r#"{"id":7,"op":"ping"}"#), ping(Some(Id::Positive(7))));
        assert_eq!(
            read(r#"{"id":"a","op":"ping"}"#),
            ping(Some(Id::Text("a".to_owned())))
        );
        for wrong in [
            "",
            "[]",
            "7",
            r#"{"id":7}"#,
            r#"{"op":7}"#,
            r#"{"id":1.5,"op":"ping"}"#,
            r#"{"id":[],"op":"ping"}"#,
            r#"{"op":"ping","op":"hello"}"#,
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        let deep = format!(
            r#"{{"op":"ping","x":{}{}}}"#,
            "[".repeat(40),
            "]".repeat(40)
        );
        let (_, checked) = envelope(deep.as_bytes()).unwrap();
        assert_eq!(checked.unwrap_err().code, code::INVALID_JSON);
        let long = format!(r#"{{"id":"{}","op":"ping"}}"#, "x".repeat(65));
        assert_eq!(read(&long), None);
    }

    #[test]
    fn answers_repeat_the_id() {
        assert_eq!(
            ok(&Id::Positive(1), serde_json::json!({})),
            r#"{"id":1,"ok":{}}"#
        );
        let wait = std::time::Duration::from_secs(2);
        let problem = Problem::new(code::RATE_LIMITED, "slower").after(wait);
        assert_eq!(
            error(&Id::Text("a".to_owned()), &problem),
            r#"{"id":"a","error":{"code":"rate_limited","message":"slower","retry_after":2}}"#
        );
    }
}
