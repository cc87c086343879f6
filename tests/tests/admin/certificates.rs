//! TLS as an old client sees it, and certificates that change.

use std::fs;
use std::process::{Output, Stdio};

use filter_tests::deadline::wait_for;
use filter_tests::world::{Family, HOST, LISTED};
use hyper::Method;
use rcgen::{CertificateParams, KeyPair};

use super::stage::{PORT, Stage};

const VERSION: &str = "/api/private/v1.0/version";

/// `openssl s_client` from outside.
fn openssl(stage: &Stage, arguments: &[&str]) -> Output {
    let mut command = stage.world.outside.command("openssl");
    command
        .args(["s_client", "-connect", &format!("{}:{PORT}", HOST.v4()), "-CAfile"])
        .arg(stage.authority())
        .args(["-verify_return_error", "-verify_ip", &HOST.v4().to_string()])
        .args(arguments)
        .stdin(Stdio::null());
    command.output().expect("openssl is installed (cargo xtask setup)")
}

#[test]
fn tls_1_2_and_older_are_refused() {
    let stage = Stage::new();
    let _daemon = stage.start();
    let new = openssl(&stage, &["-tls1_3", "-alpn", "h2,http/1.1"]);
    let text = String::from_utf8_lossy(&new.stdout).into_owned();
    assert!(new.status.success(), "{new:?}");
    assert!(text.contains("TLSv1.3") && text.contains("ALPN protocol: h2"), "{text}");
    for version in ["-tls1_2", "-no_tls1_3"] {
        let old = openssl(&stage, &[version]);
        let said = String::from_utf8_lossy(&old.stderr).into_owned();
        assert!(!old.status.success(), "{version}: {said}");
        assert!(said.contains("alert protocol version"), "{version}: {said}");
    }
}

#[test]
fn the_authority_is_told_and_stays() {
    let stage = Stage::new();
    let daemon = stage.start();
    let told = daemon.control().status()["admin"]["authority"].clone();
    assert_eq!(told.as_str(), stage.authority().to_str());
    let before = fs::read(stage.authority()).expect("made");
    let served = fs::read(stage.installation.path("state/server.pem")).expect("made");
    drop(daemon);
    let _daemon = stage.start();
    assert_eq!(fs::read(stage.authority()).expect("there"), before);
    assert_eq!(fs::read(stage.installation.path("state/server.pem")).expect("there"), served);
    assert!(stage.installation.log().contains("ca.pem"));
}

/// A certificate and its key, of somebody else's making.
fn pair(name: &str) -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let names = [HOST.v4().to_string(), name.to_owned()];
    let params = CertificateParams::new(names).expect("names");
    (params.self_signed(&key).expect("a certificate").pem(), key.serialize_pem())
}

#[test]
fn a_pair_of_files_is_read_again_when_both_fit() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name);
    let put = |name: &str, text: &str| fs::write(file(name), text).expect("ours");
    let (first, second) = (pair("first.test"), pair("second.test"));
    put("first.pem", &first.0);
    put("second.pem", &second.0);
    put("cert.pem", &first.0);
    put("key.pem", &first.1);
    let lines = [("certificate", "cert.pem"), ("key", "key.pem")];
    let lines = lines.map(|(key, name)| format!("{key} = {:?}", file(name).display().to_string()));
    let stage = Stage::with(&[&lines[0], &lines[1]]);
    let daemon = stage.start();
    let served = |trusted: &str| {
        let admin = stage.admin_trusting(LISTED, Family::V4, &file(trusted));
        admin.call(None, Method::GET, VERSION, None).is_ok_and(|answer| answer.status == 200)
    };
    assert!(served("first.pem") && !served("second.pem"));
    let trouble = || daemon.control().status()["admin"]["trouble"].as_str().map(str::to_owned);
    put("key.pem", &second.1);
    let told = wait_for("the fault", trouble);
    assert!(told.contains("do not belong together"), "{told}");
    assert!(served("first.pem"), "the last good pair stays");
    put("cert.pem", &second.0);
    wait_for("the second pair", || served("second.pem").then_some(()));
    assert!(!served("first.pem"));
    assert_eq!(trouble(), None);
    assert!(stage.installation.log().contains("the last good certificate stays"));
}
