//! A `filterctl --json drops` that runs.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use super::{Installation, root};

/// How long a line that may never come is waited for at a time.
const PAUSE: Duration = Duration::from_millis(50);

/// It ends with the value.
#[derive(Debug)]
pub struct Drops {
    child: Child,
    lines: Receiver<Value>,
}

impl Drops {
    /// Starts it. What was refused before the daemon knows of it is not shown,
    /// so a refusal has to be made until it is seen.
    pub fn follow(installation: &Installation) -> Self {
        let mut child = Command::new(root().join("usr/local/bin/filterctl"))
            .arg("--config")
            .arg(installation.path("filterd.toml"))
            .args(["--json", "drops"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("filterctl is installed");
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // Nobody may be left who wants to see it.
                let _ = sender.send(serde_json::from_str(&line).expect("a JSON document"));
            }
        });
        Self { child, lines }
    }

    /// The next line, if one comes soon.
    pub fn next_soon(&self) -> Option<Value> {
        self.lines.recv_timeout(PAUSE).ok()
    }
}

impl Drop for Drops {
    fn drop(&mut self) {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it is ours");
    }
}
