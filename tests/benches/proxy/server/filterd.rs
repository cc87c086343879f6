//! filterd as it is shipped, with one app.

use anyhow::Result;
use filter_tests::daemon::{Configuration, Installation};
use filter_tests::scenario::{AppRules, Mode};
use hyper::Method;
use serde_json::json;

use super::there;
use crate::process;
use crate::stage::{HOST, NAME, PORT, Stage};

/// Runs it for as long as something takes.
pub(super) fn with<T>(stage: &Stage, work: impl FnOnce(&[u32]) -> Result<T>) -> Result<T> {
    let mut configuration = Configuration::on("veth0", "generic");
    configuration.lines.push(format!("[[listener]]\naddress = \"{HOST}\"\nport = {PORT}"));
    let installation = Installation::new(configuration);
    let daemon = there(|| installation.start(&stage.namespace));
    let rules = AppRules { list: vec![format!("{HOST}/32")], ..AppRules::default() };
    let app = daemon.control().create_app("web", &rules, Mode::Enforce);
    let proxy = json!({
        "names": [NAME],
        "upstreams": [format!("http://{HOST}:{}", stage.upstream_port()?)],
        "certificate": stage.certificate(),
        "key": stage.key(),
    });
    daemon.control().must(Method::PATCH, &app.ours, Some(&json!({ "proxy": proxy })));
    work(&process::family(daemon.pid())?)
}
