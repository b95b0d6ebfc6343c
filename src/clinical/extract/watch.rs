//! Responses and what was extracted from them stay one: written, corrected and
//! marked as errors in the same commit.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::observations::{self, Extracted, PREFIX};
use super::{answers, questionnaire};
use crate::clinical::measures::interpretation;
use crate::clinical::medication::{Rules, as_it_stands};
use crate::fhir::authority::Authority;
use crate::fhir::engine::{Draft, Engine};
use crate::fhir::operation::Records;
use crate::fhir::operation::records::Version;
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::record::{Guard, Method, ResourceKey};
use crate::fhir::resource::Resource;
use crate::fhir::rule::{Review, Rule};
use crate::fhir::search::path::text;

pub struct ExtractWatch(pub Arc<Rules>);

/// How `Authority::actor` names who restores a copy.
const IMPORT: &str = "import";

#[async_trait::async_trait]
impl Rule for ExtractWatch {
    fn concerns(&self, draft: &Draft) -> bool {
        let is_extracted = || {
            let content = draft.content.as_ref();
            draft.key.id.starts_with(PREFIX)
                || content.is_some_and(|one| observations::source(&one.content).is_some())
        };
        match draft.key.resource_type.as_str() {
            "QuestionnaireResponse" => {
                let content = draft.content.as_ref();
                content.is_none_or(|one| one.content.contains_key("questionnaire"))
                    || draft.guard != Guard::New
            }
            "Observation" => is_extracted(),
            _ => false,
        }
    }

    async fn review(
        &self,
        engine: &Engine,
        writer: &dyn Authority,
        drafts: &mut Vec<Draft>,
    ) -> Result<Review, Failure> {
        let records = Records::all(engine);
        let mut review = Review::default();
        let restores = writer.actor().internal.as_deref() == Some(IMPORT);
        let own = drafts.len();
        for number in 0..own {
            let Some(draft) = drafts.get(number).cloned() else {
                break;
            };
            if !self.concerns(&draft) {
                continue;
            }
            let refused = if draft.key.resource_type == "Observation" {
                // A copy has responses and Observations in any order.
                if restores {
                    continue;
                }
                self.refuse_other(&records, drafts, &draft).await?
            } else {
                self.settle(&records, drafts, &draft, &mut review).await?
            };
            if let Some(failure) = refused {
                review.refused = Some((number, failure));
                break;
            }
        }
        Ok(review)
    }
}

impl ExtractWatch {
    /// What follows from a response, and whether the Questionnaire asks for it.
    async fn extracted(
        &self,
        records: &Records<'_>,
        drafts: &[Draft],
        key: &ResourceKey,
        response: &Map<String, Value>,
    ) -> Result<(bool, Result<Extracted, Failure>), Failure> {
        let knowledge = &self.0.knowledge;
        let found = questionnaire::find(knowledge, records, drafts, response).await?;
        let found = match found {
            Ok(found) => found,
            Err(why) => {
                let place = "QuestionnaireResponse.questionnaire";
                return Ok((false, Err(Failure::at(Kind::BusinessRule, place, why))));
            }
        };
        let answers = answers::answers(knowledge, &found, response);
        let faults = observations::faults(knowledge, &answers);
        let asked = questionnaire::extracts(&found);
        if !faults.is_empty() {
            return Ok((asked, Err(Failure::of_issues(Kind::BusinessRule, faults))));
        }
        let extracted = observations::observations(knowledge, key, response, &answers);
        Ok((asked, Ok(extracted)))
    }

