//! `/api/filter/v1`.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::json;

use super::*;
use crate::reconcile::{Phase, Status};

#[tokio::test]
async fn an_app_is_made_shown_changed_and_deleted() {
    let bench = Bench::new();
    let groups = bench.get("/api/filter/v1/groups").await.json();
    assert_eq!(groups, json!([{ "_id": bench.group(), "name": "default" }]));
    let apps = format!("/api/filter/v1/groups/{}/apps", bench.group());
    let body = r#"{"name":"web","mode":"observe","scopes":["protocol=tcp,port=443"],"trusted_hops":["192.0.2.1"],"entries":[{"address":"10.0.0.0/8","comment":"office"}]}"#;
    let made = bench.send(Method::POST, &apps, body).await;
    assert_eq!(made.status, 201, "{made:?}");
    let mut app = made.json();
    assert_eq!(
        (&app["mode"], &app["scopes"], &app["trusted_hops"], &app["entries"]),
        (&json!("observe"), &json!(["port=443,protocol=tcp"]), &json!(["192.0.2.1/32"]), &json!(1))
    );
    let path = format!("{apps}/{}", app["_id"].as_str().expect("text"));
    assert_eq!(bench.get(&path).await.json(), app);
    assert_eq!(bench.get(&apps).await.json(), json!([app]));
    let changed = bench.send(Method::PATCH, &path, r#"{"mode":"enforce","scopes":["host"]}"#).await;
    app["mode"] = json!("enforce");
    app["scopes"] = json!(["host"]);
    assert_eq!(changed.json(), app);
    assert_eq!(bench.send(Method::DELETE, &path, "").await.status, 204);
    assert_eq!(bench.get(&path).await.status, 404);
}

#[tokio::test]
async fn a_new_app_lets_both_families_in() {
    let bench = Bench::new();
    let app = bench.app("web").await;
    let list = bench.get(&bench.list_path(&app)).await.json();
    let addresses: Vec<_> =
        list["allowed_ips"].as_array().expect("an array").iter().map(|e| &e["address"]).collect();
    assert_eq!(addresses, ["0.0.0.0/0", "::/0"]);
}

#[tokio::test]
async fn faults_of_a_body_are_named() {
    let bench = Bench::new();
    let app = bench.app("web").await;
    let apps = format!("/api/filter/v1/groups/{}/apps", bench.group());
    let one = format!("{apps}/{app}");
    let import = format!("{one}/access_list/import");
    let many: Vec<_> = (0..30).map(|_| json!({ "address": "x" })).collect();
    let many = json!({ "entries": many }).to_string();
    for (method, path, body, status, code, words) in [
        (
            Method::POST,
            &*apps,
            r#"{"name":"x","colour":1}"#,
            400,
            "InvalidParameter",
            ["colour", "name"],
        ),
        (
            Method::POST,
            &*apps,
            r#"{"name":"x","scopes":["port=x","host","to=1"]}"#,
            400,
            "InvalidParameter",
            ["scopes[0]", "scopes[2]"],
        ),
        (Method::PATCH, &*one, r#"{"mode":"on"}"#, 400, "InvalidParameter", ["mode", "enforce"]),
        (
            Method::PATCH,
            &*one,
            r#"{"trusted_hops":["1.1.1.1/8"]}"#,
            400,
            "InvalidParameter",
            ["trusted_hops[0]", "host bits"],
        ),
        (
            Method::PATCH,
            &*one,
            r#"{"scopes":["host","host"]}"#,
            409,
            "ScopeConflict",
            ["host", "twice"],
        ),
        (
            Method::POST,
            &*import,
            r#"{"entries":[{"address":"::1"},{"address":"y"},{"address":"10.0.0.1/8"}]}"#,
            400,
            "InvalidParameter",
            ["entries[1].address", "entries[2].address"],
        ),
        (
            Method::POST,
            &*import,
            r#"{"entries":[{"address":"::1"},{"adress":"::2"}]}"#,
            400,
            "InvalidParameter",
            ["entries[1]", "adress"],
        ),
        (
            Method::POST,
            &*import,
            r#"{"entries":[{"address":1}]}"#,
            400,
            "InvalidParameter",
            ["entries[0].address", "string"],
        ),
        (
            Method::POST,
            &*import,
            &*many,
            400,
            "InvalidParameter",
            ["entries[19].address", "and 10 more"],
        ),
        (
            Method::PATCH,
            "/api/filter/v1/settings",
            r#"{"non_ip":"maybe"}"#,
            400,
            "InvalidParameter",
            ["non_ip", "pass"],
        ),
    ] {
        let (found, found_code, text) = bench.send(method, path, body).await.error();
        assert_eq!((found, found_code.as_str()), (status, code), "{path} {body}: {text}");
        assert!(words.iter().all(|word| text.contains(word)), "{path} {body}: {text}");
    }
    let list = bench.get(&bench.list_path(&app)).await.json();
    assert_eq!(list["allowed_ips"].as_array().map(Vec::len), Some(2), "nothing was taken");
}

#[tokio::test]
async fn limits_are_refused_with_counts() {
    let bench = Bench::new();
    for name in ["a", "b", "c"] {
        bench.app(name).await;
    }
    let apps = format!("/api/filter/v1/groups/{}/apps", bench.group());
    let (status, code, text) = bench.send(Method::POST, &apps, r#"{"name":"d"}"#).await.error();
    assert_eq!((status, code.as_str()), (400, "LimitExceeded"));
    assert!(text.contains("4 apps") && text.contains("limit of 3"), "{text}");
}

#[tokio::test]
async fn settings_change_one_by_one() {
    let bench = Bench::new();
    let path = "/api/filter/v1/settings";
    assert_eq!(bench.get(path).await.json(), json!({ "dhcp": true, "non_ip": "pass" }));
    let answer = bench.send(Method::PATCH, path, r#"{"non_ip":"drop"}"#).await;
    assert_eq!(answer.json(), json!({ "dhcp": true, "non_ip": "drop" }));
    assert_eq!(answer.applied.as_deref(), Some("yes"));
    bench.send(Method::PATCH, path, r#"{"dhcp":false}"#).await;
    assert_eq!(bench.get(path).await.json(), json!({ "dhcp": false, "non_ip": "drop" }));
}

#[tokio::test]
async fn the_callers_session_is_protected() {
    let bench = Bench::new();
    let app = bench.app("web").await;
    let one = format!("/api/filter/v1/groups/{}/apps/{app}", bench.group());
    bench.send(Method::PATCH, &one, r#"{"scopes":["host"]}"#).await;
    let import = format!("{one}/access_list/import");
    let call = |protect: &str| {
        Request::post(&import)
            .header("Filterd-Protect", protect)
            .body(Body::from(r#"{"entries":[],"replace":true}"#))
            .expect("a request")
    };
    let session = "203.0.113.7:50000 198.51.100.1:22";
    let (status, code, text) = bench.call(call(session)).await.error();
    assert_eq!((status, code.as_str()), (409, "WouldCutSession"));
    assert!(text.contains("203.0.113.7:50000"), "{text}");
    for bad in ["", "203.0.113.7 198.51.100.1", "203.0.113.7:1", &format!("{session} x")] {
        let (status, code, text) = bench.call(call(bad)).await.error();
        assert_eq!((status, code.as_str()), (400, "InvalidParameter"), "{bad}");
        assert!(text.contains("Filterd-Protect"), "{text}");
    }
    let mut twice = call(session);
    twice.headers_mut().append("Filterd-Protect", session.parse().expect("a header"));
    assert_eq!(bench.call(twice).await.status, 400);
    assert_eq!(
        bench.send(Method::POST, &import, r#"{"entries":[],"replace":true}"#).await.status,
        200
    );

    let detached = bench.send(Method::POST, "/api/filter/v1/detach", "").await;
    assert_eq!((detached.status.as_u16(), &detached.json()["filter"]), (200, &json!("detached")));
    let attach = |protect: &str| {
        let request = Request::post("/api/filter/v1/attach").header("Filterd-Protect", protect);
        request.body(Body::empty()).expect("a request")
    };
    assert_eq!(bench.call(attach(session)).await.error().1, "WouldCutSession");
    let attached = bench.send(Method::POST, "/api/filter/v1/attach", "").await;
    assert_eq!((attached.status.as_u16(), &attached.json()["filter"]), (200, &json!("off")));
}

#[tokio::test]
async fn counters_name_the_app() {
    let bench = Bench::new();
    bench.app("web").await;
    let client_app_id =
        bench.get("/api/filter/v1/status").await.json()["apps"][0]["client_app_id"].clone();
    let expected = json!([
        { "app": null, "reason": "arp", "verdict": "pass", "packets": 2, "bytes": 84 },
        { "app": client_app_id, "reason": "not_listed", "verdict": "drop", "packets": 3, "bytes": 180 },
    ]);
    assert_eq!(bench.get("/api/filter/v1/counters").await.json(), expected);
}

#[tokio::test]
async fn what_is_not_in_force_says_so() {
    let bench = Bench::new();
    bench.status.send_replace(Status {
        desired_revision: u64::MAX,
        phase: Phase::Degraded("the \"kernel\" said\nno".to_owned()),
        ..Status::default()
    });
    let apps = format!("/api/filter/v1/groups/{}/apps", bench.group());
    let answer = bench.send(Method::POST, &apps, r#"{"name":"web"}"#).await;
    assert_eq!(answer.status, 201, "it is durable all the same");
    assert_eq!(answer.applied.as_deref(), Some("no"));
    assert_eq!(answer.warning.as_deref(), Some(r#"199 filterd "the \"kernel\" said no""#));
    let status = bench.get("/api/filter/v1/status").await.json();
    assert_eq!((&status["phase"], &status["filter"]), (&json!("degraded"), &json!("off")));
    assert_eq!(status["error"], "the \"kernel\" said\nno");
    assert_eq!(status["apps"][0]["entries"], 2);
    assert_eq!(bench.get("/api/filter/v1/interfaces").await.json(), json!([]));
}
