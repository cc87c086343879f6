//! The addresses that the proxy tier sends from, as files.

use super::*;
use crate::config::Config;

const FILE: &str = r#"
    [[interface]]
    name = "eth0"
    [[outbound]]
    label = "aws"
    addresses = ["192.0.2.9", "2001:db8::1", "192.0.2.10"]
    [[outbound]]
    label = "on-site"
    addresses = ["192.0.2.9", "198.51.100.1"]
"#;

fn bench(file: &str) -> Bench {
    let mut bench = Bench::new();
    let config = Config::parse(file).expect("valid");
    bench.control = bench.control.clone().with_outbound(&config.outbound);
    bench
}

async fn text(bench: &Bench, path: &str) -> String {
    let answer = bench.get(&format!("/api/filter/v1/{path}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.text
}

#[tokio::test]
async fn files_are_flat_sorted_and_without_repetition() {
    let bench = bench(FILE);
    let all = "[\n  \"192.0.2.10\",\n  \"192.0.2.9\",\n  \"198.51.100.1\",\n  \"2001:db8::1\"\n]\n";
    assert_eq!(text(&bench, "outbound.json").await, all);
    let rows = "192.0.2.10\n192.0.2.9\n198.51.100.1\n2001:db8::1\n";
    assert_eq!(text(&bench, "outbound.csv").await, rows);
    let rows = "192.0.2.10\n192.0.2.9\n2001:db8::1\n";
    assert_eq!(text(&bench, "outbound/aws.csv").await, rows);
    let array = "[\n  \"192.0.2.9\",\n  \"198.51.100.1\"\n]\n";
    assert_eq!(text(&bench, "outbound/on-site.json").await, array);
    let labels = r#"[{"label":"aws","addresses":["192.0.2.9","2001:db8::1","192.0.2.10"]},{"label":"on-site","addresses":["192.0.2.9","198.51.100.1"]}]"#;
    assert_eq!(text(&bench, "outbound").await, labels);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let one = bench(FILE);
    let answer = one.get("/api/filter/v1/outbound/gcp.json").await;
    let (status, code, text) = answer.error();
    assert_eq!((status, code.as_str()), (404, "OutboundNotFound"));
    assert!(text.contains("aws, on-site"), "{text}");
    for file in ["aws", "aws.xml", ".json"] {
        let answer = one.get(&format!("/api/filter/v1/outbound/{file}")).await;
        assert_eq!(answer.status, 404, "{file}");
    }
    let none = bench("[[interface]]\nname = \"eth0\"\n");
    assert_eq!(text_of_all(&none).await, ("[]\n".to_owned(), String::new()));
}

async fn text_of_all(bench: &Bench) -> (String, String) {
    (text(bench, "outbound.json").await, text(bench, "outbound.csv").await)
}
