//! From a request to a call of a registered operation.
//! <https://hl7.org/fhir/R4/operations.html#executing>

use std::sync::{Mutex, PoisonError};

use super::super::answer::Answer;
use super::super::authority::Authority;
use super::super::engine::Engine;
use super::super::outcome::{Failure, Kind};
use super::super::request::Request;
use super::super::view::View;
use super::{Arguments, Call, Target};

/// Parameters of the answer's form, which are no operation's own.
const FORM: [&str; 4] = ["_format", "_pretty", "_summary", "_elements"];

pub async fn invoke(
    engine: &Engine,
    authority: &dyn Authority,
    mut request: Request,
    target: Target,
    name: &str,
) -> Result<Answer, Failure> {
    let found = engine.operations.iter().find(|operation| {
        let definition = operation.definition();
        definition.name == name && definition.is_for(&target)
    });
    let Some(operation) = found else {
        return Err(Failure::new(Kind::NotFound, "There is no such operation."));
    };
    let query = std::mem::take(&mut request.query);
    let (form, query) = query
        .into_iter()
        .partition(|(name, _)| FORM.contains(&name.as_str()));
    request.query = form;
    let view = View::of_resource(&request)?;
    let content = std::mem::take(&mut request.content);
    let arguments = Arguments::read(engine, operation.definition(), query, content)?;
    let shown = Mutex::new(Vec::new());
    let call = Call {
        engine,
        authority,
        target,
        arguments,
        shown: &shown,
    };
    let mut answer = operation.run(call).await?;
    answer
        .shown
        .extend(shown.into_inner().unwrap_or_else(PoisonError::into_inner));
    view.apply(engine.definitions, answer)
}
