//! How long to wait before an event is posted again.

use std::time::{Duration, SystemTime};

use common::auth::random_number;
use common::clock::Clock;

/// The longest pause, and the longest that a target may ask for.
const PAUSE_MAX: Duration = Duration::from_mins(20);
/// Each pause is up to so many times as long as the one before: a second, five, and from there to
/// [`PAUSE_MAX`] in the fourth. The usual eight attempts take at most 54 minutes.
const GROWTH: u32 = 5;

/// The longest pause behind the nth failed attempt, counted from 1.
fn longest(first: Duration, attempts: u32) -> Duration {
    let factor = GROWTH.checked_pow(attempts.saturating_sub(1));
    let pause = factor.and_then(|factor| first.checked_mul(factor));
    pause.unwrap_or(PAUSE_MAX).min(PAUSE_MAX)
}

/// The pause behind the nth failed attempt: any time up to the longest, so that hooks of a target
/// that was away do not all come back at once, and not less than the target asked for.
pub(super) fn pause(first: Duration, attempts: u32, asked: Option<Duration>) -> Duration {
    let longest = u64::try_from(longest(first, attempts).as_millis()).unwrap_or(u64::MAX);
    // Without random numbers the longest pause is a good one too.
    let random = random_number().unwrap_or(longest);
    let any = Duration::from_millis(random % longest.saturating_add(1).max(1));
    any.max(asked.unwrap_or_default()).min(PAUSE_MAX)
}

/// What a header `Retry-After` asks for: seconds, or a moment.
pub(super) fn asked(header: &str, clock: &dyn Clock) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let moment = httpdate::parse_http_date(header).ok()?;
    let now = u64::try_from(clock.now().0).ok()?;
    let since_epoch = moment.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(since_epoch.saturating_sub(Duration::from_millis(now)))
}

#[cfg(test)]
mod tests {
    use common::clock::SystemClock;
    use common::id::Millis;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_grow_up_to_a_limit() {
        let seconds: Vec<_> = (1..=7).map(|n| longest(SECOND, n).as_secs()).collect();
        assert_eq!(seconds, [1, 5, 25, 125, 625, 1200, 1200]);
        assert_eq!(longest(SECOND, u32::MAX), PAUSE_MAX);
        for attempts in 1..=40 {
            assert!(pause(SECOND, attempts, None) <= longest(SECOND, attempts));
        }
        let pauses: Vec<_> = (0..50).map(|_| pause(SECOND, 4, None)).collect();
        assert!(pauses.iter().any(|pause| *pause != pauses[0]));
    }

    #[test]
    fn a_target_may_ask_for_time() {
        let asked_for = |seconds| pause(SECOND, 1, Some(Duration::from_secs(seconds)));
        assert_eq!(asked_for(30), Duration::from_secs(30));
        assert_eq!(asked_for(100_000), PAUSE_MAX);
        assert_eq!(asked("120", &SystemClock), Some(Duration::from_secs(120)));
        for none in ["", "soon", "-1", "1.5"] {
            assert_eq!(asked(none, &SystemClock), None, "{none}");
        }
    }

    #[derive(Debug)]
    struct At(i64);

    impl Clock for At {
        fn now(&self) -> Millis {
            Millis(self.0)
        }
    }

    #[test]
    fn a_target_may_name_a_moment() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        let moment = 784_111_777_000;
        assert_eq!(
            asked(date, &At(moment - 90_000)),
            Some(Duration::from_secs(90))
        );
        assert_eq!(asked(date, &At(moment + 1)), Some(Duration::ZERO));
    }
}
