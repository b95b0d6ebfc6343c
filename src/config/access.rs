//! `UNLOOP_SECRET`, `UNLOOP_EARLIER_SECRETS`, `UNLOOP_ISSUER`, `UNLOOP_ISSUERS`, `UNLOOP_OUTBOUND_PRIVATE`.

use super::ConfigError;
use super::values::Values;

/// Bytes of a secret: fewer could be guessed.
const MIN_SECRET: usize = 32;

#[derive(Clone, Debug)]
pub struct Access {
    /// `UNLOOP_SECRET`; `None`: one beside the database, where that is a file.
    pub secret: Option<GivenSecret>,
    /// `UNLOOP_EARLIER_SECRETS`: what `UNLOOP_SECRET` was before.
    pub earlier_secrets: Vec<GivenSecret>,
    /// `UNLOOP_ISSUER`: the URL of the built-in issuer, without a slash at the
    /// end; `None`: from the base URL.
    pub issuer: Option<String>,
    /// `UNLOOP_ISSUERS`
    pub issuers: Vec<TrustedIssuer>,
    /// `UNLOOP_OUTBOUND_PRIVATE`: keys may be fetched from private addresses.
    pub outbound_private: bool,
    /// `UNLOOP_PATIENTS_READ_PSYCHOTHERAPY_NOTES`: the practice shows them to patients.
    pub patients_read_psychotherapy_notes: bool,
}

/// Shows nothing of itself.
#[derive(Clone)]
pub struct GivenSecret(pub String);

impl std::fmt::Debug for GivenSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// An identity provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedIssuer {
    /// What `iss` of its tokens says.
    pub url: String,
    /// What `aud` has to say; `None`: the FHIR base.
    pub audience: Option<String>,
    /// The most that its tokens can be granted, as SMART scopes; `None`: what they say.
    pub ceiling: Option<String>,
}

impl Access {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        Ok(Self {
            secret: secret(values)?,
            earlier_secrets: earlier_secrets(values)?,
            issuer: issuer(values)?,
            issuers: issuers(values)?,
            outbound_private: values.flag("UNLOOP_OUTBOUND_PRIVATE")?,
            patients_read_psychotherapy_notes: values
                .flag("UNLOOP_PATIENTS_READ_PSYCHOTHERAPY_NOTES")?,
        })
    }
}

fn secret(values: &Values) -> Result<Option<GivenSecret>, ConfigError> {
    match values.text("UNLOOP_SECRET") {
        None => Ok(None),
        Some(secret) if secret.len() >= MIN_SECRET => Ok(Some(GivenSecret(secret.to_owned()))),
        Some(_) => Err(values.refuse(
            "UNLOOP_SECRET",
            "has fewer than 32 bytes; make one with: openssl rand -base64 32",
        )),
    }
}

fn earlier_secrets(values: &Values) -> Result<Vec<GivenSecret>, ConfigError> {
    let secrets = values.list("UNLOOP_EARLIER_SECRETS");
    if secrets.iter().any(|secret| secret.len() < MIN_SECRET) {
        let problem = "has one of fewer than 32 bytes; it lists what UNLOOP_SECRET was before";
        return Err(values.refuse("UNLOOP_EARLIER_SECRETS", problem));
    }
    Ok(secrets.into_iter().map(GivenSecret).collect())
}

fn issuer(values: &Values) -> Result<Option<String>, ConfigError> {
    match values.text("UNLOOP_ISSUER") {
        None => Ok(None),
        Some(url) if is_url(url) => Ok(Some(url.trim_end_matches('/').to_owned())),
        Some(_) => Err(values.wrong(
            "UNLOOP_ISSUER",
            "an http or https URL without query, such as https://records.example.org",
        )),
    }
}

fn issuers(values: &Values) -> Result<Vec<TrustedIssuer>, ConfigError> {
    let mut issuers: Vec<TrustedIssuer> = Vec::new();
    for text in values.list("UNLOOP_ISSUERS") {
        let mut fields = text.splitn(3, '|');
        let url = fields.next().unwrap_or_default();
        let audience = fields.next();
        let ceiling = fields.next().map(str::trim);
        let twice = issuers.iter().any(|issuer| issuer.url == url);
        if !is_url(url)
            || (audience == Some("") && ceiling.is_none())
            || ceiling == Some("")
            || twice
        {
            return Err(values.wrong(
                "UNLOOP_ISSUERS",
                "a list of different ISSUER-URL|AUDIENCE|SCOPES, such as https://id.example.org|https://records.example.org/fhir|patient/*.rs user/*.rs; SCOPES (the most that its tokens can be granted) may be left out",
            ));
        }
        issuers.push(TrustedIssuer {
            url: url.to_owned(),
            audience: audience.filter(|one| !one.is_empty()).map(str::to_owned),
            ceiling: ceiling.map(str::to_owned),
        });
    }
    Ok(issuers)
}

pub(super) fn is_url(text: &str) -> bool {
    let host = ["http://", "https://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    let plain =
        |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '"' | '<' | '>' | '\\' | '@');
    host.is_some_and(|host| !host.is_empty() && !host.starts_with('/') && host.chars().all(plain))
}
