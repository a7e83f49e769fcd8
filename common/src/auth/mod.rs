//! Who somebody is: password hashes, and the brakes on guessing.
//!
//! Knows no protocol and no database: callers bring the stored hash and act on the verdict.

mod argon;
mod password;
mod throttle;

pub use password::{PASSWORD_BYTES_MAX, Passwords, Verdict};
pub use throttle::{FailureLimits, Failures, Rate};
