//! Certificates that are made, kept, replaced and shown in real handshakes.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConnection};

use super::keeper::{Keeper, Source};
use super::reader::Reader;
use super::*;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn own(directory: &Path, names: &[&str], now: SystemTime) -> Keeper {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let source = Source::Own {
        directory: directory.to_owned(),
        file: "server.pem".to_owned(),
        host: "host".to_owned(),
        names: Box::new(move || names.clone()),
    };
    Keeper::start(source, now)
}

fn leaf(keeper: &Keeper) -> Vec<u8> {
    let held = keeper.held().borrow().clone();
    assert_eq!(held.trouble, None);
    held.identity.expect("one is served").leaf().to_vec()
}

fn client(authority: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let authority = fs::read(authority).expect("the authority's certificate");
    roots.add(CertificateDer::from_pem_slice(&authority).expect("PEM")).expect("an authority");
    let builder = ClientConfig::builder_with_provider(provider());
    let builder = builder.with_protocol_versions(&[&TLS13]).expect("1.3");
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

/// A whole handshake in memory; answers the protocol that was agreed upon.
fn handshake(keeper: &Keeper, client: &Arc<ClientConfig>, name: &str) -> io::Result<HandshakeKind> {
    let server = server_config(Arc::new(keeper.served()), &[b"h2", b"http/1.1"]).expect("valid");
    shake(&Arc::new(server), client, name)
}

type HandshakeKind = rustls::HandshakeKind;

fn shake(
    server: &Arc<ServerConfig>,
    client: &Arc<ClientConfig>,
    name: &str,
) -> io::Result<HandshakeKind> {
    let mut server = ServerConnection::new(Arc::clone(server)).expect("valid");
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let mut client = ClientConnection::new(Arc::clone(client), name).expect("valid");
    while client.is_handshaking() || server.is_handshaking() || server.wants_write() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire)?;
        server.read_tls(&mut wire.as_slice())?;
        server.process_new_packets().map_err(io::Error::other)?;
        let mut wire = Vec::new();
        server.write_tls(&mut wire)?;
        client.read_tls(&mut wire.as_slice())?;
        client.process_new_packets().map_err(io::Error::other)?;
    }
    assert_eq!(server.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
    Ok(client.handshake_kind().expect("it is over"))
}

/// A pair of somebody else's making, as two texts.
fn pair(name: &str) -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new([name.to_owned()]).expect("a name");
    (params.self_signed(&key).expect("a certificate").pem(), key.serialize_pem())
}

#[test]
fn an_own_certificate_is_trusted_through_the_authority() {
    let directory = tempfile::tempdir().expect("a directory");
    let keeper = own(directory.path(), &["localhost", "127.0.0.1", "::1"], SystemTime::now());
    let authority = keeper.held().borrow().authority.clone().expect("its place is told");
    assert_eq!(authority, directory.path().join("ca.pem"));
    let client = client(&authority);
    for name in ["localhost", "127.0.0.1", "::1"] {
        handshake(&keeper, &client, name).expect(name);
    }
    let error = handshake(&keeper, &client, "elsewhere").expect_err("another name");
    assert!(error.to_string().contains("not valid for name"), "{error}");
    for file in ["ca.pem", "ca.key", "server.pem"] {
        let file = fs::metadata(directory.path().join(file)).expect(file);
        assert_eq!(file.permissions().mode() & 0o7777, 0o600);
    }
}

#[test]
fn an_own_certificate_stays_until_something_changes() {
    let directory = tempfile::tempdir().expect("a directory");
    let directory = directory.path();
    let now = SystemTime::now();
    let first = leaf(&own(directory, &["localhost"], now));
    let authority = fs::read(directory.join("ca.pem")).expect("made");
    assert_eq!(leaf(&own(directory, &["localhost"], now)), first, "after a restart");
    assert_eq!(leaf(&own(directory, &["localhost"], now + 59 * DAY)), first);
    let mut keeper = own(directory, &["localhost"], now);
    keeper.look(now + 61 * DAY);
    let renewed = leaf(&keeper);
    assert_ne!(renewed, first, "renewed while it runs, ahead of the end");
    keeper.look(now);
    assert_ne!(leaf(&keeper), renewed, "the clock was set back");
    let renamed = leaf(&own(directory, &["localhost", "10.0.0.1"], now));
    assert_ne!(renamed, renewed, "the names changed");
    fs::write(directory.join("server.pem"), "garbage").expect("written");
    assert_ne!(leaf(&own(directory, &["localhost", "10.0.0.1"], now)), renamed, "made anew");
    assert_eq!(fs::read(directory.join("ca.pem")).expect("there"), authority, "the same authority");
    fs::remove_file(directory.join("ca.pem")).expect("removed");
    fs::remove_file(directory.join("ca.key")).expect("removed");
    let keeper = own(directory, &["localhost"], now);
    let client = client(&directory.join("ca.pem"));
    handshake(&keeper, &client, "localhost").expect("the certificate is the new authority's");
}

