//! The socket itself: who gets in, and who cannot keep others out.

use std::fs::Permissions;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::api::limits::HEAD_PATIENCE;
use crate::api::tests::bench::Bench;

const STATUS: &[u8] = b"GET /api/filter/v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/// A served socket.
struct Served {
    bench: Bench,
    config: Config,
    shutdown: CancellationToken,
    server: tokio::task::JoinHandle<()>,
    directory: tempfile::TempDir,
}

fn config(directory: &Path) -> Config {
    let socket = directory.join("run/control.sock");
    let text = format!(
        "[[interface]]\nname = \"eth0\"\n[limits]\ncontrol_connections = 4\n[paths]\ncontrol_socket = {:?}\n",
        socket.display().to_string()
    );
    Config::parse(&text).expect("valid")
}

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).expect("there").permissions().mode() & 0o7777
}

impl Served {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let config = config(directory.path());
        let bench = Bench::new();
        let shutdown = CancellationToken::new();
        let socket = bind(&config).expect("bound");
        let server = tokio::spawn(serve(socket, bench.control.clone(), shutdown.clone()));
        Self { bench, config, shutdown, server, directory }
    }

    fn path(&self) -> &Path {
        &self.config.paths.control_socket
    }

    async fn connect(&self) -> UnixStream {
        UnixStream::connect(self.path()).await.expect("connected")
    }

    async fn ask(&self, request: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request).await.expect("sent");
        read_to_end(&mut stream).await
    }
}

/// Also what came before the other side broke off.
async fn read_to_end(stream: &mut UnixStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8(bytes).expect("text")
}

#[tokio::test]
async fn the_socket_is_roots_alone_and_goes_away() {
    let served = Served::new();
    let path = served.path().to_owned();
    assert_eq!((mode(&path), mode(path.parent().expect("a directory"))), (0o600, 0o700));
    assert!(served.ask(STATUS).await.starts_with("HTTP/1.1 200 OK"));
    served.shutdown.cancel();
    served.server.await.expect("ended");
    assert!(!path.exists());
    drop(served.directory);
}

#[tokio::test]
async fn a_dead_daemons_socket_is_replaced_and_a_living_ones_is_not() {
    let served = Served::new();
    assert!(matches!(bind(&served.config), Err(ServeError::InUse(_))));
    served.server.abort();
    assert!(served.server.await.expect_err("aborted").is_cancelled());
    assert!(served.config.paths.control_socket.exists(), "as after kill -9");
    let again = bind(&served.config).expect("bound again");
    drop(again);
}

#[tokio::test]
async fn what_is_no_socket_or_no_directory_of_ours_is_left_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = config(directory.path());
    let (run, path) = (directory.path().join("run"), &config.paths.control_socket);
    std::fs::create_dir(&run).expect("made");

    std::fs::write(path, "precious").expect("written");
    assert!(matches!(bind(&config), Err(ServeError::NotASocket(_))));
    assert_eq!(std::fs::read(path).expect("read"), b"precious");
    std::fs::remove_file(path).expect("removed");

    std::os::unix::fs::symlink("/etc/passwd", path).expect("linked");
    assert!(matches!(bind(&config), Err(ServeError::NotASocket(_))));
    std::fs::remove_file(path).expect("removed");

    std::fs::write(run.join("another"), "file").expect("written");
    std::fs::set_permissions(&run, Permissions::from_mode(0o755)).expect("set");
    assert!(matches!(bind(&config), Err(ServeError::SharedDirectory { wanted: 0o700, .. })));
    assert_eq!(mode(&run), 0o755);
    std::fs::remove_dir_all(&run).expect("removed");

    std::os::unix::fs::symlink(directory.path(), &run).expect("linked");
    assert!(matches!(bind(&config), Err(ServeError::NotOurDirectory(_))));
    std::fs::remove_file(&run).expect("removed");

    std::fs::create_dir(&run).expect("made");
    std::fs::set_permissions(&run, Permissions::from_mode(0o755)).expect("set");
    let socket = bind(&config).expect("an empty directory is closed to others");
    assert_eq!((mode(&run), mode(path)), (0o700, 0o600));
    assert!(std::fs::symlink_metadata(path).expect("there").file_type().is_socket());
    drop(socket);
}

