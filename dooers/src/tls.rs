//! The configuration of TLS for clients.

use rustls::client::WantsClientCert;
#[cfg(feature = "nats")]
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};
use std::sync::Arc;

/// Creates a configuration that trusts the public authorities.
pub(crate) fn of_the_web() -> Result<ClientConfig, rustls::Error> {
    trusting(public_roots())
}

/// The public authorities.
pub(crate) fn public_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    roots
}

/// Creates a configuration that trusts these authorities.
pub(crate) fn trusting(roots: RootCertStore) -> Result<ClientConfig, rustls::Error> {
    Ok(builder(roots)?.with_no_client_auth())
}

/// Creates a configuration that trusts these authorities, and proves the client's identity by a certificate.
#[cfg(feature = "nats")]
pub(crate) fn trusting_as(
    roots: RootCertStore,
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ClientConfig, rustls::Error> {
    builder(roots)?.with_client_auth_cert(certificates, key)
}

fn builder(
    roots: RootCertStore,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots))
}
