//! The network itself fails under people on the SDK who go on writing: nothing is lost or doubled.

use myim_tests::network::Namespace;
use myim_tests::server::{Db, Kind, Server, Setup};

mod link;
mod packets;

/// A server in a network of its own.
fn server_in(namespace: &Namespace) -> Server {
    Setup::new(Kind::Whole, Db::Sqlite)
        .open()
        .bind(&namespace.address())
        .wrapped(&namespace.wrapper())
        .chat_flag("--heartbeat-s", "1")
        .start()
}
