//! Every captured client stream, replayed against the real server; the answers compared field by
//! field with what the original answered.
//!
//! What is volatile is masked, as `README` beside the captures says; where this suite means to
//! answer differently, a table says so with the reason.

mod captured;
mod chat;
mod doors;
mod transfer;
