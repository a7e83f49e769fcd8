//! Headers of a resumable upload.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| common::fuzz::upload_headers(bytes));
