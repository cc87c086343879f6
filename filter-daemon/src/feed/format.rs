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
        match self {
            Self::Aws => "aws",
            Self::Gcp => "gcp",
            Self::Google => "google",
            Self::Azure => "azure",
            Self::Cloudflare => "cloudflare",
            Self::Github => "github",
            Self::Fastly => "fastly",
            Self::Oracle => "oracle",
            Self::Atlas => "atlas",
            Self::Geofeed => "geofeed",
            Self::Json => "json",
            Self::Full => "full",
            Self::Csv => "csv",
            Self::Text => "text",
            Self::Netset => "netset",
            Self::Tor => "tor",
            Self::Spamhaus => "spamhaus",
            Self::Dshield => "dshield",
        }
    }

    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Aws => "AWS ip-ranges.json",
            Self::Gcp => "Google Cloud cloud.json",
            Self::Google => "Google goog.json or a crawler list",
            Self::Azure => "Azure Service Tags",
            Self::Cloudflare => "Cloudflare's list",
            Self::Github => "GitHub /meta",
            Self::Fastly => "Fastly's list",
            Self::Oracle => "Oracle Cloud public_ip_ranges.json",
            Self::Atlas => "MongoDB Atlas addresses",
            Self::Geofeed => "geofeed (RFC 8805)",
            Self::Json => "JSON array",
            Self::Full => "full export of filterctl",
            Self::Csv => "CSV",
            Self::Text => "plain text",
            Self::Netset => "netset or ipset",
            Self::Tor => "Tor exit list",
            Self::Spamhaus => "Spamhaus DROP",
            Self::Dshield => "DShield block list",
        }
    }

    /// What it looks like.
    pub fn shape(self) -> &'static str {
        match self {
            Self::Aws => {
                "an object with `prefixes` of `ip_prefix`, and `ipv6_prefixes` of `ipv6_prefix`"
            }
            Self::Gcp => {
                "an object with `prefixes` of `ipv4Prefix` or `ipv6Prefix`, `service` and `scope`"
            }
            Self::Google => "an object with `prefixes` of `ipv4Prefix` or `ipv6Prefix`",
            Self::Azure => "an object with `values` of `properties.addressPrefixes`",
            Self::Cloudflare => {
                "one CIDR a line, or an object with `result.ipv4_cidrs` and `result.ipv6_cidrs`"
            }
            Self::Github => "an object of arrays such as `hooks`, `web`, `actions`",
            Self::Fastly => "an object with `addresses` and `ipv6_addresses`",
            Self::Oracle => "an object with `regions` of `cidrs` of `cidr`",
            Self::Atlas => {
                "an object with `inbound`, `outbound` or `services`, and arrays of addresses below"
            }
            Self::Geofeed => "lines of `prefix,country,region,city,postal`",
            Self::Json => "an array of address strings",
            Self::Full => {
                "an object with `entries` of `address`, `comment`, `enabled` and `expires`"
            }
            Self::Csv => "one address a line",
            Self::Text => {
                "one address, CIDR or `first-last` range a line; #, ; and // start comments"
            }
            Self::Netset => "one address or CIDR a line below a # header",
            Self::Tor => "one address a line, or blocks of ExitNode and ExitAddress",
            Self::Spamhaus => "lines of `CIDR ; SBL…`, or of JSON objects with `cidr` and `sblid`",
            Self::Dshield => "rows of first address, last address and prefix length between tabs",
        }
    }

    /// What it says of an address, that can be filtered by.
    pub fn notions(self) -> &'static [Notion] {
        match self {
            Self::Aws | Self::Gcp => &[Notion::Service, Notion::Region],
            Self::Azure | Self::Atlas => &[Notion::Service, Notion::Region, Notion::Tag],
            Self::Github => &[Notion::Service],
            Self::Oracle => &[Notion::Region, Notion::Tag],
            Self::Geofeed => &[Notion::Region],
            Self::Google
            | Self::Cloudflare
            | Self::Fastly
            | Self::Json
            | Self::Full
            | Self::Csv
            | Self::Text
            | Self::Netset
            | Self::Tor
            | Self::Spamhaus
            | Self::Dshield => &[],
        }
    }

    /// Whether it may be JSON.
    pub(super) fn may_be_json(self) -> bool {
        match self {
            Self::Geofeed | Self::Csv | Self::Text | Self::Netset | Self::Tor | Self::Dshield => {
                false
            }
            Self::Aws
            | Self::Gcp
            | Self::Google
            | Self::Azure
            | Self::Cloudflare
            | Self::Github
            | Self::Fastly
            | Self::Oracle
            | Self::Atlas
            | Self::Json
            | Self::Full
            | Self::Spamhaus => true,
        }
    }

    /// Whether it may be lines of text.
    pub(super) fn may_be_lines(self) -> bool {
        matches!(self, Self::Cloudflare | Self::Spamhaus) || !self.may_be_json()
    }
}
