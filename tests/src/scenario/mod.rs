//! Screenplays: tests that read like a conversation, run by a small interpreter.
//!
//! A play begins with its cast, one device a line, and goes on with one sentence a line:
//!
//! ```text
//! # Bob reads on the laptop what he missed.
//! [Ann]           any
//! [Bob's laptop]  pc
//! Ann befriends Bob
//! Ann says to Bob: one
//! Bob's laptop connects
//! Bob's laptop hears from Ann: one
//! ```
//!
//! A device is `pc`, `android`, or `any`: then the play runs once with each. `Bob's laptop` belongs
//! to `Bob`. Whoever does something is connected by it. The sentences are in `parse.rs`.

mod parse;
mod stage;

pub use parse::{Act, Play, Step, parse};
pub use stage::perform;
