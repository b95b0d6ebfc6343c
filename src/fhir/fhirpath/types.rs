//! `is`, `as`, `ofType`: the types of items.
//! <http://hl7.org/fhirpath/N1/#types>, <https://hl7.org/fhir/R4/fhirpath.html#types>

use super::error::{Error, Result};
use super::evaluate::Evaluator;
use super::item::{Collection, Item};
use super::tree::{Tree, TypeName};

const SYSTEM: &[&str] = &[
    "Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity",
];

/// A type specifier that stands where an argument does.
pub(super) fn type_argument(tree: &Tree) -> Result<TypeName> {
    match tree {
        Tree::Member { of: None, name } => Ok(TypeName {
            namespace: None,
            name: name.clone(),
        }),
        Tree::Member { of: Some(of), name } => match of.as_ref() {
            Tree::Member {
                of: None,
                name: namespace,
            } => Ok(TypeName {
                namespace: Some(namespace.clone()),
                name: name.clone(),
            }),
            _ => Err(Error::evaluation("the name of a type was expected")),
        },
        _ => Err(Error::evaluation("the name of a type was expected")),
    }
}

impl<'a> Evaluator<'a> {
    /// Inherited types count.
    pub(super) fn is_of(&self, item: Option<Item<'a>>, name: &TypeName) -> Result<Collection<'a>> {
        self.known(name)?;
        Ok(match item {
            Some(item) => {
                let is = self.matches(&item, name, |of| self.definitions.is_a(of, &name.name));
                vec![Item::Boolean(is)]
            }
            None => Vec::new(),
        })
    }

    /// Of a primitive only the very type: a `code` is no `string` here, as R4 has it.
    pub(super) fn of_type(&self, items: Collection<'a>, name: &TypeName) -> Result<Collection<'a>> {
        self.known(name)?;
        let fits = |item: &Item<'a>| {
            let primitive = item.node().is_some_and(super::item::Node::is_primitive);
            self.matches(item, name, |of| match primitive {
                true => of == name.name,
                false => self.definitions.is_a(of, &name.name),
            })
        };
        Ok(items.into_iter().filter(fits).collect())
    }

    fn matches(&self, item: &Item<'a>, name: &TypeName, fhir: impl Fn(&str) -> bool) -> bool {
        let (namespace, own) = item.type_name();
        let wanted = name.namespace.as_deref();
        match namespace {
            "FHIR" => wanted != Some("System") && fhir(&own),
            _ => wanted != Some("FHIR") && own == name.name,
        }
    }

    fn known(&self, name: &TypeName) -> Result<()> {
        let known = match name.namespace.as_deref() {
            Some("System") => true,
            Some("FHIR") => self.definitions.type_definition(&name.name).is_some(),
            Some(_) => false,
            None => {
                SYSTEM.contains(&name.name.as_str())
                    || self.definitions.type_definition(&name.name).is_some()
            }
        };
        match known {
            true => Ok(()),
            false => Err(Error::evaluation("there is no such type")),
        }
    }
}
