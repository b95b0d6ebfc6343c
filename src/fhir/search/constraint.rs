//! A few search parameters as a standing condition on the resources of a type,
//! which also documents that are not stored yet can be held to.

use super::catalogue::Catalogue;
use super::compile::selection;
use super::parameter::Test;
use super::query::{Query, Settings};
use crate::fhir::outcome::{Failure, Kind};
use crate::store::Filter;

/// Token, reference and date parameters of the type itself. Whatever depends
/// on other resources or on the time of asking is refused.
pub fn constraint(
    catalogue: &Catalogue,
    resource_type: &str,
    pairs: &[(String, String)],
) -> Result<Filter, Failure> {
    let query = Query::parse(catalogue, Some(resource_type), pairs, &Settings::default())?;
    if query.parameters.len() != pairs.len() {
        return Err(refused("shapes a search result"));
    }
    for (parameter, (_, value)) in query.parameters.iter().zip(pairs) {
        let plain = match &parameter.test {
            Test::Not(inner) => inner,
            test => test,
        };
        match plain {
            Test::Token(_) | Test::Reference(_) | Test::Id(_) => {}
            Test::Date(_) if parameter.code == "_lastUpdated" || value.contains("ap") => {
                return Err(refused("changes with time"));
            }
            Test::Date(_) => {}
            _ => return Err(refused("is no token, reference or date")),
        }
    }
    selection(catalogue, &query, 0)
}

fn refused(problem: &str) -> Failure {
    let text = format!("A parameter of the restriction {problem}");
    Failure::new(Kind::NotSupported, text)
}
