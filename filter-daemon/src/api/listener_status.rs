//! The listeners' part of `status`: those of the Admin API, and of the proxy.

use std::net::SocketAddr;

use serde::Serialize;
use utoipa::ToSchema;

use super::tls_listener::ListenerStatus;
use crate::id::ObjectId;
use crate::proxy::ProxyStatus;
use crate::state::State;

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

/// Where the proxy listens, and what keeps apps from being served.
#[derive(Serialize, ToSchema)]
pub(super) struct ProxyOut {
    listen: Vec<PlaceOut>,
    troubles: Vec<TroubleOut>,
}

#[derive(Serialize, ToSchema)]
struct TroubleOut {
    /// The app's `client_app_id`.
    app: String,
    trouble: String,
}

impl From<(&SocketAddr, &Option<String>)> for PlaceOut {
    fn from((address, detail): (&SocketAddr, &Option<String>)) -> Self {
        let state = if detail.is_none() { "listening" } else { "waiting" };
        Self { address: address.to_string(), state, detail: detail.clone() }
    }
}

impl ProxyOut {
    /// By the apps' names, as far as they still have one.
    pub(super) fn new(status: ProxyStatus, state: &State) -> Self {
        let named = |(app, trouble): (ObjectId, String)| {
            let app = state.apps.get(&app)?.client_app_id.clone();
            Some(TroubleOut { app, trouble })
        };
        Self {
            listen: status.places.iter().map(PlaceOut::from).collect(),
            troubles: status.troubles.into_iter().filter_map(named).collect(),
        }
    }
}

impl From<ListenerStatus> for AdminOut {
    fn from(status: ListenerStatus) -> Self {
        let held = status.held();
        Self {
            listen: status.places.iter().map(PlaceOut::from).collect(),
            certificate: status.files.map(|files| files.certificate.display().to_string()),
            authority: held.authority.map(|path| path.display().to_string()),
            ends: held.identity.map(|identity| identity.ends().to_string()),
            trouble: held.trouble,
        }
    }
}
