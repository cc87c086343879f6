//! Fuzzes `filter_tests::fuzz::Api`.

#![no_main]

use std::cell::RefCell;

use filter_tests::fuzz::Api;

thread_local! {
    static API: RefCell<Api> = RefCell::new(Api::start());
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    API.with_borrow_mut(|api| api.request(input));
});
