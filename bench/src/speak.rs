//! How clients of each server log in, and how they speak from then on.

pub(crate) mod flamingo;
pub(crate) mod mqtt;
pub(crate) mod web_socket;
pub(crate) mod xmpp;
