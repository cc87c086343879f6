//! The forms of files, their names, and what can be asked of them.

use super::filter::Notion;

/// A form that a file can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `ip-ranges.json` of Amazon Web Services.
    Aws,
    /// `cloud.json` of Google Cloud.
    Gcp,
    /// `goog.json` of Google, and the lists of crawlers in the same form.
    Google,
    /// Azure's Service Tags.
    Azure,
    /// Cloudflare's text lists, and its API's answer.
    Cloudflare,
    /// GitHub's `/meta`.
    Github,
    /// Fastly's public list.
    Fastly,
    /// `public_ip_ranges.json` of Oracle Cloud.
    Oracle,
    /// The control plane addresses of MongoDB Atlas, and a project's.
    Atlas,
    /// A self-published geofeed (RFC 8805).
    Geofeed,
    /// An array of address strings.
    Json,
    /// Entries with all that belongs to them.
    Full,
    /// One address a line, quoted or not.
    Csv,
    /// One address, CIDR or range a line, with comments.
    Text,
    /// The same with the header of an ipset.
    Netset,
    /// Exit nodes of Tor.
    Tor,
    /// Spamhaus DROP.
    Spamhaus,
    /// DShield's block list.
    Dshield,
}

/// What a form is called, looks like, and says.
struct Facts {
    name: &'static str,
    title: &'static str,
    shape: &'static str,
    json: bool,
    lines: bool,
    notions: &'static [Notion],
}

impl Facts {
    const fn json(name: &'static str, title: &'static str, shape: &'static str) -> Self {
        Self { name, title, shape, json: true, lines: false, notions: &[] }
    }

    const fn lines(name: &'static str, title: &'static str, shape: &'static str) -> Self {
        Self { name, title, shape, json: false, lines: true, notions: &[] }
    }

    const fn either(self) -> Self {
        Self { json: true, lines: true, ..self }
    }

    const fn says(self, notions: &'static [Notion]) -> Self {
        Self { notions, ..self }
    }
}

impl Format {
    /// Every form.
    pub const ALL: [Self; 18] = [
        Self::Aws,
        Self::Gcp,
        Self::Google,
        Self::Azure,
        Self::Cloudflare,
        Self::Github,
        Self::Fastly,
        Self::Oracle,
        Self::Atlas,
        Self::Geofeed,
        Self::Json,
        Self::Full,
        Self::Csv,
        Self::Text,
        Self::Netset,
        Self::Tor,
        Self::Spamhaus,
        Self::Dshield,
    ];

    /// The word that names it.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// What people call it.
    pub fn title(self) -> &'static str {
        self.facts().title
    }

    /// What it looks like.
    pub fn shape(self) -> &'static str {
        self.facts().shape
    }

    /// Whether it may be JSON.
    pub(super) fn may_be_json(self) -> bool {
        self.facts().json
    }

    /// Whether it may be lines of text.
    pub(super) fn may_be_lines(self) -> bool {
        self.facts().lines
    }

    /// What it says of an address, that can be filtered by.
    pub fn notions(self) -> &'static [Notion] {
        self.facts().notions
    }

    fn facts(self) -> Facts {
        use Notion::{Region, Service, Tag};
        match self {
            Self::Aws => Facts::json(
                "aws",
                "AWS ip-ranges.json",
                "an object with `prefixes` of `ip_prefix`, and `ipv6_prefixes` of `ipv6_prefix`",
            )
            .says(&[Service, Region]),
            Self::Gcp => Facts::json(
                "gcp",
                "Google Cloud cloud.json",
                "an object with `prefixes` of `ipv4Prefix` or `ipv6Prefix`, `service` and `scope`",
            )
            .says(&[Service, Region]),
            Self::Google => Facts::json(
                "google",
                "Google goog.json or a crawler list",
                "an object with `prefixes` of `ipv4Prefix` or `ipv6Prefix`",
            ),
            Self::Azure => Facts::json(
                "azure",
                "Azure Service Tags",
                "an object with `values` of `properties.addressPrefixes`",
            )
            .says(&[Service, Region, Tag]),
            Self::Cloudflare => Facts::json(
                "cloudflare",
                "Cloudflare's list",
                "one CIDR a line, or an object with `result.ipv4_cidrs` and `result.ipv6_cidrs`",
            )
            .either(),
            Self::Github => Facts::json(
                "github",
                "GitHub /meta",
                "an object of arrays such as `hooks`, `web`, `actions`",
            )
            .says(&[Service]),
            Self::Fastly => Facts::json(
                "fastly",
                "Fastly's list",
                "an object with `addresses` and `ipv6_addresses`",
            ),
            Self::Oracle => Facts::json(
                "oracle",
                "Oracle Cloud public_ip_ranges.json",
                "an object with `regions` of `cidrs` of `cidr`",
            )
            .says(&[Region, Tag]),
            Self::Atlas => Facts::json(
                "atlas",
                "MongoDB Atlas addresses",
                "an object with `inbound`, `outbound` or `services`, and arrays of addresses below",
            )
            .says(&[Service, Region, Tag]),
            Self::Geofeed => Facts::lines(
                "geofeed",
                "geofeed (RFC 8805)",
                "lines of `prefix,country,region,city,postal`",
            )
            .says(&[Region]),
            Self::Json => Facts::json("json", "JSON array", "an array of address strings"),
            Self::Full => Facts::json(
                "full",
                "full export of filterctl",
                "an object with `entries` of `address`, `comment`, `enabled` and `expires`",
            ),
            Self::Csv => Facts::lines("csv", "CSV", "one address a line, without a header"),
            Self::Text => Facts::lines(
                "text",
                "plain text",
                "one address, CIDR or `first-last` range a line; #, ; and // start comments",
            ),
            Self::Netset => Facts::lines(
                "netset",
                "netset or ipset",
                "one address or CIDR a line below a # header",
            ),
            Self::Tor => Facts::lines(
                "tor",
                "Tor exit list",
                "one address a line, or blocks of ExitNode and ExitAddress",
            ),
            Self::Spamhaus => Facts::json(
                "spamhaus",
                "Spamhaus DROP",
                "lines of `CIDR ; SBL…`, or of JSON objects with `cidr` and `sblid`",
            )
            .either(),
            Self::Dshield => Facts::lines(
                "dshield",
                "DShield block list",
                "rows of first address, last address and prefix length between tabs",
            ),
        }
    }
}
