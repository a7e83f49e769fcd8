//! How much memory a server takes while something goes on, and the system for its connections.

use std::time::Duration;

use anyhow::Context;
use tokio::task::JoinSet;
use tokio::time::interval;

use crate::server::Server;

/// How often memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The most that was seen, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Highest {
    /// Resident memory of the server.
    pub(crate) resident: u64,
    /// What the system holds of all TCP connections of this machine.
    pub(crate) sockets: u64,
}

impl Highest {
    /// Takes what there is now into account.
    pub(crate) fn look(&mut self, server: &Server) -> anyhow::Result<()> {
        self.resident = self.resident.max(server.resident()?);
        self.sockets = self.sockets.max(sockets()?);
        Ok(())
    }
}

/// Looks until all of these are done; fails with the first that does.
pub(crate) async fn highest_while(
    server: &Server,
    mut tasks: JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<Highest> {
    let (mut highest, mut looks) = (Highest::default(), interval(LOOK_EVERY));
    highest.look(server)?;
    loop {
        tokio::select! {
            task = tasks.join_next() => match task {
                Some(task) => task??,
                None => return Ok(highest),
            },
            _ = looks.tick() => highest.look(server)?,
        }
    }
}

/// What is sent and not read yet, in the system.
fn sockets() -> anyhow::Result<u64> {
    let told = std::fs::read_to_string("/proc/net/sockstat")?;
    let line = told.lines().find(|line| line.starts_with("TCP:"));
    let words = line.unwrap_or_default().split_whitespace();
    let pages = words.skip_while(|word| *word != "mem").nth(1);
    let pages: u64 = pages.context("no memory of TCP")?.parse()?;
    Ok(pages * page_bytes()?)
}

fn page_bytes() -> anyhow::Result<u64> {
    let told = std::fs::read_to_string("/proc/self/smaps")?;
    let line = told
        .lines()
        .find_map(|line| line.strip_prefix("KernelPageSize:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(kib.context("no size of a page")?.parse::<u64>()? << 10)
}

/// What each of so many took more than there was before, in KiB.
pub(crate) fn kib_each(before: u64, highest: u64, count: u64) -> f64 {
    let bytes = highest.saturating_sub(before) / count.max(1);
    f64::from(u32::try_from(bytes >> 10).unwrap_or(u32::MAX))
}
