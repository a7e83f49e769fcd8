//! The compatibility checklist of the protocol description, one test a row, same numbers.
//!
//! "Silence" is asserted by a heartbeat behind the request: the server answers in order, so its
//! reply being the next thing proves that there was no other.

mod accounts;
mod chat;
mod contacts;
mod doors;
mod framing;
mod groups;
mod presence;
mod transfer;

/// What is said to somebody who is not logged in.
const NOT_LOGGED_IN: &str = r#"{"code": 2, "msg": "not login, please login first!"}"#;
