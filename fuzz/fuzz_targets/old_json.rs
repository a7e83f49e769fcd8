//! JSON as the existing clients write it.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| common::fuzz::old_json(bytes));
