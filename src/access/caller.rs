//! Who is asking. Internal work names itself too: there is no anonymous door.

use std::sync::Arc;

use super::rights::Rights;

/// One request's caller: who it is, and what that one may do.
#[derive(Clone, Debug)]
pub struct Caller {
    pub subject: Subject,
    pub origin: Origin,
    pub(super) rights: Arc<Rights>,
}

/// Where a request came from. Says nothing about who sent it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The peer's network address.
    pub address: Option<String>,
    /// The operating system's user who runs a command.
    pub account: Option<String>,
    /// What the caller calls the request.
    pub request: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Whoever has shown nothing.
    Nobody,
    /// The service's own work.
    Internal(Internal),
    /// Whoever presented a token that was found good.
    Bearer(Box<Bearer>),
}

/// The closed list of work that the service does by itself or for whoever runs
/// its commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Internal {
    /// `unloop import`
    Import,
    /// `unloop export`
    Export,
    /// `unloop demo`, when it seeds its cohort
    Demo,
    /// Whoever runs the service, by its commands.
    Operator,
    /// The lookups by which a token's rights are decided.
    Gate,
    /// The definitions and rules in force, published at the start.
    Knowledge,
    /// `unloop knowledge recheck`
    Recheck,
    /// The look at the machine's clock.
    Clock,
}

impl Internal {
    pub fn name(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Export => "export",
            Self::Demo => "demo",
            Self::Operator => "operator",
            Self::Gate => "gate",
            Self::Knowledge => "knowledge",
            Self::Recheck => "recheck",
            Self::Clock => "clock",
        }
    }
}

/// What is known of the bearer of a token, for the audit trail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bearer {
    /// `iss`
    pub issuer: String,
    /// `sub`
    pub subject: String,
    /// `client_id`, where the token names it.
    pub client: Option<String>,
    /// `jti`
    pub token_id: Option<String>,
    /// The therapist grant that the token rests on.
    pub grant: Option<String>,
    /// `fhirUser` as `Type/id`.
    pub fhir_user: Option<String>,
    /// The id of the patient in context.
    pub patient: Option<String>,
}

impl Caller {
    pub fn internal(work: Internal) -> Self {
        Self {
            subject: Subject::Internal(work),
            origin: Origin::default(),
            rights: Arc::new(Rights::everything(work.name())),
        }
    }

    /// The same, which a user of the operating system has begun by a command.
    pub fn command(work: Internal, account: String) -> Self {
        Self::internal(work).at(Origin {
            account: Some(account),
            ..Origin::default()
        })
    }

    /// Before a token was found good: may do nothing.
    pub fn nobody() -> Self {
        Self {
            subject: Subject::Nobody,
            origin: Origin::default(),
            rights: Arc::new(Rights::default()),
        }
    }

    pub fn bearer(bearer: Bearer, rights: Arc<Rights>) -> Self {
        Self {
            subject: Subject::Bearer(Box::new(bearer)),
            origin: Origin::default(),
            rights,
        }
    }

    #[must_use]
    pub fn at(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }
}
