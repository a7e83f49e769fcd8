//! A table of figures: printed for people while it is measured, and kept for a file that programs
//! read.

use std::path::Path;

use anyhow::Context;
use serde_json::{Map, Value, json};

use crate::relay::micros_as_ms;
use crate::spread::{Spread, count_as_f64};

/// What was measured, row by row.
#[derive(Debug)]
pub(crate) struct Table {
    name: &'static str,
    keys: Vec<&'static str>,
    rows: Vec<Value>,
}

/// One figure, or a few words.
#[derive(Debug)]
pub(crate) struct Cell {
    words: String,
    value: Value,
}

impl Table {
    /// Prints the head. A column has a name in the file, with its unit last, and one for people.
    pub(crate) fn begin(name: &'static str, columns: &[(&'static str, &str)]) -> Self {
        let headings: Vec<&str> = columns.iter().map(|(_, heading)| *heading).collect();
        println!("| {} |", headings.join(" | "));
        println!("|{}", "---|".repeat(columns.len()));
        Self {
            name,
            keys: columns.iter().map(|(key, _)| *key).collect(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let cells: Vec<Cell> = cells.into_iter().collect();
        let words: Vec<&str> = cells.iter().map(|cell| cell.words.as_str()).collect();
        println!("| {} |", words.join(" | "));
        let row: Map<String, Value> = self
            .keys
            .iter()
            .zip(cells)
            .map(|(key, cell)| ((*key).to_owned(), cell.value))
            .collect();
        self.rows.push(row.into());
    }
}

impl Cell {
    pub(crate) fn text(words: impl Into<String>) -> Self {
        let words = words.into();
        Self {
            value: words.as_str().into(),
            words,
        }
    }

    /// No figure, and why.
    pub(crate) fn none(why: &str) -> Self {
        Self {
            words: why.to_owned(),
            value: Value::Null,
        }
    }

    pub(crate) fn count(count: u64) -> Self {
        Self {
            words: count.to_string(),
            value: count.into(),
        }
    }

    pub(crate) fn size(count: usize) -> Self {
        Self::count(u64::try_from(count).unwrap_or(u64::MAX))
    }

    /// For people with so many decimals.
    pub(crate) fn figure(figure: f64, decimals: usize) -> Self {
        Self {
            words: format!("{figure:.decimals$}"),
            value: rounded(figure).into(),
        }
    }

    /// For people with a unit that differs from row to row.
    pub(crate) fn with_unit(figure: f64, decimals: usize, unit: &str) -> Self {
        Self {
            words: format!("{figure:.decimals$} {unit}"),
            value: rounded(figure).into(),
        }
    }

    /// Microseconds, for people and in the file in milliseconds.
    pub(crate) fn micros(micros: u64, decimals: usize) -> Self {
        Self::figure(micros_as_ms(micros), decimals)
    }

    /// A share of one, in percent.
    pub(crate) fn share(share: f64) -> Self {
        Self {
            words: format!("{:.0} %", share * 100.0),
            value: rounded(share).into(),
        }
    }

    pub(crate) fn spread(spread: &Spread, decimals: usize) -> Self {
        Self {
            words: spread.in_words(decimals),
            value: spread_value(spread),
        }
    }

    /// For people only the median.
    pub(crate) fn median(spread: &Spread, decimals: usize) -> Self {
        Self {
            words: format!("{:.decimals$}", spread.median),
            value: spread_value(spread),
        }
    }

    /// Shares of one, in percent, and for people only the median.
    pub(crate) fn median_share(spread: &Spread) -> Self {
        Self {
            words: format!("{:.0} %", spread.median * 100.0),
            value: spread_value(spread),
        }
    }

    /// Bytes, for people in MiB.
    pub(crate) fn mib(bytes: u64, decimals: usize) -> Self {
        Self {
            words: format!("{:.decimals$}", count_as_f64(bytes >> 10) / 1024.0),
            value: bytes.into(),
        }
    }
}

/// More digits than a measurement has would only make differences longer.
pub(crate) fn rounded(figure: f64) -> f64 {
    (figure * 1000.0).round() / 1000.0
}

pub(crate) fn spread_value(spread: &Spread) -> Value {
    json!({"median": rounded(spread.median), "least": rounded(spread.least),
        "most": rounded(spread.most)})
}

/// Writes what was measured by this command.
pub(crate) fn write(file: &Path, command: &str, tables: Vec<Table>) -> anyhow::Result<()> {
    let mut all = Map::new();
    all.insert("command".to_owned(), command.into());
    for table in tables {
        all.insert(table.name.to_owned(), table.rows.into());
    }
    write_value(file, &all.into())
}

pub(crate) fn write_value(file: &Path, value: &Value) -> anyhow::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let text = format!("{}\n", serde_json::to_string_pretty(value)?);
    std::fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_a_list_of_objects_with_figures() {
        let mut table = Table::begin("rows", &[("what", "what"), ("took_ms", "took, ms")]);
        table.row([Cell::text("all"), Cell::figure(1.234_56, 1)]);
        let several = Spread::new(vec![1.0, 2.0, 4.0]);
        table.row([Cell::text("half"), Cell::spread(&several, 0)]);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("results/rows.json");
        write(&file, "rows", vec![table]).unwrap();
        let read: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let spread = json!({"least": 1.0, "median": 2.0, "most": 4.0});
        let rows = json!([{"what": "all", "took_ms": 1.235}, {"what": "half", "took_ms": spread}]);
        assert_eq!(read, json!({"command": "rows", "rows": rows}));
    }
}
