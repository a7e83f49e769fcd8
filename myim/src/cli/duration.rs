//! Reads how long something may take, as people write it: `30s`, `5m`, `1h 30m`.

use std::time::Duration;

/// For arguments: what is wrong is said by what is right.
pub(crate) fn read(text: &str) -> Result<Duration, &'static str> {
    humantime::parse_duration(text).map_err(|_| "write a number and a unit, like 30s or 5m")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_needs_its_unit() {
        assert_eq!(read("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(read("1h 30m"), Ok(Duration::from_secs(5400)));
        for wrong in ["abc", "30", ""] {
            assert!(
                read(wrong).is_err_and(|told| told.contains("30s")),
                "{wrong}"
            );
        }
    }
}
