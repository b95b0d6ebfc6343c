//! Compiles the expression of a search parameter into straight typed paths.
//! <https://hl7.org/fhir/R4/searchparameter.html>: only the part of FHIRPath
//! that the official parameters use.

use super::path::{Path, Predicate, Step};
use crate::fhir::definitions::{Definitions, Element, TypeDefinition};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    pub paths: Vec<Path>,
    /// `X.exists() and X != false`: the value is whether there is one.
    pub existence: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("search expression of {resource_type} at `{rest}`: {reason}")]
pub struct ExpressionError {
    resource_type: String,
    rest: String,
    reason: &'static str,
}

pub fn compile(
    definitions: &Definitions,
    resource_type: &str,
    expression: &str,
) -> Result<Expression, ExpressionError> {
    let tested = existence_test(expression);
    let mut parser = Parser {
        definitions,
        resource_type,
        rest: tested.unwrap_or(expression).trim(),
    };
    let paths = parser.union()?;
    if parser.rest.is_empty() {
        Ok(Expression {
            paths,
            existence: tested.is_some(),
        })
    } else {
        Err(parser.error("unexpected text"))
    }
}

fn existence_test(expression: &str) -> Option<&str> {
    let (exists, differs) = expression.split_once(" and ")?;
    let element = exists.trim().strip_suffix(".exists()")?;
    (differs.trim().strip_suffix("!= false")?.trim() == element).then_some(element)
}

struct Parser<'a> {
    definitions: &'a Definitions,
    resource_type: &'a str,
    rest: &'a str,
}

type Parsed<T> = Result<T, ExpressionError>;

impl<'a> Parser<'a> {
    fn union(&mut self) -> Parsed<Vec<Path>> {
        let mut paths = self.term()?;
        while self.take("|") {
            paths.extend(self.term()?);
        }
        Ok(paths)
    }

    fn term(&mut self) -> Parsed<Vec<Path>> {
        let mut paths = self.primary()?;
        loop {
            if self.take(".") {
                paths = self.invocation(paths)?;
            } else if self.take("[") {
                paths = self.index(paths)?;
            } else if self.take("as ") {
                paths = self.only_type(paths)?;
            } else {
                return Ok(paths);
            }
        }
    }

    fn primary(&mut self) -> Parsed<Vec<Path>> {
        if self.take("(") {
            let paths = self.union()?;
            self.expect(")")?;
            return Ok(paths);
        }
        let name = self.word()?;
        let root = Path {
            steps: Vec::new(),
            leaf: self.resource_type.to_owned(),
            element: self.resource_type.to_owned(),
            targets: Vec::new(),
            binding: None,
            single: true,
        };
        if [self.resource_type, "Resource", "DomainResource"].contains(&name) {
            Ok(vec![root])
        } else {
            self.field(vec![root], name)
        }
    }

    fn invocation(&mut self, paths: Vec<Path>) -> Parsed<Vec<Path>> {
        let name = self.word()?;
        if !self.take("(") {
            return self.field(paths, name);
        }
        let paths = match name {
            "as" | "ofType" => self.only_type(paths)?,
            "where" => {
                let predicate = self.predicate()?;
                with_step(paths, &Step::Where(predicate))
            }
            "extension" => {
                let value = self.quoted()?.to_owned();
                let field = "url".to_owned();
                let paths = self.field(paths, "extension")?;
                let named = Step::Where(Predicate::Equals { field, value });
                self.field(with_step(paths, &named), "value")?
            }
            _ => return Err(self.error("unknown function")),
        };
        self.expect(")")?;
        Ok(paths)
    }

    fn predicate(&mut self) -> Parsed<Predicate> {
        if self.take("resolve() is ") {
            return Ok(Predicate::RefersTo(self.word()?.to_owned()));
        }
        if self.take("hasExtension(") {
            let url = self.quoted()?.to_owned();
            self.expect(")")?;
            return Ok(Predicate::HasExtension(url));
        }
        let field = self.word()?.to_owned();
        self.expect("=")?;
        let value = self.quoted()?.to_owned();
        Ok(Predicate::Equals { field, value })
    }

