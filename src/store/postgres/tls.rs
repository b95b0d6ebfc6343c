//! The encrypted way to the server.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::Tls;
use super::fault::unavailable;
use crate::store::StoreError;

pub(super) fn connector(tls: &Tls) -> Result<MakeRustlsConnect, StoreError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unavailable)?;
    let builder = match &tls.roots {
        Some(path) => builder.with_root_certificates(trusted(path)?),
        None => builder.with_platform_verifier().map_err(unavailable)?,
    };
    Ok(MakeRustlsConnect::new(builder.with_no_client_auth()))
}

fn trusted(path: &Path) -> Result<RootCertStore, StoreError> {
    let unreadable = |error| unavailable(format!("sslrootcert: {error}"));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
        roots
            .add(certificate.map_err(unreadable)?)
            .map_err(unavailable)?;
    }
    Ok(roots)
}
