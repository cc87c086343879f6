//! `filterctl proxy show`.

use crate::app::ProxyDocument;
use crate::cli::failure::Failure;
use crate::cli::invocation::Invocation;
use crate::cli::output;

/// Shows an app's settings.
pub(super) async fn run(invocation: &Invocation, wanted: Option<&str>) -> Result<(), Failure> {
    let app = invocation.app(wanted, "APP").await?;
    if invocation.json {
        return output::json(&app.proxy);
    }
    print(&app.proxy)
}

/// Prints everything that is set.
pub(super) fn print(proxy: &ProxyDocument) -> Result<(), Failure> {
    let none = |texts: &[String], none: &str| match texts.is_empty() {
        true => none.to_owned(),
        false => texts.join("  "),
    };
    let pair = |certificate: &Option<String>, key: &Option<String>| {
        certificate.as_ref().zip(key.as_ref()).map(|(cert, key)| format!("{cert}  key {key}"))
    };
    let lines = [
        ("Names", Some(none(&proxy.names, "none: the proxy does nothing for it"))),
        ("Upstreams", Some(none(&proxy.upstreams, "none"))),
        ("Upstream CA", proxy.upstream_ca.clone()),
        ("Shown upstream", pair(&proxy.upstream_certificate, &proxy.upstream_key)),
        (
            "Certificate",
            pair(&proxy.certificate, &proxy.key).or(Some("of filterd's own authority".to_owned())),
        ),
        ("Client CA", proxy.client_ca.clone()),
        ("Hop header", proxy.hop_header.clone()),
        ("Outbound", proxy.outbound.clone()),
        ("Patience", proxy.patience_s.map(|seconds| format!("{seconds} s"))),
        ("Body limit", proxy.body_limit_bytes.map(|bytes| format!("{bytes} bytes"))),
    ];
    for (name, value) in lines {
        if let Some(value) = value {
            output::line(&format!("{name:<16}{}", output::harmless(&value)))?;
        }
    }
    Ok(())
}
