//! A client's side of myim's protocols, for programs, bots, the command line and tests.
//!
//! **Invariant:** nothing here knows a server's insides; only `common`'s names and wire formats.
//! **Invariant:** every wait has a limit, every queue a bound.

pub mod flamingo;
