//! A namespace with a daemon that proxies, and one app whose upstream notes
//! what it is asked.

use std::net::Ipv4Addr;

use filter_tests::daemon::{Answer, AppPath, Configuration, Control, Daemon, Installation};
use filter_tests::namespace::Namespace;
use filter_tests::scenario::{AppRules, Mode};
use hyper::Method;
use serde_json::{Value, json};

use crate::client::Client;
use crate::upstream::Upstream;

/// Where the proxy listens.
pub(crate) const PROXY: Ipv4Addr = Ipv4Addr::LOCALHOST;
pub(crate) const PORT: u16 = 8443;

/// A client that the app's list has, and one that it has not.
pub(crate) const LISTED: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 10);
pub(crate) const UNLISTED: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 20);

pub(crate) const NAME: &str = "app.example.com";

/// The namespace and the installation in it.
pub(crate) struct Stage {
    pub(crate) namespace: Namespace,
    pub(crate) installation: Installation,
}

/// A running daemon with its app.
pub(crate) struct Scene<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) daemon: Daemon<'a>,
    pub(crate) app: AppPath,
    pub(crate) upstream: Upstream,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(Configuration::on("veth0", "generic"))
    }

    /// With more to say in the configuration than where the proxy listens.
    pub(crate) fn with(mut configuration: Configuration) -> Self {
        let namespace = Namespace::new();
        namespace.ip("link add veth0 type veth peer name veth1");
        namespace.ip("link set veth0 up");
        configuration.lines.push(format!("[[listener]]\naddress = \"{PROXY}\"\nport = {PORT}"));
        Self { namespace, installation: Installation::new(configuration) }
    }

    /// Starts the daemon, and an app for the name with the listed client.
    pub(crate) fn start(&self) -> Scene<'_> {
        let daemon = self.installation.start(&self.namespace);
        let upstream = self.namespace.run(Upstream::start);
        let rules = AppRules { list: vec![format!("{LISTED}/32")], ..AppRules::default() };
        let app = daemon.control().create_app("web", &rules, Mode::Enforce);
        let scene = Scene { stage: self, daemon, app, upstream };
        scene.set_proxy(json!({}));
        scene
    }

    /// Does something inside.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.namespace.run(work)
    }
}

impl Scene<'_> {
    pub(crate) fn control(&self) -> Control {
        self.daemon.control()
    }

    /// Changes the app.
    pub(crate) fn set(&self, fields: &Value) -> Answer {
        self.control().must(Method::PATCH, &self.app.ours, Some(fields))
    }

    /// Sets the proxy settings, beside the name and the upstream.
    pub(crate) fn set_proxy(&self, fields: Value) -> Answer {
        self.set(&json!({ "proxy": self.proxy(fields) }))
    }

    fn proxy(&self, fields: Value) -> Value {
        let mut proxy = json!({
            "names": [NAME, "*.services.example.com"],
            "upstreams": [format!("http://127.0.0.1:{}", self.upstream.port)],
        });
        let Value::Object(fields) = fields else { panic!("settings are an object") };
        proxy.as_object_mut().expect("an object").extend(fields);
        proxy
    }

    /// The same with settings that keep the app from being served: they are kept,
    /// and what is wrong is told.
    pub(crate) fn set_proxy_in_vain(&self, fields: Value, trouble: &str) {
        let body = json!({ "proxy": self.proxy(fields) });
        let answer = self.control().call(Method::PATCH, &self.app.ours, Some(&body));
        let answer = answer.expect("an answer");
        assert!(answer.status.is_success(), "{}", answer.body);
        assert_eq!(answer.headers["filterd-applied"], "no");
        let warning = answer.headers["warning"].to_str().expect("text");
        assert!(warning.contains(trouble), "{warning}");
        let troubles = self.control().status()["proxy"]["troubles"].to_string();
        assert!(troubles.contains(trouble), "{troubles}");
    }

    /// A client at an address, which trusts the daemon's own authority.
    pub(crate) fn client(&self, source: Ipv4Addr) -> Client {
        Client::new(source, &self.stage.installation.path("state/ca.pem"))
    }

    /// How often the proxy counted a reason.
    pub(crate) fn count(&self, reason: &str) -> u64 {
        let rows = self.control().get("/api/filter/v1/proxy/counters");
        let rows = rows.as_array().expect("a list").iter();
        rows.filter(|row| row["reason"] == reason).filter_map(|row| row["count"].as_u64()).sum()
    }

    /// Takes the listed client off the list; answers how many connections that
    /// closed, as the daemon says.
    pub(crate) fn unlist(&self) -> u64 {
        let entries = self.control().get(&self.app.list);
        let id = entries["allowed_ips"][0]["_id"].as_str().expect("an entry").to_owned();
        let path = format!("{}/{id}", self.app.list);
        closed(&self.control().must(Method::DELETE, &path, None))
    }
}

/// How many connections a change closed, as its answer says.
pub(crate) fn closed(answer: &Answer) -> u64 {
    let header = answer.headers.get("filterd-closed").expect("there is a proxy");
    header.to_str().expect("text").parse().expect("a number")
}
