//! `[admin]`: the Admin API's listeners, their certificate, and how long its
//! tokens are good.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::{Faults, Located, Section, absolute};
use crate::config::Admin;
use crate::tls::PairFiles;

const ACCESS_TOKEN_S: RangeInclusive<u64> = 1..=24 * 3600;

/// The longest is what clients of the API know as the longest.
const REFRESH_TOKEN_S: RangeInclusive<u64> = 1..=180 * 24 * 3600;

pub(super) fn admin(root: &Section<'_, '_>, faults: &mut Faults<'_>) -> Admin {
    let mut admin = Admin::default();
    let Some(section) = root.section("admin", faults) else { return admin };
    let known = ["listen", "certificate", "key", "access_token_s", "refresh_token_s"];
    section.refuse_unknown(&known, faults);
    admin.listen = listen(&section, faults);
    admin.certificate = certificate(&section, faults);
    for (key, range, life) in [
        ("access_token_s", ACCESS_TOKEN_S, &mut admin.access_token),
        ("refresh_token_s", REFRESH_TOKEN_S, &mut admin.refresh_token),
    ] {
        if let Some(seconds) = section.number(key, range, faults) {
            *life = Duration::from_secs(seconds.value);
        }
    }
    admin
}

fn listen(section: &Section<'_, '_>, faults: &mut Faults<'_>) -> Vec<SocketAddr> {
    let mut listen = Vec::new();
    for text in section.strings("listen", faults) {
        match text.value.parse::<SocketAddr>() {
            Ok(address) if address.port() == 0 => {
                faults.refuse(
                    &text,
                    "port 0 is no port that a client could know: name one such as 8443",
                );
            }
            Ok(address) if listen.contains(&address) => {
                faults.refuse(&text, format!("{address} is given twice: leave one of them away"));
            }
            Ok(address) => listen.push(address),
            Err(_) => faults.refuse(&text, not_a_place(&text)),
        }
    }
    listen
}

fn not_a_place(text: &Located<String>) -> String {
    let text = &text.value;
    match text.parse::<IpAddr>() {
        Ok(address) => {
            let example = SocketAddr::new(address, 8443);
            format!("{text:?} names no port: write \"{example}\"")
        }
        Err(_) => format!(
            "{text:?} is not an address and a port: write one such as \"127.0.0.1:8443\" or \"[::1]:8443\""
        ),
    }
}

fn certificate(section: &Section<'_, '_>, faults: &mut Faults<'_>) -> Option<PairFiles> {
    let mut pair = PairFiles {
        certificate: PathBuf::from("/etc/filterd/server.pem"),
        key: PathBuf::from("/etc/filterd/server.key"),
    };
    let certificate = absolute(section, "certificate", &mut pair.certificate, faults);
    let key = absolute(section, "key", &mut pair.key, faults);
    match (certificate, key) {
        (None, None) => None,
        (Some(_), Some(_)) => Some(pair),
        (Some(certificate), None) => {
            faults.refuse(
                &certificate,
                "is given without admin.key: name the file of its private key too",
            );
            None
        }
        (None, Some(key)) => {
            faults.refuse(
                &key,
                "is given without admin.certificate: name the file of the certificate too",
            );
            None
        }
    }
}
