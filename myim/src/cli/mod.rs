//! The command line's verbs, one file each.

pub(crate) mod flamingo;
