//! Support for the tests of the whole suite: real processes, raw connections, screenplays.
//!
//! Modules in reading order. The wire format is written here a second time, on purpose: tests
//! that shared the servers' codec could not find a mistake that both sides make.
//!
//! **Invariant:** nothing here sleeps to wait; everything waits for an event with a deadline.

pub mod dice;
pub mod wire;

pub mod peer;
pub mod person;
pub mod ports;
pub mod transfer;

pub mod api;
pub mod socket;
pub mod stream;

pub mod api_person;
pub mod courier;
pub mod hook_target;
pub mod http;
pub mod tls;

pub mod process;
pub mod terminal;

pub mod mariadb;
pub mod object_store;
pub mod server;

pub mod admin;
mod confinement;
pub mod fault_proxy;
pub mod faults;
pub mod files;
pub mod foreign;
pub mod machine;
pub mod memory_cap;
pub mod network;
pub mod sdk_person;

pub mod scenario;

pub mod proof;
