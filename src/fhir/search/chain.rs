//! Parameters of other resources: chains (`subject:Patient.name`) and reverse
//! chains (`_has:Observation:patient:code`), of any combination.
//! <https://hl7.org/fhir/R4/search.html#chaining>, <https://hl7.org/fhir/R4/search.html#has>

use std::cell::Cell;

use super::catalogue::{Catalogue, Param};
use super::lookup::{Refused, find, unknown};
use super::parameter::{self, Has, Parameter, Test};
use super::result::invalid;
use crate::fhir::definitions::ParamKind;

/// Each link is one more search inside the search.
const MAX_LINKS: usize = 5;

/// A chain without types branches at every reference that has several.
const MAX_BRANCHES: usize = 64;

/// Reads one parameter of a request, whatever resource it is about.
pub(super) struct Reader<'c> {
    catalogue: &'c Catalogue,
    branches: Cell<usize>,
}

impl<'c> Reader<'c> {
    pub fn new(catalogue: &'c Catalogue) -> Self {
        Self {
            catalogue,
            branches: Cell::new(0),
        }
    }

    pub fn parameter(
        &self,
        types: &[String],
        name: &str,
        value: &str,
        links: usize,
    ) -> Result<Parameter, Refused> {
        if links > MAX_LINKS {
            let problem = format!("follows more than {MAX_LINKS} references");
            return Err(Refused::Wrong(invalid(name, &problem)));
        }
        if let Some(rest) = name.strip_prefix("_has:") {
            return self.has(types, name, rest, value, links);
        }
        if let Some((head, rest)) = name.split_once('.') {
            return self.chain(types, (name, head, rest), value, links);
        }
        let (code, modifier) = with_modifier(name);
        let param = find(self.catalogue, types, name, code)?;
        // A modifier must be refused also where handling is lenient.
        parameter::parse(self.catalogue, param, name, modifier, value).map_err(Refused::Wrong)
    }

    fn has(
        &self,
        types: &[String],
        name: &str,
        rest: &str,
        value: &str,
        links: usize,
    ) -> Result<Parameter, Refused> {
        let mut parts = rest.splitn(3, ':');
        let (Some(source), Some(link), Some(inner)) = (parts.next(), parts.next(), parts.next())
        else {
            let problem = "must be written `_has:Type:reference:parameter`";
            return Err(Refused::Wrong(invalid(name, problem)));
        };
        let Some(param) = self.reference(source, link) else {
            return Err(unknown(name, "names no reference parameter of a type"));
        };
        if types.is_empty() || !types.iter().any(|t| param.may_refer_to(t)) {
            return Err(unknown(name, "does not refer to the type searched"));
        }
        let inner = self.parameter(&[source.to_owned()], inner, value, links + 1)?;
        Ok(Parameter {
            code: "_has".to_owned(),
            test: Test::Has(Has {
                source: source.to_owned(),
                link: link.to_owned(),
                parameter: Box::new(inner),
            }),
        })
    }

    fn reference(&self, resource_type: &str, code: &str) -> Option<&'c Param> {
        self.catalogue
            .param(resource_type, code)
            .filter(|param| param.kind == ParamKind::Reference)
    }

    fn chain(
        &self,
        types: &[String],
        (name, head, rest): (&str, &str, &str),
        value: &str,
        links: usize,
    ) -> Result<Parameter, Refused> {
        let (code, target) = with_modifier(head);
        if find(self.catalogue, types, name, code)?.kind != ParamKind::Reference {
            return Err(unknown(name, "follows a parameter that is no reference"));
        }
        let targets = self.targets(types, code, target);
        if targets.is_empty() {
            return Err(self.no_target(name, target, links));
        }
        let mut ends = Vec::new();
        let mut refusal = None;
        for target in targets {
            self.branches.set(self.branches.get() + 1);
            if self.branches.get() > MAX_BRANCHES {
                let problem = format!("leads to too many types; name one: `{code}:Type.{rest}`");
                return Err(Refused::Wrong(invalid(name, &problem)));
            }
            match self.parameter(std::slice::from_ref(&target), rest, value, links + 1) {
                Ok(parameter) => ends.push((target, parameter)),
                Err(Refused::Unknown(failure)) => refusal = Some(Refused::Unknown(failure)),
                Err(wrong) => return Err(wrong),
            }
        }
        match refusal {
            Some(refusal) if ends.is_empty() => Err(refusal),
            _ => Ok(Parameter {
                code: code.to_owned(),
                test: Test::Chain(ends),
            }),
        }
    }

    /// A modifier that is no type is wrong wherever it stands. A type that is not
    /// referred to may be one of another branch, unless there is only this one.
    fn no_target(&self, name: &str, target: Option<&str>, links: usize) -> Refused {
        let refused = unknown(name, "names a type that is not referred to");
        let is_type = |name| self.catalogue.definitions.is_resource_type(name);
        match (refused, target) {
            (Refused::Unknown(failure), Some(target)) if links == 0 || !is_type(target) => {
                Refused::Wrong(failure)
            }
            (refused, _) => refused,
        }
    }

    /// The types that the reference leads to: all of them, or the one that is named.
    fn targets(&self, types: &[String], code: &str, named: Option<&str>) -> Vec<String> {
        let params = types.iter().filter_map(|t| self.reference(t, code));
        let params: Vec<&Param> = params.collect();
        let all = self.catalogue.definitions.resource_types.iter();
        all.filter(|target| named.is_none_or(|named| named == target.as_str()))
            .filter(|target| params.iter().any(|param| param.may_refer_to(target)))
            .cloned()
            .collect()
    }
}

fn with_modifier(name: &str) -> (&str, Option<&str>) {
    match name.split_once(':') {
        Some((code, modifier)) => (code, Some(modifier)),
        None => (name, None),
    }
}
