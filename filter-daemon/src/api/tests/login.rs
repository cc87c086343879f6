//! Logging in, tokens, and what is refused without them.

use axum::body::Body;
use axum::http::Method;
use serde_json::json;
use tokio::sync::oneshot;

use super::*;

const AUTH: &str = "/api/admin/v3.0/auth";
const HERE: &str = "192.0.2.7";
const ELSEWHERE: &str = "198.51.100.7";

/// Both halves of a key, and its path.
pub(super) struct Key {
    pub(super) public: String,
    private: String,
    pub(super) path: String,
}

/// Who is logged in.
pub(super) struct Login {
    pub(super) access: String,
    refresh: String,
}

impl Bench {
    /// Makes a key that may be used from some addresses, or from anywhere.
    pub(super) async fn key(&self, sources: &[&str]) -> Key {
        let list: Vec<_> = sources.iter().map(|address| json!({ "address": address })).collect();
        let body = json!({ "description": "for tests", "access_list": list }).to_string();
        let made = self.send(Method::POST, "/api/filter/v1/keys", &body).await;
        assert_eq!(made.status, 201, "{made:?}");
        let made = made.json();
        let text = |name: &str| made[name].as_str().expect("text").to_owned();
        let path = format!("/api/filter/v1/keys/{}", text("_id"));
        Key { public: text("public_key"), private: text("private_key"), path }
    }

    async fn try_log_in(&self, from: &str, public: &str, private: &str) -> bench::Answer {
        let body = json!({ "username": public, "apiKey": private }).to_string();
        let path = format!("{AUTH}/providers/mongodb-cloud/login");
        self.over_tls(from, None, (Method::POST, &path, &body)).await
    }

    pub(super) async fn log_in(&self, key: &Key) -> Login {
        let answer = self.try_log_in(HERE, &key.public, &key.private).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let text = |name: &str| answer.json()[name].as_str().expect("text").to_owned();
        assert_eq!(text("device_id").len(), 24);
        assert!(key.path.ends_with(&text("user_id")));
        Login { access: text("access_token"), refresh: text("refresh_token") }
    }

    async fn profile(&self, token: &str) -> bench::Answer {
        let path = format!("{AUTH}/profile");
        self.over_tls(HERE, Some(token), (Method::GET, &path, "")).await
    }

    async fn session(&self, method: Method, token: Option<&str>) -> bench::Answer {
        let path = format!("{AUTH}/session");
        self.over_tls(HERE, token, (method, &path, "")).await
    }
}

#[tokio::test]
async fn a_login_gives_tokens_that_work() {
    let bench = Bench::new();
    let key = bench.key(&[]).await;
    let login = bench.log_in(&key).await;
    let profile = bench.profile(&login.access).await;
    assert_eq!(profile.status, 200);
    let profile = profile.json();
    let group = bench.group();
    assert_eq!(profile["roles"], json!([{ "role_name": "GROUP_OWNER", "group_id": group }]));
    assert_eq!(
        (&profile["type"], &profile["data"]["name"]),
        (&json!("normal"), &json!(key.public))
    );

    let refreshed = bench.session(Method::POST, Some(&login.refresh)).await;
    assert_eq!(refreshed.status, 201);
    let second = refreshed.json()["access_token"].as_str().expect("text").to_owned();
    assert_eq!(bench.profile(&second).await.status, 200);
    assert_eq!(bench.profile(&login.access).await.status, 200, "the first one goes on");
    assert_eq!(bench.session(Method::POST, Some(&login.refresh)).await.status, 201, "not rotated");

    let out = bench.session(Method::DELETE, Some(&login.refresh)).await;
    assert_eq!((out.status.as_u16(), out.text.as_str()), (204, ""));
    assert_eq!(bench.profile(&second).await.status, 401);
    assert_eq!(bench.session(Method::POST, Some(&login.refresh)).await.status, 401);
}

