//! From figures to pixels, and which figures stand beside the lines.

/// One side of a picture.
#[derive(Clone, Copy, Debug)]
pub(super) enum Axis {
    /// From zero in even steps.
    Even {
        most: f64,
        step: f64,
        pixels: (i32, i32),
    },
    /// Each power of ten as far from the one before.
    Tenfold {
        from: i32,
        to: i32,
        pixels: (i32, i32),
    },
}

impl Axis {
    /// From zero to a round figure above `most`.
    pub(super) fn even(most: f64, pixels: (i32, i32)) -> Self {
        /// Lines on a picture, at most.
        const STEPS: f64 = 6.0;
        let rough = most.max(f64::MIN_POSITIVE) / STEPS;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0]
            .map(|step| step * power)
            .into_iter()
            .find(|step| *step >= rough)
            .unwrap_or(10.0 * power);
        Self::Even {
            most: (most / step).ceil() * step,
            step,
            pixels,
        }
    }

    /// From the power of ten at or below `least` to the one at or above `most`.
    pub(super) fn tenfold(least: f64, most: f64, pixels: (i32, i32)) -> Self {
        let from = whole(least.log10().floor());
        Self::Tenfold {
            from,
            to: whole(most.log10().ceil()).max(from + 1),
            pixels,
        }
    }

    pub(super) fn at(&self, figure: f64) -> i32 {
        let (share, (first, last)) = match self {
            Self::Even { most, pixels, .. } => (figure / most, *pixels),
            Self::Tenfold { from, to, pixels } => {
                let from = f64::from(*from);
                ((figure.log10() - from) / (f64::from(*to) - from), *pixels)
            }
        };
        whole(f64::from(first) + share * f64::from(last - first))
    }

    /// The figures at which lines stand.
    pub(super) fn ticks(&self) -> Vec<f64> {
        match self {
            Self::Even { most, step, .. } => (0..=whole(most / step))
                .map(|number| f64::from(number) * step)
                .collect(),
            Self::Tenfold { from, to, .. } => {
                (*from..=*to).map(|power| 10_f64.powi(power)).collect()
            }
        }
    }
}

/// The nearest whole number.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "there is no other conversion, and a picture has a few hundred pixels"
)]
fn whole(figure: f64) -> i32 {
    figure.round() as i32
}

/// A figure as people write it: 45,178, and 0.05.
pub(super) fn in_words(figure: f64) -> String {
    let decimals = match figure {
        large if large >= 10.0 || large.fract() == 0.0 => 0,
        middle if middle >= 0.1 => 1,
        _ => 2,
    };
    let plain = format!("{figure:.decimals$}");
    let (whole, rest) = plain.split_at(plain.find('.').unwrap_or(plain.len()));
    let mut grouped = String::new();
    for (number, digit) in whole.chars().enumerate() {
        if number > 0 && (whole.len() - number).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_round_figures() {
        let axis = Axis::even(45_178.0, (100, 600));
        let lines = [0.0, 1e4, 2e4, 3e4, 4e4, 5e4];
        assert_eq!(axis.ticks(), lines);
        assert_eq!(
            lines.map(|line| axis.at(line)),
            [100, 200, 300, 400, 500, 600]
        );
        let axis = Axis::tenfold(0.03, 508.0, (500, 0));
        assert_eq!(axis.ticks(), [0.01, 0.1, 1.0, 10.0, 100.0, 1000.0]);
        assert_eq!(
            (axis.at(0.01), axis.at(1.0), axis.at(1000.0)),
            (500, 300, 0)
        );
    }

    #[test]
    fn figures_are_written_as_people_do() {
        let figures = [0.0, 0.03, 0.1, 0.5, 1.0, 2.26, 45_178.2, 1e6];
        let words = figures.map(in_words);
        let expected = ["0", "0.03", "0.1", "0.5", "1", "2.3", "45,178", "1,000,000"];
        assert_eq!(words, expected);
    }
}
