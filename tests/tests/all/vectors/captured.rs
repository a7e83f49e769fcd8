//! The captured lines and how they are compared.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use myim_tests::person::GROUP_FIRST;
use myim_tests::wire::Packet;

/// One line of a capture.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Line {
    pub(super) scenario: String,
    pub(super) step: u32,
    pub(super) conn: String,
    pub(super) dir: Direction,
    pub(super) hex: String,
    #[serde(default)]
    pub(super) decoded: Value,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Direction {
    C2s,
    S2c,
}

impl Line {
    pub(super) fn bytes(&self) -> Vec<u8> {
        let digits = self.hex.as_bytes();
        let byte = |pair: &[u8]| {
            let text = std::str::from_utf8(pair).unwrap();
            u8::from_str_radix(text, 16).unwrap()
        };
        digits.chunks(2).map(byte).collect()
    }

    pub(super) fn closed(&self) -> bool {
        self.decoded["closed"] == true
    }

    pub(super) fn place(&self) -> String {
        format!("{} step {}", self.scenario, self.step)
    }

    pub(super) fn is_at(&self, scenario: &str, step: u32) -> bool {
        self.scenario == scenario && self.step == step
    }

    pub(super) fn number(&self, key: &str) -> i64 {
        self.decoded[key]
            .as_i64()
            .unwrap_or_else(|| panic!("{key} at {}", self.place()))
    }
}

/// The lines of a capture whose scenario is wanted.
pub(super) fn lines(file: &str, wanted: impl Fn(&str) -> bool) -> Vec<Line> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("vectors")
        .join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<Line> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let wanted: Vec<_> = lines
        .into_iter()
        .filter(|line| wanted(&line.scenario))
        .collect();
    assert!(!wanted.is_empty(), "{file} has nothing of this kind");
    wanted
}

/// The two packages say the same, but for what is volatile.
pub(super) fn same(got: &Packet, recorded: &Packet, place: &str) {
    assert_eq!(got.cmd, recorded.cmd, "{place}: {got:?}");
    if got.cmd != 1006 {
        assert_eq!(got.seq, recorded.seq, "{place}: {got:?}");
    }
    same_data(got.cmd, &got.data, &recorded.data, place);
    assert_eq!(
        got.rest, recorded.rest,
        "{place}: what follows the data of {got:?}"
    );
}

/// The data says the same.
pub(super) fn same_data(cmd: i32, got: &[u8], recorded: &[u8], place: &str) {
    if recorded.is_empty() {
        assert!(got.is_empty(), "{place}: {}", String::from_utf8_lossy(got));
        return;
    }
    let parse = |data: &[u8]| -> Value {
        let value = serde_json::from_slice(data);
        value.unwrap_or_else(|error| panic!("{place}: {error}: {}", String::from_utf8_lossy(data)))
    };
    let (got, recorded) = (masked(cmd, parse(got)), masked(cmd, parse(recorded)));
    assert!(
        equal(&got, &recorded),
        "{place}:\n ours     {got}\n recorded {recorded}"
    );
}

/// Hides what differs from run to run, or was never initialized.
fn masked(cmd: i32, mut data: Value) -> Value {
    match cmd {
        1100 if data["time"].is_i64() => data["time"] = 0.into(),
        1003 => {
            for team in data["userinfo"].as_array_mut().into_iter().flatten() {
                if let Some(members) = team["members"].as_array_mut() {
                    members.iter_mut().for_each(mask_group);
                    members.sort_by_key(|member| member["userid"].as_i64());
                }
            }
        }
        1004 => {
            let found = data["userinfo"].as_array_mut();
            found.into_iter().flatten().for_each(mask_group);
        }
        1010 => {
            for member in data["members"].as_array_mut().into_iter().flatten() {
                // The original always says 1 here.
                member["clienttype"] = 1.into();
            }
        }
        _ => {}
    }
    data
}

/// A group made since the original started has whatever lay in its memory.
fn mask_group(entry: &mut Value) {
    if entry["userid"].as_i64() >= Some(GROUP_FIRST.into()) {
        for key in ["facetype", "gender", "birthday"] {
            if entry.get(key).is_some() {
                entry[key] = 0.into();
            }
        }
    }
}

/// Equal values; 1e3 and 1000.0 and 1000 are one number.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let same =
                |(key, value): (&String, &Value)| b.get(key).is_some_and(|b| equal(value, b));
            a.len() == b.len() && a.iter().all(same)
        }
        (a, b) => a == b,
    }
}
