//! The one test binary of the suite.
//!
//! Every test starts what it needs and shares nothing, so they run in any order, side by side.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

/// Makes a test of each function that takes a running server: once with everything in one process
/// on SQLite and, for those in the second list, also with three servers on MariaDB.
macro_rules! tests {
    (sqlite: $($name:ident),* $(,)?; mariadb: $($both:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[test] fn $name() { super::$name(&mut myim_tests::server::Server::sqlite()); })*
        }
        mod on_mariadb {
            $(#[test] fn $both() { super::$both(&mut myim_tests::server::Server::mariadb()); })*
        }
    };
}

mod admin;
mod administration;
mod adoption;
mod api;
mod backups;
mod bad_inputs;
mod browser;
mod checklist;
mod clocks;
mod command_line;
mod counts;
mod crowds;
mod database_faults;
mod disks;
mod end_to_end;
mod explained;
mod files;
mod foreign;
mod licenses;
mod matrix;
mod one_port;
mod overload;
mod packaging;
mod pictures;
mod proof;
mod property;
mod scenarios;
mod sdk;
mod secrets;
mod terminal;
mod tidy;
mod tls;
mod upgrades;
mod vectors;
mod web_pages;
mod webhooks;
