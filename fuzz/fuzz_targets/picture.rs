//! Pictures: every format, EXIF, and what is shown of them.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| image_server::picture::fuzz::picture(bytes));
