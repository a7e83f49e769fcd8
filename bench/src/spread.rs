//! The middle of several figures, and how far apart they are.

/// Of at least one figure.
pub(crate) struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Spread {
    pub(crate) fn new(mut figures: Vec<f64>) -> Self {
        figures.sort_by(f64::total_cmp);
        let at = |place: usize| figures.get(place).copied().unwrap_or_default();
        let (half, last) = (figures.len() / 2, figures.len().saturating_sub(1));
        let median = match figures.len() % 2 {
            1 => at(half),
            _ => f64::midpoint(at(half.saturating_sub(1)), at(half)),
        };
        Self {
            median,
            least: at(0),
            most: at(last),
        }
    }

    /// With so many decimals; the least and the most only if there was more than one figure.
    pub(crate) fn in_words(&self, decimals: usize) -> String {
        let Self {
            median,
            least,
            most,
        } = self;
        match least < most {
            true => format!("{median:.decimals$} ({least:.decimals$} to {most:.decimals$})"),
            false => format!("{median:.decimals$}"),
        }
    }
}

pub(crate) fn count_as_f64(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn the_median_is_in_the_middle() {
        let spread = Spread::new(vec![9.0, 1.0, 4.0]);
        assert_eq!([spread.least, spread.median, spread.most], [1.0, 4.0, 9.0]);
        let spread = Spread::new(vec![9.0, 1.0, 4.0, 6.0]);
        assert_eq!([spread.least, spread.median, spread.most], [1.0, 5.0, 9.0]);
        assert_eq!(spread.in_words(1), "5.0 (1.0 to 9.0)");
        assert_eq!(Spread::new(vec![2.0]).in_words(0), "2");
    }
}
