//! Has this crate built again when a file of the web client comes or goes: the files that are there
//! are built in, and the compiler sees only when one of those changes.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../web");
}
