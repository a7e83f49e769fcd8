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
//! A device is `pc`, `android`, `websocket`, or `any`: then the play runs once with each, and once
//! with both kinds on the stage. `Bob's laptop` belongs to `Bob`. Whoever does something is
//! connected by it. The sentences are in `parse.rs`.

mod flamingo;
mod parse;
mod player;
mod stage;
mod websocket;

pub use parse::{Act, Play, Step, parse};
pub use player::{Cast, Change, Protocol, Thing};
pub use stage::perform;
