//! What may be in the socket's place already.

use std::fs;
use std::os::unix::net::UnixListener;

use filter_tests::daemon::Installation;
use filter_tests::namespace::Namespace;

use super::client::stage;

#[test]
fn the_socket_of_a_killed_daemon_is_replaced() {
    let (namespace, installation) = stage(|_| {});
    installation.start(&namespace).kill();
    assert!(installation.socket().exists(), "a killed daemon leaves its socket");
    let daemon = installation.start(&namespace);
    assert_eq!(daemon.control().status()["phase"], "idle");
    assert!(daemon.stop().success());
    assert!(!installation.socket().exists(), "a stopped one takes it away");
}

#[test]
fn a_socket_that_somebody_serves_is_not_taken() {
    let (namespace, installation) = stage(|_| {});
    let listener = UnixListener::bind(installation.socket()).expect("the directory is ours");
    refused(&installation, &namespace);
    drop(listener);
    // Now nobody serves it.
    installation.start(&namespace);
}

#[test]
fn what_is_no_socket_is_left_alone() {
    let (namespace, installation) = stage(|_| {});
    let place = installation.socket();
    fs::write(&place, b"precious").expect("the directory is ours");
    refused(&installation, &namespace);
    assert_eq!(fs::read(&place).expect("it is still there"), b"precious");
    fs::remove_file(&place).expect("it is ours");
    std::os::unix::fs::symlink("/etc/hostname", &place).expect("the directory is ours");
    refused(&installation, &namespace);
    assert!(place.is_symlink(), "a link is neither followed nor removed");
}

fn refused(installation: &Installation, namespace: &Namespace) {
    let failure = installation.try_start(namespace).expect_err("the place is taken");
    assert!(!failure.status.expect("it has ended by itself").success());
    let socket = installation.socket();
    let name = socket.to_str().expect("a plain path");
    assert!(failure.log.contains(name), "no {name} in: {}", failure.log);
}
