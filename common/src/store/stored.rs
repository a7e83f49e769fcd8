//! How the body of an entry is kept: the columns `f_kind` and `f_msgcontent` of `t_chatmsg`.

use bytes::Bytes;

use super::StoreError;
use crate::api::{Body, Dialect};

/// `f_kind` of a notice; a message has its dialect's number.
pub(super) const KIND_NOTICE: i64 = 0;

/// Kind and content of a body.
pub(super) fn columns(body: &Body) -> Result<(i64, Bytes), StoreError> {
    match body {
        Body::Message { dialect, content } => Ok((dialect_number(*dialect), content.clone())),
        Body::Notice(notice) => serde_json::to_vec(notice)
            .map(|json| (KIND_NOTICE, Bytes::from(json)))
            .map_err(|error| StoreError::Broken(format!("a notice has no JSON: {error}"))),
    }
}

/// The body that was kept so.
pub(super) fn body(kind: i64, content: Vec<u8>) -> Result<Body, StoreError> {
    let dialect = match kind {
        KIND_NOTICE => {
            return serde_json::from_slice(&content)
                .map(Body::Notice)
                .map_err(|error| StoreError::Broken(format!("an unreadable notice: {error}")));
        }
        1 => Dialect::Flamingo,
        2 => Dialect::Segments,
        other => return Err(StoreError::Broken(format!("an entry of the kind {other}"))),
    };
    let content = Bytes::from(content);
    Ok(Body::Message { dialect, content })
}

pub(super) fn dialect_number(dialect: Dialect) -> i64 {
    match dialect {
        Dialect::Flamingo => 1,
        Dialect::Segments => 2,
    }
}
