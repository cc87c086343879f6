//! A router over a real store, with nothing behind it that reaches a kernel.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use filter_common::hit::Hit;
use filter_common::reason::Reason;
use filter_common::verdict::Verdict;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tower::ServiceExt as _;

use crate::api::{guarded_router, router};
use crate::auth::Auth;
use crate::caller::{Caller, Source};
use crate::command::Session;
use crate::config::{Admin, Limits};
use crate::control::Control;
use crate::datapath::DatapathError;
use crate::observe::{CounterRow, KernelCounts, Observer, Unseen};
use crate::reconcile::{Phase, Status, Switch, SwitchRequest};
use crate::store;

const LIMITS: Limits = Limits {
    entries: 50_000,
    apps: 3,
    control_connections: 64,
    admin_connections: 64,
    accelerate_from: 1000,
    versions: 1000,
    proxy_connections: 65_536,
};

const COUNTERS: [CounterRow; 2] = [
    CounterRow { app: 0, reason: Reason::Arp, verdict: Verdict::Pass, packets: 2, bytes: 84 },
    CounterRow {
        app: 1,
        reason: Reason::NotListed,
        verdict: Verdict::Drop,
        packets: 3,
        bytes: 180,
    },
];

/// The number of the first app's first entry: the group and the app have those
/// before it.
const HIT_ENTRY: u32 = 3;

/// A kernel that has counted a little.
struct Counted;

impl KernelCounts for Counted {
    fn counters(&self) -> Result<Vec<CounterRow>, DatapathError> {
        Ok(COUNTERS.to_vec())
    }

    fn hits(&self) -> Result<HashMap<u32, Hit>, DatapathError> {
        Ok([(HIT_ENTRY, Hit { packets: 5, last_ns: 1 })].into())
    }

    fn unseen(&self) -> Result<Unseen, DatapathError> {
        Ok(Unseen { unsampled: 2, lost: 1 })
    }
}

/// Does what the switch says, as far as the status shows it.
async fn obey(mut requests: mpsc::Receiver<SwitchRequest>, status: Arc<watch::Sender<Status>>) {
    while let Some((detached, done)) = requests.recv().await {
        status.send_modify(|status| status.detached = detached);
        let _ = done.send(());
    }
}

/// A router, and the store behind it.
pub(crate) struct Bench {
    pub(crate) control: Control,
    pub(crate) observer: Observer,
    pub(crate) status: Arc<watch::Sender<Status>>,
    /// From where the calls come.
    pub(crate) from: Source,
    _directory: tempfile::TempDir,
}

/// What a call answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) applied: Option<String>,
    pub(crate) warning: Option<String>,
    pub(crate) retry_after: Option<String>,
    pub(crate) tag: Option<String>,
    pub(crate) text: String,
}

impl Bench {
    /// Whatever is asked for is in force at once.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let handle = store::open(directory.path(), LIMITS, Vec::new()).expect("a store").0;
        let in_force =
            Status { applied_revision: Some(u64::MAX), phase: Phase::Idle, ..Status::default() };
        let (status, follow) = watch::channel(in_force);
        let observer = Observer::new(Counted);
        let (switch, requests) = Switch::new();
        let status = Arc::new(status);
        tokio::spawn(obey(requests, Arc::clone(&status)));
        let auth = Auth::new(handle.clone(), &Admin::default());
        let control = Control::new(handle, follow, switch, observer.clone(), auth);
        Self { control, observer, status, from: Source::ControlSocket, _directory: directory }
    }

    pub(crate) fn group(&self) -> String {
        let state = self.control.store().state();
        state.groups.keys().next().expect("the default group").to_string()
    }

    /// Makes an app by the path of our own; answers its id.
    pub(crate) async fn app(&self, name: &str) -> String {
        let path = format!("/api/filter/v1/groups/{}/apps", self.group());
        let answer = self.send(Method::POST, &path, &format!(r#"{{"name":"{name}"}}"#)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer.json()["_id"].as_str().expect("an id").to_owned()
    }

    pub(crate) fn list_path(&self, app: &str) -> String {
        format!("/api/admin/v3.0/groups/{}/apps/{app}/security/access_list", self.group())
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "").await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: &str) -> Answer {
        let request = Request::builder().method(method).uri(path);
        self.call(request.body(Body::from(body.to_owned())).expect("a request")).await
    }

    /// A call over TLS, from an address, with a token or without.
    pub(crate) async fn over_tls(
        &self,
        from: &str,
        token: Option<&str>,
        (method, path, body): (Method, &str, &str),
    ) -> Answer {
        self.slowly_over_tls(from, token, (method, path, Body::from(body.to_owned()))).await
    }

    /// The same with a body that may take its time.
    pub(crate) async fn slowly_over_tls(
        &self,
        from: &str,
        token: Option<&str>,
        (method, path, body): (Method, &str, Body),
    ) -> Answer {
        let peer = SocketAddr::new(from.parse().expect("an address"), 50_000);
        let local = "192.0.2.1:8443".parse().expect("a place");
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request
            .extension(Source::Address(peer.ip()))
            .extension(Session { peer, local })
            .body(body);
        let router = guarded_router(self.control.clone());
        self.through(router, request.expect("a request")).await
    }

    pub(crate) async fn call(&self, mut request: Request<Body>) -> Answer {
        request.extensions_mut().insert(self.from);
        request.extensions_mut().insert(Caller::new("root".into(), self.from));
        self.through(router(self.control.clone()), request).await
    }

    async fn through(&self, router: Router, request: Request<Body>) -> Answer {
        let expected = match request.uri().path().ends_with(".csv") {
            true => "text/csv; charset=utf-8",
            false => "application/json",
        };
        let response = router.oneshot(request).await.expect("infallible");
        let header =
            |name| response.headers().get(name).map(|v| v.to_str().expect("text").to_owned());
        let (applied, warning) = (header("filterd-applied"), header("warning"));
        let retry_after = header("retry-after");
        let tag = header("etag");
        let (status, content_type) = (response.status(), header("content-type"));
        let bytes = response.into_body().collect().await.expect("a body").to_bytes();
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        if !text.is_empty() {
            let expected = if status.is_success() { expected } else { "application/json" };
            assert_eq!(content_type.as_deref(), Some(expected), "{text}");
        }
        Answer { status, applied, warning, retry_after, tag, text }
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("JSON")
    }

    /// Status, code and text of an error.
    pub(crate) fn error(&self) -> (u16, String, String) {
        let body = self.json();
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        (self.status.as_u16(), text("error_code"), text("error"))
    }
}
