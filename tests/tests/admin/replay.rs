//! What the vendor's own tests send, line by line, with chunked bodies.

use filter_tests::daemon::{Connection, Protocol};
use filter_tests::world::{Family, LISTED};
use hyper::Method;
use serde_json::{Value, json};

use super::stage::{PROFILE, SESSION, Stage};

const ADMIN: &str = "/api/admin/v3.0";

/// Somebody who is logged in, and the group that he works in.
struct Client {
    connection: Connection,
    access: String,
    group: String,
}

impl Client {
    fn call(&mut self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let path = format!("{ADMIN}/groups/{}/apps{path}", self.group);
        let answer = self.connection.call(Some(&self.access), method, &path, body.as_ref());
        let answer = answer.unwrap_or_else(|error| panic!("{path}: {error:#}"));
        (answer.status.as_u16(), answer.body)
    }

    fn get(&mut self, path: &str) -> Value {
        let (status, body) = self.call(Method::GET, path, None);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }
}

#[test]
fn over_http_1() {
    replay(Protocol::Http1, Family::V4);
}

#[test]
fn over_http_2() {
    replay(Protocol::Http2, Family::V6);
}

fn replay(protocol: Protocol, family: Family) {
    let stage = Stage::new();
    let _daemon = stage.start();
    let key = stage.key(&[]);
    let admin = stage.admin(LISTED, family);

    let version = admin.call(None, Method::GET, "/api/private/v1.0/version", None);
    assert_eq!(version.expect("answered").status, 200);
    let wrong = admin.try_log_in("username", "apiKey").expect("answered");
    let text =
        "failed to authenticate with MongoDB Cloud API: You are not authorized for this resource.";
    assert_eq!((wrong.status.as_u16(), wrong.body), (401, json!({ "error": text })));
    let tokens = admin.log_in(&key.public, &key.private);
    assert!(!tokens.access.is_empty() && !tokens.refresh.is_empty());

    let mut connection = admin.connect(protocol).expect("connected");
    let profile = connection.call(Some(&tokens.access), Method::GET, PROFILE, None);
    let profile = profile.expect("answered").body;
    let group = profile["roles"][0]["group_id"].as_str().expect("a group").to_owned();
    assert_eq!(profile["roles"].as_array().map(Vec::len), Some(1));
    let refused = connection.call(Some(&tokens.refresh), Method::GET, PROFILE, None);
    let refused = refused.expect("answered");
    let text = "invalid session: valid Issuer required";
    assert_eq!((refused.status.as_u16(), refused.body), (401, json!({ "error": text })));
    let refreshed = connection.call(Some(&tokens.refresh), Method::POST, SESSION, None);
    let refreshed = refreshed.expect("answered");
    assert_eq!(refreshed.status, 201);
    let access = refreshed.body["access_token"].as_str().expect("a token").to_owned();
    let mut client = Client { connection, access, group };

    let app = create_app(&mut client);
    let list = format!("/{app}/security/access_list");
    change_the_list(&mut client, &list);
    describe(&mut client, &app, &admin.url());
    let (status, body) = client.call(Method::DELETE, &format!("/{app}"), None);
    assert_eq!((status, body), (204, Value::Null));
    assert_eq!(client.get(""), json!([]), "no longer listed");
}

fn create_app(client: &mut Client) -> String {
    let new = json!({ "name": "accesslist-test" });
    let (status, app) = client.call(Method::POST, "", Some(new));
    assert_eq!((status, &app["group_id"]), (201, &json!(client.group)));
    let client_app_id = app["client_app_id"].as_str().expect("text");
    assert!(client_app_id.starts_with("accesslist-test-"));
    let id = app["_id"].as_str().expect("an id").to_owned();
    assert_eq!(id.len(), 24);
    // The four calls that the vendor's client makes before each command.
    let found: Vec<_> = ["", "?product=atlas", "?product=data-api", "?product=device-sync"]
        .map(|query| client.get(query).as_array().expect("a list").len())
        .into();
    assert_eq!(found, [1, 0, 0, 0], "listed under one product");
    id
}

fn change_the_list(client: &mut Client, list: &str) {
    let first = client.get(list)["allowed_ips"].clone();
    assert_eq!(first.as_array().map(Vec::len), Some(1));
    assert_eq!(first[0]["address"], "0.0.0.0/0");
    let new = json!({ "address": "1.1.1.1", "comment": "comment" });
    let (status, entry) = client.call(Method::POST, list, Some(new));
    assert_eq!(status, 201);
    assert_eq!((&entry["address"], &entry["comment"]), (&json!("1.1.1.1"), &json!("comment")));
    assert_eq!(client.get(list)["allowed_ips"], json!([first[0], entry]));
    let one = format!("{list}/{}", entry["_id"].as_str().expect("an id"));
    let changed = json!({ "address": "3.3.3.3", "comment": "new comment" });
    assert_eq!(client.call(Method::PATCH, &one, Some(changed)).0, 200);
    let second = client.get(list)["allowed_ips"][1].clone();
    let shown = (&second["address"], &second["comment"]);
    assert_eq!(shown, (&json!("3.3.3.3"), &json!("new comment")));
    // What the vendor's client sends when only the comment changes.
    let comment = json!({ "address": "", "comment": "hq" });
    assert_eq!(client.call(Method::PATCH, &one, Some(comment)).0, 200);
    assert_eq!(client.get(list)["allowed_ips"][1]["address"], "3.3.3.3");

    let not_found =
        |id: &str| json!({ "error": format!("allowed IP not found: 'ObjectID(\"{id}\")'") });
    let other = "5f0000000000000000000000";
    let unused = json!({ "address": "2.2.2.2", "comment": "notUsed" });
    let refused = client.call(Method::PATCH, &format!("{list}/{other}"), Some(unused));
    assert_eq!(refused, (404, not_found(other)));
    assert_eq!(client.call(Method::DELETE, &one, None), (204, Value::Null));
    assert_eq!(client.get(list)["allowed_ips"], first);
    let id = entry["_id"].as_str().expect("an id");
    assert_eq!(client.call(Method::DELETE, &one, Some(json!({}))), (404, not_found(id)));

    let current = json!({ "address": "", "use_current": true });
    let (status, entry) = client.call(Method::POST, list, Some(current));
    let listed = client.get(list);
    assert_eq!((status, &entry["address"]), (201, &listed["current_ip"]));
    assert_eq!(entry["includes_current"], true);
}

fn describe(client: &mut Client, app: &str, base: &str) {
    let shown = client.get(&format!("/{app}"));
    let described = client.get(&format!("/{app}/description"));
    let client_app_id = shown["client_app_id"].as_str().expect("text");
    let dashboard = format!("{base}/groups/{}/apps/{app}/dashboard", client.group);
    assert_eq!(described["realm_url"], dashboard);
    let graphql = format!("{base}/api/client/v2.0/app/{client_app_id}/graphql");
    assert_eq!(described["graphql"]["url"], graphql);
}
