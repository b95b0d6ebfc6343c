//! The risk of suicide before a course: a whole screen within the horizon that
//! shows a low risk, and nothing that speaks of more.

use super::judge::Judge;
use super::measured::day;
use super::status::Finding;
use crate::clinical::conditions::Standing;
use crate::clinical::screens::{
    SuicideRiskLevel, TimedSuicideScreen, read_suicide_condition, read_suicide_screens,
};
use crate::fhir::operation::LIMITED_VIEW;

impl Judge<'_, '_> {
    pub(super) fn screen(&self) -> Finding {
        let knowledge = &self.rules.knowledge;
        let screens = read_suicide_screens(knowledge, &self.evidence.screens.resources);
        let until = self.evidence.at.1;
        let screens = screens
            .into_iter()
            .filter(|one| one.time.is_none_or(|time| time <= until));
        // Without a time it may be of now, which counts against and never for.
        let is_low = |one: &TimedSuicideScreen<'_>| one.reading.level == SuicideRiskLevel::Low;
        let (fresh, old): (Vec<TimedSuicideScreen<'_>>, Vec<_>) =
            screens.partition(|one| one.time.map_or(!is_low(one), |time| self.is_fresh(time)));
        if let Some(found) = self.above_low(&fresh) {
            return found;
        }
        if self.evidence.screens.hidden {
            return Finding::unknown(LIMITED_VIEW);
        }
        if self.evidence.conditions.hidden {
            return Finding::unknown(LIMITED_VIEW);
        }
        if let Some(found) = self.unread_finding(false) {
            return found;
        }
        let newest = |wanted: SuicideRiskLevel, among: &[TimedSuicideScreen<'_>]| {
            let of = among.iter().filter(move |one| one.reading.level == wanted);
            of.max_by_key(|one| one.time).map(|one| {
                (
                    one.time.unwrap_or(until),
                    one.version.key.to_string(),
                    one.reading.said.clone(),
                )
            })
        };
        let low = newest(SuicideRiskLevel::Low, &fresh);
        let odd = newest(SuicideRiskLevel::NotUnderstood, &fresh);
        match (low, odd) {
            (Some((time, source, _)), odd) if odd.as_ref().is_none_or(|odd| odd.0 < time) => {
                let text = format!("Screened on {}: a low risk.", day(time));
                Finding::met(text).by([source])
            }
            (_, Some((time, source, said))) => {
                let text = format!(
                    "The screen of {} says nothing that counts. {said}",
                    day(time)
                );
                Finding::unknown(text).by([source])
            }
            _ => match old.iter().max_by_key(|one| one.time) {
                Some(one) => {
                    let text = format!(
                        "The latest screen is of {}: too old. {} {}",
                        told_day(one),
                        one.reading.said,
                        self.horizon_text()
                    );
                    Finding::unknown(text).by([one.version.key.to_string()])
                }
                None => Finding::unknown("No screen is recorded."),
            },
        }
    }

    /// Every screen above low within the horizon, and every Condition that says so.
    fn above_low(&self, fresh: &[TimedSuicideScreen<'_>]) -> Option<Finding> {
        let above = fresh
            .iter()
            .filter(|one| one.reading.level == SuicideRiskLevel::AboveLow);
        let mut reasons: Vec<String> = Vec::new();
        let mut sources = Vec::new();
        for one in above {
            reasons.push(format!("{} ({})", one.reading.said, told_day(one)));
            sources.push(one.version.key.to_string());
        }
        for problem in self
            .problems
            .iter()
            .filter(|one| one.standing != Standing::Refuted)
        {
            let content = &problem.version.resource.content;
            if let Some(reading) = read_suicide_condition(&self.rules.knowledge, content) {
                reasons.push(reading.said);
                sources.push(problem.source());
            }
        }
        if sources.is_empty() {
            return None;
        }
        reasons.push("A clinician sees the patient first.".to_owned());
        let mut finding = Finding::not_met(reasons.join(" "));
        finding.evidence = sources;
        Some(finding)
    }
}

fn told_day(screen: &TimedSuicideScreen<'_>) -> String {
    screen.time.map_or("an unknown day".to_owned(), day)
}
