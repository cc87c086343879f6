//! Filters: what they take, and what they say when they do not fit.

use super::forms::{ATLAS, AWS, AZURE, GCP, GEOFEED, GITHUB, ORACLE};
use super::*;

/// `--service a --region b`.
fn filter(flags: &str) -> Filter {
    let mut filter = Filter::default();
    let words: Vec<&str> = flags.split(' ').collect();
    for pair in words.chunks(2) {
        let value = pair[1].replace('_', " ");
        match pair[0] {
            "--service" => filter.services.push(value),
            "--region" => filter.regions.push(value),
            "--tag" => filter.tags.push(value),
            "--family" if value == "4" => filter.family = Some(Family::V4),
            "--family" => filter.family = Some(Family::V6),
            other => panic!("{other}"),
        }
    }
    filter
}

fn filtered(text: &str, flags: &str) -> Result<Feed, FeedError> {
    let reading = Reading { filter: filter(flags), ..Reading::default() };
    read(&Source { name: None, bytes: text.as_bytes() }, &reading)
}

#[test]
fn each_form_is_filtered_by_what_it_says() {
    for (text, flags, expected) in [
        (AWS, "--service s3", &["203.0.113.0/24", "2001:db8:1::/48"][..]),
        (AWS, "--service s3 --family 4", &["203.0.113.0/24"]),
        (AWS, "--region EU-WEST-1", &["198.51.100.0/25"]),
        (
            AWS,
            "--region eu-west-1 --region us-east-1 --family 4",
            &["198.51.100.0/25", "203.0.113.0/24"],
        ),
        (GCP, "--service google_cloud --region asia-east1", &["2001:db8:8000::/44"]),
        (AZURE, "--service storage", &["198.51.100.0/26", "2001:db8:20::/48"]),
        (AZURE, "--service AzureStorage --family 6", &["2001:db8:20::/48"]),
        (AZURE, "--tag storage.westeurope --region westeurope --family 4", &["198.51.100.0/26"]),
        (GITHUB, "--service actions --service brand_new", &["198.51.100.0/25"]),
        (ORACLE, "--tag object_storage", &["203.0.113.0/25"]),
        (ORACLE, "--region ap-chuncheon-1", &["192.0.2.0/24"]),
        (ATLAS, "--service outbound --region us-east-1", &["192.0.2.9/32", "192.0.2.10/32"]),
        (ATLAS, "--tag gateways", &["198.51.100.7"]),
        (GEOFEED, "--region nl-nh", &["198.51.100.0/24"]),
        (GEOFEED, "--region us --family 6", &["2001:db8:3c00::/40"]),
    ] {
        // An underscore stands for a space, which no flag here needs but one.
        let text = text.replace("brand_new", "brand new").replace("OBJECT_", "OBJECT ");
        let feed = filtered(&text, flags).unwrap_or_else(|error| panic!("{flags}: {error}"));
        let taken = addresses(&feed);
        let expected: Vec<&str> = match flags.contains("brand") {
            true => [expected, &["203.0.113.1/32"]].concat(),
            false => expected.to_vec(),
        };
        assert_eq!(taken, expected, "{flags}");
        assert!(feed.left_out > 0, "{flags}");
    }
    let v6 = filtered("192.0.2.1\n::1\n::ffff:192.0.2.2\n", "--family 6").expect("one");
    assert_eq!((addresses(&v6), v6.left_out), (vec!["::1"], 2));
}

#[test]
fn what_does_not_fit_is_told() {
    for (text, flags, words) in [
        (AWS, "--tag x", &["AWS", "--service, --region"][..]),
        ("192.0.2.1", "--service s3", &["plain text", "--family alone"]),
        (AWS, "--service s4", &["\"s4\"", "AMAZON, S3"]),
        (AWS, "--service s3 --service ec2", &["\"ec2\"", "AMAZON, S3"]),
        (AWS, "--service s3 --region eu-west-1", &["--service s3 --region eu-west-1"]),
        (AZURE, "--region mars", &["\"mars\"", "westeurope"]),
        ("192.0.2.1", "--family 6", &["--family 6"]),
    ] {
        let Err(FeedError::Filter(error)) = filtered(text, flags) else { panic!("{flags}") };
        let text = error.to_string();
        for word in words {
            assert!(text.contains(word), "{flags}: no {word:?} in {text}");
        }
    }
    let many: Vec<String> =
        (0..100).map(|n| format!("198.51.100.{n},US,US-{n:02},Town,")).collect();
    let Err(FeedError::Filter(error)) = filtered(&many.join("\n"), "--region us-100") else {
        panic!("it is not there")
    };
    let text = error.to_string();
    assert!(text.contains("nearest of its 101") && text.contains("US-10"), "{text}");
}

#[test]
fn faults_are_told_of_what_the_filter_leaves_out_too() {
    let text = AWS.replace("198.51.100.0/25", "198.51.100.1/25");
    assert_eq!(faults_of(filtered(&text, "--service s3")).len(), 1);
}
