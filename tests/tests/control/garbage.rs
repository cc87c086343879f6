//! What is not a request, and what is not what it says.

use std::io::Write;
use std::net::Shutdown;

use filter_tests::scenario::{AppRules, Mode};
use hyper::Method;
use serde_json::json;

use super::client::{End, connect, end_of, stage};

#[test]
fn what_is_no_request_gets_no_success() {
    let (namespace, installation) = stage(|_| {});
    let mut daemon = installation.start(&namespace);
    let app = daemon.control().create_app("app", &AppRules::new(&["host"]).open(), Mode::Enforce);
    let list = &app.list;
    let smuggled = format!("DELETE {} HTTP/1.1\r\nhost: x\r\n\r\n", app.ours);
    let mut random = 0x5eed_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        random.to_be_bytes()[0]
    })
    .take(100_000)
    .collect();
    let cases: Vec<Vec<u8>> = vec![
        noise,
        vec![0; 10_000],
        b"\r\n".repeat(10_000),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec(),
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nhost x\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\n: x\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nx: \0\r\n\r\n".to_vec(),
        format!("POST {list} HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n").into_bytes(),
        format!("POST {list} HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999\r\n\r\n").into_bytes(),
        format!("POST {list} HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd").into_bytes(),
        format!("POST {list} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n").into_bytes(),
        format!("POST {list} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n").into_bytes(),
        // Two lengths that disagree: what is behind is never a request.
        format!(
            "POST {list} HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"
        )
        .into_bytes(),
    ];
    for (number, case) in cases.iter().enumerate() {
        let mut stream = connect(&installation.socket());
        // A daemon that has heard enough hangs up while we still write.
        let _ = stream.write_all(case);
        let _ = stream.shutdown(Shutdown::Write);
        match end_of(&mut stream) {
            End::Status(status) => {
                assert!((400..=505).contains(&status), "case {number}: {status}")
            }
            End::Closed => {}
        }
        assert!(daemon.is_running(), "case {number}");
    }
    assert_eq!(daemon.control().apps().len(), 1, "nothing was smuggled");
}

#[test]
fn unknown_paths_and_methods_are_refused_in_json() {
    let (namespace, installation) = stage(|_| {});
    let daemon = installation.start(&namespace);
    let control = daemon.control();
    for (method, path, status) in [
        (Method::GET, "/", 404),
        (Method::GET, "/api/filter/v1/nosuch", 404),
        (Method::GET, "/api/filter/v1/../v1/status", 404),
        (Method::GET, "/api/filter/v1/groups/zzz/apps", 400),
        (Method::GET, "/api/filter/v1/groups/000000000000000000000000/apps", 404),
        (Method::DELETE, "/api/filter/v1/status", 405),
        (Method::OPTIONS, "/api/filter/v1/status", 405),
    ] {
        let answer = control.call(method.clone(), path, None).expect("an answer");
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        assert!(answer.body["error"].is_string(), "{method} {path}: {}", answer.body);
    }
}

#[test]
fn bodies_that_are_not_what_they_should_be() {
    let (namespace, installation) = stage(|_| {});
    let daemon = installation.start(&namespace);
    let control = daemon.control();
    let app = control.create_app("app", &AppRules::new(&["host"]), Mode::Enforce);
    let before = control.get(&app.list);
    let nested = "[".repeat(200_000);
    let bodies: [&[u8]; 16] = [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        nested.as_bytes(),
        b"{\"address\":null}",
        b"{\"address\":7}",
        b"{\"address\":[\"1.1.1.1\"]}",
        b"{\"address\":\"\"}",
        b"{\"address\":\"1.1.1.1\\u0000\"}",
        b"{\"address\":\"1.1.1.1\",\"address\":\"2.2.2.2\"}",
        b"{\"address\":\"1.1.1.1\"} trailing",
        b"{\"address\":\"10.0.0.5/8\"}",
        b"{\"address\":\"1.1.1.1\",\"comment\":{}}",
        b"{\"address\":\"fe80::1%eth0\"}",
    ];
    for body in bodies {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let bytes = body.to_vec().into();
        let answer = control.call_bytes(Method::POST, &app.list, bytes).expect("an answer");
        assert_eq!(answer.status, 400, "{shown}: {}", answer.body);
        assert!(answer.body["error"].is_string(), "{shown}: {}", answer.body);
    }
    assert_eq!(control.get(&app.list), before, "nothing was changed");
    // Nothing is narrowed in silence: what is not known is refused.
    for body in [
        json!({ "name": "x", "scopes": ["port=70000"] }),
        json!({ "name": "x", "mode": "sometimes" }),
        json!({ "name": "x", "trusted_hops": ["10.0.0.5/8"] }),
        json!({ "name": "1x" }),
        json!({ "name": "" }),
        json!({}),
    ] {
        let path = format!("{}/apps", control.group());
        let answer = control.call(Method::POST, &path, Some(&body)).expect("an answer");
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
    }
    assert_eq!(control.apps().len(), 1);
}
