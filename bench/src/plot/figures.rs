//! Which pictures there are, and which of the measured figures each shows.

use anyhow::{Context, ensure};
use serde_json::Value;

use super::bars::{self, Bar, Group};
use super::canvas::Ink;
use super::lines::{self, Line, Scale, Words};
use super::ranges::{self, Range};

pub(super) struct Plot {
    /// Of the picture.
    pub name: &'static str,
    /// The file of figures.
    pub results: &'static str,
    pub draw: fn(&Value) -> anyhow::Result<String>,
}

pub(super) const ALL: [Plot; 5] = [
    Plot {
        name: "peers.svg",
        results: "compare.json",
        draw: peers,
    },
    Plot {
        name: "idle-connections.svg",
        results: "compare-idle.json",
        draw: idle_connections,
    },
    Plot {
        name: "fan-out.svg",
        results: "fan-out.json",
        draw: fan_out,
    },
    Plot {
        name: "scale.svg",
        results: "scale.json",
        draw: scale,
    },
    Plot {
        name: "mixed-day.svg",
        results: "mixed-day.json",
        draw: mixed_day,
    },
];

fn peers(results: &Value) -> anyhow::Result<String> {
    let rows = rows(results, "relays")?;
    let mut groups: Vec<(u64, Group)> = Vec::new();
    for row in rows {
        let window = row["window"].as_u64().context("no window")?;
        let figures = &row["delivered_per_server_core_s"];
        let bar = Bar {
            name: name_of(row)?,
            figure: figure(figures)?,
            span: Some((figure(&figures["least"])?, figure(&figures["most"])?)),
            ink: ink_of(row),
        };
        match groups.iter_mut().find(|(of, _)| *of == window) {
            Some((_, group)) => group.bars.push(bar),
            None => {
                let messages = if window == 1 { "message" } else { "messages" };
                let heading = format!("{window} {messages} of each sender under way");
                let bars = vec![bar];
                groups.push((window, Group { heading, bars }));
            }
        }
    }
    let groups: Vec<Group> = groups.into_iter().map(|(_, group)| group).collect();
    bars::draw(
        "Messages delivered in a second of the server's processor time",
        "More is better. Only myim has each message on the disk before it delivers it.",
        &groups,
    )
}

fn idle_connections(results: &Value) -> anyhow::Result<String> {
    let rows = rows(results, "idle")?;
    let count = |row: &Value| row["connections"].as_u64().unwrap_or_default();
    let most = rows.iter().map(count).max().unwrap_or_default();
    let bars = rows
        .iter()
        .filter(|row| count(row) == most)
        .map(|row| {
            Ok(Bar {
                name: name_of(row)?,
                figure: figure(&row["bytes_a_connection"])?,
                span: None,
                ink: ink_of(row),
            })
        })
        .collect::<anyhow::Result<_>>()?;
    let heading = format!("Each of {most} connections");
    bars::draw(
        "Bytes of memory for a connection that does nothing",
        "Less is better.",
        &[Group { heading, bars }],
    )
}

fn fan_out(results: &Value) -> anyhow::Result<String> {
    let rows = rows(results, "groups")?;
    let line = |name, ink, key: &str| over(rows, "members", key, name, ink);
    let lines = [
        line("a second", Ink::Blue, "deliveries_per_s")?,
        line(
            "a core-second of the server",
            Ink::Orange,
            "deliveries_per_server_core_s",
        )?,
    ];
    let words = Words {
        title: "Deliveries into a group",
        below: "More is better. Everybody is on line and has each message.",
        across: "members",
    };
    lines::draw(&words, Scale::Even, &lines)
}

fn scale(results: &Value) -> anyhow::Result<String> {
    let rows = rows(results, "databases")?;
    let line = |name, ink, key: &str| over(rows, "messages", key, name, ink);
    let lines = [
        line("a word in all messages", Ink::Pink, "frequent_word_ms")?,
        line("1,024 messages are stored", Ink::Orange, "batch_ms")?,
        line("one message is stored", Ink::Blue, "message_ms")?,
        line("list of conversations", Ink::Purple, "list_ms")?,
        line("a rare word", Ink::Teal, "rare_word_ms")?,
        line("a page of history", Ink::Green, "history_ms")?,
        line("what is new", Ink::Quiet, "news_ms")?,
    ];
    let words = Words {
        title: "Milliseconds for a question, with more and more stored",
        below: "Less is better; a flat line is a cost that does not grow.",
        across: "messages in the database",
    };
    lines::draw(&words, Scale::Tenfold, &lines)
}

fn mixed_day(results: &Value) -> anyhow::Result<String> {
    let ranges = rows(results, "deeds")?
        .iter()
        .map(|row| {
            let text = |key: &str| row[key].as_str().context("no name");
            let (what, until) = (text("what")?, text("until")?);
            Ok(Range {
                name: format!("{what}: {until}"),
                usual: figure(&row["p50_ms"])?,
                rare: figure(&row["p99_ms"])?,
                ink: match until {
                    "received" => Ink::Orange,
                    _ => Ink::Blue,
                },
            })
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    ranges::draw(
        "A day of an office: milliseconds from the planned moment",
        "Half are quicker than the dot, 99 of 100 quicker than the ring.",
        &ranges,
    )
}

fn over(rows: &[Value], x: &str, y: &str, name: &'static str, ink: Ink) -> anyhow::Result<Line> {
    let points = rows
        .iter()
        .map(|row| Ok((figure(&row[x])?, figure(&row[y])?)))
        .collect::<anyhow::Result<_>>()?;
    Ok(Line { name, ink, points })
}

fn rows<'a>(results: &'a Value, name: &str) -> anyhow::Result<&'a [Value]> {
    let rows = results[name].as_array();
    let rows = rows.with_context(|| format!("there are no {name}"))?;
    ensure!(!rows.is_empty(), "{name} is empty");
    Ok(rows)
}

/// One that was measured once, or the median of several.
fn figure(value: &Value) -> anyhow::Result<f64> {
    let one = value.as_f64().or_else(|| value["median"].as_f64());
    one.with_context(|| format!("no figure: {value}"))
}

fn name_of(row: &Value) -> anyhow::Result<String> {
    let text = |key: &str| row[key].as_str().with_context(|| format!("no {key}"));
    Ok(format!("{}, {}", text("server")?, text("protocol")?))
}

fn ink_of(row: &Value) -> Ink {
    match row["server"] == "myim" {
        true => Ink::Blue,
        false => Ink::Quiet,
    }
}
