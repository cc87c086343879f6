//! The ClientHello: cut anywhere, with and without a post-quantum key share,
//! of an old client, for names that nobody has.

use std::io::{Read, Write};
use std::process::Stdio;

use crate::client::Answer;
use crate::stage::{LISTED, NAME, PORT, PROXY, Stage};

fn hello(client: &crate::client::Client) -> Vec<u8> {
    let mut bytes = Vec::new();
    client.session(NAME).write_tls(&mut bytes).expect("a vector takes all");
    bytes
}

#[test]
fn a_hello_is_read_however_it_is_cut() {
    let stage = Stage::new();
    let scene = stage.start();
    let client = scene.client(LISTED);
    let length = hello(&client).len();
    assert!(length > 1216, "the hello carries an ML-KEM share of 1216 octets, {length} in all");
    stage.run(|| {
        for cut in 1..length {
            let mut tcp = client.tcp().expect("the proxy accepts");
            let mut session = client.session(NAME);
            let mut bytes = Vec::new();
            session.write_tls(&mut bytes).expect("a vector takes all");
            tcp.write_all(&bytes[..cut]).expect("it goes out");
            tcp.write_all(&bytes[cut..]).expect("it goes out");
            // The server's answer to the hello is a handshake record.
            let mut first = [0];
            tcp.read_exact(&mut first).expect("an answer");
            assert_eq!(first, [22], "cut at {cut}");
        }
    });
}

#[test]
fn a_post_quantum_handshake_is_the_rule() {
    let stage = Stage::new();
    let scene = stage.start();
    let client = scene.client(LISTED);
    stage.run(|| {
        let mut connection = client.connect().expect("a handshake");
        let group = connection.conn.negotiated_key_exchange_group().expect("a group");
        assert_eq!(group.name(), rustls::NamedGroup::X25519MLKEM768);
        write!(connection, "GET / HTTP/1.1\r\nHost: {NAME}\r\n\r\n").expect("it goes out");
        assert_eq!(Answer::read(&mut connection).expect("an answer").status, 200);
    });
}

#[test]
fn an_old_client_fails_in_the_handshake() {
    let stage = Stage::new();
    let scene = stage.start();
    let target = format!("{PROXY}:{PORT}");
    let openssl = |version: &str| {
        let mut command = stage.namespace.command("openssl");
        command.args(["s_client", "-connect", &target, "-bind", &format!("{LISTED}:0")]);
        command.args(["-servername", NAME, version]).stdin(Stdio::null());
        command.output().expect("openssl is installed").status.success()
    };
    assert!(openssl("-tls1_3"));
    assert!(!openssl("-tls1_2"));
    assert_eq!(scene.count("tls_version"), 1);
}

#[test]
fn names_decide() {
    let stage = Stage::new();
    let scene = stage.start();
    let client = scene.client(LISTED);
    stage.run(|| {
        for (name, is_ours) in [
            (NAME, true),
            ("APP.Example.Com", true),
            ("eu.services.example.com", true),
            ("example.com", false),
            ("services.example.com", false),
            ("app.example.com.evil.test", false),
            ("xapp.example.com", false),
        ] {
            assert_eq!(client.connect_to(name).is_ok(), is_ours, "{name}");
        }
        let before = scene.count("no_server_name");
        assert!(client.connect_to("127.0.0.1").is_err(), "no server name is sent for an address");
        assert_eq!(scene.count("no_server_name"), before + 1);
        assert_eq!(scene.count("unknown_name"), 4);
        for host in ["evil.test", "eu.services.example.com", "app.example.com.evil.test"] {
            let answer = client.ask(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
            assert_eq!(answer.expect("an answer").status, 421, "{host}");
        }
    });
    assert!(scene.upstream.asked().is_empty());
}
