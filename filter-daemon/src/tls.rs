//! TLS for every listener of the daemon: version 1.3 and nothing older.
//!
//! Owns the server configuration, the daemon's own certificate authority, and
//! the certificate that is served: its own or a pair of files, and when it is
//! to be replaced; authorities and certificates for the other end likewise.
//! Knows nothing of what is served over it.
//!
//! Invariants: no setting brings TLS 1.2 back; no request is taken from early
//! data; a certificate is served only together with the key that fits it; a
//! bad file never replaces what was read from a good one.

mod authorities;
mod authority;
mod expiry;
mod identity;
mod keeper;
mod look;
mod own;
mod reader;
mod served;
mod watched;

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::SingleCertAndKey;
use rustls::version::TLS13;
use rustls::{ClientConfig, ServerConfig};

pub use authorities::{Authorities, AuthoritiesError};
pub use authority::AuthorityError;
pub use identity::{Identity, PairError, PairFiles};
pub use keeper::{Keeper, Names, Source};
pub use reader::{Content, Read, Reader};
pub use served::{Held, Served};

/// The configuration of a server: whose certificate is shown is up to the
/// resolver, and the protocols are named as ALPN names them, the best first.
///
/// A session can be resumed by a ticket; whoever resumes one has to ask again
/// for everything else, as nothing is taken from early data.
pub fn server_config(
    resolver: Arc<dyn ResolvesServerCert>,
    protocols: &[&[u8]],
) -> Result<ServerConfig, rustls::Error> {
    configure(resolver, protocols, Arc::new(NoClientAuth))
}

/// The configuration of a server whose clients need a certificate of one of
/// the authorities.
pub fn server_config_for_known(
    resolver: Arc<dyn ResolvesServerCert>,
    protocols: &[&[u8]],
    authorities: &Authorities,
) -> Result<ServerConfig, rustls::Error> {
    let roots = Arc::clone(authorities.roots());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider()).build();
    let verifier = verifier.map_err(|error| rustls::Error::General(error.to_string()))?;
    configure(resolver, protocols, verifier)
}

/// The configuration of a client that speaks to servers of the authorities,
/// and shows them a certificate if it has one.
pub fn client_config(
    authorities: &Authorities,
    identity: Option<&Identity>,
) -> Result<ClientConfig, rustls::Error> {
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(Arc::clone(authorities.roots()));
    Ok(match identity {
        Some(identity) => {
            let certified = Arc::clone(identity.certified());
            config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified)))
        }
        None => config.with_no_client_auth(),
    })
}

fn configure(
    resolver: Arc<dyn ResolvesServerCert>,
    protocols: &[&[u8]],
    verifier: Arc<dyn ClientCertVerifier>,
) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(resolver);
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    config.max_early_data_size = 0;
    Ok(config)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

#[cfg(test)]
mod tests;
