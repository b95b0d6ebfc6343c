//! `UNLOOP_CDS_CLIENTS`, `UNLOOP_CDS_FHIR_SERVERS`.

use super::ConfigError;
use super::access::is_url;
use super::values::Values;

#[derive(Clone, Debug)]
pub struct Cds {
    /// `UNLOOP_CDS_CLIENTS`
    pub clients: Vec<TrustedCdsClient>,
    /// `UNLOOP_CDS_FHIR_SERVERS`: base URLs, without a slash at the end.
    pub fhir_servers: Vec<String>,
}

/// An EHR that signs its calls by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedCdsClient {
    /// What `iss` of its tokens says.
    pub issuer: String,
    /// The id of the registered client that it is.
    pub client: String,
}

impl Cds {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        Ok(Self {
            clients: clients(values)?,
            fhir_servers: fhir_servers(values)?,
        })
    }
}

fn clients(values: &Values) -> Result<Vec<TrustedCdsClient>, ConfigError> {
    let mut clients: Vec<TrustedCdsClient> = Vec::new();
    for text in values.list("UNLOOP_CDS_CLIENTS") {
        let (issuer, client) = text.split_once('|').unwrap_or_default();
        let twice = clients.iter().any(|known| known.issuer == issuer);
        if !is_url(issuer) || client.is_empty() || twice {
            return Err(values.wrong(
                "UNLOOP_CDS_CLIENTS",
                "a list of different ISSUER-URL|CLIENT-ID, such as https://ehr.example.org|ehr",
            ));
        }
        clients.push(TrustedCdsClient {
            issuer: issuer.to_owned(),
            client: client.to_owned(),
        });
    }
    Ok(clients)
}

fn fhir_servers(values: &Values) -> Result<Vec<String>, ConfigError> {
    let servers = values.list("UNLOOP_CDS_FHIR_SERVERS");
    if !servers.iter().all(|url| is_url(url)) {
        return Err(values.wrong(
            "UNLOOP_CDS_FHIR_SERVERS",
            "a list of FHIR base URLs, such as https://ehr.example.org/fhir",
        ));
    }
    let bases = servers
        .iter()
        .map(|url| url.trim_end_matches('/').to_owned());
    Ok(bases.collect())
}
