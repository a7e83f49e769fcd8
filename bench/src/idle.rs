//! Resident memory of connections that are logged in and do nothing, what the system holds for them,
//! and the processor time that they take.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::try_join_all;

use crate::arguments::Protocol;
use crate::person::Person;
use crate::proc;
use crate::server::Server;
use crate::table::{Cell, Table};
use crate::web::{Live, WebPerson, devices};

/// One account logs in with each of the four client types: fewer passwords to hash.
const CLIENT_TYPES: usize = 4;
/// How many accounts one connection registers: one on which nobody logs in is closed after a while.
const REGISTERED_EACH: usize = 100;
/// How many logins are under way at a time.
const PARALLEL: usize = 64;

/// Who is idle.
#[derive(clap::Args)]
pub(crate) struct Plan {
    /// How many connections; measured after each number
    #[arg(value_name = "N", default_values_t = [1_000, 10_000])]
    connections: Vec<usize>,
    /// What they speak
    #[arg(long, value_enum, default_value_t = Protocol::Flamingo)]
    protocol: Protocol,
}

/// How many log in before the first figure, and leave again: what is made once is not counted.
const WARMING: usize = 400;
/// How long nobody does anything, long enough for everything that is done by the clock.
const SILENCE: Duration = Duration::from_secs(30);

/// Who logs in, one after the other.
enum Crowd {
    Flamingo { server: SocketAddr },
    WebSocket { devices: Vec<WebPerson> },
}

/// Connections that do nothing.
#[derive(Default)]
struct Idle {
    flamingo: Vec<Person>,
    web_socket: Vec<Live>,
}

pub(crate) async fn run(server: &Server, plan: &Plan) -> anyhow::Result<Vec<Table>> {
    let most = plan.connections.iter().copied().max().unwrap_or_default();
    let crowd = match plan.protocol {
        Protocol::Flamingo => Crowd::flamingo(server.chat, most).await?,
        Protocol::WebSocket => Crowd::WebSocket {
            devices: devices(server.chat, most).await?,
        },
    };
    // Password hashing has left its memory behind, too.
    let mut before = Idle::default();
    crowd.log_in(&mut before, 0, most.min(WARMING)).await?;
    drop(before);
    // Some of that it gives back by the clock.
    let silent_s = silence(server).await?;
    let base = server.resident()?;
    let system_base = proc::slab()?;
    let mut idle = Idle::default();
    let mut logged_in = 0;
    let mut table = Table::begin(
        "idle",
        &[
            ("connections", "logged-in connections"),
            ("resident_bytes", "resident, MiB"),
            ("bytes_a_connection", "bytes a connection"),
            (
                "system_bytes_a_connection",
                "the system's for both ends, bytes a connection",
            ),
            (
                "processor_s",
                &format!("server CPU, s of {}", SILENCE.as_secs()),
            ),
        ],
    );
    table.row([
        Cell::count(0),
        Cell::mib(base, 1),
        Cell::none(""),
        Cell::none(""),
        Cell::figure(silent_s, 2),
    ]);
    for count in &plan.connections {
        crowd.log_in(&mut idle, logged_in, *count).await?;
        logged_in = logged_in.max(*count);
        let resident = server.resident()?;
        let connections = u64::try_from(*count)?.max(1);
        let each = resident.saturating_sub(base) / connections;
        let of_system = proc::slab()?.saturating_sub(system_base) / connections;
        table.row([
            Cell::size(*count),
            Cell::mib(resident, 1),
            Cell::count(each),
            Cell::count(of_system),
            Cell::figure(silence(server).await?, 2),
        ]);
    }
    Ok(vec![table])
}

/// Processor time of the server while nobody does anything.
async fn silence(server: &Server) -> anyhow::Result<f64> {
    let before = server.processor_s()?;
    tokio::time::sleep(SILENCE).await;
    Ok(server.processor_s()? - before)
}

impl Crowd {
    async fn flamingo(server: SocketAddr, most: usize) -> anyhow::Result<Self> {
        let accounts = most.div_ceil(CLIENT_TYPES);
        for first in (0..accounts).step_by(REGISTERED_EACH) {
            let mut newcomer = Person::connect(server).await?;
            for account in first..accounts.min(first + REGISTERED_EACH) {
                newcomer.register(&format!("idle{account}")).await?;
            }
        }
        Ok(Self::Flamingo { server })
    }

    async fn log_in(&self, idle: &mut Idle, from: usize, to: usize) -> anyhow::Result<()> {
        for start in (from..to).step_by(PARALLEL) {
            let numbers = start..to.min(start + PARALLEL);
            match self {
                Self::Flamingo { server } => {
                    let people = numbers.map(|number| log_in(*server, number));
                    idle.flamingo.extend(try_join_all(people).await?);
                }
                Self::WebSocket { devices } => {
                    let lives = devices[numbers].iter().map(|device| device.live("recent"));
                    idle.web_socket.extend(try_join_all(lives).await?);
                }
            }
        }
        Ok(())
    }
}

async fn log_in(server: SocketAddr, number: usize) -> anyhow::Result<Person> {
    let mut person = Person::connect(server).await?;
    let name = format!("idle{}", number / CLIENT_TYPES);
    person.log_in(&name, number % CLIENT_TYPES + 1).await?;
    Ok(person)
}
