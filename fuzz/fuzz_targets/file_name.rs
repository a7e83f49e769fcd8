//! Names of files.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| common::fuzz::file_name(bytes));
