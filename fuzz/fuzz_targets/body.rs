//! Bodies of the API.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| chat_server::protocol::web::fuzz::body(bytes));
