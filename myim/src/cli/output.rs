//! Puts results on standard output: tables and lines for people, or one JSON object a line.

use std::io::{self, IsTerminal, Write};

use client::model::Timestamp;
use common::config::PersonalEnvironment;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::json;
use unicode_width::UnicodeWidthStr;

use super::harmless;
use crate::failure::{Ending, advice, judge};

/// How results are shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) json: bool,
    color: bool,
}

/// A color on terminals that want some.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Color {
    Bold,
    Dim,
    Cyan,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        let color = io::stdout().is_terminal() && !PersonalEnvironment::read().no_color;
        Self { json, color }
    }

    /// One result as the API names its fields, or as a sentence.
    pub(crate) fn result(self, value: &impl Serialize, sentence: &str) -> anyhow::Result<()> {
        if self.json {
            self.object(value)
        } else {
            self.line(&harmless::text(sentence))
        }
    }

    /// One JSON object in one line.
    pub(crate) fn object(self, value: &impl Serialize) -> anyhow::Result<()> {
        let json = serde_json::to_string(value)?;
        self.line(&harmless::json(&json))
    }

    /// A line that is harmless already.
    pub(crate) fn line(self, line: &str) -> anyhow::Result<()> {
        writeln!(io::stdout().lock(), "{line}")?;
        Ok(())
    }

    /// Many results: an object each, or a table whose cells are made harmless here.
    pub(crate) fn list<T: Serialize, const N: usize>(
        self,
        items: &[T],
        heads: [&str; N],
        row: impl Fn(&T) -> [String; N],
    ) -> anyhow::Result<()> {
        if self.json {
            return items.iter().try_for_each(|item| self.object(item));
        }
        let rows: Vec<[String; N]> = items
            .iter()
            .map(|item| row(item).map(|cell| harmless::line(&cell)))
            .collect();
        let mut out = io::stdout().lock();
        out.write_all(self.table(heads, &rows).as_bytes())?;
        Ok(())
    }

    fn table<const N: usize>(self, heads: [&str; N], rows: &[[String; N]]) -> String {
        let mut widths = heads.map(UnicodeWidthStr::width);
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        let mut text = String::new();
        let mut add = |cells: &[&str], color: Option<Color>| {
            let mut line = String::new();
            for (cell, width) in cells.iter().zip(widths) {
                line.push_str(cell);
                line.push_str(&" ".repeat(width - cell.width() + 2));
            }
            let line = line.trim_end();
            match color {
                Some(color) => text.push_str(&self.paint(line, color)),
                None => text.push_str(line),
            }
            text.push('\n');
        };
        add(&heads, Some(Color::Bold));
        for row in rows {
            let cells: Vec<&str> = row.iter().map(String::as_str).collect();
            add(&cells, None);
        }
        text
    }

    /// The text in a color, where colors are welcome.
    pub(crate) fn paint(self, text: &str, color: Color) -> String {
        if !self.color {
            return text.to_owned();
        }
        let code = match color {
            Color::Bold => 1,
            Color::Dim => 2,
            Color::Cyan => 36,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// A time as people read it, in the zone of this machine.
pub(crate) fn when(time: Timestamp) -> String {
    let there = time.to_zoned(TimeZone::system());
    there.strftime("%Y-%m-%d %H:%M").to_string()
}

/// Tells what went on, on standard error: it is no result.
pub(crate) fn note(json: bool, word: &str, sentence: &str) {
    let line = if json {
        json!({"note": {"code": word, "message": sentence}}).to_string()
    } else {
        format!("myim: {sentence}")
    };
    tell(json, &line);
}

/// Tells why a command failed, on standard error, and how the program ends.
pub(crate) fn report(error: &anyhow::Error, json: bool) -> Ending {
    let (code, ending) = judge(error);
    let mut sentence = format!("{error:#}");
    if let Some(advice) = advice(error) {
        sentence = format!("{}{advice}", sentence.trim_end_matches('.'));
    }
    let line = if json {
        json!({"error": {"code": code, "message": sentence}}).to_string()
    } else {
        format!("myim: {sentence}")
    };
    tell(json, &line);
    ending
}

fn tell(json: bool, line: &str) {
    let clean = if json {
        harmless::json(line).into_owned()
    } else {
        harmless::text(line)
    };
    // If nobody listens there is nobody else to tell.
    let _ = writeln!(io::stderr().lock(), "{clean}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_is_seen() {
        let plain = Output {
            json: false,
            color: false,
        };
        let rows = [
            ["王小明".to_owned(), "1".to_owned()],
            ["ann".to_owned(), "2".to_owned()],
        ];
        let table = plain.table(["NAME", "ID"], &rows);
        assert_eq!(table, "NAME    ID\n王小明  1\nann     2\n");
    }

    #[test]
    fn colors_are_only_where_they_are_welcome() {
        let colored = Output {
            json: false,
            color: true,
        };
        assert_eq!(colored.paint("a", Color::Dim), "\u{1b}[2ma\u{1b}[0m");
        let plain = Output {
            color: false,
            ..colored
        };
        assert_eq!(plain.paint("a", Color::Dim), "a");
    }
}