#[tokio::test]
async fn a_group_gets_in_by_its_name() {
    let directory = tempfile::tempdir().expect("a directory");
    let own = nix::unistd::getegid();
    let group = nix::unistd::Group::from_gid(own).expect("readable").expect("our own group");
    let mut config = config(directory.path());
    config.control_group = Some(group.name);
    let socket = bind(&config).expect("bound");
    let path = &config.paths.control_socket;
    assert_eq!((mode(path), mode(&directory.path().join("run"))), (0o660, 0o750));
    drop(socket);
    config.control_group = Some("no-such-group".to_owned());
    assert!(matches!(bind(&config), Err(ServeError::UnknownGroup(_))));
}

#[tokio::test]
async fn too_many_connections_are_told_at_once_and_silent_ones_leave() {
    let served = Served::new();
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(served.connect().await);
    }
    let start = Instant::now();
    let answer = served.ask(STATUS).await;
    assert!(
        answer.starts_with("HTTP/1.1 503") && answer.contains("control_connections"),
        "{answer}"
    );
    assert!(start.elapsed() < HEAD_PATIENCE, "told at once");
    // A half head, an idle connection after a request: they all have to go.
    silent[0].write_all(b"GET / HT").await.expect("sent");
    let idle = b"GET /api/filter/v1/settings HTTP/1.1\r\nHost: x\r\n\r\n";
    silent[1].write_all(idle).await.expect("sent");
    for stream in &mut silent {
        read_to_end(stream).await;
    }
    assert!(start.elapsed() < HEAD_PATIENCE * 3, "{:?}", start.elapsed());
    assert!(served.ask(STATUS).await.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn garbage_is_answered_or_cut_off() {
    let served = Served::new();
    let long_line = [b"GET /".as_slice(), &[b'a'; 1 << 20], b" HTTP/1.1\r\n\r\n"].concat();
    let many_headers = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(100));
    for request in [
        b"\0\xff\x16\x03\x01garbage\r\n\r\n".as_slice(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        many_headers.as_bytes(),
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    ] {
        let answer = served.ask(request).await;
        assert!(!answer.contains("200 OK"), "{answer}");
    }
    let mut stream = served.connect().await;
    let _ = stream.write_all(&long_line).await;
    assert!(!read_to_end(&mut stream).await.contains("200 OK"));
    assert!(served.ask(STATUS).await.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn drops_stream_until_shutdown() {
    let served = Served::new();
    let mut stream = served.connect().await;
    let request = b"GET /api/filter/v1/drops HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.write_all(request).await.expect("sent");
    let mut head = [0; 4096];
    let read = stream.read(&mut head).await.expect("a head");
    assert!(head[..read].starts_with(b"HTTP/1.1 200 OK"));
    served.bench.observer.publish(crate::observe::Drop {
        time: std::time::UNIX_EPOCH,
        ifindex: 2,
        interface: Some("eth0".to_owned()),
        app: 0,
        reason: filter_common::reason::Reason::NotListed,
        verdict: filter_common::verdict::Verdict::Drop,
        family: 4,
        source: Some("192.0.2.7".parse().expect("valid")),
        destination: None,
        source_port: 50_000,
        destination_port: 443,
        protocol: 6,
        frame_bytes: 60,
    });
    let mut chunk = [0; 4096];
    let read = stream.read(&mut chunk).await.expect("a line");
    let text = std::str::from_utf8(&chunk[..read]).expect("text");
    let line = text.lines().find(|line| line.starts_with('{')).expect("a line");
    let drop: serde_json::Value = serde_json::from_str(line).expect("JSON");
    assert_eq!(drop["time"], "1970-01-01T00:00:00Z");
    assert_eq!((&drop["reason"], &drop["source"]), (&"not_listed".into(), &"192.0.2.7".into()));
    served.shutdown.cancel();
    assert!(read_to_end(&mut stream).await.ends_with("0\r\n\r\n"), "the stream ends well");
    served.server.await.expect("ended");
}

#[tokio::test]
async fn clients_that_left_hold_no_place() {
    let served = Served::new();
    let deadline = Instant::now() + HEAD_PATIENCE;
    let mut followed = 0;
    // Twice as many as there are places.
    while followed < 8 {
        let mut stream = served.connect().await;
        let request = b"GET /api/filter/v1/drops HTTP/1.1\r\nHost: x\r\n\r\n";
        stream.write_all(request).await.expect("sent");
        let mut head = [0; 256];
        let read = stream.read(&mut head).await.expect("a head");
        match head[..read].starts_with(b"HTTP/1.1 200 OK") {
            true => followed += 1,
            false => assert!(Instant::now() < deadline, "places are not given back"),
        }
    }
}
