//! How the proxy fares, for `status`.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::id::ObjectId;

/// Where the proxy listens, and what keeps apps from being served.
#[derive(Clone, Debug)]
pub struct ProxyStatus {
    /// Each address, with why it is not listened on.
    pub places: BTreeMap<SocketAddr, Option<String>>,
    /// What is wrong with apps, in words for operators.
    pub troubles: Vec<(ObjectId, String)>,
}
