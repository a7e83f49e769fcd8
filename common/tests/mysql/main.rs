//! The store on a real MySQL or MariaDB server: what the contract for all stores does not cover.
#![cfg(feature = "contract")]

mod server;

mod adoption;
mod opening;
mod outage;
mod several;
