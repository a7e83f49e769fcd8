//! How many descriptors the system lets this process have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are not connections: listeners, the database, the files being stored, logs.
const RESERVE: u64 = 64;

/// Asked for where the system says "no limit"; Linux's own ceiling for one process.
const UNLIMITED: u64 = 1_048_576;

/// Raises this process's limit to the highest it may have, and says what it is now.
pub fn raise_descriptor_limit() -> u64 {
    let before = getrlimit(Resource::Nofile);
    let wanted = before.maximum.unwrap_or(UNLIMITED);
    let raised = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(wanted),
            maximum: before.maximum,
        },
    );
    let now = match raised {
        Ok(()) => wanted,
        Err(_) => before.current.unwrap_or(UNLIMITED),
    };
    tracing::info!(descriptors = now, "descriptor limit");
    now
}

/// What connections may take of the limit. At the limit itself a client would look connected and
/// hang, so the cap stays below it.
pub fn free_descriptors(limit: u64) -> u64 {
    limit.saturating_sub(RESERVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_is_kept() {
        assert_eq!(free_descriptors(1024), 960);
        assert_eq!(free_descriptors(10), 0);
    }

    #[test]
    fn the_limit_is_raised_to_the_highest() {
        let now = raise_descriptor_limit();
        assert_eq!(getrlimit(Resource::Nofile).current, Some(now));
    }
}
