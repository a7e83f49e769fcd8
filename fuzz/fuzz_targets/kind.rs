//! What kind of file some bytes are.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| common::fuzz::kind(bytes));
