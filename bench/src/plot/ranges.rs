//! From the usual to the rare: for each name what half are below and what few are above.

use anyhow::Context;

use super::axis::{Axis, in_words};
use super::canvas::{Ink, Letters, Side, picture};

const WIDTH: u32 = 760;
const FROM: i32 = 320;
const TO: i32 = 720;
const FIRST_ROW: i32 = 92;
const ROW: i32 = 24;

pub(super) struct Range {
    pub name: String,
    pub usual: f64,
    pub rare: f64,
    pub ink: Ink,
}

pub(super) fn draw(title: &str, below: &str, ranges: &[Range]) -> anyhow::Result<String> {
    ranges.first().context("there is nothing to draw")?;
    let least = ranges.iter().map(|range| range.usual);
    let most = ranges.iter().map(|range| range.rare);
    let axis = Axis::tenfold(
        least.fold(f64::INFINITY, f64::min),
        most.fold(0.0, f64::max),
        (FROM, TO),
    );
    let bottom = FIRST_ROW + i32::try_from(ranges.len())? * ROW;
    let height = u32::try_from(bottom + 40)?;
    picture(title, (WIDTH, height), |canvas| {
        canvas.text((20, 48), Side::Right, Letters::Small, Ink::Quiet, below)?;
        for tick in axis.ticks() {
            let x = axis.at(tick);
            canvas.line(&[(x, FIRST_ROW - 18), (x, bottom - 6)], 1, Ink::Grid)?;
            let (place, words) = ((x, bottom + 10), in_words(tick));
            canvas.text(place, Side::Middle, Letters::Small, Ink::Quiet, &words)?;
        }
        for (number, range) in (0..).zip(ranges) {
            let y = FIRST_ROW + number * ROW;
            let name = (FROM - 14, y);
            canvas.text(name, Side::Left, Letters::Normal, Ink::Words, &range.name)?;
            let (usual, rare) = ((axis.at(range.usual), y), (axis.at(range.rare), y));
            canvas.line(&[usual, rare], 2, range.ink)?;
            canvas.dot(usual, range.ink)?;
            canvas.ring(rare, range.ink)?;
        }
        Ok(())
    })
}
