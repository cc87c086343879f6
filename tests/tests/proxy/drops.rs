//! What the proxy refuses is in the live drops, beside the packets.

use std::io::{BufRead, BufReader};
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use filter_tests::daemon::root;
use filter_tests::deadline::wait_for;
use serde_json::{Value, json};

use crate::stage::{LISTED, NAME, PORT, Stage, UNLISTED};

/// A `filterctl --json drops` that runs.
struct Drops {
    child: Child,
    lines: Receiver<Value>,
}

impl Drops {
    fn follow(stage: &Stage) -> Self {
        let mut child = Command::new(root().join("usr/local/bin/filterctl"))
            .arg("--config")
            .arg(stage.installation.path("filterd.toml"))
            .args(["--json", "drops"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("filterctl is installed");
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).expect("a JSON document"));
            }
        });
        Self { child, lines }
    }

    /// What is shown of a refusal that is made until it is seen: the stream has
    /// what comes after it was opened.
    fn until(&self, reason: &str, refuse: impl Fn()) -> Value {
        wait_for(reason, || {
            refuse();
            let next = || self.lines.recv_timeout(Duration::from_millis(50)).ok();
            std::iter::from_fn(next).find(|shown| shown["reason"] == reason)
        })
    }
}

impl Drop for Drops {
    fn drop(&mut self) {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it is ours");
    }
}

fn assert_shown(shown: &Value, fields: Value) {
    let Value::Object(fields) = fields else { panic!("fields are an object") };
    assert_eq!(shown["tier"], "proxy", "{shown}");
    assert_eq!(shown["destination_port"], PORT, "{shown}");
    for (key, value) in fields {
        assert_eq!(shown[&key], value, "{key} of {shown}");
    }
}

#[test]
fn refusals_of_the_proxy_are_shown_live() {
    let stage = Stage::new();
    let scene = stage.start();
    scene.set(&json!({
        "origins": ["https://www.example.com"],
        "trusted_hops": ["127.0.0.30/32"],
    }));
    let (listed, unlisted) = (scene.client(LISTED), scene.client(UNLISTED));
    let app = scene.app.client_app_id.as_str();
    stage.run(|| {
        let drops = Drops::follow(&stage);
        let shown = drops.until("not_listed", || assert!(unlisted.connect().is_err()));
        assert_shown(&shown, json!({ "source": UNLISTED, "app": null, "verdict": "drop" }));
        let other = "other.example.com";
        let shown = drops.until("unknown_name", || assert!(listed.connect_to(other).is_err()));
        assert_shown(&shown, json!({ "source": LISTED, "name": other, "verdict": "drop" }));
        let shown = drops.until("origin_not_listed", || {
            let answer = listed.get("/", "Origin: https://evil.example\r\n").expect("an answer");
            assert_eq!(answer.status, 403);
        });
        assert_shown(&shown, json!({ "source": LISTED, "name": NAME, "app": app }));
        let detail = shown["detail"].as_str().expect("words");
        assert!(detail.contains("https://evil.example"), "{detail}");
        let hop = scene.client(Ipv4Addr::new(127, 0, 0, 30));
        let shown = drops.until("not_listed", || {
            let mut tcp = hop.tcp().expect("a connection");
            // A hop that was refused at once has nothing more to say.
            let _ = std::io::Write::write_all(
                &mut tcp,
                b"PROXY TCP4 203.0.113.9 127.0.0.1 4321 443\r\n",
            );
            assert!(hop.finish(tcp, NAME).is_err());
        });
        assert_shown(
            &shown,
            json!({ "source": "127.0.0.30", "client": "203.0.113.9", "app": app }),
        );
    });
}

#[test]
fn what_an_observing_app_would_refuse_is_shown() {
    let stage = Stage::new();
    let scene = stage.start();
    scene.set(&json!({ "mode": "observe" }));
    let unlisted = scene.client(UNLISTED);
    stage.run(|| {
        let drops = Drops::follow(&stage);
        let shown = drops.until("not_listed", || {
            assert_eq!(unlisted.get("/", "").expect("an answer").status, 200);
        });
        let fields = json!({ "source": UNLISTED, "name": NAME, "verdict": "would_drop" });
        assert_shown(&shown, fields);
    });
}
