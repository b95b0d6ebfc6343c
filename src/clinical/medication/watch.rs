//! The same check on every write: what is found becomes DetectedIssues in the
//! same commit, what no longer holds is resolved in it.
//!
//! Every write of a record keeps, to the end of its commit, the version of the
//! record and of the products by which it was judged (`rests_on`); so the issues
//! that are stored are those that a fresh check would find, whoever else writes.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::check::{Question, Rules, assess};
use super::gather::{Shelf, gather};
use super::made::{JUDGED, Noted};
use super::recheck::RECHECK;
use super::record;
use super::{guard, issue, issue_drafts};
use crate::fhir::authority::Authority;
use crate::fhir::engine::{Draft, Engine, now};
use crate::fhir::operation::{Records, Version};
use crate::fhir::outcome::Failure;
use crate::fhir::record::{Guard, ResourceKey};
use crate::fhir::rule::{Review, Rule};
use crate::fhir::search::reference::Base;

const PRODUCTS: [&str; 2] = ["Medication", "Substance"];

pub struct MedicationWatch {
    rules: Arc<Rules>,
    noted: Noted,
}

/// A record whose issues are brought up to date.
struct Subject {
    key: ResourceKey,
    /// `None` where it is deleted.
    content: Option<Map<String, Value>>,
    /// Nothing can be stored about it yet.
    new: bool,
    /// The writer sent it, and hears what was found.
    sent: bool,
}

impl Subject {
    /// One that stays as it is.
    fn stored(version: Version) -> Self {
        Self {
            key: version.key,
            content: Some(version.resource.content),
            new: false,
            sent: false,
        }
    }
}

/// What becomes of the commit.
#[derive(Default)]
struct Outcome {
    review: Review,
    /// The issues that were brought in order with their record.
    settled: HashSet<ResourceKey>,
}

fn is_judged(name: &str) -> bool {
    JUDGED.contains(&name)
}

#[async_trait::async_trait]
impl Rule for MedicationWatch {
    fn concerns(&self, draft: &Draft) -> bool {
        let name = draft.key.resource_type.as_str();
        is_judged(name) || PRODUCTS.contains(&name) || name == "DetectedIssue"
    }

    async fn review(
        &self,
        engine: &Engine,
        writer: &dyn Authority,
        drafts: &mut Vec<Draft>,
    ) -> Result<Review, Failure> {
        let records = Records::all(engine);
        date_overrides(drafts);
        let mut outcome = Outcome::default();
        let mut subjects = Vec::new();
        if writer.actor().internal.as_deref() == Some(RECHECK) {
            self.add_implicated(engine, drafts, &mut subjects, &mut outcome.review)
                .await?;
        } else {
            let version = &self.rules.knowledge.version;
            self.noted.note(engine, version).await?;
        }
        for draft in drafts
            .iter()
            .filter(|draft| is_judged(&draft.key.resource_type))
        {
            let new = draft.guard == Guard::New;
            if !new && draft.guard == Guard::None {
                let guard = guard::as_it_stands(&records, &draft.key).await?;
                outcome.review.rests_on.push((draft.key.clone(), guard));
            }
            subjects.push(Subject {
                key: draft.key.clone(),
                content: draft
                    .content
                    .as_ref()
                    .map(|resource| resource.content.clone()),
                new,
                sent: true,
            });
        }
        self.add_dependents(&records, drafts, &mut subjects, &mut outcome.review)
            .await?;
        let contents = subjects
            .iter()
            .filter_map(|subject| subject.content.as_ref());
        let shelf = gather(engine, &records, drafts, contents).await?;
        for (key, version) in &shelf.read {
            outcome
                .review
                .rests_on
                .push((key.clone(), Guard::VersionIs(*version)));
        }
        for key in &shelf.missing {
            let absent =
                records.none_guard(&key.resource_type, &[("_id", &key.id)], &[], &lock(key))?;
            outcome.review.rests_on.push((key.clone(), absent));
        }
        for subject in &subjects {
            self.settle(&records, &shelf, drafts, subject, &mut outcome)
                .await?;
        }
        guard::refuse_others(&records, drafts, &outcome.settled).await?;
        Ok(outcome.review)
    }
}

/// An override counts for what it was given for, so it has a time.
fn date_overrides(drafts: &mut [Draft]) {
    for draft in drafts
        .iter_mut()
        .filter(|one| one.key.resource_type == "DetectedIssue")
    {
        if let Some(resource) = &mut draft.content
            && issue::is_kept(&resource.content)
        {
            issue::date_mitigations(&mut Arc::make_mut(resource).content, now());
        }
    }
}

/// Whoever writes a product and whoever judges by it meet here.
fn lock(key: &ResourceKey) -> String {
    format!("medication-watch/{key}")
}

impl MedicationWatch {
    pub fn new(rules: Arc<Rules>) -> Self {
        Self {
            rules,
            noted: Noted::default(),
        }
    }

    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The findings of these records that are not as they have to be, as they have to be.
    pub async fn outdated(
        &self,
        engine: &Engine,
        versions: &[Version],
    ) -> Result<Vec<Draft>, Failure> {
        let records = Records::all(engine);
        let contents = versions.iter().map(|one| &one.resource.content);
        let shelf = gather(engine, &records, &[], contents).await?;
        let (mut drafts, mut outcome) = (Vec::new(), Outcome::default());
        for version in versions {
            let subject = Subject::stored(version.clone());
            self.settle(&records, &shelf, &mut drafts, &subject, &mut outcome)
                .await?;
        }
        Ok(drafts)
    }

