//! Pictures for the documents, drawn from the figures that are kept under `bench/results/`.
//!
//! Measures nothing. The same figures give the same pictures, byte by byte, and a test compares
//! those that are checked in.

mod axis;
mod bars;
mod canvas;
mod figures;
mod lines;
mod ranges;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use self::figures::{ALL, Plot};

/// Where figures and pictures are.
#[derive(clap::Args)]
pub(crate) struct Plan {
    /// The figures
    #[arg(long, value_name = "FOLDER", default_value = "bench/results")]
    results: PathBuf,
    /// Where the pictures go
    #[arg(long, value_name = "FOLDER", default_value = "docs/benchmarks")]
    to: PathBuf,
}

pub(crate) fn run(plan: &Plan) -> anyhow::Result<()> {
    fs::create_dir_all(&plan.to)?;
    for plot in ALL {
        let file = plan.to.join(plot.name);
        fs::write(&file, draw(&plan.results, &plot)?)
            .with_context(|| format!("{} cannot be written", file.display()))?;
        println!("{}", file.display());
    }
    Ok(())
}

fn draw(results: &Path, plot: &Plot) -> anyhow::Result<String> {
    let file = results.join(plot.results);
    let text = fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    let results = serde_json::from_slice(&text)?;
    (plot.draw)(&results).with_context(|| format!("{} cannot be drawn", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pictures_of_the_documents_show_the_figures_that_are_kept() {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let pictures = package.join("../docs/benchmarks");
        for plot in &ALL {
            let drawn = draw(&package.join("results"), plot).unwrap();
            let kept = fs::read_to_string(pictures.join(plot.name)).unwrap_or_default();
            let name = plot.name;
            assert!(drawn == kept, "{name} is old: target/release/bench plot");
        }
        let mut there: Vec<_> = fs::read_dir(&pictures)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        there.sort();
        let mut known = ALL.map(|plot| plot.name.to_owned());
        known.sort();
        assert_eq!(there, known);
    }
}
