//! Web pages in Chromium, as it is installed: what a browser makes of an
//! origin's being listed. The app itself lets every page in, so whatever a
//! page is refused, the proxy refuses.

#[path = "chromium/browser.rs"]
mod browser;
#[path = "chromium/pages.rs"]
mod pages;
#[path = "chromium/server.rs"]
mod server;
#[path = "chromium/service.rs"]
mod service;

use std::net::Ipv4Addr;
use std::time::Duration;

use filter_tests::deadline::{wait_for, within};
use hyper::Method;
use serde_json::{Value, json};

use crate::stage::{PROXY, Scene, Stage};
use browser::Browser;
use pages::Pages;
use service::Service;

/// How long a page may take, from the start of its browser. The slowest
/// machine decides.
const PATIENCE: Duration = Duration::from_secs(180);

/// What the service is asked on behalf of a page that may call it.
const CALLS: [&str; 5] = ["GET /data", "POST /data", "OPTIONS /data", "PUT /data", "GET /echo"];

/// A browser has no say in where it comes from: it is the host itself.
const BROWSER: Ipv4Addr = PROXY;

fn open(stage: &Stage) -> (Scene<'_>, Service) {
    let scene = stage.start();
    let entry = json!({ "address": BROWSER.to_string() });
    scene.control().must(Method::POST, &scene.app.list, Some(&entry));
    let service = stage.run(Service::start);
    scene.set_proxy(json!({ "upstreams": [format!("http://127.0.0.1:{}", service.port)] }));
    (scene, service)
}

/// What became of the calls of a page.
fn outcome(scene: &Scene<'_>, pages: &Pages, origin: &str) -> Value {
    let authority = scene.stage.installation.path("state/ca.pem");
    let mut browser = Browser::open(&scene.stage.namespace, &authority, &pages.page(origin));
    let found = within(PATIENCE, || {
        let outcome = pages.outcome();
        (outcome.is_some() || !browser.is_running()).then_some(outcome)
    });
    found.flatten().unwrap_or_else(|| panic!("{origin} says nothing:\n{}", browser.log()))
}

fn all_answered() -> Value {
    json!({ "get": "GET: ", "put": "PUT: [1]", "socket": "ping" })
}

fn none_answered() -> Value {
    json!({ "get": null, "put": null, "socket": null })
}

fn add_origin(stage: &Stage, origin: &str) {
    let arguments = ["origins", "add", "--app", "web", origin];
    let output = stage.installation.filterctl(&stage.namespace, &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_page_calls_the_app_only_while_its_origin_is_listed() {
    let stage = Stage::new();
    let (scene, service) = open(&stage);
    let pages = stage.run(Pages::start);
    let listed = pages.origin("listed.test");
    let other = pages.origin("other.test");
    add_origin(&stage, &listed);

    assert_eq!(outcome(&scene, &pages, &listed), all_answered());
    assert_eq!(service.take_asked(), CALLS.map(|call| format!("{call} for {listed}")));
    assert_eq!(scene.count("origin_not_listed"), 0);

    // A preflight that is refused spares the request behind it, so that every
    // call is refused once. The form is sent blindly: no browser stops it.
    assert_eq!(outcome(&scene, &pages, &other), none_answered());
    assert_eq!(service.take_asked(), [""; 0]);
    wait_for("the refusals", || (scene.count("origin_not_listed") == 4).then_some(()));

    add_origin(&stage, &other);
    assert_eq!(outcome(&scene, &pages, &other), all_answered());
    assert_eq!(service.take_asked(), CALLS.map(|call| format!("{call} for {other}")));
    assert_eq!(scene.count("origin_not_listed"), 4);
}
