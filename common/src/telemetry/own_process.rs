//! What the system says about this process: memory, processor, descriptors, age.
//!
//! Read from `/proc` when somebody asks. Where there is none, nothing is said.

use std::fmt::Write as _;
use std::fs;

use super::metrics::{Kind, Metric};

/// Ticks of the clock in which Linux tells processor time to programs; the same on every machine.
const TICKS_PER_S: f64 = 100.0;

/// One number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    CpuSeconds,
    ResidentBytes,
    OpenDescriptors,
    DescriptorsMax,
    StartSeconds,
}

/// Adds those of `metrics` that are read here, in Prometheus' text format.
pub(super) fn append(text: &mut String, metrics: &[Metric]) {
    let stat = Stat::read();
    for metric in metrics {
        let Kind::OwnProcess(reading) = metric.kind else {
            continue;
        };
        let Some(number) = read(reading, stat.as_ref()) else {
            continue;
        };
        let (name, about) = (metric.name, metric.text);
        let kind = match reading {
            Reading::CpuSeconds => "counter",
            Reading::ResidentBytes
            | Reading::OpenDescriptors
            | Reading::DescriptorsMax
            | Reading::StartSeconds => "gauge",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "# HELP {name} {about}\n# TYPE {name} {kind}\n{name} {number}\n"
        );
    }
}

fn read(reading: Reading, stat: Option<&Stat>) -> Option<f64> {
    match reading {
        Reading::CpuSeconds => stat.map(|stat| stat.cpu_ticks / TICKS_PER_S),
        Reading::ResidentBytes => {
            let status = fs::read_to_string("/proc/self/status").ok()?;
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix("VmRSS:"))?;
            let kib: f64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
            Some(kib * 1024.0)
        }
        Reading::OpenDescriptors => {
            let count = fs::read_dir("/proc/self/fd").ok()?.count();
            // One of them is the directory that was just read.
            Some(f64::from(u32::try_from(count).ok()?.saturating_sub(1)))
        }
        Reading::DescriptorsMax => {
            let limits = fs::read_to_string("/proc/self/limits").ok()?;
            let line = limits
                .lines()
                .find(|line| line.starts_with("Max open files"))?;
            line.split_whitespace().nth(3)?.parse().ok()
        }
        Reading::StartSeconds => {
            let stat = fs::read_to_string("/proc/stat").ok()?;
            let boot = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
            let boot: f64 = boot.trim().parse().ok()?;
            Some(boot + Stat::read()?.start_ticks / TICKS_PER_S)
        }
    }
}

/// Some fields of `/proc/self/stat`.
#[derive(Debug)]
struct Stat {
    cpu_ticks: f64,
    start_ticks: f64,
}

impl Stat {
    fn read() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/self/stat").ok()?)
    }

    /// Behind the program's name, which may contain anything, fields are numbered from 3.
    fn parse(text: &str) -> Option<Self> {
        let (_, fields) = text.rsplit_once(") ")?;
        let fields: Vec<&str> = fields.split(' ').collect();
        let field = |number: usize| fields.get(number - 3)?.trim().parse::<f64>().ok();
        Some(Self {
            cpu_ticks: field(14)? + field(15)?,
            start_ticks: field(22)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strange_program_name_does_not_shift_the_fields() {
        let line = "12 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 250 150 0 0 20 0 5 0 777 1 2 3";
        let stat = Stat::parse(line).unwrap();
        assert_eq!((stat.cpu_ticks, stat.start_ticks), (400.0, 777.0));
        assert!(Stat::parse("nonsense").is_none());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_all_of_them() {
        let stat = Stat::read();
        for reading in [
            Reading::CpuSeconds,
            Reading::ResidentBytes,
            Reading::OpenDescriptors,
            Reading::DescriptorsMax,
            Reading::StartSeconds,
        ] {
            let number = read(reading, stat.as_ref()).unwrap();
            assert!(number >= 0.0 && number.is_finite(), "{reading:?} {number}");
        }
        assert!(read(Reading::ResidentBytes, None).unwrap() > 1e6);
        assert!(read(Reading::StartSeconds, None).unwrap() > 1e9);
    }
}
