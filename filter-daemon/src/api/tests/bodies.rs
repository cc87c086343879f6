//! Bodies of every shape and size.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::{Method, Request};
use futures_util::stream;

use super::*;

#[tokio::test]
async fn the_content_type_does_not_matter_and_chunks_are_put_together() {
    let bench = Bench::new();
    let list = bench.list_path(&bench.app("web").await);
    for (n, content_type) in
        ["application/json", "application/x-www-form-urlencoded", "text/plain; charset=x"]
            .iter()
            .enumerate()
    {
        let body = format!(r#" {{"address":"10.0.0.{n}"}} "#);
        let bytes: Vec<_> = body
            .into_bytes()
            .into_iter()
            .map(|b| Ok::<_, Infallible>(Bytes::from(vec![b])))
            .collect();
        let request = Request::post(&list).header("content-type", *content_type);
        let request = request.body(Body::from_stream(stream::iter(bytes))).expect("a request");
        let answer = bench.call(request).await;
        assert_eq!(answer.status, 201, "{content_type}: {answer:?}");
    }
}

#[tokio::test]
async fn bodies_have_a_limit_by_their_path() {
    let bench = Bench::new();
    let app = bench.app("web").await;
    let padded = |bytes: usize| format!("{{{}\"entries\":[]}}", " ".repeat(bytes));
    let list = bench.list_path(&app);
    let (status, code, text) = bench.send(Method::POST, &list, &padded(1 << 20)).await.error();
    assert_eq!((status, code.as_str()), (413, "BodyTooLarge"));
    assert!(text.contains("1 MiB"), "{text}");
    let import = format!("/api/filter/v1/groups/{}/apps/{app}/access_list/import", bench.group());
    assert_eq!(bench.send(Method::POST, &import, &padded(2 << 20)).await.status, 200);
    let (status, code, text) = bench.send(Method::POST, &import, &padded(128 << 20)).await.error();
    assert_eq!((status, code.as_str()), (413, "BodyTooLarge"));
    assert!(text.contains("128 MiB"), "{text}");
}

#[tokio::test]
async fn odd_json_is_refused_without_harm() {
    let bench = Bench::new();
    let list = bench.list_path(&bench.app("web").await);
    let deep = format!(r#"{{"address":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    for body in [
        deep.as_str(),
        r#"{"address":"::1","address":"::2"}"#,
        r#"["::1"]"#,
        "null",
        "\u{feff}{}",
        r#"{"address":"\ud800"}"#,
    ] {
        let answer = bench.send(Method::POST, &list, body).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(["MalformedJson", "InvalidParameter"].contains(&answer.error().1.as_str()));
    }
    let invalid = Request::post(&list).body(Body::from(vec![b'{', b'"', 0xff, b'"', b'}']));
    assert_eq!(bench.call(invalid.expect("a request")).await.status, 400);
}
