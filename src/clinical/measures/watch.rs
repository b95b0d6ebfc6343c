//! Every write of a score is judged, by whatever way it comes; a change of a
//! part is judged with the sums that it is part of.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::interpretation;
use super::judge::{Around, Findings, Member, is_scored, judge};
use crate::clinical::medication::Rules;
use crate::fhir::authority::Authority;
use crate::fhir::engine::{Draft, Engine, now};
use crate::fhir::operation::Records;
use crate::fhir::outcome::{Failure, Issue, Kind};
use crate::fhir::record::{Guard, ResourceKey};
use crate::fhir::rule::{Review, Rule};
use crate::fhir::search::path::{items, text};
use crate::fhir::search::reference::{self, Base};

/// Total, subscores, items.
const DEEPEST: usize = 3;

pub struct MeasureWatch(pub Arc<Rules>);

#[async_trait::async_trait]
impl Rule for MeasureWatch {
    fn concerns(&self, draft: &Draft) -> bool {
        let content = draft.content.as_ref();
        draft.key.resource_type == "Observation"
            && content.is_some_and(|resource| {
                let content = &resource.content;
                is_scored(&self.0.knowledge, content) || interpretation::is_said(content)
            })
    }

    async fn review(
        &self,
        engine: &Engine,
        writer: &dyn Authority,
        drafts: &mut Vec<Draft>,
    ) -> Result<Review, Failure> {
        let mut desk = Desk {
            records: Records::all(engine),
            writers: Records::of(engine, writer),
            base: Base::new(&engine.settings.base_url),
            drafts,
            review: Review::default(),
        };
        for (number, draft) in drafts.iter().enumerate() {
            if !self.concerns(draft) {
                continue;
            }
            let Some(resource) = &draft.content else {
                continue;
            };
            let mut found = self.judged(&mut desk, &resource.content).await?;
            if draft.guard != Guard::New {
                let content = &resource.content;
                let sums = self.sums_of(&mut desk, &draft.key, content).await?;
                found.faults.extend(sums);
            }
            desk.review.issues.extend(found.warnings);
            if !found.faults.is_empty() {
                let failure = Failure::of_issues(Kind::BusinessRule, found.faults);
                desk.review.refused = Some((number, failure));
                break;
            }
        }
        let review = desk.review;
        for draft in drafts.iter_mut().filter(|draft| self.concerns(draft)) {
            if let Some(resource) = &mut draft.content {
                let content = &mut Arc::make_mut(resource).content;
                interpretation::fill(&self.0.knowledge, content);
            }
        }
        Ok(review)
    }
}

/// What is stored, under what is about to be.
struct Desk<'d> {
    records: Records<'d>,
    /// What the writer may read.
    writers: Records<'d>,
    base: Base,
    drafts: &'d [Draft],
    review: Review,
}

impl MeasureWatch {
    async fn judged(
        &self,
        desk: &mut Desk<'_>,
        content: &Map<String, Value>,
    ) -> Result<Findings, Failure> {
        let around = Around {
            birth: desk.birth(content).await?,
            members: desk.members(content).await?,
            now: now(),
        };
        Ok(judge(&self.0.knowledge, content, &around))
    }

    /// The sums that stay as they are while this part of them changes. Who names
    /// another patient's score as a part of a sum does not hold that one fast.
    async fn sums_of(
        &self,
        desk: &mut Desk<'_>,
        part: &ResourceKey,
        content: &Map<String, Value>,
    ) -> Result<Vec<Issue>, Failure> {
        let target = part.to_string();
        let before = desk.records.find(part).await?;
        let before = before.map(|before| before.resource.content);
        let criteria = [("has-member", target.as_str())];
        let found = desk.records.search("Observation", &criteria).await?;
        let known: Vec<String> = found
            .resources
            .iter()
            .map(|sum| sum.key.id.clone())
            .collect();
        let lock = format!("measures/{target}");
        let none_else = desk
            .records
            .none_guard("Observation", &criteria, &known, &lock)?;
        let condition = ResourceKey::new(format!("{target}/Observation"), "has-member");
        desk.review.rests_on.push((condition, none_else));
        let mut faults = Vec::new();
        for sum in found.resources {
            let of = desk.subject(&sum.resource.content);
            let same = |part: &Map<String, Value>| desk.subject(part) == of;
            let same = same(content) || before.as_ref().is_some_and(same);
            if !same || desk.drafts.iter().any(|draft| draft.key == sum.key) {
                continue;
            }
            let guard = Guard::VersionIs(sum.version);
            desk.review.rests_on.push((sum.key.clone(), guard));
            let judged = self.judged(desk, &sum.resource.content).await?;
            if !judged.faults.is_empty() {
                let sum = match desk.writers.find(&sum.key).await? {
                    Some(_) => sum.key.to_string(),
                    None => "A score that your access does not reach".to_owned(),
                };
                let text = format!(
                    "{sum} has this as a member and would no longer fit it. Send both in one transaction."
                );
                faults.push(Issue::error(Kind::BusinessRule, text).at("Observation"));
            }
        }
        Ok(faults)
    }
}

impl Desk<'_> {
    /// What stands at an address of this service after the commit, and whether
    /// the writer may hear of it.
    async fn find(
        &mut self,
        key: &ResourceKey,
    ) -> Result<Option<(Map<String, Value>, bool)>, Failure> {
        if let Some(draft) = self.drafts.iter().find(|draft| draft.key == *key) {
            let content = draft.content.as_ref();
            return Ok(content.map(|resource| (resource.content.clone(), true)));
        }
        let Some(found) = self.records.find(key).await? else {
            return Ok(None);
        };
        if key.resource_type == "Observation" {
            let guard = Guard::VersionIs(found.version);
            self.review.rests_on.push((key.clone(), guard));
        }
        let told = self.writers.find(key).await?.is_some();
        Ok(Some((found.resource.content, told)))
    }

    async fn birth(&mut self, content: &Map<String, Value>) -> Result<Option<String>, Failure> {
        let Some(key) = self.subject(content).and_then(reference::local) else {
            return Ok(None);
        };
        let patient = self.find(&key).await?;
        Ok(patient.and_then(|(patient, _)| text(&patient, "birthDate").map(str::to_owned)))
    }

    async fn members(&mut self, content: &Map<String, Value>) -> Result<Vec<Member>, Failure> {
        let mut members: Vec<Member> = Vec::new();
        let mut seen = HashSet::new();
        let mut wanted = self.named(content);
        for _ in 0..DEEPEST {
            let mut next = Vec::new();
            for key in std::mem::take(&mut wanted) {
                if !seen.insert(key.clone()) {
                    continue;
                }
                if let Some((member, told)) = self.find(&key).await? {
                    next.extend(self.named(&member));
                    members.push(Member {
                        same_patient: self.subject(&member) == self.subject(content),
                        content: member,
                        key,
                        told,
                    });
                }
            }
            wanted = next;
        }
        Ok(members)
    }

    fn named(&self, content: &Map<String, Value>) -> Vec<ResourceKey> {
        let members = items(content, "hasMember").iter();
        let members = members.filter_map(Value::as_object);
        members
            .filter_map(|member| reference::local(self.base.normalise(text(member, "reference")?)?))
            .filter(|key| key.resource_type == "Observation")
            .collect()
    }

    /// The address of whom it is about.
    fn subject<'c>(&self, content: &'c Map<String, Value>) -> Option<&'c str> {
        let subject = content.get("subject")?.as_object()?;
        self.base.normalise(text(subject, "reference")?)
    }
}
