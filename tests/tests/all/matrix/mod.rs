//! Who may do what: every route, every command and every operation, as everybody who might try.

mod api;
mod enumeration;
mod flamingo;
mod passwords;
mod sockets;
mod theft;
mod transfer;
