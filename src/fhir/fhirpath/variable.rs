//! `%name`. <http://hl7.org/fhirpath/N1/#environment-variables>,
//! <https://hl7.org/fhir/R4/fhirpath.html#variables>

use super::error::{Error, Result};
use super::evaluate::{Evaluator, Scope};
use super::item::{Collection, Item};

pub(super) fn value<'a>(
    evaluator: &Evaluator<'a>,
    name: &str,
    scope: &Scope<'_, 'a>,
) -> Result<Collection<'a>> {
    let text = match name {
        "context" => return Ok(scope.context.to_vec()),
        "resource" => return Ok(vec![Item::Node(evaluator.resource)]),
        "rootResource" => return Ok(vec![Item::Node(evaluator.root)]),
        "ucum" => "http://unitsofmeasure.org".to_owned(),
        "sct" => "http://snomed.info/sct".to_owned(),
        "loinc" => "http://loinc.org".to_owned(),
        _ => match (name.strip_prefix("vs-"), name.strip_prefix("ext-")) {
            (Some(id), _) => format!("http://hl7.org/fhir/ValueSet/{id}"),
            (_, Some(id)) => format!("http://hl7.org/fhir/StructureDefinition/{id}"),
            _ => return Err(Error::evaluation("there is no such variable")),
        },
    };
    Ok(vec![Item::String(text.into())])
}
