//! Programs that others wrote, or that use a library of others, as tests run them.
//!
//! scripts/test installs what they need under `target/foreign`; without it such a test fails.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::Process;

/// Where the project stands.
pub fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package
        .parent()
        .expect("tests/ stands in the root")
        .to_owned()
}

/// Something under `target/foreign`.
///
/// # Panics
/// If it is not there.
pub fn installed(path: &str) -> PathBuf {
    let path = root().join("target/foreign").join(path);
    assert!(
        path.exists(),
        "{} is missing: run scripts/test or scripts/install-foreign",
        path.display()
    );
    path
}

/// A program of `tests/foreign`.
pub fn program(name: &str) -> PathBuf {
    root().join("tests/foreign").join(name)
}

/// Runs a program to its end; it must say that all is well. What it printed.
///
/// # Panics
/// If it says anything else, or nothing for so long.
pub fn run(command: &mut Command, patience: Duration) -> String {
    let process = Process::spawn(command);
    let status = process.wait(patience);
    assert!(
        status.success(),
        "{status}\n{}\n{}",
        process.output(),
        process.log()
    );
    process.output()
}
