//! Resident memory of connections that are logged in and do nothing.

use std::net::SocketAddr;

use crate::person::Person;
use crate::server::Server;
use crate::table::{Cell, Table};

/// One account logs in with each of the four client types: fewer passwords to hash.
const CLIENT_TYPES: usize = 4;
/// How many accounts one connection registers: one on which nobody logs in is closed after a while.
const REGISTERED_EACH: usize = 100;
/// How many logins are under way at a time.
const PARALLEL: usize = 64;

pub(crate) async fn run(server: &Server, counts: &[usize]) -> anyhow::Result<Vec<Table>> {
    let most = counts.iter().copied().max().unwrap_or_default();
    let accounts = most.div_ceil(CLIENT_TYPES);
    for first in (0..accounts).step_by(REGISTERED_EACH) {
        let mut newcomer = Person::connect(server.chat).await?;
        for account in first..accounts.min(first + REGISTERED_EACH) {
            newcomer.register(&format!("idle{account}")).await?;
        }
    }
    // One of each, so that what is made once is not counted; then the accounts log in once, so
    // that password hashing has left its memory behind before the first figure.
    let before = log_in(server.chat, 0, most.min(400)).await?;
    drop(before);
    let base = server.resident()?;
    let mut people = Vec::new();
    let mut table = Table::begin(
        "idle",
        &[
            ("connections", "logged-in connections"),
            ("resident_bytes", "resident, MiB"),
            ("bytes_a_connection", "bytes a connection"),
        ],
    );
    table.row([Cell::count(0), Cell::mib(base, 1), Cell::none("")]);
    for count in counts {
        people.extend(log_in(server.chat, people.len(), *count).await?);
        let resident = server.resident()?;
        let each = resident.saturating_sub(base) / u64::try_from(*count)?.max(1);
        table.row([
            Cell::size(*count),
            Cell::mib(resident, 1),
            Cell::count(each),
        ]);
    }
    Ok(vec![table])
}

async fn log_in(server: SocketAddr, from: usize, to: usize) -> anyhow::Result<Vec<Person>> {
    let mut people = Vec::with_capacity(to.saturating_sub(from));
    for start in (from..to).step_by(PARALLEL) {
        let logins = (start..to.min(start + PARALLEL)).map(|number| {
            tokio::spawn(async move {
                let mut person = Person::connect(server).await?;
                let name = format!("idle{}", number / CLIENT_TYPES);
                person.log_in(&name, number % CLIENT_TYPES + 1).await?;
                anyhow::Ok(person)
            })
        });
        for login in logins.collect::<Vec<_>>() {
            people.push(login.await??);
        }
    }
    Ok(people)
}
