//! The replay of what the vendor's tests send, and the rules behind it.

use axum::http::Method;

use super::*;

#[tokio::test]
async fn vendor_replay() {
    let bench = Bench::new();
    let apps = format!("/api/admin/v3.0/groups/{}/apps", bench.group());
    let created =
        bench.send(Method::POST, &apps, r#"{"name":"accesslist-test","location":"US"}"#).await;
    assert_eq!((created.status.as_u16(), created.applied.as_deref()), (201, Some("yes")));
    let app = created.json();
    assert_eq!(app["group_id"], bench.group());
    assert_eq!(app["product"], "standard");
    let client_app_id = app["client_app_id"].as_str().expect("text");
    assert!(client_app_id.starts_with("accesslist-test-") && client_app_id.len() == 21);
    let id = app["_id"].as_str().expect("text");

    let list = bench.list_path(id);
    let addresses = async || {
        let entries = bench.get(&list).await.json()["allowed_ips"].clone();
        let entries = entries.as_array().expect("an array").clone();
        entries.iter().map(|e| e["address"].as_str().expect("text").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(addresses().await, ["0.0.0.0/0"]);

    let entry =
        bench.send(Method::POST, &list, r#"{"address":"1.1.1.1","comment":"comment"}"#).await;
    assert_eq!(entry.status, 201);
    let entry = entry.json();
    assert_eq!((&entry["address"], &entry["comment"]), (&"1.1.1.1".into(), &"comment".into()));
    assert_eq!(entry["includes_current"], false);
    let listed = async || bench.get(&list).await.json()["allowed_ips"].clone();
    assert_eq!(listed().await[1], entry);

    let one = format!("{list}/{}", entry["_id"].as_str().expect("text"));
    let changed =
        bench.send(Method::PATCH, &one, r#"{"address":"3.3.3.3","comment":"new comment"}"#).await;
    assert_eq!(changed.status, 200);
    assert_eq!(listed().await[1], changed.json());
    assert_eq!(changed.json()["address"], "3.3.3.3");

    let nobody = format!("{list}/5f0000000000000000000000");
    let unknown =
        bench.send(Method::PATCH, &nobody, r#"{"address":"2.2.2.2","comment":"notUsed"}"#).await;
    assert_eq!(
        (unknown.status.as_u16(), unknown.text.as_str()),
        (404, r#"{"error":"allowed IP not found: 'ObjectID(\"5f0000000000000000000000\")'"}"#)
    );

    let gone = bench.send(Method::DELETE, &one, "{}").await;
    assert_eq!((gone.status.as_u16(), gone.text.as_str()), (204, ""));
    assert_eq!(addresses().await, ["0.0.0.0/0"]);
    assert_eq!(bench.send(Method::DELETE, &one, "").await.status, 404);

    let description = bench.get(&format!("{apps}/{id}/description")).await.json();
    assert_eq!(
        description["realm_url"],
        format!("http://localhost/groups/{}/apps/{id}/dashboard", bench.group())
    );
    assert_eq!(
        description["graphql"]["url"],
        format!("http://localhost/api/client/v2.0/app/{client_app_id}/graphql")
    );

    let path = format!("{apps}/{id}");
    assert_eq!(bench.get(&path).await.json(), app);
    assert_eq!(bench.send(Method::DELETE, &path, "").await.status, 204);
    assert_eq!(bench.get(&apps).await.json(), serde_json::json!([]));
    assert_eq!(bench.get(&path).await.error().1, "AppNotFound");
}

#[tokio::test]
async fn an_app_is_of_one_product() {
    let bench = Bench::new();
    bench.app("web").await;
    for (query, count) in [
        ("", 1),
        ("?product=standard", 1),
        ("?product=atlas,standard", 1),
        ("?product=atlas", 0),
        ("?product=data-api", 0),
        ("?product=", 0),
        ("?other=1", 1),
    ] {
        let path = format!("/api/admin/v3.0/groups/{}/apps{query}", bench.group());
        let answer = bench.get(&path).await;
        assert_eq!(answer.json().as_array().map(Vec::len), Some(count), "{query}");
    }
}

#[tokio::test]
async fn what_is_left_out_of_a_change_stays() {
    let bench = Bench::new();
    let list = bench.list_path(&bench.app("web").await);
    let made =
        bench.send(Method::POST, &list, r#"{"address":"10.0.0.0/8","comment":"office"}"#).await;
    let one = format!("{list}/{}", made.json()["_id"].as_str().expect("text"));
    for (body, address, comment) in [
        (r#"{"address":"","comment":"hello"}"#, "10.0.0.0/8", Some("hello")),
        (r#"{"address":"192.0.2.0/24"}"#, "192.0.2.0/24", Some("hello")),
        (r#"{"comment":null}"#, "192.0.2.0/24", Some("hello")),
        (r#"{"comment":""}"#, "192.0.2.0/24", None),
        ("{}", "192.0.2.0/24", None),
    ] {
        let changed = bench.send(Method::PATCH, &one, body).await.json();
        assert_eq!(changed["address"], address, "{body}");
        assert_eq!(changed.get("comment").and_then(|c| c.as_str()), comment, "{body}");
    }
}

#[tokio::test]
async fn refusals_have_their_codes() {
    let bench = Bench::new();
    let app = bench.app("web").await;
    let list = bench.list_path(&app);
    let apps = format!("/api/admin/v3.0/groups/{}/apps", bench.group());
    let nowhere = "/api/admin/v3.0/groups/5f0000000000000000000000/apps";
    for (method, path, body, status, code, word) in [
        (
            Method::POST,
            &*list,
            r#"{"address":"0.0.0.0"}"#,
            409,
            "AllowedIPDuplicateAddress",
            "0.0.0.0/0",
        ),
        (
            Method::POST,
            &*list,
            r#"{"address":"10.0.0.5/8"}"#,
            400,
            "InvalidParameter",
            "10.0.0.0/8",
        ),
        (Method::POST, &*list, r#"{"address":""}"#, 400, "InvalidParameter", "address"),
        (Method::POST, &*list, r#"{"comment":"x"}"#, 400, "InvalidParameter", "address"),
        (Method::POST, &*list, r#"{"address":7}"#, 400, "InvalidParameter", "address"),
        (
            Method::POST,
            &*list,
            r#"{"address":"","use_current":true}"#,
            400,
            "InvalidParameter",
            "filterctl",
        ),
        (Method::POST, &*list, r#"{"address":"#, 400, "MalformedJson", "JSON"),
        (Method::POST, &*list, r#"{"address":"::1"} x"#, 400, "MalformedJson", "JSON"),
        (Method::POST, &*list, "", 400, "MalformedJson", "empty"),
        (Method::POST, &*list, "address=1.1.1.1", 400, "MalformedJson", "JSON"),
        (Method::POST, &*apps, r#"{"name":"web"}"#, 409, "AppAlreadyExists", "web-"),
        (Method::POST, &*apps, r#"{"name":"a b"}"#, 400, "InvalidParameter", "name"),
        (Method::POST, &*apps, "{}", 400, "InvalidParameter", "name"),
        (Method::GET, nowhere, "", 404, "GroupNotFound", "5f"),
        (Method::POST, nowhere, r#"{"name":"x"}"#, 404, "GroupNotFound", "5f"),
        (Method::GET, "/api/admin/v3.0/groups/x/apps", "", 400, "InvalidParameter", "group"),
        (Method::GET, "/api/admin/v3.0/nothing", "", 404, "NotFound", "path"),
        (Method::GET, "/", "", 404, "NotFound", "path"),
        (Method::PUT, &*list, "{}", 405, "MethodNotAllowed", "method"),
    ] {
        let (found, found_code, text) = bench.send(method, path, body).await.error();
        assert_eq!((found, found_code.as_str()), (status, code), "{path} {body}: {text}");
        assert!(text.contains(word), "{path} {body}: {text}");
    }
}

#[tokio::test]
async fn long_lists_are_whole() {
    let bench = Bench::new();
    let app = bench.app("web").await;
    let entries: Vec<_> = (0..10_000u32)
        .map(|n| serde_json::json!({ "address": std::net::Ipv4Addr::from(0x0b00_0000 + n) }))
        .collect();
    let body = serde_json::json!({ "entries": entries, "replace": true }).to_string();
    let path = format!("/api/filter/v1/groups/{}/apps/{app}/access_list/import", bench.group());
    let answer = bench.send(Method::POST, &path, &body).await;
    let counts = serde_json::json!({ "version": 2, "added": 10_000, "removed": 2, "changed": 0, "unchanged": 0 });
    assert_eq!(answer.json(), counts);
    let list = bench.get(&bench.list_path(&app)).await.json();
    let found = list["allowed_ips"].as_array().expect("an array");
    assert_eq!(found.len(), 10_000);
    assert!(found.iter().zip(&entries).all(|(found, sent)| found["address"] == sent["address"]));
    bench.send(Method::POST, &path, r#"{"entries":[],"replace":true}"#).await;
    assert_eq!(bench.get(&bench.list_path(&app)).await.text, r#"{"allowed_ips":[]}"#);
}
