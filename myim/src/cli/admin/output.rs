//! Puts results on standard output: for people, or as one JSON object a line.

use std::io::{self, Write};

use serde_json::Value;

use super::table;
use super::trouble::Trouble;

#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    pub(super) json: bool,
}

impl Output {
    /// One result, in both forms.
    pub(super) fn line(self, value: &Value, text: &str) -> Result<(), Trouble> {
        self.lines(value, [text])
    }

    /// One result, of which people need more than a line.
    pub(super) fn lines<const N: usize>(
        self,
        value: &Value,
        lines: [&str; N],
    ) -> Result<(), Trouble> {
        if self.json {
            return write(&value.to_string());
        }
        write(&lines.map(table::harmless).join("\n"))
    }

    /// A list: a table for people, `cells` makes a row of an item.
    pub(super) fn list<const N: usize>(
        self,
        items: &[Value],
        head: [&str; N],
        cells: impl Fn(&Value) -> [String; N],
    ) -> Result<(), Trouble> {
        if self.json {
            return items.iter().try_for_each(|item| write(&item.to_string()));
        }
        let rows: Vec<[String; N]> = items.iter().map(cells).collect();
        table::lines(head, &rows)
            .iter()
            .try_for_each(|line| write(line))
    }
}

fn write(line: &str) -> Result<(), Trouble> {
    writeln!(io::stdout().lock(), "{line}")
        .map_err(|error| Trouble::refused(format!("cannot write the answer: {error}")))
}

/// A field as people read it; empty for null.
pub(super) fn text(item: &Value, field: &str) -> String {
    match &item[field] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => String::new(),
        other => other.to_string(),
    }
}

/// A time as people read it: without parts of a second.
pub(super) fn time(item: &Value, field: &str) -> String {
    let text = text(item, field);
    match text.split_once('.') {
        Some((seconds, _)) => format!("{}Z", seconds.replace('T', " ")),
        None => text,
    }
}

/// A number of bytes as people read it.
pub(super) fn bytes(count: u64) -> String {
    const UNITS: [(&str, u32); 4] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    for (unit, shift) in UNITS {
        if count >> shift > 0 {
            let tenths = (u128::from(count) * 10) >> shift;
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{count} bytes")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_shown_to_people() {
        let item = json!({"a": null, "b": true, "c": 7, "t": "2026-01-31T12:00:05.007Z"});
        assert_eq!(text(&item, "a"), "");
        assert_eq!(text(&item, "b"), "yes");
        assert_eq!(text(&item, "c"), "7");
        assert_eq!(time(&item, "t"), "2026-01-31 12:00:05Z");
        assert_eq!(time(&item, "a"), "");
        assert_eq!(bytes(1000), "1000 bytes");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(u64::MAX), "16777215.9 TiB");
    }
}
