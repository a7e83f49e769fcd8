//! Lines over a tenfold scale, each with its name at its end.

use anyhow::Context;

use super::axis::{Axis, in_words};
use super::canvas::{Canvas, Ink, Letters, Painted, Side, picture};

const SIZE: (u32, u32) = (760, 400);
const LEFT: i32 = 76;
/// Room for the names behind it.
const RIGHT: i32 = 540;
const TOP: i32 = 76;
const BOTTOM: i32 = 344;
/// Names stand at least so far apart.
const NAMES_APART: i32 = 18;

pub(super) struct Line {
    pub name: &'static str,
    pub ink: Ink,
    pub points: Vec<(f64, f64)>,
}

/// How figures go up.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scale {
    Even,
    Tenfold,
}

/// What stands around the lines.
pub(super) struct Words<'a> {
    pub title: &'a str,
    pub below: &'a str,
    pub across: &'a str,
}

pub(super) fn draw(words: &Words<'_>, scale: Scale, lines: &[Line]) -> anyhow::Result<String> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let ends = |of: fn(&(f64, f64)) -> f64| {
        let least = points().map(of).fold(f64::INFINITY, f64::min);
        (least, points().map(of).fold(0.0, f64::max))
    };
    points().next().context("there is nothing to draw")?;
    let ((first, last), (least, most)) = (ends(|point| point.0), ends(|point| point.1));
    let across = Axis::tenfold(first, last, (LEFT, RIGHT));
    let up = match scale {
        Scale::Even => Axis::even(most, (BOTTOM, TOP)),
        Scale::Tenfold => Axis::tenfold(least, most, (BOTTOM, TOP)),
    };
    picture(words.title, SIZE, |canvas| {
        frame(canvas, words, &across, &up)?;
        for line in lines {
            let points: Vec<_> = line
                .points
                .iter()
                .map(|(x, y)| (across.at(*x), up.at(*y)))
                .collect();
            canvas.line(&points, 2, line.ink)?;
            for point in points {
                canvas.dot(point, line.ink)?;
            }
        }
        let ends: Vec<i32> = lines
            .iter()
            .map(|line| line.points.last().map_or(BOTTOM, |(_, y)| up.at(*y)))
            .collect();
        for (line, y) in lines.iter().zip(apart(&ends)) {
            let place = (RIGHT + 12, y);
            canvas.text(place, Side::Right, Letters::Normal, line.ink, line.name)?;
        }
        Ok(())
    })
}

/// What stands around the lines and behind them.
fn frame(canvas: &Canvas<'_>, words: &Words<'_>, across: &Axis, up: &Axis) -> Painted {
    canvas.text(
        (20, 48),
        Side::Right,
        Letters::Small,
        Ink::Quiet,
        words.below,
    )?;
    for tick in up.ticks() {
        let y = up.at(tick);
        canvas.line(&[(LEFT, y), (RIGHT, y)], 1, Ink::Grid)?;
        let place = (LEFT - 8, y);
        canvas.text(
            place,
            Side::Left,
            Letters::Small,
            Ink::Quiet,
            &in_words(tick),
        )?;
    }
    for tick in across.ticks() {
        let x = across.at(tick);
        canvas.line(&[(x, TOP), (x, BOTTOM)], 1, Ink::Grid)?;
        let place = (x, BOTTOM + 16);
        canvas.text(
            place,
            Side::Middle,
            Letters::Small,
            Ink::Quiet,
            &in_words(tick),
        )?;
    }
    let place = (i32::midpoint(LEFT, RIGHT), BOTTOM + 40);
    canvas.text(
        place,
        Side::Middle,
        Letters::Normal,
        Ink::Words,
        words.across,
    )
}

/// The same places in the same order, but no two closer than names may be.
fn apart(places: &[i32]) -> Vec<i32> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|number| places[*number]);
    let mut moved = places.to_vec();
    // Each is pushed down by the one above, then all that go too far are pushed up again.
    let mut above = i32::MIN / 2;
    for number in &order {
        moved[*number] = moved[*number].max(above + NAMES_APART);
        above = moved[*number];
    }
    let mut below = BOTTOM + NAMES_APART;
    for number in order.iter().rev() {
        moved[*number] = moved[*number].min(below - NAMES_APART);
        below = moved[*number];
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_stand_on_each_other() {
        assert_eq!(apart(&[100, 200]), [100, 200]);
        assert_eq!(apart(&[102, 100, 101]), [136, 100, 118]);
        assert_eq!(apart(&[BOTTOM, BOTTOM]), [BOTTOM - NAMES_APART, BOTTOM]);
    }
}
