//! Lists with everything that filterd knows of them: entries, versions, what
//! they come to, and apps as a file describes them.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};

use super::*;
use crate::caller::Source;

/// An app with an empty list, and the path of the list.
async fn empty(bench: &Bench) -> String {
    let apps = format!("/api/filter/v1/groups/{}/apps", bench.group());
    let app = bench.send(Method::POST, &apps, r#"{"name":"web","entries":[]}"#).await;
    format!("{apps}/{}/access_list", app.json()["_id"].as_str().expect("an id"))
}

fn with_headers(
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body.to_string())).expect("a request")
}

fn addresses(list: &Value) -> Vec<&str> {
    let entries = list["entries"].as_array().expect("a list");
    entries.iter().map(|entry| entry["address"].as_str().expect("text")).collect()
}

#[tokio::test]
async fn an_entry_says_all_that_is_known_of_it() {
    let bench = Bench::new();
    let list = empty(&bench).await;
    let body = r#"{"address":"192.0.2.7","comment":"build","expires":"2999-01-02T03:04:05Z"}"#;
    let made = bench.send(Method::POST, &list, body).await;
    assert_eq!(made.status, 201, "{made:?}");
    let entry = made.json();
    assert_eq!(entry["expires"], "2999-01-02T03:04:05Z");
    assert_eq!((&entry["enabled"], &entry["status"]), (&true.into(), &"applied".into()));
    assert_eq!((&entry["author"], &entry["created"]), (&"root".into(), &entry["changed"]));
    let one = format!("{list}/{}", entry["_id"].as_str().expect("an id"));
    let changed = bench.send(Method::PATCH, &one, r#"{"enabled":false}"#).await.json();
    assert_eq!((&changed["status"], &changed["expires"]), (&"disabled".into(), &entry["expires"]));
    let changed = bench.send(Method::PATCH, &one, r#"{"expires":null,"enabled":true}"#).await;
    assert_eq!(
        (&changed.json()["expires"], &changed.json()["comment"]),
        (&Value::Null, &"build".into())
    );
    let listed = bench.get(&list).await.json();
    assert_eq!(
        (&listed["version"], listed["entries"].as_array().map(Vec::len)),
        (&4.into(), Some(1))
    );
    assert_eq!(listed["entries"][0]["hits"], 5, "the third number is this entry's");
}

#[tokio::test]
async fn one_entry_is_found_by_any_spelling_of_its_address() {
    let bench = Bench::new();
    let list = empty(&bench).await;
    for body in [
        json!({ "address": "2001:DB8::/32", "enabled": false }),
        json!({ "address": "192.0.2.7" }),
        json!({ "address": "192.0.0.0/16" }),
    ] {
        assert_eq!(bench.send(Method::POST, &list, &body.to_string()).await.status, 201);
    }
    for (wanted, found) in [
        ("192.0.2.7", &["192.0.2.7"][..]),
        ("192.0.2.7/32", &["192.0.2.7"]),
        ("::ffff:192.0.2.7", &["192.0.2.7"]),
        ("2001:db8:0::/32", &["2001:DB8::/32"]),
        ("192.0.2.8", &[]),
        ("0.0.0.0", &[]),
    ] {
        let answer = bench.get(&format!("{list}?address={wanted}")).await.json();
        assert_eq!((addresses(&answer), &answer["version"]), (found.to_vec(), &4.into()));
    }
    for (query, word) in [("address=10.0.0.1/8", "host bits"), ("adress=::1", "adress")] {
        let (status, code, text) = bench.get(&format!("{list}?{query}")).await.error();
        assert_eq!((status, code.as_str()), (400, "InvalidParameter"), "{query}");
        assert!(text.contains(word), "{query}: {text}");
    }
}

#[tokio::test]
async fn faults_of_an_entry_name_their_field() {
    let bench = Bench::new();
    let list = empty(&bench).await;
    for (body, word) in [
        (r#"{"comment":"x"}"#, "address"),
        (r#"{"address":"192.0.2.1","expires":"yesterday"}"#, "expires"),
        (r#"{"address":"192.0.2.1","expires":"2001-01-01T00:00:00Z"}"#, "expires"),
        (r#"{"address":"192.0.2.1","enabled":"no"}"#, "enabled"),
        (r#"{"address":"192.0.2.1","use_current":true}"#, "use_current"),
        (r#"{"use_current":true}"#, "use_current"),
        (r#"{"address":"192.0.2.1","colour":"red"}"#, "colour"),
        (r#"{"address":"192.0.2.1/8"}"#, "host bits"),
    ] {
        let (status, code, text) = bench.send(Method::POST, &list, body).await.error();
        assert_eq!((status, code.as_str()), (400, "InvalidParameter"), "{body}: {text}");
        assert!(text.contains(word), "{body}: {text}");
    }
    assert_eq!(bench.get(&list).await.json(), json!({ "version": 1, "entries": [] }));
}

#[tokio::test]
async fn the_current_address_is_the_callers() {
    let mut bench = Bench::new();
    let list = empty(&bench).await;
    let app = list.split('/').nth(7).expect("an id").to_owned();
    bench.from = Source::Address("::ffff:192.0.2.7".parse().expect("valid"));
    let made = bench.send(Method::POST, &list, r#"{"use_current":true}"#).await.json();
    assert_eq!(made["address"], "192.0.2.7");
    let admin = bench.get(&bench.list_path(&app)).await.json();
    assert_eq!(admin["current_ip"], "192.0.2.7");
    assert_eq!(admin["allowed_ips"][0]["includes_current"], true);
    let sent = r#"{"address":"","use_current":true}"#;
    let (status, code, text) = bench.send(Method::POST, &bench.list_path(&app), sent).await.error();
    assert_eq!((status, code.as_str()), (409, "AllowedIPDuplicateAddress"), "{text}");
    let audit = bench.get("/api/filter/v1/audit?limit=1").await.json();
    assert_eq!(
        (&audit[0]["from"], &audit[0]["action"]),
        (&"192.0.2.7".into(), &"entry.create".into())
    );
}

#[tokio::test]
async fn versions_are_told_shown_compared_and_brought_back() {
    let bench = Bench::new();
    let list = empty(&bench).await;
    let mut made = Vec::new();
    for address in ["10.0.0.0/8", "::1", "192.0.2.0/24"] {
        let request = with_headers(
            Method::POST,
            &list,
            &[("filterd-reason", "früh am Morgen")],
            &json!({ "address": address }),
        );
        made.push(bench.call(request).await.json());
    }
    let one = format!("{list}/{}", made[1]["_id"].as_str().expect("an id"));
    bench.send(Method::DELETE, &one, "").await;
    let import = json!({ "entries": [{ "address": "::/0" }], "replace": true });
    bench.send(Method::POST, &format!("{list}/import"), &import.to_string()).await;

    let versions = bench.get(&format!("{list}/versions")).await.json();
    let told: Vec<_> = versions.as_array().expect("a list").iter().collect();
    let numbers: Vec<_> = told.iter().map(|v| v["version"].as_u64().expect("a number")).collect();
    assert_eq!(numbers, [6, 5, 4, 3, 2, 1]);
    let actions: Vec<_> = told.iter().map(|v| v["action"].as_str().expect("text")).collect();
    let create = "entry.create";
    assert_eq!(actions, ["list.import", "entry.delete", create, create, create, "app.create"]);
    assert_eq!(
        (&told[0]["added"], &told[0]["removed"], &told[0]["entries"]),
        (&1.into(), &2.into(), &1.into())
    );
    assert_eq!((&told[4]["who"], &told[4]["reason"]), (&"root".into(), &"früh am Morgen".into()));
    let page = bench.get(&format!("{list}/versions?before=3&limit=1")).await.json();
    assert_eq!(page[0]["version"], 2);

    let fourth = bench.get(&format!("{list}/versions/4")).await.json();
    assert_eq!(addresses(&fourth), ["10.0.0.0/8", "::1", "192.0.2.0/24"]);
    let diff = bench.get(&format!("{list}/versions/4/diff")).await.json();
    assert_eq!(
        (diff["added"].as_array().map(Vec::len), diff["removed"].as_array().map(Vec::len)),
        (Some(1), Some(3))
    );
    let restore = format!("{list}/versions/4/restore");
    let tried = bench.send(Method::POST, &format!("{restore}?dry_run=true"), "").await.json();
    assert_eq!(tried["removed_addresses"], json!(["::/0"]));
    assert_eq!(addresses(&bench.get(&list).await.json()), ["::/0"], "a trial changes nothing");
    let restored = bench.send(Method::POST, &restore, "").await.json();
    assert_eq!((&restored["version"], &restored["added"]), (&7.into(), &3.into()));
    let now = bench.get(&list).await.json();
    let ids = |list: &Value| {
        list["entries"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|e| e["_id"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!((addresses(&now), ids(&now)), (addresses(&fourth), ids(&fourth)));
    for (version, status) in [("0", 404), ("8", 404), ("x", 400)] {
        let path = format!("{list}/versions/{version}/restore");
        assert_eq!(bench.send(Method::POST, &path, "").await.status.as_u16(), status);
    }
}

#[tokio::test]
async fn a_change_is_for_the_version_that_its_maker_knows() {
    let bench = Bench::new();
    let list = empty(&bench).await;
    let add = |address: &str, version: &str| {
        let headers = [("if-match", version)];
        bench.call(with_headers(Method::POST, &list, &headers, &json!({ "address": address })))
    };
    assert_eq!(add("192.0.2.1", "\"1\"").await.status, 201);
    let late = add("192.0.2.2", "\"1\"").await;
    assert_eq!((late.status.as_u16(), late.error().1.as_str()), (412, "VersionMismatch"));
    assert_eq!(add("192.0.2.2", "2").await.status, 400, "a tag stands in quotes");
    assert_eq!(add("192.0.2.2", "*").await.status, 201);
    assert_eq!(bench.get(&list).await.json()["version"], 3);
}

#[tokio::test]
async fn an_import_is_tried_and_guarded() {
    let bench = Bench::new();
    let list = empty(&bench).await;
    let import = format!("{list}/import");
    let send = async |body: Value| bench.send(Method::POST, &import, &body.to_string()).await;
    let three =
        json!([{ "address": "::1" }, { "address": "::2", "enabled": false }, { "address": "::3" }]);
    assert_eq!(send(json!({ "entries": three })).await.json()["added"], 3);
    let one = json!([{ "address": "::2", "enabled": true, "comment": "on" }]);
    let body = json!({ "entries": one, "replace": true, "shrink_guard_percent": 50 });
    let refused = send(body.clone()).await;
    assert_eq!((refused.status.as_u16(), refused.error().1.as_str()), (409, "ShrinkGuard"));
    let tried = json!({ "entries": one, "replace": true, "dry_run": true });
    let tried = send(tried).await.json();
    assert_eq!(tried["removed_addresses"], json!(["::1", "::3"]));
    assert_eq!(tried["changed_addresses"], json!(["::2"]));
    assert_eq!(bench.get(&list).await.json()["version"], 2);
    assert_eq!(send(json!({ "entries": one, "replace": true })).await.json()["changed"], 1);
    let now = bench.get(&list).await.json();
    assert_eq!(
        (&now["entries"][0]["comment"], &now["entries"][0]["enabled"]),
        (&"on".into(), &true.into())
    );
}

#[tokio::test]
async fn origins_are_kept_as_typed() {
    let bench = Bench::new();
    let app = bench.app("web").await;
    let admin = bench.list_path(&app).replace("access_list", "allowed_request_origins");
    assert_eq!(bench.get(&admin).await.text, "[]");
    let sent = r#"["https://A.example:443","null"]"#;
    assert_eq!(bench.send(Method::POST, &admin, sent).await.status, 204);
    assert_eq!(bench.get(&admin).await.text, sent);
    let (status, code, text) = bench.send(Method::POST, &admin, r#"["a.example"]"#).await.error();
    assert_eq!((status, code.as_str()), (400, "InvalidParameter"));
    assert!(text.contains("origins[0]"), "{text}");
    assert_eq!(bench.get(&admin).await.text, sent);
}

#[tokio::test]
async fn single_origins_are_added_and_taken_off() {
    let bench = Bench::new();
    let app = bench.app("web").await;
    let one = format!("/api/filter/v1/groups/{}/apps/{app}", bench.group());
    let edit = async |body: Value| {
        bench.send(Method::POST, &format!("{one}/origins"), &body.to_string()).await
    };
    let a = ["https://a.example", "https://b.example", "https://A.example:443"];
    assert_eq!(edit(json!({ "add": a })).await.json()["origins"], json!(a[..2]));
    let changed = edit(json!({ "add": ["null"], "remove": ["https://B.example"] })).await.json();
    assert_eq!(changed["origins"], json!(["https://a.example", "null"]));
    let body = json!({ "add": ["http://c.example"], "remove": ["http://a.example"] });
    let (status, code, text) = edit(body).await.error();
    assert_eq!((status, code.as_str()), (404, "OriginNotFound"));
    assert!(text.contains("http://a.example"), "{text}");
    for (body, word) in [
        (json!({ "add": ["https://a.example", "a.example"] }), "add[1]"),
        (json!({ "remove": ["*"] }), "remove[0]"),
        (json!({ "set": [] }), "set"),
    ] {
        let (status, _, text) = edit(body).await.error();
        assert_eq!(status, 400);
        assert!(text.contains(word), "{text}");
    }
    assert_eq!(bench.get(&one).await.json()["origins"], json!(["https://a.example", "null"]));
}

#[tokio::test]
async fn a_list_comes_to_its_smallest_equal_set() {
    let bench = Bench::new();
    let list = empty(&bench).await;
    for address in ["10.0.0.0/9", "10.128.0.0/9", "10.1.0.0/16"] {
        bench.send(Method::POST, &list, &json!({ "address": address }).to_string()).await;
    }
    let effective = bench.get(&format!("{list}/effective")).await.json();
    assert_eq!(effective["prefixes"][0]["prefix"], "10.0.0.0/8");
    assert_eq!(effective["prefixes"][0]["entries"].as_array().map(Vec::len), Some(3));
    assert_eq!(effective["redundant"][0]["entry"]["address"], "10.1.0.0/16");
    assert_eq!(effective["redundant"][0]["covered_by"]["address"], "10.0.0.0/9");
}

#[tokio::test]
async fn a_file_makes_changes_and_deletes_apps() {
    let bench = Bench::new();
    bench.app("old").await;
    let path = format!("/api/filter/v1/groups/{}/apply", bench.group());
    let send = async |body: &Value| bench.send(Method::POST, &path, &body.to_string()).await;
    let web = json!({
        "name": "web", "mode": "observe", "scopes": ["port=443"],
        "origins": ["https://a.example"], "entries": [{ "address": "::1", "comment": "one" }],
    });
    let body = json!({ "apps": [web], "dry_run": true });
    let planned = send(&body).await.json();
    assert_eq!(
        (&planned[0]["action"], &planned[0]["list"]["added"]),
        (&"create".into(), &1.into())
    );
    let detail = "mode observe; scopes port=443; origins https://a.example";
    assert_eq!(planned[0]["detail"], detail);
    let apps = format!("/api/filter/v1/groups/{}/apps", bench.group());
    assert_eq!(bench.get(&apps).await.json().as_array().map(Vec::len), Some(1));

    let body = json!({ "apps": [web], "prune": true });
    let done = send(&body).await.json();
    let actions: Vec<_> =
        done.as_array().expect("a list").iter().map(|c| c["action"].clone()).collect();
    assert_eq!(actions, ["delete", "create"]);
    let again = send(&body).await.json();
    assert_eq!((&again[0]["action"], &again[0]["list"]["unchanged"]), (&"keep".into(), &1.into()));
    let other = json!({ "apps": [{ "name": "web", "mode": "enforce", "entries": [{ "address": "::2" }] }] });
    let changed = send(&other).await.json();
    assert_eq!(
        (&changed[0]["action"], &changed[0]["list"]["removed"]),
        (&"update".into(), &1.into())
    );
    assert_eq!(changed[0]["detail"], "mode enforce");
    let shown = bench.get(&apps).await.json();
    assert_eq!((&shown[0]["mode"], &shown[0]["scopes"]), (&"enforce".into(), &json!(["port=443"])));

    for (body, word) in [
        (json!({ "apps": [{ "mode": "off" }] }), "apps[0].name"),
        (json!({ "apps": [{ "name": "a" }, { "name": "a" }] }), "apps[1].name"),
        (json!({ "apps": [{ "name": "a", "origins": ["x"] }] }), "apps[0].origins[0]"),
        (json!({ "apps": [{ "name": "a", "colour": "red" }] }), "colour"),
        (
            json!({ "apps": [{ "name": "a", "entries": [{ "address": "x" }] }] }),
            "entries[0].address",
        ),
    ] {
        let (status, _, text) = send(&body).await.error();
        assert_eq!(status, 400, "{text}");
        assert!(text.contains(word), "{body}: {text}");
    }
}

#[tokio::test]
async fn a_file_says_all_of_an_entry() {
    let bench = Bench::new();
    let list = empty(&bench).await;
    let one = json!({ "address": "::1", "comment": "x", "expires": "2999-01-02T03:04:05Z" });
    bench.send(Method::POST, &list, &one.to_string()).await;
    let off = json!({ "address": "::2", "enabled": false });
    bench.send(Method::POST, &list, &off.to_string()).await;
    let before = bench.get(&list).await.json();
    let path = format!("/api/filter/v1/groups/{}/apply", bench.group());
    let entries = json!([{ "address": "::1" }, { "address": "::2" }]);
    let body = json!({ "apps": [{ "name": "web", "entries": entries }] });
    let done = bench.send(Method::POST, &path, &body.to_string()).await.json();
    assert_eq!(done[0]["list"]["changed_addresses"], json!(["::1", "::2"]));
    let now = bench.get(&list).await.json();
    for (place, entry) in now["entries"].as_array().expect("a list").iter().enumerate() {
        assert_eq!(entry["_id"], before["entries"][place]["_id"]);
        assert_eq!(
            (&entry["comment"], &entry["enabled"], &entry["expires"]),
            (&"".into(), &true.into(), &Value::Null)
        );
    }
}

#[tokio::test]
async fn what_was_planned_is_done_or_nothing() {
    let bench = Bench::new();
    let path = format!("/api/filter/v1/groups/{}/apply", bench.group());
    let apply = |dry_run: bool, tag: &str| {
        let body = json!({ "apps": [{ "name": "web" }], "dry_run": dry_run });
        bench.call(with_headers(Method::POST, &path, &[("if-match", tag)], &body))
    };
    let plan = apply(true, "*").await;
    let tag = plan.tag.expect("a plan has a tag");
    bench.app("other").await;
    let late = apply(false, &tag).await;
    assert_eq!((late.status.as_u16(), late.error().1.as_str()), (412, "VersionMismatch"));
    let tag = apply(true, "*").await.tag.expect("a plan has a tag");
    let done = apply(false, &tag).await;
    assert_eq!((done.status.as_u16(), &done.json()[0]["action"]), (200, &"create".into()));
}
