//! Why a request is not let in, and how that is told.
//! <https://www.rfc-editor.org/rfc/rfc6750#section-3>

use crate::fhir::outcome::{Failure, Kind};

/// The texts are fixed: nothing of a token or of the inside gets into them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no bearer token.
    Missing,
    /// The header is not a bearer token.
    Malformed(&'static str),
    /// There is a token, and it does not count.
    Invalid(&'static str),
    /// It cannot be judged now.
    Unavailable(&'static str),
}

impl Refusal {
    /// What `WWW-Authenticate` says; `None` where no other token would help.
    pub fn challenge(&self) -> Option<String> {
        match self {
            Self::Missing => Some(r#"Bearer realm="fhir""#.to_owned()),
            Self::Malformed(_) => Some(self.challenge_with("invalid_request")),
            Self::Invalid(_) => Some(self.challenge_with("invalid_token")),
            Self::Unavailable(_) => None,
        }
    }

    fn challenge_with(&self, error: &str) -> String {
        let text = self.text();
        format!(r#"Bearer realm="fhir", error="{error}", error_description="{text}""#)
    }

    /// Without quotation marks, because it stands between some in a header.
    pub fn text(&self) -> &'static str {
        match self {
            Self::Missing => {
                "Every request needs a bearer token: send the header Authorization: Bearer TOKEN. /.well-known/smart-configuration says where tokens come from."
            }
            Self::Malformed(text) | Self::Invalid(text) | Self::Unavailable(text) => text,
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let kind = match refusal {
            Refusal::Missing | Refusal::Invalid(_) => Kind::Unauthenticated,
            Refusal::Malformed(_) => Kind::Value,
            Refusal::Unavailable(_) => Kind::Unavailable,
        };
        Self::new(kind, refusal.text())
    }
}
