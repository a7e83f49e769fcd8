//! Who somebody is: password hashes, and the brakes on guessing; tokens, and URLs that are signed.
//!
//! Knows no protocol: callers bring what was shown and act on the verdict. Only `sessions` asks the
//! database.

mod argon;
mod device;
pub mod file_url;
mod hook;
mod password;
mod sessions;
mod throttle;
mod token;

pub use device::{device_named, lasting_device, nameless_device, random_number, random_text};
pub use hook::{fits_hook_secret, hash_hook_secret, hook_client_id, hook_secret};
pub use password::{PASSWORD_BYTES_MAX, Passwords, Verdict};
pub use sessions::{Commit, LOCKED_OUT, NotSignedIn, Remembered, Sessions};
pub use throttle::{FailureLimits, Failures, Rate};
pub use token::{Claims, TokenFault, TokenKeys};
