//! How a connection or a request ended at the proxy: one closed enum, in the
//! words of the packet tier.

use filter_common::verdict::{Mode, Verdict};

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident, $text:literal, $kind:ident;)+) => {
        /// Why something was let through or refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Reason {
            /// Every reason.
            pub const ALL: [Self; [$($text),+].len()] = [$(Self::$name),+];

            /// The name used in counters, logs and documents.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// What an operator needs to know about it, in one sentence.
            pub const fn explanation(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii(),)+ }
            }

            const fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind,)+ }
            }
        }
    };
}

/// What a reason speaks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It lets through.
    Admits,
    /// The app's rules speak against it: the app's mode decides.
    Rule,
    /// It cannot be served, whatever the mode.
    Fault,
}

reasons! {
    /// An entry of the app's access list covers the client.
    Listed, "listed", Admits;
    /// The client is a fail-safe source of filterd.toml.
    FailSafe, "fail_safe", Admits;
    /// The app is switched off: nobody is asked who it is.
    ModeOff, "mode_off", Admits;
    /// The connection comes from a trusted hop, which names the client.
    TrustedHop, "trusted_hop", Admits;
    /// The request was sent on to the upstream and answered.
    Forwarded, "forwarded", Admits;
    /// No entry of the access list covers the client.
    NotListed, "not_listed", Rule;
    /// Every entry that covers the client has expired.
    Expired, "expired", Rule;
    /// The request's origin is not among the app's origins.
    Origin, "origin_not_listed", Rule;
    /// The request has no origin, and the app wants one.
    OriginMissing, "origin_missing", Rule;
    /// A trusted hop did not name the client in the agreed way.
    HopHeader, "hop_header", Fault;
    /// The ClientHello has no server name.
    NoServerName, "no_server_name", Fault;
    /// No app answers to the server name.
    UnknownName, "unknown_name", Fault;
    /// The client does not speak TLS 1.3.
    TlsVersion, "tls_version", Fault;
    /// The client shows no certificate that the app accepts.
    ClientCertificate, "client_certificate", Fault;
    /// The TLS handshake failed, or this is not TLS.
    Handshake, "handshake", Fault;
    /// The TLS handshake took too long.
    HandshakeTimeout, "handshake_timeout", Fault;
    /// Too many at one time: the oldest of the busiest source had to go.
    Crowded, "crowded", Fault;
    /// No certificate is there to be shown.
    NoCertificate, "no_certificate", Fault;
    /// The host of the request is not the server name of the connection.
    HostMismatch, "host_mismatch", Fault;
    /// The request contradicts itself or is not well-formed HTTP.
    Malformed, "malformed", Fault;
    /// The method is not one that a proxy passes on.
    Method, "method", Fault;
    /// The body of the request is larger than the app takes.
    TooLarge, "too_large", Fault;
    /// The head of the request is larger than 32 KiB or has more than 100 fields.
    HeadTooLarge, "head_too_large", Fault;
    /// The client was too slow to send a request or to read an answer.
    ClientTimeout, "client_timeout", Fault;
    /// The app has no upstream.
    NoUpstream, "no_upstream", Fault;
    /// An outbound address is not on this host, or none fits the upstream.
    Outbound, "outbound_missing", Fault;
    /// The upstream cannot be reached, or broke off.
    UpstreamFailed, "upstream_failed", Fault;
    /// The upstream did not answer in time.
    UpstreamTimeout, "upstream_timeout", Fault;
    /// The client's entry was taken off: its open connection was closed.
    RevokedEntry, "revoked_entry", Fault;
    /// The origin was taken off while a request of it was open.
    RevokedOrigin, "revoked_origin", Fault;
    /// The server name was taken off while a connection used it.
    RevokedName, "revoked_name", Fault;
    /// The client's certificate was accepted by an authority that is no longer the app's.
    RevokedCertificate, "revoked_certificate", Fault;
}

impl Reason {
    /// How many reasons there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Whether the reason speaks against it.
    pub const fn refuses(self) -> bool {
        !matches!(self.kind(), Kind::Admits)
    }

    /// What happens: an app's mode decides where its rules speak against it.
    pub const fn decide(self, mode: Mode) -> Verdict {
        match (self.kind(), mode) {
            (Kind::Admits, _) | (Kind::Rule, Mode::Off) => Verdict::Pass,
            (Kind::Rule, Mode::Observe) => Verdict::WouldDrop,
            (Kind::Rule, Mode::Enforce) | (Kind::Fault, _) => Verdict::Drop,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_decides_about_rules_alone() {
        for reason in Reason::ALL {
            let verdicts = [Mode::Off, Mode::Observe, Mode::Enforce].map(|m| reason.decide(m));
            let expected = match reason.kind() {
                Kind::Admits => [Verdict::Pass; 3],
                Kind::Rule => [Verdict::Pass, Verdict::WouldDrop, Verdict::Drop],
                Kind::Fault => [Verdict::Drop; 3],
            };
            assert_eq!(verdicts, expected, "{}", reason.name());
        }
    }

    #[test]
    fn positions_and_names_are_unique() {
        for (position, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, position);
            assert_eq!(Reason::ALL.iter().filter(|r| r.name() == reason.name()).count(), 1);
        }
    }
}
