//! Whether the time of a refused sign-in tells who has an account: an unknown name beside a wrong
//! password, over the API and over the existing clients' protocol.
//!
//! They take turns, so that both meet the same mood of the machine.

use std::time::Instant;

use anyhow::ensure;
use bytes::Bytes;
use common::wire::command;
use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::person::{Person, packet};
use crate::relay::micros_as_ms;
use crate::server::Server;
use crate::table::{Cell, Table};
use crate::web::WebPerson;

/// Tries before those that count.
const WARM_UP: usize = 20;

pub(crate) async fn run(server: &Server, tries: usize) -> anyhow::Result<Vec<Table>> {
    let ann = WebPerson::new(server.chat, "ann").await?;
    let mut table = Table::begin(
        "refusals",
        &[
            ("what", &format!("{tries} tries each")),
            ("p50_ms", "median, ms"),
            ("p95_ms", "95th of 100, ms"),
            ("share_of_the_other", "median against the other"),
        ],
    );
    let mut times = Times::new()?;
    for number in 0..WARM_UP + tries {
        for kind in [Kind::UnknownName, Kind::WrongPassword] {
            let device = json!({"kind": "web", "id": "bench"});
            let name = kind.name(number);
            let body = json!({"username": name, "password": "a guess", "device": device});
            let began = Instant::now();
            let answer = ann.post("/api/v1/sessions", &body).await;
            times.note(kind, began, number)?;
            ensure!(
                answer.is_err_and(|error| error.to_string().contains("401")),
                "a sign-in with a guess was not refused"
            );
        }
    }
    times.rows("API", &mut table);
    let mut times = Times::new()?;
    for number in 0..WARM_UP + tries {
        for kind in [Kind::UnknownName, Kind::WrongPassword] {
            let mut person = Person::connect(server.chat).await?;
            let name = kind.name(number);
            let data =
                json!({"username": name, "password": "a guess", "clienttype": 1, "status": 1});
            let login = packet(command::LOGIN, data.to_string(), Bytes::new());
            let began = Instant::now();
            person.send(&[login]).await?;
            let answer = person.expect(command::LOGIN).await?;
            times.note(kind, began, number)?;
            let answer: Value = serde_json::from_slice(&answer.data)?;
            ensure!(answer["code"] != 0, "a login with a guess was not refused");
        }
    }
    times.rows("existing clients", &mut table);
    Ok(vec![table])
}

#[derive(Clone, Copy)]
enum Kind {
    UnknownName,
    WrongPassword,
}

impl Kind {
    fn name(self, number: usize) -> String {
        match self {
            // As long as the other one.
            Self::UnknownName => format!("x{:02}", number % 100),
            Self::WrongPassword => "ann".to_owned(),
        }
    }
}

struct Times {
    unknown: Histogram<u64>,
    wrong: Histogram<u64>,
}

impl Times {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            unknown: Histogram::new(3)?,
            wrong: Histogram::new(3)?,
        })
    }

    fn note(&mut self, kind: Kind, began: Instant, number: usize) -> anyhow::Result<()> {
        let took_us = u64::try_from(began.elapsed().as_micros())?;
        if number < WARM_UP {
            return Ok(());
        }
        match kind {
            Kind::UnknownName => self.unknown.record(took_us)?,
            Kind::WrongPassword => self.wrong.record(took_us)?,
        }
        Ok(())
    }

    fn rows(&self, protocol: &str, table: &mut Table) {
        let rows = [
            ("unknown name", &self.unknown, &self.wrong),
            ("wrong password", &self.wrong, &self.unknown),
        ];
        for (what, times, other) in rows {
            let at = |quantile| Cell::micros(times.value_at_quantile(quantile), 2);
            let (median, base) = (times.value_at_quantile(0.5), other.value_at_quantile(0.5));
            table.row([
                Cell::text(format!("{protocol}, {what}")),
                at(0.5),
                at(0.95),
                Cell::figure(micros_as_ms(median) / micros_as_ms(base.max(1)), 3),
            ]);
        }
    }
}