#[test]
fn an_authority_that_is_not_whole_is_told_and_left_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let directory = directory.path();
    let names = &["localhost"];
    let now = SystemTime::now();
    own(directory, names, now);
    let whole = fs::read(directory.join("ca.key")).expect("made");
    for key in [None, Some(b"garbage".to_vec()), Some(pair("ca").1.into_bytes())] {
        match &key {
            None => fs::remove_file(directory.join("ca.key")).expect("removed"),
            Some(key) => fs::write(directory.join("ca.key"), key).expect("written"),
        }
        let held = own(directory, names, now).held().borrow().clone();
        let trouble = held.trouble.expect("told");
        assert!(trouble.contains("ca.key") && held.identity.is_none(), "{trouble}");
    }
    // Somebody puts the key back.
    let mut keeper = own(directory, names, now);
    fs::write(directory.join("ca.key"), whole).expect("written");
    keeper.look(now);
    leaf(&keeper);
}

#[test]
fn a_pair_is_taken_over_whole_or_not_at_all() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = |name: &str| directory.path().join(name);
    let files = PairFiles { certificate: file("cert.pem"), key: file("key.pem") };
    let (first, second) = (pair("first.test"), pair("second.test"));
    let put = |name: &str, text: &str| {
        fs::write(file("new"), text).expect("written");
        fs::rename(file("new"), file(name)).expect("renamed");
    };
    let now = SystemTime::now();
    let mut keeper = Keeper::start(Source::Files(files), now);
    let trouble = |keeper: &Keeper| keeper.held().borrow().trouble.clone();
    assert!(trouble(&keeper).expect("told").contains("cert.pem"), "there is none yet");
    put("cert.pem", &first.0);
    put("key.pem", &first.1);
    keeper.look(now);
    assert!(trouble(&keeper).is_some(), "somebody may still be writing");
    keeper.look(now);
    let served = leaf(&keeper);
    for (name, text, word) in [
        ("cert.pem", second.0.as_str(), "do not belong together"),
        ("cert.pem", "garbage", "holds no certificate"),
        ("cert.pem", first.0.split_at(200).0, "not PEM"),
        ("key.pem", "garbage", "holds no"),
    ] {
        put("cert.pem", &first.0);
        put("key.pem", &first.1);
        put(name, text);
        keeper.look(now);
        keeper.look(now);
        let told = trouble(&keeper).expect("told");
        assert!(told.contains(word), "{word}: {told}");
        let held = keeper.held().borrow().identity.clone().expect("the last good one stays");
        assert_eq!(held.leaf().to_vec(), served);
    }
    put("cert.pem", &second.0);
    put("key.pem", &second.1);
    keeper.look(now);
    keeper.look(now);
    assert_ne!(leaf(&keeper), served, "both");
}

#[test]
fn authorities_are_read_again_and_only_good_ones_taken() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("ca.pem");
    let (first, second) = (pair("first.test").0, pair("second.test").0);
    let (file, news) = (path.clone(), Arc::new(tokio::sync::Notify::new()));
    let read = move || Authorities::read(&file).map_err(|error| error.to_string());
    let mut reader = Reader::start(vec![path.clone()], Box::new(read), Arc::clone(&news));
    let mut put = |text: Option<&str>| {
        match text {
            Some(text) => fs::write(&path, text).expect("written"),
            None => fs::remove_file(&path).expect("removed"),
        }
        reader.look();
        let early = is_told(&news);
        reader.look();
        assert!(!early, "somebody may still be writing");
        (reader.held().borrow().clone(), is_told(&news))
    };
    assert!(put(Some("garbage")).0.expect_err("nothing good yet").contains("ca.pem"));
    let held = put(Some(&first)).0.expect("good");
    for (text, what) in [
        (Some(first.as_str()), "the same once more"),
        (Some(first.split_at(200).0), "a part"),
        (None, "nothing"),
        (Some(first.as_str()), "put back"),
    ] {
        let (now, is_told) = put(text);
        assert!(Arc::ptr_eq(&now.expect("the last good one stays"), &held), "{what}");
        assert!(!is_told, "{what}");
    }
    let (now, is_told) = put(Some(&second));
    assert!(now.expect("good") != held && is_told);
}

/// Whether there was news since the last question.
fn is_told(news: &tokio::sync::Notify) -> bool {
    use futures_util::FutureExt as _;
    news.notified().now_or_never().is_some()
}

#[test]
fn a_session_is_resumed_without_early_data() {
    let directory = tempfile::tempdir().expect("a directory");
    let keeper = own(directory.path(), &["localhost"], SystemTime::now());
    let client = client(&directory.path().join("ca.pem"));
    let server = server_config(Arc::new(keeper.served()), &[b"http/1.1"]).expect("valid");
    assert_eq!(server.max_early_data_size, 0);
    let server = Arc::new(server);
    let kinds: Vec<_> =
        (0..2).map(|_| shake(&server, &client, "localhost").expect("shaken")).collect();
    assert_eq!(kinds, [HandshakeKind::Full, HandshakeKind::Resumed]);
}