    /// The records whose findings are written anew.
    async fn add_implicated(
        &self,
        engine: &Engine,
        drafts: &[Draft],
        subjects: &mut Vec<Subject>,
        review: &mut Review,
    ) -> Result<(), Failure> {
        let records = Records::all(engine);
        let base = Base::new(&engine.settings.base_url);
        let mut seen = HashSet::new();
        for draft in drafts {
            let content = draft.content.as_ref().map(|resource| &resource.content);
            for key in content
                .into_iter()
                .flat_map(|one| issue::implicated(&base, one))
            {
                if !is_judged(&key.resource_type) || !seen.insert(key.clone()) {
                    continue;
                }
                if let Some(version) = records.find(&key).await? {
                    review
                        .rests_on
                        .push((key, Guard::VersionIs(version.version)));
                    subjects.push(Subject::stored(version));
                }
            }
        }
        Ok(())
    }

    /// A product that changes changes the verdict on all that refer to it.
    async fn add_dependents(
        &self,
        records: &Records<'_>,
        drafts: &[Draft],
        subjects: &mut Vec<Subject>,
        review: &mut Review,
    ) -> Result<(), Failure> {
        let products = drafts
            .iter()
            .filter(|draft| PRODUCTS.contains(&draft.key.resource_type.as_str()));
        let mut wanted: Vec<ResourceKey> = products
            .filter(|draft| draft.guard != Guard::New)
            .map(|draft| draft.key.clone())
            .collect();
        let mut seen: HashSet<ResourceKey> = wanted.iter().cloned().collect();
        while let Some(product) = wanted.pop() {
            let target = product.to_string();
            let links = [
                ("MedicationStatement", "medication"),
                ("MedicationRequest", "medication"),
                ("MedicationAdministration", "medication"),
                ("MedicationDispense", "medication"),
                ("Medication", "ingredient"),
            ];
            for (name, link) in links {
                if link == "medication" && product.resource_type != "Medication" {
                    continue;
                }
                let found = records.search(name, &[(link, &target)]).await?;
                let known: Vec<String> = found
                    .resources
                    .iter()
                    .map(|one| one.key.id.clone())
                    .collect();
                let none_else =
                    records.none_guard(name, &[(link, &target)], &known, &lock(&product))?;
                let condition = ResourceKey::new(format!("{target}/{name}"), link);
                review.rests_on.push((condition, none_else));
                for version in found.resources {
                    if !seen.insert(version.key.clone())
                        || drafts.iter().any(|draft| draft.key == version.key)
                    {
                        continue;
                    }
                    review
                        .rests_on
                        .push((version.key.clone(), Guard::VersionIs(version.version)));
                    if name == "Medication" {
                        wanted.push(version.key);
                        continue;
                    }
                    subjects.push(Subject::stored(version));
                }
            }
        }
        Ok(())
    }

    /// The issues of one record as they have to be.
    async fn settle(
        &self,
        records: &Records<'_>,
        shelf: &Shelf,
        drafts: &mut Vec<Draft>,
        subject: &Subject,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        let at = now();
        let content = subject.content.as_ref();
        let key = &subject.key.resource_type;
        // A dose is looked at when it is given: by then it is not the session's before.
        let begun = content.and_then(|content| record::begun(key, content));
        let question = Question {
            setting: None,
            at: begun.unwrap_or(at),
        };
        let assessment = content.and_then(|content| {
            assess(
                &self.rules,
                &subject.key.resource_type,
                content,
                shelf,
                &question,
            )
        });
        let mut wanted = Vec::new();
        if let (Some(assessment), Some(content)) = (&assessment, content) {
            for finding in &assessment.findings {
                let name = &assessment.name;
                wanted.extend(issue::content(
                    &self.rules,
                    &subject.key,
                    content,
                    name,
                    finding,
                    at,
                ));
            }
            if subject.sent {
                outcome.review.issues.extend(issue::warnings(
                    &self.rules,
                    &subject.key,
                    assessment,
                ));
            }
        }
        let mut stored = Vec::new();
        if !subject.new {
            let criteria = [("implicated", &*subject.key.to_string())];
            stored = records.search("DetectedIssue", &criteria).await?.resources;
            stored.retain(|one| issue::is_kept(&one.resource.content));
        }
        for new in wanted {
            let key = issue_drafts::key_of(&new);
            let place = stored.iter().position(|one| one.key == key);
            let old = place.map(|place| stored.swap_remove(place));
            let guard = match &old {
                None if subject.new => Guard::New,
                None => Guard::None,
                Some(old) => Guard::VersionIs(old.version),
            };
            let old = old.map(|old| issue::bare(&old.resource.content));
            outcome.settled.insert(key.clone());
            issue_drafts::put(drafts, &mut outcome.review, key, guard, new, old.as_ref())?;
        }
        for old in stored {
            let content = issue::bare(&old.resource.content);
            let guard = Guard::VersionIs(old.version);
            outcome.settled.insert(old.key.clone());
            issue_drafts::put(
                drafts,
                &mut outcome.review,
                old.key,
                guard,
                issue::resolved(&content),
                Some(&content),
            )?;
        }
        Ok(())
    }
}
