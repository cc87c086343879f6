//! API keys and their access lists; and callers who shut themselves out.

use axum::http::Method;
use serde_json::json;

use super::*;

const KEYS: &str = "/api/filter/v1/keys";
const HERE: &str = "192.0.2.7";

#[tokio::test]
async fn the_private_half_is_told_once_and_uses_are_counted() {
    let bench = Bench::new();
    let key = bench.key(&["192.0.2.0/24"]).await;
    for text in [bench.get(KEYS).await.text, bench.get(&key.path).await.text] {
        assert!(text.contains(&key.public) && !text.contains("private_key"), "{text}");
    }
    let shown = bench.get(&key.path).await.json();
    assert_eq!((&shown["count"], &shown["last_used"]), (&json!(0), &json!(null)));
    assert_eq!((&shown["created_by"], &shown["enabled"]), (&json!("root"), &json!(true)));
    bench.log_in(&key).await;
    let shown = bench.get(KEYS).await.json();
    for used in [&shown[0], &shown[0]["access_list"][0]] {
        assert_eq!((&used["count"], &used["last_used_address"]), (&json!(1), &json!(HERE)));
        let last: jiff::Timestamp =
            used["last_used"].as_str().expect("text").parse().expect("time");
        assert!(last <= jiff::Timestamp::now());
    }
}

#[tokio::test]
async fn bad_fields_are_named() {
    let bench = Bench::new();
    let key = bench.key(&["10.0.0.0/8"]).await;
    let list = format!("{}/access_list", key.path);
    for (method, path, body, status, words) in [
        (
            Method::POST,
            KEYS,
            r#"{"access_list":[{"address":"::1"},{"address":"x"}]}"#,
            400,
            "access_list[1].address",
        ),
        (Method::POST, KEYS, r#"{"access_list":[{}]}"#, 400, "access_list[0].address: is missing"),
        (Method::POST, KEYS, r#"{"colour":1}"#, 400, "colour"),
        (Method::PATCH, key.path.as_str(), "{}", 400, "enabled"),
        (Method::POST, list.as_str(), r#"{"address":"10.0.0.1/8"}"#, 400, "10.0.0.0/8"),
        (Method::POST, list.as_str(), r#"{"address":"10.0.0.0/8"}"#, 409, "already"),
        (Method::POST, list.as_str(), r#"{"use_current":true}"#, 400, "use_current"),
        (
            Method::POST,
            list.as_str(),
            r#"{"use_current":true,"address":"::1"}"#,
            400,
            "use_current",
        ),
        (Method::DELETE, &format!("{list}/x"), "", 400, "entry"),
        (
            Method::DELETE,
            &format!("{list}/5f0000000000000000000000"),
            "",
            404,
            "5f0000000000000000000000",
        ),
        (Method::GET, "/api/filter/v1/keys/5f0000000000000000000000", "", 404, "API key not found"),
        (Method::GET, "/api/filter/v1/keys/X", "", 400, "key:"),
    ] {
        let answer = bench.send(method.clone(), path, body).await;
        let (found, _, text) = answer.error();
        assert_eq!(found, status, "{method} {path} {body}: {text}");
        assert!(text.contains(words), "{method} {path} {body}: {text}");
    }
    assert_eq!(bench.get(&list).await.json().as_array().map(Vec::len), Some(1));
}

/// What is refused on the control socket speaks of the TCP peer on TLS.
#[tokio::test]
async fn the_current_address_is_the_peers() {
    let bench = Bench::new();
    let login = bench.log_in(&bench.key(&[]).await).await;
    let token = Some(login.access.as_str());
    let list = bench.list_path(&bench.app("web").await);
    let body = r#"{"address":"","use_current":true}"#;
    let mapped = format!("::ffff:{HERE}");
    let made = bench.over_tls(&mapped, token, (Method::POST, &list, body)).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(
        (&made.json()["address"], &made.json()["includes_current"]),
        (&json!(HERE), &json!(true))
    );
    let listed = bench.over_tls("2001:db8::7", token, (Method::GET, &list, "")).await.json();
    assert_eq!(listed["current_ip"], "2001:db8::7");
    let includes: Vec<_> = listed["allowed_ips"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|e| &e["includes_current"])
        .collect();
    assert_eq!(includes, [&json!(false), &json!(true), &json!(false)], "0.0.0.0/0, ::/0, the one");
    let key = bench.key(&["::1"]).await;
    let sources = format!("{}/access_list", key.path);
    let made =
        bench.over_tls(HERE, token, (Method::POST, &sources, r#"{"use_current":true}"#)).await;
    assert_eq!(made.json()["address"], HERE);
}

#[tokio::test]
async fn who_shuts_himself_out_is_warned() {
    let bench = Bench::new();
    let key = bench.key(&[HERE]).await;
    let login = bench.log_in(&key).await;
    let token = Some(login.access.as_str());
    let apps = format!("/api/admin/v3.0/groups/{}/apps", bench.group());
    let made = bench.over_tls(HERE, token, (Method::POST, &apps, r#"{"name":"web"}"#)).await;
    assert_eq!(made.warning, None);
    let list = bench.list_path(made.json()["_id"].as_str().expect("an id"));
    let entries = bench.over_tls(HERE, token, (Method::GET, &list, "")).await.json();
    let everybody = format!("{list}/{}", entries["allowed_ips"][0]["_id"].as_str().expect("an id"));
    let gone = bench.over_tls(HERE, token, (Method::DELETE, &everybody, "")).await;
    assert_eq!(gone.status, 204, "it is done all the same");
    assert!(gone.warning.is_some_and(|text| text.contains("app's list") && text.contains(HERE)));
    let other =
        bench.over_tls(HERE, token, (Method::POST, &list, r#"{"address":"10.0.0.1"}"#)).await;
    assert_eq!(other.warning, None, "nothing is lost by it");

    let app = bench.app("all").await;
    let scope = format!("/api/filter/v1/groups/{}/apps/{app}", bench.group());
    let scope = bench.send(Method::PATCH, &scope, r#"{"scopes":["host"]}"#).await;
    assert_eq!(scope.status, 200, "{scope:?}");
    let list = bench.list_path(&app);
    let entries = bench.get(&list).await.json();
    let everybody = format!("{list}/{}", entries["allowed_ips"][0]["_id"].as_str().expect("an id"));
    let cut = bench.over_tls(HERE, token, (Method::DELETE, &everybody, "")).await;
    assert!(cut.warning.is_some_and(|text| text.contains("this connection")));

    let off = bench.over_tls(HERE, token, (Method::PATCH, &key.path, r#"{"enabled":false}"#)).await;
    assert_eq!(off.status, 200);
    assert!(off.warning.is_some_and(|text| text.contains("API key")), "it was its own");
}
