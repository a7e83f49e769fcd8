//! What a resumable upload says about its file.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| common::fuzz::upload_metadata(bytes));
