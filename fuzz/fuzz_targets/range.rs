//! Range and If-Range of a download.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| common::fuzz::range(bytes));
