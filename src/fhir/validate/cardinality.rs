//! Elements that must be there. <https://hl7.org/fhir/R4/conformance-rules.html#cardinality>

use super::place::Place;
use super::report::shown;
use super::structure::Walk;
use crate::fhir::definitions::{Element, TypeDefinition};
use crate::fhir::outcome::Kind;

/// The elements of one object that are there: bit n stands for `elements[n]`.
/// A primitive counts that has only extensions (`_status`).
#[derive(Clone, Copy, Default)]
pub struct Present(u128);

impl Present {
    pub fn add(&mut self, index: usize) {
        self.0 |= 1 << index;
    }
}

impl Walk<'_> {
    pub fn minimum(&mut self, definition: &TypeDefinition, present: Present, place: &Place<'_>) {
        let missing = definition.required & !present.0;
        if missing == 0 {
            return;
        }
        for (index, element) in definition.elements.iter().enumerate() {
            if (missing >> index) & 1 == 1 {
                let text = format!(
                    "{} is required in {}: add it",
                    written(element),
                    definition.name
                );
                let place = place.child(&element.name);
                self.report.problem(Kind::Required, &place, text);
            }
        }
    }
}

/// The JSON properties by which the element can be there.
fn written(element: &Element) -> String {
    let properties = element.types.iter().map(|t| shown(&element.property(t)));
    match element.choice {
        true => format!("one of {}", properties.collect::<Vec<_>>().join(", ")),
        false => shown(&element.name),
    }
}
