//! The first bytes of a connection, which say what is spoken.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| common::fuzz::first_bytes(bytes));
