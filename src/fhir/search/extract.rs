//! Resource -> index rows. <https://hl7.org/fhir/R4/search.html#ptypes>

use serde_json::{Map, Value};

use super::catalogue::{Catalogue, Param, Storage};
use super::key::{Fact, fact_key, owner_key, param_key};
use super::order::{Extent, of_time};
use super::token::{self, Token};
use super::{date, reference, string};
use crate::fhir::definitions::ParamKind;
use crate::store::{IndexKey, IndexRows};

impl Catalogue {
    /// Everything a resource can be found by. A value that is not what its
    /// element should hold gives no row.
    pub fn extract(&self, resource_type: &str, resource: &Map<String, Value>) -> IndexRows {
        let mut rows = IndexRows::default();
        for param in self.params(resource_type) {
            let mut facts = Facts::of(param, &mut rows);
            match param.kind {
                ParamKind::Token => facts.tokens(resource),
                ParamKind::Reference => facts.references(self, resource),
                ParamKind::String => facts.strings(resource),
                ParamKind::Date => facts.dates(resource),
                ParamKind::Uri => facts.uris(resource),
                // Never in the catalogue: see `is_searchable`.
                ParamKind::Number
                | ParamKind::Quantity
                | ParamKind::Composite
                | ParamKind::Special => {}
            }
            facts.finish();
        }
        rows.keys.extend(self.compartments(resource_type, resource));
        tidy(&mut rows);
        rows
    }
}

/// A fact stands once.
fn tidy(rows: &mut IndexRows) {
    rows.keys.sort_unstable();
    rows.keys.dedup();
    rows.texts.sort_unstable();
    rows.texts.dedup();
    rows.dates.sort_unstable();
    rows.dates.dedup();
}

/// Gathers the values of one parameter.
struct Facts<'a> {
    param: &'a Param,
    rows: &'a mut IndexRows,
    extent: Extent,
    present: bool,
}

impl<'a> Facts<'a> {
    fn of(param: &'a Param, rows: &'a mut IndexRows) -> Self {
        Self {
            param,
            rows,
            extent: Extent::default(),
            present: false,
        }
    }

    fn key(&self, fact: Fact<'_>) -> IndexKey {
        fact_key(&self.param.scope, &self.param.code, fact)
    }

    fn push(&mut self, fact: Fact<'_>) {
        self.rows.keys.push(self.key(fact));
        self.present = true;
    }

    fn tokens(&mut self, resource: &Map<String, Value>) {
        let param = self.param;
        if param.storage == Storage::Id {
            return;
        }
        if param.expression.existence {
            return self.existence(resource);
        }
        let fold = param.folds_case();
        for path in &param.expression.paths {
            path.visit(resource, &mut |value| {
                for token in token::tokens(&path.leaf, value) {
                    self.token(&token, fold);
                }
            });
        }
    }

    fn token(&mut self, token: &Token<'_>, fold: bool) {
        let keys = token::keys(&self.param.scope, &self.param.code, token, fold);
        self.present |= !keys.is_empty();
        self.rows.keys.extend(keys);
        if let Some(code) = token.code {
            self.extent.add(&token::folded(code, fold));
        }
    }

    /// There is a value, and it isn't `false`.
    fn existence(&mut self, resource: &Map<String, Value>) {
        let mut exists = false;
        for path in &self.param.expression.paths {
            path.visit(resource, &mut |value| {
                exists |= value != &Value::Bool(false)
            });
        }
        self.token(&token::flag_token(exists), false);
    }

    fn references(&mut self, catalogue: &Catalogue, resource: &Map<String, Value>) {
        let param = self.param;
        for path in &param.expression.paths {
            path.visit(resource, &mut |value| {
                let targets = reference::targets(&catalogue.base, &path.leaf, value);
                for target in &targets.texts {
                    self.extent.add(target);
                    if param.storage == Storage::Owner {
                        self.present = true;
                        self.rows.owner = Some(owner_key(target));
                    } else {
                        self.push(Fact::Reference(target));
                    }
                }
                if let Some((system, value)) = &targets.identifier {
                    self.push(Fact::Identifier(system, value));
                    self.push(Fact::Identifier("", value));
                }
            });
        }
    }

    fn strings(&mut self, resource: &Map<String, Value>) {
        let param = self.param;
        let row = param_key(&param.scope, &param.code);
        for path in &param.expression.paths {
            path.visit(resource, &mut |value| {
                for text in string::texts(value) {
                    let folded = string::fold(text);
                    if folded.is_empty() {
                        continue;
                    }
                    self.extent.add(&folded);
                    self.rows.texts.push((row, folded));
                    let exact = self.key(Fact::Exact(text));
                    self.rows.keys.push(exact);
                }
            });
        }
    }

    fn dates(&mut self, resource: &Map<String, Value>) {
        let param = self.param;
        let row = param_key(&param.scope, &param.code);
        for path in &param.expression.paths {
            path.visit(resource, &mut |value| {
                let Some((low, high)) = date::range_of(value) else {
                    return;
                };
                match param.storage {
                    Storage::Moment => self.rows.moment = Some((low, high)),
                    Storage::Rows => {
                        self.rows.dates.push((row, low, high));
                        self.extent.add(&of_time(low));
                    }
                    Storage::Id | Storage::Updated | Storage::Owner => {}
                }
            });
        }
    }

    fn uris(&mut self, resource: &Map<String, Value>) {
        let param = self.param;
        for path in &param.expression.paths {
            path.visit(resource, &mut |value| {
                let Some(uri) = value.as_str().filter(|uri| !uri.is_empty()) else {
                    return;
                };
                self.extent.add(uri);
                if path.leaf == "canonical" {
                    reference::with_and_without_version(uri)
                        .for_each(|uri| self.push(Fact::Uri(uri)));
                } else {
                    self.push(Fact::Uri(uri));
                }
            });
        }
    }

    fn finish(mut self) {
        if self.present {
            self.push(Fact::Present);
        }
        let param = self.param;
        // Nobody sorts by tags and profiles; leaving them out saves their space.
        if !param.scope.is_empty() {
            let extent = std::mem::take(&mut self.extent);
            self.rows.order.extend(extent.into_rows(&param.code));
        }
    }
}
