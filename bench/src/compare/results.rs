//! What was measured: a table for people, and a file for programs.

use std::path::Path;

use serde_json::{Value, json};

use super::target::{Running, Target};
use crate::pairs::Measured;
use crate::relay::micros_as_ms;
use crate::spread::{Spread, count_as_f64};
use crate::table::{spread_value, write_value};

/// One run of one target.
pub(super) struct Relayed {
    target: Target,
    version: String,
    window: usize,
    delivered_a_s: f64,
    a_core_s: f64,
    p50_us: u64,
    p99_us: u64,
    server_share: f64,
    generator_share: f64,
}

impl Relayed {
    pub(super) fn new(running: &Running, window: usize, measured: &Measured) -> Self {
        let delivered = count_as_f64(measured.delays.len());
        Self {
            target: running.target,
            version: running.version.clone(),
            window,
            delivered_a_s: delivered / measured.elapsed_s,
            a_core_s: delivered / measured.server_s.max(0.01),
            p50_us: measured.delays.value_at_quantile(0.5),
            p99_us: measured.delays.value_at_quantile(0.99),
            server_share: measured.server_s / measured.elapsed_s,
            generator_share: measured.generator_s / measured.elapsed_s,
        }
    }
}

/// Memory of connections that do nothing.
pub(super) struct Idle {
    target: Target,
    connections: usize,
    base: u64,
    resident: u64,
}

impl Idle {
    pub(super) fn new(running: &Running, connections: usize, base: u64, resident: u64) -> Self {
        Self {
            target: running.target,
            connections,
            base,
            resident,
        }
    }

    fn bytes_each(&self) -> u64 {
        let connections = u64::try_from(self.connections).unwrap_or(u64::MAX).max(1);
        self.resident.saturating_sub(self.base) / connections
    }
}

/// Everything.
pub(super) struct Results {
    pairs: usize,
    seconds: u64,
    rounds: usize,
    relayed: Vec<Relayed>,
    idle: Vec<Idle>,
}

impl Results {
    pub(super) fn new(pairs: usize, seconds: u64, rounds: usize) -> Self {
        Self {
            pairs,
            seconds,
            rounds,
            relayed: Vec::new(),
            idle: Vec::new(),
        }
    }

    pub(super) fn relayed(&mut self, run: Relayed) {
        self.relayed.push(run);
    }

    pub(super) fn idle(&mut self, rows: Vec<Idle>) {
        self.idle.extend(rows);
    }

    /// The runs of each target with each window, in the order in which they were first made.
    fn groups(&self) -> Vec<Vec<&Relayed>> {
        let mut groups: Vec<Vec<&Relayed>> = Vec::new();
        for run in &self.relayed {
            let same = groups
                .iter_mut()
                .find(|group| group[0].target == run.target && group[0].window == run.window);
            match same {
                Some(group) => group.push(run),
                None => groups.push(vec![run]),
            }
        }
        groups
    }

    pub(super) fn print(&self) {
        if !self.relayed.is_empty() {
            self.print_relayed();
        }
        if !self.idle.is_empty() {
            self.print_idle();
        }
    }

    fn print_relayed(&self) {
        println!(
            "{} pairs, medians of {} rounds of {} s, the least and the most in parentheses\n",
            self.pairs, self.rounds, self.seconds
        );
        println!(
            "| server | protocol | durable | window | delivered/s | a core-second of the server | p50, p99, ms | server CPU | generator CPU |"
        );
        println!("|---|---|---|---|---|---|---|---|---|");
        for group in self.groups() {
            let first = group[0];
            let rate = spread_of(&group, |run| run.delivered_a_s);
            let a_core = spread_of(&group, |run| run.a_core_s);
            let p50 = spread_of(&group, |run| micros_as_ms(run.p50_us));
            let p99 = spread_of(&group, |run| micros_as_ms(run.p99_us));
            let server = spread_of(&group, |run| run.server_share * 100.0);
            let generator = spread_of(&group, |run| run.generator_share * 100.0);
            println!(
                "| {} {} | {} | {} | {} | {:.0} | {} | {:.2}, {:.2} | {:.0} % | {:.0} % |",
                first.target.server(),
                first.version,
                first.target.protocol(),
                if first.target.is_durable() {
                    "yes"
                } else {
                    "no"
                },
                first.window,
                rate.median,
                a_core.in_words(0),
                p50.median,
                p99.median,
                server.median,
                generator.median,
            );
        }
    }

    fn print_idle(&self) {
        println!(
            "\n| server | protocol | idle connections | resident before, MiB | with them, MiB | bytes a connection |"
        );
        println!("|---|---|---|---|---|---|");
        for row in &self.idle {
            println!(
                "| {} | {} | {} | {} | {} | {} |",
                row.target.server(),
                row.target.protocol(),
                row.connections,
                row.base / 1024 / 1024,
                row.resident / 1024 / 1024,
                row.bytes_each(),
            );
        }
    }

    pub(super) fn write(&self, file: &Path) -> anyhow::Result<()> {
        let relays: Vec<Value> = self.groups().iter().map(|group| relays(group)).collect();
        let idle: Vec<Value> = self
            .idle
            .iter()
            .map(|row| {
                json!({"server": row.target.server(), "protocol": row.target.protocol(),
                    "connections": row.connections, "resident_before_bytes": row.base,
                    "resident_bytes": row.resident, "bytes_a_connection": row.bytes_each()})
            })
            .collect();
        let all = json!({"pairs": self.pairs, "seconds": self.seconds, "rounds": self.rounds,
            "relays": relays, "idle": idle});
        write_value(file, &all)
    }
}

fn relays(group: &[&Relayed]) -> Value {
    let first = group[0];
    let spread = |of: fn(&Relayed) -> f64| spread_value(&spread_of(group, of));
    json!({
        "server": first.target.server(),
        "version": first.version,
        "protocol": first.target.protocol(),
        "durable": first.target.is_durable(),
        "window": first.window,
        "delivered_per_s": spread(|run| run.delivered_a_s),
        "delivered_per_server_core_s": spread(|run| run.a_core_s),
        "p50_ms": spread(|run| micros_as_ms(run.p50_us)),
        "p99_ms": spread(|run| micros_as_ms(run.p99_us)),
        "server_core_share": spread(|run| run.server_share),
        "generator_core_share": spread(|run| run.generator_share),
    })
}

fn spread_of(group: &[&Relayed], figure: impl Fn(&Relayed) -> f64) -> Spread {
    Spread::new(group.iter().map(|run| figure(run)).collect())
}
