//! The HTTP and WebSocket API, on the same port as the protocol of the existing clients, and beside
//! it in `pages` the web client.
//!
//! `router` says what there is, [`common::http`] serves it on a socket. Routes read a request, call a
//! command and show what it returns; what went wrong becomes a [`problem::Problem`]. Who may do or
//! see what is decided by the commands, not here.

mod acks;
mod close_reason;
mod code;
mod document;
mod document_page;
mod ephemeral;
mod events;
mod export;
mod extract;
mod file_servers;
mod frames;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod greeting;
mod json;
mod layers;
mod list_page;
mod live;
mod operator;
mod ops;
mod pages;
mod presence;
mod problem;
mod router;
mod routes;
mod sealed_position;
mod send_order;
mod shape;
mod showing;
mod socket;
mod summaries;
mod sync;
#[cfg(test)]
mod tests;
mod ws;

pub use common::http::{Guest, Windows, serve};
pub use operator::{Operator, serve as serve_operator};
pub use pages::address as page_address;
pub use router::{operators_router, router};
pub(crate) use showing::Showing;
