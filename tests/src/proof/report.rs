//! What a long run tried and found, as a page for people and a picture.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use plotters::prelude::{
    ChartBuilder, Circle, Color, IntoDrawingArea, Palette, Palette99, SVGBackend, WHITE,
};

use super::long::Round;

/// Of the picture, in pixels.
const SIZE: (u32, u32) = (960, 420);

/// Everything of one kind.
#[derive(Default)]
struct Sum {
    rounds: u64,
    seeds: u64,
    acknowledged: u64,
    strikes: u64,
    violations: usize,
    unjudged: u64,
    recoveries_ms: Vec<u64>,
}

fn sums(rounds: &[Round]) -> BTreeMap<&str, Sum> {
    let mut sums = BTreeMap::<_, Sum>::new();
    for round in rounds {
        let sum = sums.entry(round.what.as_str()).or_default();
        sum.rounds += 1;
        sum.seeds += round.seeds;
        sum.acknowledged += round.acknowledged;
        sum.strikes += round.strikes;
        sum.violations += round.violations.len();
        sum.unjudged += u64::from(round.unjudged.is_some());
        sum.recoveries_ms.extend(&round.recoveries_ms);
    }
    for sum in sums.values_mut() {
        sum.recoveries_ms.sort_unstable();
    }
    sums
}

/// Writes `report.md` and `recovery.svg`.
///
/// # Errors
/// When they cannot be written.
pub fn write(
    directory: &Path,
    rounds: &[Round],
    missing: &[String],
    time: Duration,
) -> io::Result<()> {
    let sums = sums(rounds);
    draw(&directory.join("recovery.svg"), rounds, &sums).map_err(io::Error::other)?;
    fs::write(
        directory.join("report.md"),
        page(rounds, &sums, missing, time),
    )
}

fn page(
    rounds: &[Round],
    sums: &BTreeMap<&str, Sum>,
    missing: &[String],
    time: Duration,
) -> String {
    let minutes = time.as_secs() / 60;
    let wrong = rounds
        .iter()
        .filter(|round| !round.violations.is_empty())
        .count();
    let unjudged = rounds
        .iter()
        .filter(|round| round.unjudged.is_some())
        .count();
    let mut page = format!(
        "# What was tried, and what was found\n\n\
         {} rounds in {minutes} minutes, seeds {} to {}. \
         Rounds with something that must not be: **{wrong}**. Rounds that could not be judged: \
         **{unjudged}**.\n\n\
         | struck by | rounds | seeds | acknowledged | strikes | violations | not judged | \
         start to first acknowledgment, median and longest, ms |\n\
         |---|---|---|---|---|---|---|---|\n",
        rounds.len(),
        rounds.first().map_or(0, |round| round.seed),
        rounds.last().map_or(0, |round| round.seed),
    );
    for (what, sum) in sums {
        let recovery = match sum.recoveries_ms.as_slice() {
            [] => String::new(),
            [.., longest] => {
                let median = sum.recoveries_ms[sum.recoveries_ms.len() / 2];
                format!("{median}, {longest}")
            }
        };
        let _ = writeln!(
            page,
            "| {what} | {} | {} | {} | {} | {} | {} | {recovery} |",
            sum.rounds, sum.seeds, sum.acknowledged, sum.strikes, sum.violations, sum.unjudged
        );
    }
    page.push_str("\n![From a start to the first acknowledgment](recovery.svg)\n");
    list(
        &mut page,
        "Not tried on this machine",
        missing.iter().cloned(),
    );
    let found = rounds.iter().flat_map(|round| {
        let told = round.violations.iter().chain(&round.unjudged);
        told.map(move |words| format!("{}, seed {}: {words}", round.what, round.seed))
    });
    list(&mut page, "Found", found);
    page
}

fn list(page: &mut String, title: &str, items: impl Iterator<Item = String>) {
    let mut items = items.peekable();
    if items.peek().is_some() {
        let _ = write!(page, "\n## {title}\n\n");
        items.for_each(|item| {
            let _ = writeln!(page, "- {item}");
        });
    }
}

/// Each start after a strike as a dot: when in the run, and how long until something was
/// acknowledged.
fn draw(
    file: &Path,
    rounds: &[Round],
    sums: &BTreeMap<&str, Sum>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let ends = rounds.iter().scan(0.0, |sum, round| {
        *sum += round.seconds / 60.0;
        Some(*sum)
    });
    let at: Vec<f64> = ends.collect();
    let minutes = at.last().copied().unwrap_or(1.0).max(0.1);
    let recoveries = rounds.iter().flat_map(|round| &round.recoveries_ms);
    let longest = recoveries.copied().max().unwrap_or(0).max(100);
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(
            "From a start to the first acknowledgment",
            ("sans-serif", 18),
        )
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..minutes, 0..longest * 11 / 10)?;
    chart
        .configure_mesh()
        .x_desc("minutes of the run")
        .y_desc("ms")
        .draw()?;
    for (index, what) in sums.keys().enumerate() {
        let color = Palette99::pick(index).to_rgba();
        let dots = rounds.iter().zip(&at).filter(|(it, _)| it.what == **what);
        let dots = dots.flat_map(|(round, at)| round.recoveries_ms.iter().map(|ms| (*at, *ms)));
        let dots: Vec<_> = dots.collect();
        if dots.is_empty() {
            continue;
        }
        chart
            .draw_series(
                dots.into_iter()
                    .map(|dot| Circle::new(dot, 3, color.filled())),
            )?
            .label(*what)
            .legend(move |(x, y)| Circle::new((x + 8, y), 4, color.filled()));
    }
    chart
        .configure_series_labels()
        .background_style(WHITE.mix(0.8))
        .draw()?;
    area.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(what: &str, recoveries_ms: &[u64]) -> Round {
        Round {
            what: what.to_owned(),
            seed: 7,
            seconds: 61.0,
            seeds: 0,
            acknowledged: 100,
            strikes: 2,
            violations: Vec::new(),
            unjudged: None,
            recoveries_ms: recoveries_ms.to_vec(),
        }
    }

    #[test]
    fn what_was_found_and_what_was_not_tried_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let mut bad = round("kill -9, SQLite", &[300, 100, 200]);
        bad.violations
            .push("I1 dm:1-2:3 ann: is not there".to_owned());
        let rounds = [
            bad,
            round("kill -9, SQLite", &[400]),
            round("simulation", &[]),
        ];
        let missing = ["power cut: no loop devices".to_owned()];
        write(
            directory.path(),
            &rounds,
            &missing,
            Duration::from_secs(185),
        )
        .unwrap();
        let page = fs::read_to_string(directory.path().join("report.md")).unwrap();
        for words in [
            "3 rounds in 3 minutes",
            "| kill -9, SQLite | 2 | 0 | 200 | 4 | 1 | 0 | 300, 400 |",
            "| simulation | 1 | 0 | 100 | 2 | 0 | 0 |  |",
            "- power cut: no loop devices",
            "- kill -9, SQLite, seed 7: I1 dm:1-2:3 ann: is not there",
        ] {
            assert!(page.contains(words), "{words} is not in\n{page}");
        }
        let picture = fs::read_to_string(directory.path().join("recovery.svg")).unwrap();
        assert_eq!(
            picture.matches("<circle").count(),
            4 + 1,
            "four dots and a legend"
        );
    }
}
