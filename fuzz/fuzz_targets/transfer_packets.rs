//! Packets of the existing clients' transfer protocol.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| common::fuzz::transfer_packets(bytes));
