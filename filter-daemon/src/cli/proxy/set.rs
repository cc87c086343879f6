//! `filterctl proxy set`.

use clap::Args;
use hyper::Method;
use serde::Serialize;

use super::show;
use crate::app::{HopHeader, ProxyDocument};
use crate::cli::answers::App;
use crate::cli::failure::Failure;
use crate::cli::invocation::Invocation;
use crate::cli::output;

/// What shall be different. A file or label that is "none" is taken away.
#[derive(Args, Debug)]
pub(in crate::cli) struct Options {
    /// The app: its id, its name, or the beginning of its client app id
    app: Option<String>,

    /// Where requests go, such as http://127.0.0.1:8080; repeat for several,
    /// which are used in turn
    #[arg(long = "upstream", value_name = "URL")]
    upstreams: Vec<String>,

    /// Authorities (PEM) of https upstreams, or none
    #[arg(long, value_name = "FILE")]
    upstream_ca: Option<String>,

    /// Certificate (PEM) that is shown to upstreams, or none
    #[arg(long, value_name = "FILE")]
    upstream_certificate: Option<String>,

    /// Its key (PEM), or none
    #[arg(long, value_name = "FILE")]
    upstream_key: Option<String>,

    /// Certificate (PEM) that is shown to clients, or none: filterd's own
    #[arg(long, value_name = "FILE")]
    certificate: Option<String>,

    /// Its key (PEM), or none
    #[arg(long, value_name = "FILE")]
    key: Option<String>,

    /// Authorities (PEM) of clients' certificates: clients need one; or none
    #[arg(long, value_name = "FILE")]
    client_ca: Option<String>,

    /// How trusted hops name the client: proxy, x-forwarded-for or forwarded
    #[arg(long, value_name = "WAY", value_parser = str::parse::<HopHeader>)]
    hop_header: Option<HopHeader>,

    /// Label of the outbound addresses that are used, or none: all of them
    #[arg(long, value_name = "LABEL")]
    outbound: Option<String>,

    /// Seconds that the upstream may be silent
    #[arg(long, value_name = "SECONDS")]
    patience: Option<u32>,

    /// Bytes that a request's body may have; 0 means any number
    #[arg(long, value_name = "BYTES")]
    body_limit: Option<u64>,
}

#[derive(Serialize)]
struct Body {
    proxy: ProxyDocument,
}

impl Options {
    /// The settings with what is named put in their place.
    fn applied_to(&self, mut proxy: ProxyDocument) -> ProxyDocument {
        if !self.upstreams.is_empty() {
            proxy.upstreams.clone_from(&self.upstreams);
        }
        for (given, place) in [
            (&self.upstream_ca, &mut proxy.upstream_ca),
            (&self.upstream_certificate, &mut proxy.upstream_certificate),
            (&self.upstream_key, &mut proxy.upstream_key),
            (&self.certificate, &mut proxy.certificate),
            (&self.key, &mut proxy.key),
            (&self.client_ca, &mut proxy.client_ca),
            (&self.outbound, &mut proxy.outbound),
        ] {
            if let Some(text) = given {
                *place = (text != "none").then(|| text.clone());
            }
        }
        if let Some(hop_header) = self.hop_header {
            proxy.hop_header = Some(hop_header.name().to_owned());
        }
        proxy.patience_s = self.patience.or(proxy.patience_s);
        if let Some(bytes) = self.body_limit {
            proxy.body_limit_bytes = Some(bytes).filter(|bytes| *bytes > 0);
        }
        proxy
    }
}

/// Changes them.
pub(super) async fn run(invocation: &Invocation, options: &Options) -> Result<(), Failure> {
    let app = invocation.app(options.app.as_deref(), "APP").await?;
    let proxy = options.applied_to(app.proxy.clone());
    if proxy == app.proxy {
        return Err(Failure::usage(
            "nothing would be different: name what shall be, such as --upstream http://127.0.0.1:8080",
        ));
    }
    let saved = invocation.change(Method::PATCH, &app.path(), Some(&Body { proxy })).await?;
    let app: App = saved.parse()?;
    if invocation.json {
        output::json(&app.proxy)?;
    } else {
        output::line(&format!("Successfully updated the proxy settings of {}", app.name))?;
        show::print(&app.proxy)?;
        saved.tell_closed()?;
    }
    saved.in_force()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn what_is_named_changes_and_the_rest_stays() {
        let before = ProxyDocument {
            names: vec!["a.b".to_owned()],
            client_ca: Some("/ca".to_owned()),
            ..ProxyDocument::default()
        };
        let line = ["x", "app", "--client-ca", "none", "--upstream", "http://a", "--patience", "5"];
        let line = Line::try_parse_from(line).map_err(|error| error.to_string()).expect("valid");
        let after = line.options.applied_to(before);
        let expected = ProxyDocument {
            names: vec!["a.b".to_owned()],
            upstreams: vec!["http://a".to_owned()],
            patience_s: Some(5),
            ..ProxyDocument::default()
        };
        assert_eq!(after, expected);
    }
}
