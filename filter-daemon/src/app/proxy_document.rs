//! The proxy settings of an app as texts: how they are stored, sent and written
//! in files. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::proxy::{Pair, ProxyError, ProxySettings, Upstream};
use crate::server_name::{NameError, ServerName};

/// Everything that the proxy is told about an app; what is left away is as if
/// it had never been set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProxyDocument {
    /// Server names, such as `app.example.com` or `*.example.com`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Where requests go, such as `http://127.0.0.1:8080`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub upstreams: Vec<String>,
    /// PEM file of the authorities of `https` upstreams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_ca: Option<String>,
    /// PEM file of the certificate that is shown to upstreams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_certificate: Option<String>,
    /// PEM file of its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_key: Option<String>,
    /// PEM file of the certificate that is shown to clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// PEM file of its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// PEM file of the authorities of clients' certificates: clients need one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_ca: Option<String>,
    /// How trusted hops name the client: `proxy`, `x-forwarded-for` or
    /// `forwarded`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hop_header: Option<String>,
    /// Label of the outbound addresses that are used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outbound: Option<String>,
    /// Seconds that the upstream may be silent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience_s: Option<u32>,
    /// Octets that a request's body may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_limit_bytes: Option<u64>,
}

/// Why texts are not settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// A bad name.
    #[error("names: {0}")]
    Name(#[from] NameError),
    /// A name that is there twice.
    #[error("names: {0} is given twice: leave one of them away")]
    RepeatedName(String),
    /// A bad upstream, or a bad way to name clients.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// Upstreams that do not go together.
    #[error("upstreams: http and https cannot be mixed: give all of them one scheme")]
    MixedSchemes,
    /// One half of a pair.
    #[error("{given} needs {missing}: give both files, or none")]
    HalfAPair {
        /// What was given.
        given: &'static str,
        /// What was not.
        missing: &'static str,
    },
    /// A relative path has no meaning for a daemon.
    #[error("{key}: {path:?} is not an absolute path: begin it with /")]
    RelativePath {
        /// The field.
        key: &'static str,
        /// What was given.
        path: String,
    },
    /// Nobody to compare an upstream's certificate with.
    #[error(
        "upstreams: https needs upstream_ca: the file of the authority that the upstream's certificate is of"
    )]
    NoAuthority,
    /// Too long or no time at all.
    #[error("patience_s: {0} is out of range: give 1 to 86400 seconds")]
    Patience(u32),
}

impl From<&ProxySettings> for ProxyDocument {
    fn from(settings: &ProxySettings) -> Self {
        let path = |path: &std::path::PathBuf| path.to_string_lossy().into_owned();
        let certificate = |pair: &Option<Pair>| pair.as_ref().map(|pair| path(&pair.certificate));
        let key = |pair: &Option<Pair>| pair.as_ref().map(|pair| path(&pair.key));
        let defaults = ProxySettings::default();
        let hop_header = settings.hop_header;
        Self {
            names: settings.names.iter().map(|name| name.text().to_owned()).collect(),
            upstreams: settings.upstreams.iter().map(|to| to.text().to_owned()).collect(),
            upstream_ca: settings.upstream_ca.as_ref().map(path),
            upstream_certificate: certificate(&settings.upstream_certificate),
            upstream_key: key(&settings.upstream_certificate),
            certificate: certificate(&settings.certificate),
            key: key(&settings.certificate),
            client_ca: settings.client_ca.as_ref().map(path),
            hop_header: (hop_header != defaults.hop_header).then(|| hop_header.name().to_owned()),
            outbound: settings.outbound.clone(),
            patience_s: (settings.patience_s != defaults.patience_s).then_some(settings.patience_s),
            body_limit_bytes: settings.body_limit_bytes,
        }
    }
}

