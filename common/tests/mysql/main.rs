//! The store on a real MySQL or MariaDB server: the contract of all stores, and what only this one
//! can get wrong.
#![cfg(feature = "contract")]
#![allow(clippy::unwrap_used, reason = "these are tests")]

mod server;

mod adoption;
mod contract;
mod locks;
mod opening;
mod outage;
mod several;
