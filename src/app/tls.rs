//! The certificate by which the service serves https itself.

use std::path::Path;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::{ConfigError, Tls};

/// TLS 1.2 and 1.3, as rustls has them by default.
pub fn server(tls: &Tls) -> Result<ServerConfig, ConfigError> {
    let wrong = |path: &Path, what: &str| {
        ConfigError::new(format!(
            "{}: cannot be read as {what} in PEM",
            path.display()
        ))
    };
    let chain = CertificateDer::pem_file_iter(&tls.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|_| wrong(&tls.certificate, "a certificate chain"))?;
    let key =
        PrivateKeyDer::from_pem_file(&tls.key).map_err(|_| wrong(&tls.key, "a private key"))?;
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| {
            ConfigError::new(format!(
                "UNLOOP_TLS_CERT and UNLOOP_TLS_KEY do not fit: {error}"
            ))
        })
}
