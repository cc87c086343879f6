//! Certificates of files: replaced under load without a failed handshake, and
//! clients' own.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use filter_tests::deadline::wait_for;
use filter_tests::scenario::{AppRules, Mode};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;

use crate::client::{Answer, Client};
use crate::stage::{LISTED, NAME, Scene, Stage, closed};

pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

pub(crate) fn authority() -> Authority {
    let mut wanted = CertificateParams::default();
    wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(wanted, key).expect("a certificate")
}

/// A certificate for the app's name, and its key, in PEM.
pub(crate) fn issue(authority: &Authority) -> (String, String) {
    issue_for(authority, NAME)
}

/// The same for any name or address.
pub(crate) fn issue_for(authority: &Authority, name: &str) -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let wanted = CertificateParams::new([name.to_owned()]).expect("a name");
    let certificate = wanted.signed_by(&key, authority).expect("a certificate");
    (certificate.pem(), key.serialize_pem())
}

pub(crate) fn file(scene: &Scene<'_>, name: &str, text: &str) -> PathBuf {
    let path = scene.stage.installation.path(name);
    fs::write(&path, text).expect("the directory is ours");
    path
}

#[test]
fn a_pair_is_replaced_under_load() {
    let stage = Stage::new();
    let scene = stage.start();
    let authority = authority();
    let trusted = file(&scene, "authority.pem", &authority.pem());
    let (certificate, key) = issue(&authority);
    let paths = json!({
        "certificate": file(&scene, "cert.pem", &certificate),
        "key": file(&scene, "key.pem", &key),
    });
    scene.set_proxy(paths);
    let client = Client::new(LISTED, &trusted);
    let shown = || {
        let connection = client.connect().expect("no handshake fails");
        connection.conn.peer_certificates().expect("a chain")[0].to_vec()
    };
    let first = stage.run(shown);
    let is_done = AtomicBool::new(false);
    stage.run(|| {
        std::thread::scope(|scope| {
            let load = scope.spawn(|| {
                stage.namespace.enter();
                let mut count = 0;
                while !is_done.load(Ordering::Relaxed) {
                    let mut connection = client.connect().expect("no handshake fails");
                    write!(connection, "GET / HTTP/1.1\r\nHost: {NAME}\r\n\r\n").expect("out");
                    assert_eq!(Answer::read(&mut connection).expect("an answer").status, 200);
                    count += 1;
                }
                count
            });
            let (certificate, key) = issue(&authority);
            // One after the other, as tools do; in between they do not fit.
            file(&scene, "cert.pem", &certificate);
            file(&scene, "key.pem", &key);
            wait_for("the new certificate", || (shown() != first).then_some(()));
            is_done.store(true, Ordering::Relaxed);
            assert!(load.join().expect("no handshake fails") > 0);
        });
    });
}

/// Each app shows its own names and no other's.
#[test]
fn a_name_that_comes_later_is_in_the_certificate_of_its_app() {
    let stage = Stage::new();
    let scene = stage.start();
    let client = scene.client(LISTED);
    let has = |shown_to: &str, name: &str| {
        let connection = client.connect_to(shown_to).expect("a handshake");
        let shown = connection.conn.peer_certificates().expect("a chain")[0].to_vec();
        shown.windows(name.len()).any(|octets| octets == name.as_bytes())
    };
    let rules = AppRules { list: vec![format!("{LISTED}/32")], ..AppRules::default() };
    let other = scene.control().create_app("other", &rules, Mode::Enforce);
    let names = json!({ "proxy": { "names": ["other.example.com"] } });
    scene.control().must(hyper::Method::PATCH, &other.ours, Some(&names));
    let more = json!({ "names": [NAME, "late.example.com"] });
    stage.run(|| {
        assert!(has(NAME, NAME) && !has(NAME, "other.example.com"));
        assert!(has("other.example.com", "other.example.com") && !has("other.example.com", NAME));
        scene.set_proxy(more);
        assert!(has(NAME, "late.example.com") && has("late.example.com", NAME));
        let files = || {
            let state = fs::read_dir(stage.installation.path("state")).expect("it is there");
            let names = state.flatten().map(|file| file.file_name().to_string_lossy().into_owned());
            names.filter(|name| name.starts_with("proxy-")).count()
        };
        assert_eq!(files(), 2);
        scene.control().must(hyper::Method::DELETE, &other.ours, None);
        wait_for("the certificate of the app to go with it", || (files() == 1).then_some(()));
        assert!(has(NAME, NAME));
    });
}

#[test]
fn clients_need_a_certificate_where_an_authority_is_named() {
    let stage = Stage::new();
    let scene = stage.start();
    let client = scene.client(LISTED);
    let before = client.clone();
    stage.run(|| {
        let mut open = before.connect().expect("a handshake");
        let ca = file(&scene, "clients.pem", &authority().pem());
        assert_eq!(closed(&scene.set_proxy(json!({ "client_ca": ca }))), 1);
        assert!(crate::client::is_closed(&mut open));
        // In TLS 1.3 the client learns it after its own part of the handshake.
        assert!(client.get("/", "").is_err());
        assert!(scene.upstream.asked().is_empty());
        wait_for("the refusal", || (scene.count("client_certificate") == 1).then_some(()));
    });
}
