//! The steps of keeping a file, at which a test lets the process die to see what it leaves.

/// A step that was just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// All content is written, and nothing is sure.
    Written,
    /// The disk has the content.
    Synced,
    /// The folders for the name are there.
    Folders,
    /// The content has its name.
    Named,
    /// The disk has the name.
    Kept,
}

/// In tests, dies here if it was told to.
#[cfg(test)]
pub(super) fn reach(step: Step) {
    if DIES_AT.get() == Some(&step) {
        std::process::abort();
    }
}

#[cfg(not(test))]
pub(super) fn reach(_: Step) {}

/// Where this process is to die. Only a process that a test starts for this is told so.
#[cfg(test)]
pub(super) static DIES_AT: std::sync::OnceLock<Step> = std::sync::OnceLock::new();
