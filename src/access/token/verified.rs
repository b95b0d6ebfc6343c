//! What a token says after it was believed.
//! <https://www.rfc-editor.org/rfc/rfc9068>, <https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html>

/// Whether it was revoked since, or its client or grant ended, is another question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub issuer: String,
    pub subject: String,
    /// The software that holds the token.
    pub client: Option<String>,
    /// `jti`
    pub token_id: Option<String>,
    /// As granted, not yet read.
    pub scope: String,
    /// The patient of the launch context: an id.
    pub patient: Option<String>,
    /// Who uses the software: `Practitioner/1`, or absolute.
    pub fhir_user: Option<String>,
    /// The grant that the token rests on; only tokens of the built-in issuer have one.
    pub grant: Option<String>,
    /// Issued by this service itself.
    pub built_in: bool,
    /// Seconds since 1970.
    pub expires: i64,
}
