//! Frames of the existing clients' chat protocol.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| common::fuzz::chat_frames(bytes));
