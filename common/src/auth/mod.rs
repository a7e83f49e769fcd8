//! Who somebody is: password hashes, and the brakes on guessing.
//!
//! Knows no protocol and no database: callers bring the stored hash and act on the verdict.

mod argon;
mod device;
mod hook;
mod password;
mod throttle;
mod token;

pub use device::{device_named, lasting_device, nameless_device, random_number, random_text};
pub use hook::{fits_hook_secret, hash_hook_secret, hook_client_id, hook_secret};
pub use password::{PASSWORD_BYTES_MAX, Passwords, Verdict};
pub use throttle::{FailureLimits, Failures, Rate};
pub use token::{Claims, TokenFault, TokenKeys};
