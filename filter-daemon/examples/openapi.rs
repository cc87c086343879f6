//! Prints the OpenAPI document, for `dist/openapi.json`.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

fn main() {
    print!("{}", filter_daemon::api::openapi());
}
