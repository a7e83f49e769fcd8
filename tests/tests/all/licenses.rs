//! The check of licenses lets nothing through that is not allowed.

use std::fs;
use std::process::{Command, Output};

use myim_tests::foreign::root;
use tempfile::TempDir;

/// What the check says of these packages, one a line.
fn check(packages: &str) -> (bool, String) {
    let folder = TempDir::with_prefix("myim-licenses-").unwrap();
    let file = folder.path().join("packages");
    fs::write(&file, packages).unwrap();
    let mut command = Command::new(root().join("scripts/check-licenses"));
    let Output { status, stdout, .. } = command.arg(&file).output().unwrap();
    (status.success(), String::from_utf8(stdout).unwrap())
}

#[test]
fn what_leaves_a_choice_is_allowed() {
    for licenses in [
        "MIT",
        "MIT/Apache-2.0",
        "Apache-2.0 / MIT",
        "GPL-3.0-only OR MIT",
        "ISC AND (Apache-2.0 OR ISC) AND BSD-3-Clause",
        "Apache-2.0 WITH LLVM-exception OR LGPL-2.1-or-later",
        // AND binds more tightly.
        "MIT OR Apache-2.0 AND GPL-2.0-only",
    ] {
        let (is_fine, said) = check(&format!("fine v1.0.0|{licenses}\n"));
        assert!(is_fine, "{licenses}: {said}");
    }
}

#[test]
fn what_leaves_none_is_refused_by_name() {
    for licenses in [
        "GPL-3.0-only",
        "AGPL-3.0-only OR BUSL-1.1",
        "MIT AND GPL-3.0-only",
        "(MIT OR Apache-2.0) AND SSPL-1.0",
        "MIT AND",
        "(MIT",
        "MIT Apache-2.0",
        "1",
        "Apache-2.0 WITH Classpath-exception-2.0",
        "",
    ] {
        let packages = format!("fine v1.0.0|MIT\nplanted v2.0.0|{licenses}\n");
        let (is_fine, said) = check(&packages);
        assert!(!is_fine, "{licenses}: {said}");
        assert!(said.contains("planted v2.0.0"), "{licenses}: {said}");
        assert!(!said.contains("fine v1.0.0"), "{licenses}: {said}");
    }
}

#[test]
fn an_empty_list_proves_nothing() {
    assert!(!check("").0);
}
