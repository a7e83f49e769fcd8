//! The Rust SDK of myim: for programs, bots, the command line and tests.
//!
//! Modules in reading order. [`Server`] says where to go; [`Api`] makes single calls over HTTP;
//! [`Client`] keeps a connection: it comes back by itself, sends what it accepted until the server
//! has it, and hands out every event once. What a client must not forget is in a [`store`].
//! [`model`] is what all of them speak of. [`flamingo`] is another protocol, that of the existing
//! clients.
//!
//! ```no_run
//! # async fn doc() -> Result<(), Box<dyn std::error::Error>> {
//! use client::model::{DeviceKind, Segment};
//! use client::{Api, Client, Device, Event, Server};
//!
//! let server: Server = "http://localhost:20000".parse()?;
//! let api = Api::new(server);
//! let signed_in = api
//!     .sign_in("ann", "correct horse", &Device::new(DeviceKind::Bot, "echo"))
//!     .await?;
//! let (client, mut events) = Client::builder(signed_in.api).start().await?;
//! while let Some(event) = events.next().await {
//!     if let Event::Entry(entry) = event {
//!         if let Some(message) = entry.message().filter(|message| message.sender != signed_in.user.id) {
//!             client.send(entry.conversation, message.segments.clone()).await?;
//!         }
//!         entry.confirm().await?;
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! **Invariant:** nothing here knows a server's insides; only `common`'s names and wire formats.
//! **Invariant:** every wait has a limit, every queue a bound.
//! **Invariant:** a message that [`Client::send`] accepted is stored once, or its failure is told.

mod error;
pub mod model;
mod net;
mod server;

pub mod api;
pub mod live;
pub mod store;
pub mod transfer;

pub mod flamingo;

pub use api::{Api, Device, SignedIn};
pub use error::{Error, Problem, Result};
pub use live::{
    Backlog, Client, ClientBuilder, Connection, Ended, Entry, Event, Events, Failed, Sending, Sent,
    Target,
};
pub use net::dial::{Dial, Io};
pub use server::{Server, ServerError};
