//! Connections between requests: they hold little memory, and go on whatever
//! comes next and however it is cut.

use std::io::Write as _;

use filter_tests::deadline::wait_for;

use crate::client::{Answer, Client, Connection, is_closed};
use crate::stage::{LISTED, Scene, Stage};

const CONNECTIONS: usize = 1500;

/// What one of them may hold: less than the buffers of an HTTP library.
const MOST_BYTES: u64 = 24 << 10;

const REQUEST: &[u8] = b"GET /again HTTP/1.1\r\nHost: app.example.com\r\n\r\n";

#[test]
fn a_connection_that_has_rested_goes_on() {
    let stage = Stage::new();
    let scene = stage.start();
    let client = scene.client(LISTED);
    stage.run(|| {
        let mut rested = rested(&scene, &client).into_iter();
        let mut next = || rested.next().expect("there are enough");
        for cut in [0, 1, 15, 16, 17, 40, REQUEST.len() - 1] {
            let mut connection = next();
            for piece in [&REQUEST[..cut], &REQUEST[cut..]] {
                connection.write_all(piece).expect("it goes out");
                connection.flush().expect("it goes out");
            }
            assert_eq!(answer(&mut connection), 200, "cut at {cut}");
        }
        let mut pipelined = next();
        pipelined.write_all(&[REQUEST, REQUEST].concat()).expect("they go out");
        assert_eq!([answer(&mut pipelined), answer(&mut pipelined)], [200, 200]);
        let mut bad = next();
        bad.write_all(b"GET /again HTTP/1.1\nHost: app.example.com\r\n\r\n").expect("it goes out");
        assert_eq!(answer(&mut bad), 400);
        assert!(is_closed(&mut bad));
        let mut sends = next();
        let head = b"POST / HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: 100000\r\n\r\n";
        sends.write_all(&[head.as_slice(), &[b'x'; 100_000]].concat()).expect("it goes out");
        assert_eq!(answer(&mut sends), 200);
        let closed = scene.unlist();
        assert!(closed >= 1000, "{closed} connections were closed");
        assert!(is_closed(&mut next()));
    });
}

/// Connections that have made a request each, and rest.
fn rested(scene: &Scene<'_>, client: &Client) -> Vec<Connection> {
    let resident = || scene.daemon.resident_bytes().expect("it runs");
    // What is needed once is there from now on.
    let _first: Vec<Connection> = (0..16).map(|_| asked(client)).collect();
    let before = resident();
    let connections: Vec<Connection> = (0..CONNECTIONS).map(|_| asked(client)).collect();
    let held = wait_for("the connections to rest", || {
        let held = resident().saturating_sub(before) / CONNECTIONS as u64;
        (held < MOST_BYTES).then_some(held)
    });
    println!("{held} bytes are held by a connection that rests");
    connections
}

fn asked(client: &Client) -> Connection {
    let mut connection = client.connect().expect("a handshake");
    connection.write_all(REQUEST).expect("it goes out");
    assert_eq!(answer(&mut connection), 200);
    connection
}

fn answer(connection: &mut Connection) -> u16 {
    Answer::read(connection).expect("an answer").status
}
