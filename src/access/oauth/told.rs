//! What an endpoint learns of a request, for the audit trail.

use crate::access::caller::Bearer;
use crate::access::token::Verified;

#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Who asked, once that was proven.
    pub bearer: Option<Bearer>,
    /// The token, client or grant that it was about.
    pub id: Option<String>,
    /// Ids of the patients whose records it opens or closes.
    pub patients: Vec<String>,
    /// The code of the refusal.
    pub error: Option<&'static str>,
}

impl Told {
    pub fn bearer(token: &Verified) -> Self {
        Self {
            bearer: Some(token.into()),
            ..Self::default()
        }
    }

    /// A client that has proven itself without a token.
    pub(super) fn is_client(&mut self, issuer: &str, id: &str) {
        self.bearer = Some(Bearer {
            issuer: issuer.to_owned(),
            subject: id.to_owned(),
            client: Some(id.to_owned()),
            ..Bearer::default()
        });
    }
}
