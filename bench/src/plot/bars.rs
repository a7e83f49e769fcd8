//! Bars beside their names, in groups that have one scale.

use super::axis::{Axis, in_words};
use super::canvas::{Ink, Letters, Side, picture};

const WIDTH: u32 = 760;
/// Where names end and bars begin.
const BARS_FROM: i32 = 196;
/// Room for the figure behind the longest bar.
const BARS_TO: i32 = 660;
const FIRST_ROW: i32 = 76;
const ROW: i32 = 26;
const HEADING: i32 = 24;
const GAP: i32 = 14;
const HALF_BAR: i32 = 8;

pub(super) struct Bar {
    pub name: String,
    pub figure: f64,
    /// The least and the most that were measured.
    pub span: Option<(f64, f64)>,
    pub ink: Ink,
}

pub(super) struct Group {
    pub heading: String,
    pub bars: Vec<Bar>,
}

pub(super) fn draw(title: &str, below: &str, groups: &[Group]) -> anyhow::Result<String> {
    let bars = || groups.iter().flat_map(|group| &group.bars);
    let most = bars()
        .map(|bar| bar.span.map_or(bar.figure, |(_, most)| most))
        .fold(0.0, f64::max);
    let axis = Axis::even(most, (BARS_FROM, BARS_TO));
    let rows = i32::try_from(bars().count())?;
    let heads = i32::try_from(groups.len())?;
    let bottom = FIRST_ROW + rows * ROW + heads * (HEADING + GAP) - GAP;
    let height = u32::try_from(bottom + 40)?;
    picture(title, (WIDTH, height), |canvas| {
        canvas.text((20, 48), Side::Right, Letters::Small, Ink::Quiet, below)?;
        for tick in axis.ticks() {
            let x = axis.at(tick);
            canvas.line(&[(x, FIRST_ROW - 6), (x, bottom)], 1, Ink::Grid)?;
            let place = (x, bottom + 16);
            canvas.text(
                place,
                Side::Middle,
                Letters::Small,
                Ink::Quiet,
                &in_words(tick),
            )?;
        }
        let mut y = FIRST_ROW;
        for group in groups {
            let place = (20, y + HEADING / 2 - 4);
            canvas.text(
                place,
                Side::Right,
                Letters::Heading,
                Ink::Words,
                &group.heading,
            )?;
            y += HEADING;
            for bar in &group.bars {
                let (middle, end) = (y + ROW / 2 - 4, axis.at(bar.figure));
                let name = (BARS_FROM - 10, middle);
                canvas.text(name, Side::Left, Letters::Normal, Ink::Words, &bar.name)?;
                let (top, under) = ((BARS_FROM, middle - HALF_BAR), (end, middle + HALF_BAR));
                canvas.bar(top, under, bar.ink)?;
                let mut behind = end;
                if let Some((least, most)) = bar.span {
                    let (least, most) = (axis.at(least), axis.at(most));
                    canvas.line(&[(least, middle), (most, middle)], 1, Ink::Words)?;
                    for x in [least, most] {
                        canvas.line(&[(x, middle - 3), (x, middle + 4)], 1, Ink::Words)?;
                    }
                    behind = behind.max(most);
                }
                let figure = in_words(bar.figure);
                let place = (behind + 8, middle);
                canvas.text(place, Side::Right, Letters::Normal, Ink::Words, &figure)?;
                y += ROW;
            }
            y += GAP;
        }
        Ok(())
    })
}
