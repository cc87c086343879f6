//! An upstream that notes what it is asked, and misbehaves where the path says
//! so. It reads a request no better than it has to: what it takes for two, it
//! notes as two.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::SockRef;

/// The body of an answer that comes before the request has ended: more than
/// what sockets hold on the way.
pub(crate) const EARLY_BYTES: usize = 24 << 20;

/// It runs until the process ends; its threads keep to its namespace.
pub(crate) struct Upstream {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// A request that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) peer: SocketAddr,
    /// Its head, in lower case.
    pub(crate) head: String,
}

impl Upstream {
    /// Starts in the namespace of the thread.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let notes = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let notes = Arc::clone(&notes);
                std::thread::spawn(move || serve(stream, &notes));
            }
        });
        Self { port, asked }
    }

    /// What it was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("not poisoned").clone()
    }

    /// Forgets it.
    pub(crate) fn forget(&self) {
        self.asked.lock().expect("not poisoned").clear();
    }
}

fn serve(stream: TcpStream, notes: &Mutex<Vec<Asked>>) {
    let Ok(peer) = stream.peer_addr() else { return };
    let mut writer = stream.try_clone().expect("a socket can be shared");
    let mut reader = BufReader::new(stream);
    while let Some(head) = read_head(&mut reader) {
        let asked = Asked { peer, head: head.to_ascii_lowercase() };
        notes.lock().expect("not poisoned").push(asked.clone());
        if head.split(' ').nth(1) == Some("/early") {
            return answer_early(&mut writer, &mut reader);
        }
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        if path == "/unread" {
            let _ = writer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
        if path == "/unread" || path == "/stuck" {
            return leave_unread(&writer, notes);
        }
        let Some(body) = read_body(&mut reader, &asked.head) else { return };
        let text = if path == "/body" { &body } else { &asked.head };
        if answer(&mut writer, &mut reader, &path, text).is_none() {
            return;
        }
    }
}

/// Reads nothing more, keeps the connection, and notes its end.
fn leave_unread(writer: &TcpStream, notes: &Mutex<Vec<Asked>>) {
    let Ok(peer) = writer.peer_addr() else { return };
    // Whatever it left unread says nothing about that.
    let gone = PollFlags::from_bits_retain(libc::POLLRDHUP);
    let mut other_end = [PollFd::new(writer.as_fd(), gone)];
    let _ = poll(&mut other_end, PollTimeout::NONE);
    notes.lock().expect("not poisoned").push(Asked { peer, head: "gone".to_owned() });
}

/// Does not wait for the body, and is done with the connection.
fn answer_early(writer: &mut TcpStream, reader: &mut impl BufRead) {
    let head =
        format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {EARLY_BYTES}\r\n\r\n");
    let answer = [head.as_bytes(), &vec![b'e'; EARLY_BYTES]].concat();
    let sent = writer.write_all(&answer).and_then(|()| writer.shutdown(Shutdown::Write));
    // To close over what is unread would take the answer back.
    let _ = sent.and_then(|()| std::io::copy(reader, &mut std::io::sink()));
}

fn read_head(reader: &mut impl BufRead) -> Option<String> {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" || line == "\n" {
            return Some(head);
        }
        head.push_str(&line);
    }
}

/// The body with its trailers.
fn read_body(reader: &mut impl BufRead, head: &str) -> Option<String> {
    let mut body = Vec::new();
    let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
    if field("transfer-encoding:").is_some() {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).ok()?;
            let size = usize::from_str_radix(size.trim(), 16).ok()?;
            if size == 0 {
                // The trailers, and the line behind them.
                let trailers = read_head(reader)?.to_ascii_lowercase();
                return Some(String::from_utf8_lossy(&body).into_owned() + &trailers);
            }
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk).ok()?;
            body.extend_from_slice(&chunk[..size]);
        }
    }
    let length = field("content-length:").map_or(0, |text| text.trim().parse().unwrap_or(0));
    body.resize(length, 0);
    reader.read_exact(&mut body).ok()?;
    Some(String::from_utf8_lossy(&body).into_owned())
}

/// Nothing where the connection is to end.
fn answer(writer: &mut TcpStream, reader: &mut impl BufRead, path: &str, text: &str) -> Option<()> {
    match path {
        "/close" => None,
        "/half-head" => {
            let _ = writer.write_all(b"HTTP/1.1 200 OK\r\nContent-Le");
            None
        }
        "/leave" => {
            let _ = writer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            None
        }
        "/half-body" => {
            let _ = writer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
            None
        }
        "/old-half-body" => {
            let _ = writer.write_all(b"HTTP/1.0 200 OK\r\n\r\nhalf");
            // With something unread it ends in disorder.
            SockRef::from(&*writer).set_linger(Some(Duration::ZERO)).expect("it is open");
            None
        }
        "/large" => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {EARLY_BYTES}\r\n\r\n");
            writer.write_all(&[head.as_bytes(), &vec![b'l'; EARLY_BYTES]].concat()).ok()
        }
        "/nonsense" => {
            let _ = writer.write_all(b"\0\0\0 nonsense\r\n\r\n");
            None
        }
        "/silent" => {
            // Until the proxy has had enough.
            let _ = reader.read(&mut [0]);
            None
        }
        "/ws" if text.contains("upgrade: websocket") => {
            let switched = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
            writer.write_all(switched).ok()?;
            let mut bytes = [0; 1024];
            loop {
                let count = reader.read(&mut bytes).ok().filter(|count| *count > 0)?;
                writer.write_all(&bytes[..count]).ok()?;
            }
        }
        "/trailers" => writer
            .write_all(b"HTTP/1.1 200 OK\r\nTrailer: x-sum\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ndata\r\n0\r\nx-sum: 7\r\n\r\n")
            .ok(),
        _ => {
            let start = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", text.len());
            writer.write_all(format!("{start}{text}").as_bytes()).ok()
        }
    }
}
