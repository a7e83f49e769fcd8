//! What was counted, read back from the text that monitoring systems get: one source for both.

use std::collections::HashMap;

use super::metrics::Metric;

/// All numbers at one moment.
#[derive(Clone, Debug, Default)]
pub struct Numbers {
    /// By name; each with its labels as they are written.
    series: HashMap<String, Vec<(String, f64)>>,
}

impl Numbers {
    /// Reads Prometheus' text format, as far as we write it.
    pub(super) fn read(text: &str) -> Self {
        let mut series: HashMap<String, Vec<(String, f64)>> = HashMap::new();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        for (name, number) in lines.filter_map(|line| line.rsplit_once(' ')) {
            let Ok(number) = number.parse() else {
                continue;
            };
            let (name, labels) = match name.split_once('{') {
                Some((name, labels)) => (name, labels.trim_end_matches('}')),
                None => (name, ""),
            };
            let one = (labels.to_owned(), number);
            series.entry(name.to_owned()).or_default().push(one);
        }
        Self { series }
    }

    /// A counter or a gauge, with all its labels together.
    pub fn sum(&self, metric: Metric) -> f64 {
        self.of(metric.name).map(|(_, number)| number).sum()
    }

    /// Of a counter or a gauge the part with this label.
    pub fn labeled(&self, metric: Metric, label: &str, value: &str) -> f64 {
        let wanted = format!("{label}=\"{value}\"");
        self.of(metric.name)
            .filter(|(labels, _)| labels.split(',').any(|one| one == wanted))
            .map(|(_, number)| number)
            .sum()
    }

    /// A histogram.
    pub fn histogram(&self, metric: Metric) -> Buckets {
        let mut buckets: Vec<(f64, f64)> = self
            .of(&format!("{}_bucket", metric.name))
            .filter_map(|(labels, count)| {
                let bound = labels
                    .split(',')
                    .find_map(|one| one.strip_prefix("le=\""))?;
                let bound = match bound.trim_end_matches('"') {
                    "+Inf" => f64::INFINITY,
                    number => number.parse().ok()?,
                };
                Some((bound, count))
            })
            .collect();
        buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        Buckets(buckets)
    }

    fn of(&self, name: &str) -> impl Iterator<Item = (&str, f64)> {
        let series = self.series.get(name).map_or(&[][..], Vec::as_slice);
        series.iter().map(|(labels, number)| (&**labels, *number))
    }
}

/// How many were at most so large: bounds with counts, both ascending.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Buckets(Vec<(f64, f64)>);

impl Buckets {
    /// What came since an earlier moment.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let before = |bound: f64| {
            let mut found = earlier.0.iter();
            let found = found.find(|(other, _)| other.total_cmp(&bound).is_eq());
            found.map_or(0.0, |(_, count)| *count)
        };
        let since = self
            .0
            .iter()
            .map(|&(bound, count)| (bound, count - before(bound)));
        Self(since.collect())
    }

    /// The value below which this part (0 to 1) of all are: estimated between the bounds around it,
    /// as monitoring systems do. `None` if there are none.
    pub fn quantile(&self, part: f64) -> Option<f64> {
        let total = self.0.last().map(|(_, count)| *count)?;
        if total <= 0.0 {
            return None;
        }
        let wanted = part * total;
        let mut below = (0.0, 0.0);
        for &(bound, count) in &self.0 {
            if count >= wanted && count > below.1 {
                // Nobody knows how large those beyond the last bound are.
                if bound.is_infinite() {
                    return Some(below.0);
                }
                let share = (wanted - below.1) / (count - below.1);
                return Some(below.0 + (bound - below.0) * share);
            }
            below = (bound, count);
        }
        Some(below.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::metrics::{self, COMMITS, CONNECTIONS, MESSAGES_DELIVERED, UPLOAD_BYTES};
    use super::*;

    const TEXT: &str = "\
# HELP myim_connections Open connections.
# TYPE myim_connections gauge
myim_connections{transport=\"http\"} 3
myim_connections{transport=\"websocket\"} 4
myim_messages_delivered_total{transport=\"http\"} 10
myim_upload_bytes_total 1e3

myim_commit_duration_seconds_bucket{le=\"0.001\"} 0
myim_commit_duration_seconds_bucket{le=\"0.01\"} 90
myim_commit_duration_seconds_bucket{le=\"0.1\"} 100
myim_commit_duration_seconds_bucket{le=\"+Inf\"} 100
myim_commit_duration_seconds_sum 1.5
nonsense
";

    #[test]
    fn numbers_are_found_by_name_and_label() {
        let numbers = Numbers::read(TEXT);
        let sums = [
            numbers.sum(CONNECTIONS),
            numbers.sum(UPLOAD_BYTES),
            numbers.sum(MESSAGES_DELIVERED),
            numbers.labeled(CONNECTIONS, "transport", "websocket"),
            numbers.labeled(CONNECTIONS, "transport", "flamingo"),
            Numbers::default().sum(CONNECTIONS),
        ];
        for (sum, wanted) in sums.into_iter().zip([7.0, 1000.0, 10.0, 4.0, 0.0, 0.0]) {
            assert!((sum - wanted).abs() < 1e-9, "{sums:?}");
        }
    }

    #[test]
    fn quantiles_lie_between_the_bounds_around_them() {
        let buckets = Numbers::read(TEXT).histogram(COMMITS);
        let near = |part: f64, wanted: f64| {
            let found = buckets.quantile(part).unwrap();
            assert!((found - wanted).abs() < 1e-9, "{part}: {found}");
        };
        near(0.5, 0.006);
        near(0.9, 0.01);
        near(0.95, 0.055);
        near(1.0, 0.1);
        assert_eq!(Buckets::default().quantile(0.5), None);
        assert_eq!(buckets.since(&buckets).quantile(0.5), None);
        assert_eq!(buckets.since(&Buckets::default()), buckets);
        let beyond = Buckets(vec![(0.1, 1.0), (f64::INFINITY, 10.0)]);
        assert_eq!(beyond.quantile(0.99), Some(0.1));
    }

    #[test]
    fn what_is_counted_can_be_read_back() {
        let counted = metrics::install().unwrap();
        let before = counted.numbers();
        metrics::UPLOAD_BYTES_TOTAL.increment(70);
        metrics::COMMIT_DURATION.record(0.003);
        let after = counted.numbers();
        assert!(after.sum(UPLOAD_BYTES) - before.sum(UPLOAD_BYTES) >= 70.0);
        let commits = after.histogram(COMMITS).since(&before.histogram(COMMITS));
        let median = commits.quantile(0.5).unwrap();
        assert!(median > 0.0, "{median}");
    }
}
