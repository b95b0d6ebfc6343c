//! What every write of an Observation passes: the impossible is refused, the
//! implausible flagged, and `interpretation` filled where it is missing.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::finding::{Grade, Strictness, claims_profile, findings};
use super::spelling::{may_spell, spell_units};
use super::{flag, interpretation};
use crate::clinical::medication::Rules;
use crate::clinical::observation::{CONFIRMED, IMPLAUSIBLE};
use crate::fhir::authority::Authority;
use crate::fhir::engine::{Draft, Engine, now};
use crate::fhir::operation::Records;
use crate::fhir::outcome::{Failure, Issue, Kind};
use crate::fhir::record::Guard;
use crate::fhir::rule::{Review, Rule};

pub struct VitalsWatch {
    pub rules: Arc<Rules>,
    pub strictness: Strictness,
}

#[async_trait::async_trait]
impl Rule for VitalsWatch {
    fn concerns(&self, draft: &Draft) -> bool {
        draft.key.resource_type == "Observation" && draft.content.is_some()
    }

    async fn review(
        &self,
        engine: &Engine,
        _writer: &dyn Authority,
        drafts: &mut Vec<Draft>,
    ) -> Result<Review, Failure> {
        let records = Records::all(engine);
        let mut review = Review::default();
        for (number, draft) in drafts.iter_mut().enumerate() {
            if !self.concerns(draft) {
                continue;
            }
            if let Some(failure) = self.settle(&records, draft, &mut review).await? {
                review.refused = Some((number, failure));
                break;
            }
        }
        Ok(review)
    }
}

impl VitalsWatch {
    /// Brings one draft in order, or says why it is refused.
    async fn settle(
        &self,
        records: &Records<'_>,
        draft: &mut Draft,
        review: &mut Review,
    ) -> Result<Option<Failure>, Failure> {
        let (key, is_new) = (draft.key.clone(), draft.guard == Guard::New);
        let Some(resource) = &mut draft.content else {
            return Ok(None);
        };
        let knowledge = &self.rules.knowledge;
        if may_spell(knowledge, &resource.content) {
            spell_units(knowledge, &mut Arc::make_mut(resource).content);
        }
        let content = &resource.content;
        let found = findings(knowledge, content, now());
        // What is impossible comes in where history does, and nobody can confirm it.
        let impossible = found.iter().any(|one| one.grade == Grade::Impossible);
        let implausible = impossible || found.iter().any(|one| one.grade == Grade::Implausible);
        let mut stored = None;
        if implausible && !is_new {
            stored = records.find(&key).await?;
            let guard = stored
                .as_ref()
                .map(|stored| Guard::VersionIs(stored.version));
            review.rests_on.extend(guard.map(|guard| (key, guard)));
        }
        let old = stored.as_ref().map(|stored| &stored.resource.content);
        let asks = implausible && !impossible;
        let confirmed = match asks.then(|| flag::confirmation(content, old)) {
            None => false,
            Some(Ok(confirmed)) => confirmed,
            Some(Err(failure)) => return Ok(Some(failure)),
        };
        let claims = claims_profile(knowledge, content);
        let (errors, warnings): (Vec<_>, Vec<_>) = found
            .into_iter()
            .filter(|one| !(confirmed && one.grade == Grade::Implausible))
            .partition(|one| one.grade.refuses(self.strictness, claims, confirmed));
        if !errors.is_empty() {
            let issues = errors
                .into_iter()
                .map(|one| Issue::error(Kind::BusinessRule, one.text).at(one.place));
            let failure = Failure::of_issues(Kind::BusinessRule, issues.collect());
            return Ok(Some(failure));
        }
        review.issues.extend(
            warnings
                .into_iter()
                .map(|one| Issue::warning(Kind::BusinessRule, one.text).at(one.place)),
        );
        let silent = !implausible && !flag::is_marked(content);
        if !silent || interpretation::may_fill(knowledge, content) {
            let content = &mut Arc::make_mut(resource).content;
            mark(content, old, implausible, confirmed);
            interpretation::fill(knowledge, content, implausible && !confirmed);
        }
        Ok(None)
    }
}

fn mark(
    content: &mut Map<String, Value>,
    old: Option<&Map<String, Value>>,
    implausible: bool,
    confirmed: bool,
) {
    let code = match (implausible, confirmed) {
        (false, _) => None,
        (true, false) => Some(IMPLAUSIBLE),
        (true, true) => Some(CONFIRMED),
    };
    flag::set(content, code);
    if let (true, Some(old)) = (confirmed, old) {
        flag::keep_notes(content, old);
    }
}
