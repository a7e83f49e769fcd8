//! One folder for each protocol: it translates between its own packets and the commands.
//!
//! **Invariant:** a protocol asks commands and walks logs; it writes nothing by itself. The names
//! and numbers of the existing clients stand only under `flamingo/`.

pub mod flamingo;
pub mod web;
