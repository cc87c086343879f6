//! Fuzzes `filter_tests::fuzz::scope`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| filter_tests::fuzz::scope(input));