/// The texts and codes that clients compare.
#[tokio::test]
async fn refusals_have_the_known_texts() {
    let bench = Bench::new();
    let key = bench.key(&[]).await;
    let login = bench.log_in(&key).await;
    let wrong = r#"{"error":"failed to authenticate with MongoDB Cloud API: You are not authorized for this resource."}"#;
    for (public, private) in [("username", "apiKey"), (key.public.as_str(), "apiKey")] {
        let answer = bench.try_log_in(HERE, public, private).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (401, wrong));
    }
    let whole = |answer: bench::Answer| (answer.status.as_u16(), answer.text);
    assert_eq!(
        whole(bench.profile(&login.refresh).await),
        (401, r#"{"error":"invalid session: valid Issuer required"}"#.to_owned())
    );
    let invalid = (401, r#"{"error":"invalid session","error_code":"InvalidSession"}"#.to_owned());
    assert_eq!(whole(bench.profile("eyJhbGciOi.e30.abc").await), invalid);
    assert_eq!(whole(bench.profile(&format!("{}0", login.access)).await), invalid);
    assert_eq!(whole(bench.session(Method::POST, None).await), invalid);
    let unknown = r#"{"error":"invalid session: failed to find refresh token","error_code":"InvalidSession"}"#;
    let other = format!("{}0", login.refresh);
    for method in [Method::POST, Method::DELETE] {
        assert_eq!(
            whole(bench.session(method.clone(), Some(&login.access)).await),
            (401, r#"{"error":"invalid refresh token: incorrect token type"}"#.to_owned())
        );
        assert_eq!(whole(bench.session(method, Some(&other)).await), (401, unknown.to_owned()));
    }
    let path = format!("{AUTH}/providers/nosuch/login");
    let body = r#"{"username":"a","apiKey":"b"}"#;
    let nosuch = bench.over_tls(HERE, None, (Method::POST, &path, body)).await;
    assert_eq!(nosuch.status, 404);
    let path = format!("{AUTH}/providers/mongodb-cloud/login");
    let half = bench.over_tls(HERE, None, (Method::POST, &path, r#"{"username":"a"}"#)).await;
    assert_eq!(half.error().0, 400);
    assert!(half.error().2.contains("apiKey"), "{half:?}");
}

#[tokio::test]
async fn nothing_but_the_front_door_is_open() {
    let bench = Bench::new();
    let key = bench.key(&[]).await;
    let login = bench.log_in(&key).await;
    for path in ["/api/private/v1.0/version", "/api/admin/v3.0/auth/providers"] {
        assert_eq!(bench.over_tls(HERE, None, (Method::GET, path, "")).await.status, 200);
    }
    for path in
        ["/api/filter/v1/status", "/api/filter/v1/keys", "/api/admin/v3.0/nosuch", "/", "/x"]
    {
        let closed = bench.over_tls(HERE, None, (Method::GET, path, "")).await;
        assert_eq!(closed.error(), (401, "InvalidSession".into(), "invalid session".into()));
    }
    let status =
        bench.over_tls(HERE, Some(&login.access), (Method::GET, "/api/filter/v1/status", ""));
    assert_eq!(status.await.status, 200);
    let nosuch = bench.over_tls(HERE, Some(&login.access), (Method::GET, "/nosuch", "")).await;
    assert_eq!(nosuch.error().1, "NotFound");
    let method = bench.over_tls(HERE, None, (Method::PUT, "/api/private/v1.0/version", "")).await;
    assert_eq!(method.error().1, "MethodNotAllowed");
}

#[tokio::test]
async fn on_the_control_socket_everybody_is_known() {
    let bench = Bench::new();
    let profile = bench.get(&format!("{AUTH}/profile")).await.json();
    assert_eq!((&profile["type"], &profile["data"]["name"]), (&json!("system"), &json!("root")));
    assert_eq!(profile["roles"][0]["group_id"], bench.group());
    let key = bench.key(&[HERE]).await;
    let body = json!({ "username": key.public, "password": key.private }).to_string();
    let path = format!("{AUTH}/providers/local-userpass/login");
    assert_eq!(bench.send(Method::POST, &path, &body).await.status, 200);
}

#[tokio::test]
async fn a_keys_list_is_asked_at_login_and_at_every_call() {
    let bench = Bench::new();
    let key = bench.key(&[HERE]).await;
    let elsewhere = bench.try_log_in(ELSEWHERE, &key.public, &key.private).await;
    let (status, code, text) = elsewhere.error();
    assert_eq!((status, code.as_str()), (403, "IP_ADDRESS_NOT_ON_ACCESS_LIST"));
    let sentence = format!("IP address {ELSEWHERE} is not allowed to access this resource.");
    let words = format!("failed to authenticate with MongoDB Cloud API: {sentence}");
    assert!(text.starts_with(&words) && text.contains(&key.public), "{text}");
    // A wrong private half is told nothing about the list.
    assert_eq!(bench.try_log_in(ELSEWHERE, &key.public, "wrong").await.status, 401);

    let login = bench.log_in(&key).await;
    let profile = format!("{AUTH}/profile");
    let session = format!("{AUTH}/session");
    for (token, method, path) in [
        (&login.access, Method::GET, &profile),
        (&login.refresh, Method::POST, &session),
        (&login.refresh, Method::DELETE, &session),
    ] {
        let refused = bench.over_tls(ELSEWHERE, Some(token), (method, path, "")).await;
        let (status, code, text) = refused.error();
        assert_eq!((status, code.as_str()), (403, "IP_ADDRESS_NOT_ON_ACCESS_LIST"));
        assert!(text.starts_with(&sentence), "{text}");
    }
    let mapped = format!("::ffff:{HERE}");
    let call = (Method::GET, profile.as_str(), "");
    assert_eq!(bench.over_tls(&mapped, Some(&login.access), call).await.status, 200);
}

#[tokio::test]
async fn what_is_revoked_is_refused_from_the_next_request_on() {
    let bench = Bench::new();
    let key = bench.key(&[HERE, "2001:db8::/32"]).await;
    let login = bench.log_in(&key).await;
    let list = bench.get(&format!("{}/access_list", key.path)).await.json();
    let entry = format!("{}/access_list/{}", key.path, list[0]["_id"].as_str().expect("text"));
    assert_eq!(bench.send(Method::DELETE, &entry, "").await.status, 204);
    assert_eq!(bench.profile(&login.access).await.status, 403);
    let back = format!("{}/access_list", key.path);
    let made = bench.send(Method::POST, &back, &json!({ "address": HERE }).to_string()).await;
    assert_eq!(made.status, 201);
    assert_eq!(bench.profile(&login.access).await.status, 200, "the session was not ended");
    let off = bench.send(Method::PATCH, &key.path, r#"{"enabled":false}"#).await;
    assert_eq!((off.status.as_u16(), &off.json()["enabled"]), (200, &json!(false)));
    assert_eq!(bench.profile(&login.access).await.status, 401);
    assert_eq!(bench.try_log_in(HERE, &key.public, &key.private).await.status, 401);
    bench.send(Method::PATCH, &key.path, r#"{"enabled":true}"#).await;
    assert_eq!(bench.profile(&login.access).await.status, 401, "it has to log in again");
    let login = bench.log_in(&key).await;
    assert_eq!(bench.send(Method::DELETE, &key.path, "").await.status, 204);
    assert_eq!(bench.profile(&login.access).await.status, 401);
    assert_eq!(bench.session(Method::POST, Some(&login.refresh)).await.status, 401);
}

/// Who may change something is asked when it is changed: a body that is held
/// back is no way around it.
#[tokio::test]
async fn what_is_revoked_meanwhile_changes_nothing() {
    let bench = Bench::new();
    let keys = "/api/filter/v1/keys";
    for way in ["deleted", "off", "elsewhere", "logged out"] {
        let key = bench.key(&[]).await;
        let login = bench.log_in(&key).await;
        let (send, held) = oneshot::channel::<String>();
        let body = Body::from_stream(futures_util::stream::once(held));
        let changing = bench.slowly_over_tls(HERE, Some(&login.access), (Method::POST, keys, body));
        let revoking = async {
            let revoked = match way {
                "deleted" => bench.send(Method::DELETE, &key.path, "").await,
                "off" => bench.send(Method::PATCH, &key.path, r#"{"enabled":false}"#).await,
                "elsewhere" => {
                    let list = format!("{}/access_list", key.path);
                    let elsewhere = json!({ "address": ELSEWHERE }).to_string();
                    bench.send(Method::POST, &list, &elsewhere).await
                }
                _ => bench.session(Method::DELETE, Some(&login.refresh)).await,
            };
            assert!(revoked.status.is_success(), "{way}: {revoked:?}");
            let before = bench.control.store().state().revision;
            send.send(r#"{"description":"of a thief"}"#.to_owned()).expect("it is waited for");
            before
        };
        let (answer, before) = tokio::join!(changing, revoking);
        let (status, code, _) = answer.error();
        assert_eq!((status, code.as_str()), (401, "InvalidSession"), "{way}");
        assert_eq!(bench.control.store().state().revision, before, "{way}");
    }
}

/// An answer without an end is no way around it.
#[tokio::test]
async fn what_is_revoked_reads_no_more_drops() {
    let bench = Bench::new();
    let key = bench.key(&[HERE, "2001:db8::/32"]).await;
    let list = bench.get(&format!("{}/access_list", key.path)).await.json();
    let entry = format!("{}/access_list/{}", key.path, list[0]["_id"].as_str().expect("text"));
    for logs_out in [true, false] {
        let login = bench.log_in(&key).await;
        let call = (Method::GET, "/api/filter/v1/drops", "");
        let following = bench.over_tls(HERE, Some(&login.access), call);
        let revoking = async {
            match logs_out {
                true => bench.session(Method::DELETE, Some(&login.refresh)).await,
                false => bench.send(Method::DELETE, &entry, "").await,
            }
        };
        let both = async { tokio::join!(following, revoking) };
        let both = tokio::time::timeout(std::time::Duration::from_secs(20), both).await;
        let (answer, gone) = both.expect("it has an end");
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, ""));
        assert_eq!(gone.status, 204);
    }
}

#[tokio::test]
async fn who_guesses_is_locked_out() {
    let bench = Bench::new();
    let key = bench.key(&[]).await;
    for _ in 0..10 {
        assert_eq!(bench.try_log_in(HERE, "username", "apiKey").await.status, 401);
    }
    let locked = bench.try_log_in(HERE, &key.public, &key.private).await;
    let (status, code, text) = locked.error();
    assert_eq!((status, code.as_str()), (429, "LimitExceeded"));
    assert!(text.contains(HERE) && text.contains("try again in"), "{text}");
    let wait: u64 = locked.retry_after.expect("told").parse().expect("seconds");
    assert!((1..=31).contains(&wait));
    assert_eq!(bench.try_log_in(ELSEWHERE, &key.public, &key.private).await.status, 200);
}
