//! Who may do what: every route and every command, as everybody who might try.

mod api;
mod enumeration;
mod flamingo;
mod theft;
