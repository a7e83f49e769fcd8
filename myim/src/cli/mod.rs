//! The command line beside the servers: one command, one file.

pub(crate) mod admin;
pub(crate) mod flamingo;
pub(crate) mod import;
