//! Who keeps the proxy waiting is let go.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use crate::stage::{LISTED, Stage};

use super::frames::PREFACE;
use super::session::Session;

/// Longer than anybody may keep it waiting.
const LONGEST: Duration = Duration::from_secs(100);

/// A stream whose answer is not read ends by itself, and a connection that never
/// becomes one of HTTP/2 as a whole.
#[test]
fn nobody_is_waited_for_without_end() {
    let stage = Stage::new();
    let scene = stage.start();
    let client = scene.client(LISTED);
    stage.run(|| {
        let began = Instant::now();
        let mut unfinished = client.offering(&[b"h2"]).connect().expect("a handshake");
        unfinished.write_all(&PREFACE[..20]).expect("it goes out");
        unfinished.sock.set_read_timeout(Some(LONGEST)).expect("it is open");
        let mut reader = Session::begin(&client);
        reader.wait_at_most(LONGEST);
        reader.close_windows();
        reader.ask(1, "/large", &[]);
        assert_eq!(reader.status(), (1, 200));
        assert_eq!(reader.reset(), 1);
        assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
        reader.ask(3, "/close", &[]);
        assert_eq!(reader.status(), (3, 502), "the connection goes on");
        let _ = unfinished.read_to_end(&mut Vec::new());
        assert!(began.elapsed() < Duration::from_secs(90), "{:?}", began.elapsed());
    });
    assert_eq!(scene.count("client_timeout"), 2);
}