    /// Brings the Observations of one response in order.
    async fn settle(
        &self,
        records: &Records<'_>,
        drafts: &mut Vec<Draft>,
        draft: &Draft,
        review: &mut Review,
    ) -> Result<Option<Failure>, Failure> {
        let new = draft.guard == Guard::New;
        let mut stored = Vec::new();
        if !new {
            let criteria = [("derived-from", &*draft.key.to_string())];
            stored = records.search("Observation", &criteria).await?.resources;
            stored.retain(|one| {
                observations::source(&one.resource.content).as_ref() == Some(&draft.key)
            });
        }
        let wanted = match &draft.content {
            None => Extracted::default(),
            Some(resource) => {
                let response = &resource.content;
                let found = self
                    .extracted(records, drafts, &draft.key, response)
                    .await?;
                match found {
                    (asked, Ok(extracted)) if asked || !stored.is_empty() => extracted,
                    (_, Ok(_)) => Extracted::default(),
                    (asked, Err(failure)) => {
                        // Scores must not stand beside answers that cannot be read.
                        let stands = |one: &Version| {
                            text(&one.resource.content, "status") != Some("entered-in-error")
                        };
                        let counts = (asked || stored.iter().any(stands))
                            && text(response, "status") != Some("entered-in-error");
                        if counts {
                            return Ok(Some(failure));
                        }
                        Extracted::default()
                    }
                }
            }
        };
        if !new
            && draft.guard == Guard::None
            && !(wanted.observations.is_empty() && stored.is_empty())
        {
            let guard = as_it_stands(records, &draft.key).await?;
            review.rests_on.push((draft.key.clone(), guard));
        }
        review.issues.extend(wanted.notes);
        for content in wanted.observations {
            let key = key_of(&content);
            let place = stored.iter().position(|one| one.key == key);
            let old = place.map(|place| stored.swap_remove(place));
            let guard = match &old {
                None if new => Guard::New,
                None => Guard::None,
                Some(old) => Guard::VersionIs(old.version),
            };
            let same = old.is_some_and(|old| bare(&old.resource.content) == content);
            put(drafts, review, key, guard, content, same)?;
        }
        for old in stored {
            let mut content = bare(&old.resource.content);
            let before = content.insert("status".to_owned(), "entered-in-error".into());
            let same = before.as_ref().and_then(Value::as_str) == Some("entered-in-error");
            let guard = Guard::VersionIs(old.version);
            put(drafts, review, old.key, guard, content, same)?;
        }
        Ok(None)
    }

    /// An Observation that was extracted is what its response says.
    async fn refuse_other(
        &self,
        records: &Records<'_>,
        drafts: &[Draft],
        draft: &Draft,
    ) -> Result<Option<Failure>, Failure> {
        let stored = records.find(&draft.key).await?;
        let stored = stored.map(|stored| stored.resource.content);
        let new = draft.content.as_ref().map(|resource| &resource.content);
        let named = new.and_then(observations::source);
        let Some(source) = named.or_else(|| observations::source(stored.as_ref()?)) else {
            return Ok(None);
        };
        let sent = drafts.iter().find(|one| one.key == source);
        let response = match sent {
            Some(draft) => draft.content.as_ref().map(|one| one.content.clone()),
            None => records.find(&source).await?.map(|one| one.resource.content),
        };
        let Some(new) = new else {
            // What no longer counts may go.
            let counts = stored.is_some_and(|old| text(&old, "status") != Some("entered-in-error"));
            return Ok(counts.then(|| refusal(&source)));
        };
        let Some(response) = response else {
            return Ok(Some(refusal(&source)));
        };
        let (_, found) = self.extracted(records, drafts, &source, &response).await?;
        let fits = found.is_ok_and(|found| {
            let mut all = found.observations.iter();
            all.any(|one| key_of(one) == draft.key && *one == bare(new))
        });
        Ok((!fits).then(|| refusal(&source)))
    }
}

fn key_of(content: &Map<String, Value>) -> ResourceKey {
    ResourceKey::new("Observation", text(content, "id").unwrap_or_default())
}

fn refusal(source: &ResourceKey) -> Failure {
    let text =
        format!("This Observation is made of {source}. Correct the answers there; it follows.");
    Failure::at(Kind::BusinessRule, "Observation", text)
}

/// Without what the store keeps beside the content, and what others say of it.
fn bare(content: &Map<String, Value>) -> Map<String, Value> {
    let mut bare = content.clone();
    if let Some(Value::Object(meta)) = bare.get_mut("meta") {
        meta.retain(|name, _| name == "security");
        if meta.is_empty() {
            bare.remove("meta");
        }
    }
    interpretation::take_back(&mut bare);
    bare
}

/// Written where it differs, and otherwise kept as it is to the end of the commit.
fn put(
    drafts: &mut Vec<Draft>,
    review: &mut Review,
    key: ResourceKey,
    guard: Guard,
    content: Map<String, Value>,
    same: bool,
) -> Result<(), Failure> {
    if let Some(draft) = drafts.iter_mut().find(|draft| draft.key == key) {
        draft.content = Some(Resource::from_object(content)?.into());
        return Ok(());
    }
    if same {
        review.rests_on.push((key, guard));
        return Ok(());
    }
    drafts.push(Draft {
        key,
        method: Method::Put,
        guard,
        content: Some(Resource::from_object(content)?.into()),
    });
    Ok(())
}
