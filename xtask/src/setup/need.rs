//! The programs and files of the system that the project needs, each with
//! the package that brings it.

use std::path::Path;

use super::Purpose;
use crate::process;

/// Something that must be on the machine.
#[derive(Debug)]
pub(super) struct Need {
    /// The Debian and Ubuntu package that brings it.
    pub(super) package: &'static str,
    /// What it is for.
    pub(super) reason: &'static str,
    /// Who needs it.
    pub(super) purpose: Purpose,
    probe: Probe,
}

#[derive(Debug)]
enum Probe {
    Program(&'static str),
    File(&'static str),
}

/// Everything but the BPF toolchain, which has a choice of routes.
pub(super) const NEEDS: [Need; 26] = [
    need("gcc", Probe::Program("cc"), "compiles SQLite and links everything", Purpose::Build),
    need("make", Probe::Program("make"), "builds the daemon's memory allocator", Purpose::Build),
    need("libc6-dev", Probe::File("/usr/include/stdio.h"), "headers for SQLite", Purpose::Build),
    need("iproute2", Probe::Program("ip"), "makes the networks of demo and tests", Purpose::Demo),
    need("util-linux", Probe::Program("nsenter"), "enters those networks", Purpose::Demo),
    need(
        "util-linux",
        Probe::Program("setpriv"),
        "drops capabilities as systemd does",
        Purpose::Demo,
    ),
    need("mount", Probe::Program("mount"), "mounts the BPF file system", Purpose::Demo),
    need("iputils-ping", Probe::Program("ping"), "sends ICMP in the demo", Purpose::Demo),
    need(
        "systemd",
        Probe::Program("systemd-analyze"),
        "judges the unit's hardening",
        Purpose::Test,
    ),
    need(
        "qemu-system-x86",
        Probe::Program("qemu-system-x86_64"),
        "emulates a machine with Linux 6.1, where the program is loaded too",
        Purpose::Test,
    ),
    need(
        "busybox-static",
        Probe::Program("busybox"),
        "starts that machine, and packs its files",
        Purpose::Test,
    ),
    need("openssl", Probe::Program("openssl"), "is an old TLS client", Purpose::Test),
    need("sslscan", Probe::Program("sslscan"), "scans the proxy's TLS", Purpose::Test),
    need("testssl.sh", Probe::Program("testssl"), "scans the proxy's TLS", Purpose::Test),
    need("chromium", Probe::Program("chromium"), "opens web pages that call an app", Purpose::Test),
    need(
        "libnss3-tools",
        Probe::Program("certutil"),
        "has that browser trust the daemon's certificates",
        Purpose::Test,
    ),
    need("nodejs", Probe::Program("node"), "runs a client of the Admin API", Purpose::Test),
    need("npm", Probe::Program("npm"), "installs that client", Purpose::Test),
    need(
        "python3-venv",
        Probe::File("/usr/share/doc/python3-venv"),
        "holds schemathesis, which tries the Admin API",
        Purpose::Test,
    ),
    need("nftables", Probe::Program("nft"), "is compared with", Purpose::Bench),
    need("ipset", Probe::Program("ipset"), "is compared with", Purpose::Bench),
    need("iptables", Probe::Program("iptables-legacy"), "asks ipset", Purpose::Bench),
    need("xdp-tools", Probe::Program("xdp-filter"), "is compared with", Purpose::Bench),
    need("nginx", Probe::Program("nginx"), "is compared with", Purpose::Bench),
    need("haproxy", Probe::Program("haproxy"), "is compared with", Purpose::Bench),
    need("ethtool", Probe::Program("ethtool"), "gives those a receive queue", Purpose::Bench),
];

const fn need(package: &'static str, probe: Probe, reason: &'static str, purpose: Purpose) -> Need {
    Need { package, reason, purpose, probe }
}

impl Need {
    /// Whether it is there.
    pub(super) fn is_met(&self) -> bool {
        match self.probe {
            Probe::Program(name) => process::find(name).is_some(),
            Probe::File(path) => Path::new(path).exists(),
        }
    }
}
