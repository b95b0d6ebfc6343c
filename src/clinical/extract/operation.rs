//! `QuestionnaireResponse/{id}/$extract`: the Observations that follow from the
//! answers, as a transaction.
//! <http://hl7.org/fhir/uv/sdc/OperationDefinition/QuestionnaireResponse-extract>

use std::sync::Arc;

use serde_json::{Value, json};

use super::observations::{self, Extracted};
use super::{answers, questionnaire};
use crate::clinical::medication::Rules;
use crate::fhir::answer::Answer;
use crate::fhir::operation::{Call, Definition, Level, Operation, Part, output};
use crate::fhir::outcome::{Failure, Kind, outcome};

pub static EXTRACT: Definition = Definition {
    name: "extract",
    url: "http://hl7.org/fhir/uv/sdc/OperationDefinition/QuestionnaireResponse-extract",
    title: "Scores out of answers",
    text: "The Observations that follow from a response's answers, as a transaction under ids that never change, and what is not computed and why. Stores nothing: where the Questionnaire says so (observationExtract), the same is stored whenever the response is written.",
    types: &["QuestionnaireResponse"],
    levels: &[Level::Instance],
    affects_state: false,
    parameters: &[],
};

pub struct Extract(pub Arc<Rules>);

#[async_trait::async_trait]
impl Operation for Extract {
    fn definition(&self) -> &'static Definition {
        &EXTRACT
    }

    async fn run(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let key = call.instance()?;
        let knowledge = &self.0.knowledge;
        let records = call.records();
        let response = records.read(key).await?.resource.content;
        let found = questionnaire::find(knowledge, &records, &[], &response).await?;
        let place = "QuestionnaireResponse.questionnaire";
        let found = found.map_err(|why| Failure::at(Kind::BusinessRule, place, why))?;
        let answers = answers::answers(knowledge, &found, &response);
        let faults = observations::faults(knowledge, &answers);
        if !faults.is_empty() {
            return Err(Failure::of_issues(Kind::BusinessRule, faults));
        }
        let extracted = observations::observations(knowledge, key, &response, &answers);
        Ok(output::answer(parts(extracted)))
    }
}

fn parts(extracted: Extracted) -> Vec<Part> {
    let entries = extracted.observations.into_iter().map(|one| {
        let id = one.get("id").and_then(Value::as_str).unwrap_or_default();
        let url = format!("Observation/{id}");
        json!({"resource": one, "request": {"method": "PUT", "url": url}})
    });
    let entries: Vec<Value> = entries.collect();
    let mut bundle = json!({"resourceType": "Bundle", "type": "transaction"});
    if let (false, Some(members)) = (entries.is_empty(), bundle.as_object_mut()) {
        members.insert("entry".to_owned(), entries.into());
    }
    let mut parts = vec![Part::resource("return", bundle)];
    if !extracted.notes.is_empty() {
        parts.push(Part::resource("issues", outcome(&extracted.notes)));
    }
    parts
}
