//! The Admin API's own part of `status`.

use serde::Serialize;
use utoipa::ToSchema;

use super::tls_listener::ListenerStatus;

/// Where the Admin API listens over TLS, and what it shows there.
#[derive(Serialize, ToSchema)]
pub(super) struct AdminOut {
    listen: Vec<PlaceOut>,
    /// The file of the certificate, if it is not the daemon's own.
    certificate: Option<String>,
    /// The authority that clients have to trust, if it is the daemon's own.
    authority: Option<String>,
    /// When the certificate ends, if there is one.
    ends: Option<String>,
    /// Why a newer certificate is not served.
    trouble: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct PlaceOut {
    address: String,
    state: &'static str,
    /// Why it does not listen.
    detail: Option<String>,
}

impl From<ListenerStatus> for AdminOut {
    fn from(status: ListenerStatus) -> Self {
        let held = status.held();
        let place = |(address, detail): (&std::net::SocketAddr, &Option<String>)| PlaceOut {
            address: address.to_string(),
            state: if detail.is_none() { "listening" } else { "waiting" },
            detail: detail.clone(),
        };
        Self {
            listen: status.places.iter().map(place).collect(),
            certificate: status.files.map(|files| files.certificate.display().to_string()),
            authority: held.authority.map(|path| path.display().to_string()),
            ends: held.identity.map(|identity| identity.ends().to_string()),
            trouble: held.trouble,
        }
    }
}
