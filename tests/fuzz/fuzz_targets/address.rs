//! Fuzzes `filter_tests::fuzz::address`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| filter_tests::fuzz::address(input));
