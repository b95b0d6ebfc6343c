//! Nobody but the service writes what the project has published, or under its
//! canonical URLs.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::publish::{key, same};
use super::resources;
use crate::clinical::CANONICAL;
use crate::clinical::medication::Rules;
use crate::fhir::authority::Authority;
use crate::fhir::engine::{Draft, Engine};
use crate::fhir::outcome::{Failure, Issue, Kind};
use crate::fhir::record::ResourceKey;
use crate::fhir::resource::Resource;
use crate::fhir::rule::{Review, Rule};
use crate::fhir::search::path::text;

/// The types with an `url` that may be published here.
const TYPES: [&str; 5] = [
    "CodeSystem",
    "Library",
    "PlanDefinition",
    "Questionnaire",
    "ValueSet",
];

/// How `Authority::actor` names who restores a copy.
const IMPORT: &str = "import";

pub struct CanonicalGuard {
    own: Vec<(ResourceKey, Map<String, Value>)>,
}

impl CanonicalGuard {
    pub fn new(rules: &Arc<Rules>) -> Self {
        let all = resources(&rules.knowledge).into_iter();
        let objects = all.filter_map(|resource| resource.as_object().cloned());
        Self {
            own: objects
                .filter_map(|content| Some((key(&content)?, content)))
                .collect(),
        }
    }

    fn published(&self, key: &ResourceKey) -> Option<&Map<String, Value>> {
        let mut own = self.own.iter();
        own.find(|(own, _)| own == key).map(|(_, content)| content)
    }
}

#[async_trait::async_trait]
impl Rule for CanonicalGuard {
    fn concerns(&self, draft: &Draft) -> bool {
        let claims = |resource: &Resource| {
            let url = text(&resource.content, "url");
            url.and_then(|url| url.strip_prefix(CANONICAL))
                .is_some_and(|rest| rest.starts_with('/'))
        };
        TYPES.contains(&draft.key.resource_type.as_str())
            && (self.published(&draft.key).is_some()
                || draft.content.as_deref().is_some_and(claims))
    }

    async fn review(
        &self,
        _engine: &Engine,
        writer: &dyn Authority,
        drafts: &mut Vec<Draft>,
    ) -> Result<Review, Failure> {
        let restores = writer.actor().internal.as_deref() == Some(IMPORT);
        let mut review = Review::default();
        for (number, draft) in drafts.iter_mut().enumerate() {
            if !self.concerns(draft) {
                continue;
            }
            let own = self.published(&draft.key);
            match (own, &draft.content) {
                (Some(own), Some(sent)) if same(own, &sent.content) => {}
                // A copy may be of other rules than those that answer now.
                (Some(own), Some(_)) if restores => {
                    draft.content = Some(Resource::from_object(own.clone())?.into());
                    let text = format!(
                        "{} is kept as this version of the service has it.",
                        draft.key
                    );
                    review.issues.push(Issue::warning(Kind::BusinessRule, text));
                }
                _ => {
                    let failure = refusal(&draft.key);
                    review.refused = Some((number, failure));
                    break;
                }
            }
        }
        Ok(review)
    }
}

fn refusal(key: &ResourceKey) -> Failure {
    let name = &key.resource_type;
    let text = format!(
        "What stands under {CANONICAL} is published by the service itself and changes with its knowledge base only. Use an id and an url of your own."
    );
    Failure::at(Kind::BusinessRule, format!("{name}.url"), text)
}
