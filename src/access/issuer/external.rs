//! An identity provider of the practice or of the EHR.
//! <https://openid.net/specs/openid-connect-discovery-1_0.html>

use std::sync::Arc;

use super::published::{Pace, Place, Published};
use crate::access::outbound::Outbound;
use crate::access::token::{Issuer, KeySet, Refusal};

pub struct External {
    name: String,
    audience: String,
    ceiling: Option<String>,
    published: Published,
}

impl External {
    /// `name` is the URL that discovery starts from and that `iss` must be; `ceiling`
    /// the SMART scopes beyond which its tokens grant nothing.
    pub fn new(
        name: &str,
        audience: &str,
        ceiling: Option<&str>,
        outbound: Arc<Outbound>,
        pace: Pace,
    ) -> Self {
        Self {
            name: name.to_owned(),
            audience: audience.to_owned(),
            ceiling: ceiling.map(str::to_owned),
            published: Published::new(Place::Issuer(name.to_owned()), outbound, pace),
        }
    }
}

#[async_trait::async_trait]
impl Issuer for External {
    fn name(&self) -> &str {
        &self.name
    }

    fn audience(&self) -> &str {
        &self.audience
    }

    fn is_built_in(&self) -> bool {
        false
    }

    fn ceiling(&self) -> Option<&str> {
        self.ceiling.as_deref()
    }

    async fn keys(&self, _epoch: i64, wanted: Option<&str>) -> Result<Arc<KeySet>, Refusal> {
        let keys = self.published.keys(wanted).await;
        keys.ok_or(Refusal::Unavailable(
            "The keys of the token's issuer cannot be fetched now; try again.",
        ))
    }
}