    fn index(&mut self, mut paths: Vec<Path>) -> Parsed<Vec<Path>> {
        let (digits, rest) = self
            .rest
            .split_once(']')
            .ok_or_else(|| self.error("`]` expected"))?;
        let index = digits
            .trim()
            .parse()
            .map_err(|_| self.error("an index expected"))?;
        for path in &mut paths {
            match path.steps.pop() {
                Some(Step::Field(name)) => path.steps.push(Step::Item(name, index)),
                _ => return Err(self.error("an index on no element")),
            }
        }
        self.rest = rest.trim_start();
        Ok(paths)
    }

    fn only_type(&mut self, mut paths: Vec<Path>) -> Parsed<Vec<Path>> {
        let name = self.word()?;
        // `value.as(DateTime)` of an official composite means `dateTime`.
        paths.retain(|path| path.leaf.eq_ignore_ascii_case(name));
        self.some(paths, "the element has no such type")
    }

    fn field(&self, paths: Vec<Path>, name: &str) -> Parsed<Vec<Path>> {
        let mut longer = Vec::new();
        for path in paths {
            let Some(definition) = self.definitions.type_definition(&path.leaf) else {
                continue;
            };
            let position = definition.elements.iter().position(|e| e.name == name);
            if let Some((index, element)) =
                position.and_then(|i| definition.elements.get(i).map(|e| (i, e)))
            {
                longer.extend(
                    properties(definition, index)
                        .map(|(property, leaf)| step_into(&path, element, property, leaf)),
                );
            }
        }
        // The definitions keep properties in a hash map.
        longer.sort_by(|a, b| (&a.element, &a.leaf).cmp(&(&b.element, &b.leaf)));
        self.some(longer, "no such element")
    }

    fn some(&self, paths: Vec<Path>, reason: &'static str) -> Parsed<Vec<Path>> {
        if paths.is_empty() {
            Err(self.error(reason))
        } else {
            Ok(paths)
        }
    }

    fn take(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &'static str) -> Parsed<()> {
        if self.take(token) {
            Ok(())
        } else {
            Err(self.error(token))
        }
    }

    fn word(&mut self) -> Parsed<&'a str> {
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        if word.is_empty() {
            return Err(self.error("a name expected"));
        }
        self.rest = rest.trim_start();
        Ok(word)
    }

    fn quoted(&mut self) -> Parsed<&'a str> {
        let (text, rest) = self
            .rest
            .strip_prefix('\'')
            .and_then(|rest| rest.split_once('\''))
            .ok_or_else(|| self.error("a quoted text expected"))?;
        self.rest = rest.trim_start();
        Ok(text)
    }

    fn error(&self, reason: &'static str) -> ExpressionError {
        ExpressionError {
            resource_type: self.resource_type.to_owned(),
            rest: self.rest.to_owned(),
            reason,
        }
    }
}

fn properties(definition: &TypeDefinition, index: usize) -> impl Iterator<Item = (&str, &str)> {
    definition
        .properties
        .iter()
        .filter(move |(_, (element, _))| *element == index)
        .map(|(property, (_, leaf))| (property.as_str(), leaf.as_str()))
}

fn step_into(path: &Path, element: &Element, property: &str, leaf: &str) -> Path {
    let mut steps = path.steps.clone();
    steps.push(Step::Field(property.to_owned()));
    Path {
        steps,
        leaf: leaf.to_owned(),
        element: format!("{}.{}", path.element, element.name),
        targets: element.targets_of(leaf).to_vec(),
        binding: element.required_binding.clone(),
        single: path.single && !element.array,
    }
}

fn with_step(mut paths: Vec<Path>, step: &Step) -> Vec<Path> {
    for path in &mut paths {
        path.steps.push(step.clone());
        if let Step::Where(Predicate::RefersTo(target)) = step {
            path.targets = vec![target.clone()];
        }
    }
    paths
}
