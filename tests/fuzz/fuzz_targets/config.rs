//! Fuzzes `filter_tests::fuzz::config`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| filter_tests::fuzz::config(input));