impl ProxyDocument {
    /// The settings, or what is wrong with the first text that is not one.
    pub fn read(self) -> Result<ProxySettings, DocumentError> {
        let defaults = ProxySettings::default();
        let upstreams =
            self.upstreams.iter().map(|text| text.parse()).collect::<Result<Vec<Upstream>, _>>()?;
        let is_tls = upstreams.iter().any(Upstream::is_tls);
        if is_tls && !upstreams.iter().all(Upstream::is_tls) {
            return Err(DocumentError::MixedSchemes);
        }
        if is_tls && self.upstream_ca.is_none() {
            return Err(DocumentError::NoAuthority);
        }
        let patience_s = self.patience_s.unwrap_or(defaults.patience_s);
        if !(1..=86_400).contains(&patience_s) {
            return Err(DocumentError::Patience(patience_s));
        }
        let hop_header = self.hop_header.as_deref().map_or(Ok(defaults.hop_header), str::parse)?;
        Ok(ProxySettings {
            names: names(&self.names)?,
            upstreams,
            upstream_ca: path("upstream_ca", self.upstream_ca)?,
            upstream_certificate: pair(
                ("upstream_certificate", self.upstream_certificate),
                ("upstream_key", self.upstream_key),
            )?,
            certificate: pair(("certificate", self.certificate), ("key", self.key))?,
            client_ca: path("client_ca", self.client_ca)?,
            hop_header,
            outbound: self.outbound,
            patience_s,
            body_limit_bytes: self.body_limit_bytes,
        })
    }
}

fn names(texts: &[String]) -> Result<Vec<ServerName>, DocumentError> {
    let mut names: Vec<ServerName> = Vec::new();
    for text in texts {
        let name = ServerName::parse(text)?;
        if names.iter().any(|known| known.is_same(&name)) {
            return Err(DocumentError::RepeatedName(name.text().to_owned()));
        }
        names.push(name);
    }
    Ok(names)
}

fn pair(
    (certificate_key, certificate): (&'static str, Option<String>),
    (key_key, key): (&'static str, Option<String>),
) -> Result<Option<Pair>, DocumentError> {
    match (path(certificate_key, certificate)?, path(key_key, key)?) {
        (Some(certificate), Some(key)) => Ok(Some(Pair { certificate, key })),
        (None, None) => Ok(None),
        (Some(_), None) => {
            Err(DocumentError::HalfAPair { given: certificate_key, missing: key_key })
        }
        (None, Some(_)) => {
            Err(DocumentError::HalfAPair { given: key_key, missing: certificate_key })
        }
    }
}

fn path(
    key: &'static str,
    text: Option<String>,
) -> Result<Option<std::path::PathBuf>, DocumentError> {
    match text {
        None => Ok(None),
        Some(path) if path.starts_with('/') => Ok(Some(path.into())),
        Some(path) => Err(DocumentError::RelativePath { key, path }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<ProxySettings, String> {
        let document: ProxyDocument = serde_json::from_str(json).map_err(|e| e.to_string())?;
        document.read().map_err(|error| error.to_string())
    }

    #[test]
    fn what_was_written_reads_back() {
        for json in [
            "{}",
            r#"{"names":["app.example.com","*.Example.org"],"upstreams":["http://127.0.0.1:8080"]}"#,
            r#"{"names":["a.b"],"upstreams":["https://a:1","https://b:2"],"upstream_ca":"/ca","upstream_certificate":"/c","upstream_key":"/k","certificate":"/c","key":"/k","client_ca":"/ca","hop_header":"forwarded","outbound":"web","patience_s":5,"body_limit_bytes":1000}"#,
        ] {
            let settings = read(json).expect(json);
            let written = serde_json::to_string(&ProxyDocument::from(&settings)).expect("texts");
            assert_eq!(written, json);
        }
    }

    #[test]
    fn faults_name_their_field() {
        for (json, word) in [
            (r#"{"names":["a b"]}"#, "names"),
            (r#"{"names":["a.b","A.B."]}"#, "twice"),
            (r#"{"upstreams":["http://a","https://b"]}"#, "mixed"),
            (r#"{"upstreams":["https://b"]}"#, "upstream_ca"),
            (r#"{"certificate":"/c"}"#, "certificate needs key"),
            (r#"{"upstream_key":"/c"}"#, "upstream_key needs upstream_certificate"),
            (r#"{"client_ca":"ca.pem"}"#, "client_ca"),
            (r#"{"hop_header":"via"}"#, "x-forwarded-for"),
            (r#"{"patience_s":0}"#, "patience_s"),
            (r#"{"color":1}"#, "unknown field"),
        ] {
            let error = read(json).expect_err(json);
            assert!(error.contains(word), "{json}: {error}");
        }
    }
}
