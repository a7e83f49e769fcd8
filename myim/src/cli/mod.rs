//! The command line beside the servers: one command, one file.

pub(crate) mod admin;
pub(crate) mod completions;
pub(crate) mod duration;
pub(crate) mod flamingo;
pub(crate) mod harmless;
pub(crate) mod import;
pub(crate) mod man;
pub(crate) mod output;
pub(crate) mod password;
pub(crate) mod talk;
