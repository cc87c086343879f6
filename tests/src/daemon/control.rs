//! A client of the control socket: HTTP, one connection a call.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{HeaderMap, Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::UnixStream;

use super::ANSWER;
use crate::scenario::{AppRules, Mode, Rules};

/// The way to a daemon.
#[derive(Clone, Debug)]
pub struct Control {
    socket: PathBuf,
}

/// What it answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; null when there is none.
    pub body: Value,
    /// When the request began to leave.
    pub asked_at: Instant,
    /// From there to the answer's last byte.
    pub took: Duration,
}

/// An app as the wire names it.
#[derive(Clone, Debug)]
pub struct AppPath {
    /// `/api/filter/v1/groups/G/apps/A`.
    pub ours: String,
    /// `/api/admin/v3.0/groups/G/apps/A/security/access_list`.
    pub list: String,
    /// `name-xxxxx`.
    pub client_app_id: String,
}

impl Control {
    /// A client of a socket.
    pub fn new(socket: PathBuf) -> Self {
        Self { socket }
    }

    /// One call. Fails when nobody answers.
    pub fn call(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
        self.call_bytes(method, path, body.map(|body| body.to_string().into()).unwrap_or_default())
    }

    /// One call with any body.
    pub fn call_bytes(&self, method: Method, path: &str, body: Bytes) -> anyhow::Result<Answer> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            tokio::time::timeout(ANSWER, self.exchange(method, path, body)).await?
        })
    }

    async fn exchange(&self, method: Method, path: &str, body: Bytes) -> anyhow::Result<Answer> {
        let stream = UnixStream::connect(&self.socket).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "filterd")
            .header("content-type", "application/json")
            .body(Full::new(body))?;
        let asked_at = Instant::now();
        let response = sender.send_request(request).await?;
        let (head, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        let took = asked_at.elapsed();
        connection.abort();
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body)? };
        Ok(Answer { status: head.status, headers: head.headers, body, asked_at, took })
    }

    /// GET that must succeed.
    pub fn get(&self, path: &str) -> Value {
        self.must(Method::GET, path, None).body
    }

    /// A call that must succeed and be in force.
    pub fn must(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let answer = self
            .call(method.clone(), path, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error:#}"));
        assert!(answer.status.is_success(), "{method} {path}: {} {}", answer.status, answer.body);
        if let Some(applied) = answer.headers.get("filterd-applied") {
            assert_eq!(applied, "yes", "{method} {path}: {:?}", answer.headers.get("warning"));
        }
        answer
    }

    /// `/status`.
    pub fn status(&self) -> Value {
        self.get("/api/filter/v1/status")
    }

    /// `/api/filter/v1/groups/G` of the first group.
    pub fn group(&self) -> String {
        let groups = self.get("/api/filter/v1/groups");
        let id = groups[0]["_id"].as_str().expect("one group is made at first start").to_owned();
        format!("/api/filter/v1/groups/{id}")
    }

    /// Makes an app.
    pub fn create_app(&self, name: &str, rules: &AppRules, mode: Mode) -> AppPath {
        let entries: Vec<Value> =
            rules.list.iter().map(|address| json!({ "address": address })).collect();
        let body = json!({
            "name": name,
            "mode": rules.mode.unwrap_or(mode).name(),
            "scopes": rules.scopes,
            "trusted_hops": rules.trusted_hops,
            "entries": entries,
        });
        let group = self.group();
        let app = self.must(Method::POST, &format!("{group}/apps"), Some(&body)).body;
        self.path_of(&group, &app)
    }

    /// Makes the daemon hold the rules of a scenario and nothing else.
    pub fn install(&self, rules: &Rules, mode: Mode) {
        for app in self.apps() {
            self.must(Method::DELETE, &app.ours, None);
        }
        let settings =
            json!({ "dhcp": rules.dhcp, "non_ip": if rules.non_ip { "pass" } else { "drop" } });
        self.must(Method::PATCH, "/api/filter/v1/settings", Some(&settings));
        for (number, app) in (1..).zip(&rules.apps) {
            self.create_app(&format!("app{number}"), app, mode);
        }
    }

    /// Every app of the first group.
    pub fn apps(&self) -> Vec<AppPath> {
        let group = self.group();
        let apps = self.get(&format!("{group}/apps"));
        let apps = apps.as_array().expect("a list of apps");
        apps.iter().map(|app| self.path_of(&group, app)).collect()
    }

    /// Adds an entry; answers its path and the answer.
    pub fn add(&self, app: &AppPath, address: &str) -> (String, Answer) {
        let answer = self.must(Method::POST, &app.list, Some(&json!({ "address": address })));
        let id = answer.body["_id"].as_str().expect("an entry has an id");
        (format!("{}/{id}", app.list), answer)
    }

    /// Removes what a path names.
    pub fn delete(&self, path: &str) -> Answer {
        self.must(Method::DELETE, path, None)
    }

    /// Adds many entries, or replaces the list by them.
    pub fn import(&self, app: &AppPath, addresses: &[String], replace: bool) -> Answer {
        let entries: Vec<Value> =
            addresses.iter().map(|address| json!({ "address": address })).collect();
        let body = json!({ "entries": entries, "replace": replace });
        self.must(Method::POST, &format!("{}/access_list/import", app.ours), Some(&body))
    }

    fn path_of(&self, group: &str, app: &Value) -> AppPath {
        let id = app["_id"].as_str().expect("an app has an id");
        let group_id = group.rsplit('/').next().expect("a path has an end");
        AppPath {
            ours: format!("{group}/apps/{id}"),
            list: format!("/api/admin/v3.0/groups/{group_id}/apps/{id}/security/access_list"),
            client_app_id: app["client_app_id"].as_str().expect("a client app id").to_owned(),
        }
    }
}
