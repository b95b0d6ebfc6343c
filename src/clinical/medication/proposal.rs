//! `MedicationStatement/$check`: a medicine that is not stored yet, against the
//! rules. Nothing is written.

use std::sync::Arc;

use super::answer;
use super::check::{Rules, assess};
use super::compatibility::{AGENT, AT, ROUTE, SETTING, question};
use super::gather::gather;
use super::record::TAKEN;
use super::verdict::Verdict;
use crate::fhir::answer::Answer;
use crate::fhir::operation::{Call, Definition, Level, Operation, Parameter, Part, output};
use crate::fhir::outcome::{Failure, Kind};

pub static CHECK: Definition = Definition {
    name: "check",
    url: "https://unloop.dev/fhir/OperationDefinition/medication-check",
    title: "A proposed medicine with ketamine",
    text: "The verdict on a MedicationStatement, MedicationRequest, MedicationAdministration or MedicationDispense that is not stored yet, as $medication-compatibility gives it. Nothing is written.",
    types: &TAKEN,
    levels: &[Level::Type],
    affects_state: false,
    parameters: &[
        Parameter {
            name: "resource",
            kind: "Resource",
            required: true,
            codes: &[],
            text: "The MedicationStatement, MedicationRequest, MedicationAdministration or MedicationDispense; or an AllergyIntolerance, which matters where it is one to ketamine.",
        },
        AGENT,
        ROUTE,
        SETTING,
        AT,
    ],
};

pub struct MedicationCheck(pub Arc<Rules>);

#[async_trait::async_trait]
impl Operation for MedicationCheck {
    fn definition(&self) -> &'static Definition {
        &CHECK
    }

    async fn run(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let question = question(&call.arguments)?;
        let proposed = call.arguments.resource("resource");
        let is_checked = |name: &str| TAKEN.contains(&name) || name == "AllergyIntolerance";
        let Some(proposed) = proposed.filter(|one| is_checked(&one.resource_type)) else {
            return Err(Failure::new(
                Kind::Value,
                "resource is a MedicationStatement, MedicationRequest, MedicationAdministration, MedicationDispense or an AllergyIntolerance.",
            ));
        };
        let contents = std::iter::once(&proposed.content);
        let shelf = gather(call.engine, &call.records(), &[], contents).await?;
        let name = &proposed.resource_type;
        let assessment = assess(&self.0, name, &proposed.content, &shelf, &question);
        let Some(assessment) = assessment else {
            let mut parts = answer::head(
                &self.0,
                &call.arguments,
                &question,
                Verdict::NotChecked,
                false,
            );
            let text = "By its status or dates, or by its substance, it does not matter, so there is nothing to check.";
            parts.push(Part::text("notice", text));
            return Ok(output::answer(parts));
        };
        let (verdict, complete) = (assessment.verdict, assessment.complete);
        let mut parts = answer::head(&self.0, &call.arguments, &question, verdict, complete);
        parts.push(answer::medicine(&self.0, None, &assessment));
        Ok(output::answer(parts))
    }
}
