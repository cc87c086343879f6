//! Bodies and paths of the HTTP interface: the daemon's own router over its
//! own store, reconciler and program, in an empty namespace.
//!
//! An input is a line `METHOD PATH`, and behind it the body. In the path `{g}`
//! stands for the group, `{a}` for an app.

use axum::body::Body;
use axum::http::{Method, Request};
use filter_daemon::api::router;
use filter_daemon::auth::Auth;
use filter_daemon::caller::{Caller, Source};
use filter_daemon::config::{Admin, Limits, OnExit};
use filter_daemon::control::Control;
use filter_daemon::datapath::{Datapath, DatapathOptions};
use filter_daemon::observe::Observer;
use filter_daemon::reconcile::{Reconciler, ReconcilerParts};
use filter_daemon::store;
use http_body_util::BodyExt;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::namespace::Namespace;
use crate::pins::Pins;

/// A running daemon without sockets.
pub struct Api {
    runtime: Runtime,
    control: Control,
    group: String,
    app: String,
    _state: TempDir,
    _pins: Pins,
}

impl Api {
    /// Moves the calling thread into a namespace of its own and starts there.
    pub fn start() -> Self {
        Namespace::new().enter();
        let pins = Pins::new();
        let state = tempfile::tempdir().expect("a directory can be made");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let limits = Limits { entries: 1000, apps: 8, ..Limits::default() };
        let store = store::open(state.path(), limits, Vec::new()).expect("the store opens").0;
        let options = DatapathOptions {
            pins: pins.path().to_owned(),
            packet_log: false,
            accelerate_from: 1000,
        };
        let datapath = Datapath::open(&options).expect("the program loads");
        let counters = datapath.counters().expect("the counters are there");
        let control = runtime.block_on(async {
            let (reconciler, switch, status) = Reconciler::new(ReconcilerParts {
                datapath,
                state: store.watch(),
                interfaces: Vec::new(),
                fail_safe: Vec::new(),
                on_exit: OnExit::Keep,
            })
            .expect("the reconciler starts");
            tokio::spawn(reconciler.run(CancellationToken::new()));
            let auth = Auth::new(store.clone(), &Admin::default());
            Control::new(store, status, switch, Observer::new(counters), auth)
        });
        let mut api = Self {
            runtime,
            control,
            group: String::new(),
            app: String::new(),
            _state: state,
            _pins: pins,
        };
        let (_, groups) = api.send(Method::GET, "/api/filter/v1/groups", b"");
        api.group = id(&groups[0]);
        api
    }

    /// An answer is a success, or an error with a text; never a fault of ours.
    /// Tells the status of what was sent.
    pub fn request(&mut self, input: &[u8]) -> Option<u16> {
        self.ensure_app();
        let split = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
        let (line, body) = (&input[..split], input.get(split + 1..).unwrap_or_default());
        let line = std::str::from_utf8(line).ok()?;
        let (method, path) = line.split_once(' ').unwrap_or(("POST", line));
        let method = method.parse::<Method>().ok()?;
        let path = path.replace("{g}", &self.group).replace("{a}", &self.app);
        let endless =
            path.contains("/drops") || path.contains("/detach") || path.contains("/attach");
        if endless || Request::builder().uri(&path).body(()).is_err() {
            return None;
        }
        let (status, answer) = self.send(method, &path, body);
        assert!(status < 500 || status == 507, "{line}: {status} {answer}");
        if status >= 400 {
            assert!(answer["error"].is_string(), "{line}: {status} {answer}");
        }
        Some(status)
    }

    /// The app that `{a}` stands for, made again when it was deleted.
    fn ensure_app(&mut self) {
        let path = format!("/api/filter/v1/groups/{}/apps", self.group);
        let (_, apps) = self.send(Method::GET, &path, b"");
        if apps.as_array().is_some_and(|apps| apps.iter().any(|app| id(app) == self.app)) {
            return;
        }
        for app in apps.as_array().cloned().unwrap_or_default() {
            self.send(Method::DELETE, &format!("{path}/{}", id(&app)), b"");
        }
        let body = br#"{"name":"app","scopes":["port=443"]}"#;
        let (status, app) = self.send(Method::POST, &path, body);
        assert_eq!(status, 201, "{app}");
        self.app = id(&app);
    }

    fn send(&self, method: Method, path: &str, body: &[u8]) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .extension(Source::ControlSocket)
            .extension(Caller::new("root".into(), Source::ControlSocket))
            .body(Body::from(body.to_vec()))
            .expect("the path was checked");
        self.runtime.block_on(async {
            let response = router(self.control.clone()).oneshot(request).await.expect("infallible");
            let status = response.status().as_u16();
            if let Some(applied) = response.headers().get("filterd-applied") {
                assert_eq!(applied, "yes", "{path}: {:?}", response.headers().get("warning"));
            }
            let bytes = response.into_body().collect().await.expect("a body").to_bytes();
            let value = if bytes.is_empty() {
                Value::Null
            } else {
                serde_json::from_slice(&bytes).expect("every body is JSON")
            };
            (status, value)
        })
    }
}

fn id(object: &Value) -> String {
    object["_id"].as_str().unwrap_or_default().to_owned()
}
