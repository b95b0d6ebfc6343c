//! Resource -> index rows. <https://hl7.org/fhir/R4/search.html#ptypes>

use serde_json::{Map, Value};

use super::catalogue::{Catalogue, Param, Storage};
use super::composite::{Composite, scope_beside};
use super::key::{Fact, fact_key, identity_key, param_key, unit_key};
use super::order::{Extent, of_time};
use super::path::text;
use super::reference::Base;
use super::token::{self, Token};
use super::{date, quantity, reference, string};
use crate::fhir::definitions::ParamKind;
use crate::store::{IndexKey, IndexRows};

impl Catalogue {
    /// Everything a resource can be found by. A value that is not what its
    /// element should hold gives no row.
    pub fn extract(&self, resource_type: &str, resource: &Map<String, Value>) -> IndexRows {
        let mut rows = IndexRows {
            identity: text(resource, "id").map(|id| identity_key(&format!("{resource_type}/{id}"))),
            ..IndexRows::default()
        };
        for param in self.params(resource_type) {
            let mut facts = Facts::of(&self.base, param);
            facts.param(resource);
            facts.finish(&mut rows);
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
    rows.ranges.sort_unstable();
    rows.ranges.dedup();
}

/// Gathers the values of one parameter.
struct Facts<'a> {
    base: &'a Base,
    param: &'a Param,
    /// The parameter's own, or that beside the first value of a composite.
    scope: &'a str,
    rows: IndexRows,
    extent: Extent,
    present: bool,
}

impl<'a> Facts<'a> {
    fn of(base: &'a Base, param: &'a Param) -> Self {
        Self {
            base,
            param,
            scope: &param.scope,
            rows: IndexRows::default(),
            extent: Extent::default(),
            present: false,
        }
    }

    fn param(&mut self, resource: &Map<String, Value>) {
        if matches!(self.param.storage, Storage::Id | Storage::Updated) {
            return;
        }
        if self.param.expression.existence {
            return self.existence(resource);
        }
        for composite in &self.param.composites {
            composite.visit(resource, &mut |object| self.composite(composite, object));
        }
        if self.param.kind != ParamKind::Composite {
            self.values(resource);
        }
    }

    fn values(&mut self, object: &Map<String, Value>) {
        let param = self.param;
        for path in &param.expression.paths {
            path.visit(object, &mut |value| self.value(&path.leaf, value));
        }
    }

    fn value(&mut self, leaf: &str, value: &Value) {
        match self.param.kind {
            ParamKind::Token => self.tokens(leaf, value),
            ParamKind::Reference => self.references(leaf, value),
            ParamKind::String => self.strings(value),
            ParamKind::Date => self.date(value),
            ParamKind::Uri => self.uri(leaf, value),
            ParamKind::Number => self.number(value),
            ParamKind::Quantity => self.quantity(leaf, value),
            // Composites are taken apart, and special ones are not searchable.
            ParamKind::Composite | ParamKind::Special => {}
        }
    }

    /// The second value beside every fact of the first.
    fn composite(&mut self, composite: &Composite, object: &Map<String, Value>) {
        let param = self.param;
        let fold = composite.first.folds_case();
        let mut firsts = Vec::new();
        for path in &composite.first.expression.paths {
            path.visit(object, &mut |value| {
                for token in token::tokens(&path.leaf, value) {
                    firsts.extend(token::code_keys(&param.scope, &param.code, &token, fold));
                }
            });
        }
        for first in firsts {
            let scope = scope_beside(first);
            let mut second = Facts {
                scope: &scope,
                ..Facts::of(self.base, &composite.second)
            };
            second.values(object);
            self.present |= second.present;
            self.rows.keys.append(&mut second.rows.keys);
            self.rows.texts.append(&mut second.rows.texts);
            self.rows.ranges.append(&mut second.rows.ranges);
        }
    }

    fn key(&self, fact: Fact<'_>) -> IndexKey {
        fact_key(self.scope, &self.param.code, fact)
    }

    fn push(&mut self, fact: Fact<'_>) {
        self.rows.keys.push(self.key(fact));
        self.present = true;
    }

    fn text(&mut self, text: String) {
        let row = param_key(self.scope, &self.param.code);
        self.rows.texts.push((row, text));
        self.present = true;
    }

    fn tokens(&mut self, leaf: &str, value: &Value) {
        let fold = self.param.folds_case();
        for token in token::tokens(leaf, value) {
            self.token(&token, fold);
        }
        if self.scope != self.param.scope {
            // Nothing asks for more than the code beside another value.
            return;
        }
        for fact in token::typed(leaf, value) {
            self.push(fact);
        }
        for text in token::texts(leaf, value) {
            let folded = string::fold(text);
            if !folded.is_empty() {
                self.text(folded);
            }
        }
    }

    fn token_keys(&mut self, token: &Token<'_>, fold: bool) {
        let keys = token::keys(self.scope, &self.param.code, token, fold);
        self.present |= !keys.is_empty();
        self.rows.keys.extend(keys);
    }

    fn token(&mut self, token: &Token<'_>, fold: bool) {
        self.token_keys(token, fold);
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

    fn references(&mut self, leaf: &str, value: &Value) {
        let targets = reference::targets(self.base, leaf, value);
        for target in &targets.texts {
            self.extent.add(target);
            if self.param.storage == Storage::Owner {
                self.present = true;
                self.rows.owner = Some(identity_key(target));
            } else {
                self.push(Fact::Reference(target));
            }
        }
        if let Some((system, value)) = &targets.identifier {
            let identifier = Token {
                system: Some(system.as_str()).filter(|system| !system.is_empty()),
                code: Some(value),
            };
            self.token_keys(&identifier, false);
        }
    }

    fn strings(&mut self, value: &Value) {
        for text in string::texts(value) {
            let folded = string::fold(text);
            if folded.is_empty() {
                continue;
            }
            self.extent.add(&folded);
            self.text(folded);
            self.push(Fact::Exact(text));
        }
    }

    fn date(&mut self, value: &Value) {
        let Some((low, high)) = date::range_of(value) else {
            return;
        };
        if self.param.storage == Storage::Moment {
            self.rows.moment = Some((low, high));
            return;
        }
        let row = param_key(self.scope, &self.param.code);
        self.rows.ranges.push((row, low, high));
        self.extent.add(&of_time(low));
        self.present = true;
    }

    fn number(&mut self, value: &Value) {
        let Some((low, high)) = quantity::of_number(value) else {
            return;
        };
        let row = param_key(self.scope, &self.param.code);
        self.rows.ranges.push((row, low, high));
        self.extent.add(&of_time(low));
        self.present = true;
    }

    fn quantity(&mut self, leaf: &str, value: &Value) {
        let alternatives = quantity::of_quantity(leaf, value);
        if let Some((_, (low, _))) = alternatives.last() {
            self.extent.add(&of_time(*low));
        }
        for (unit, (low, high)) in alternatives {
            let row = unit_key(self.scope, &self.param.code, &unit);
            self.rows.ranges.push((row, low, high));
            self.present = true;
        }
    }

    fn uri(&mut self, leaf: &str, value: &Value) {
        let Some(uri) = value.as_str().filter(|uri| !uri.is_empty()) else {
            return;
        };
        self.extent.add(uri);
        self.text(string::cut(uri));
        if leaf == "canonical" {
            reference::with_and_without_version(uri).for_each(|uri| self.push(Fact::Uri(uri)));
        } else {
            self.push(Fact::Uri(uri));
        }
    }

    fn finish(mut self, rows: &mut IndexRows) {
        let param = self.param;
        // Nobody sorts by tags and profiles; leaving them out saves their space.
        if !param.scope.is_empty() {
            rows.order.extend(self.extent.into_rows(&param.code));
        }
        if !param.parts.is_empty() {
            return;
        }
        if self.present && has_present_fact(param) {
            let fact = fact_key(self.scope, &param.code, Fact::Present);
            self.rows.keys.push(fact);
        }
        rows.owner = rows.owner.or(self.rows.owner);
        rows.moment = rows.moment.or(self.rows.moment);
        rows.keys.append(&mut self.rows.keys);
        rows.texts.append(&mut self.rows.texts);
        rows.ranges.append(&mut self.rows.ranges);
    }
}

/// Whether there is a value is asked of the rows themselves where there is one
/// row for each.
pub(super) fn has_present_fact(param: &Param) -> bool {
    !matches!(
        param.kind,
        ParamKind::Date | ParamKind::String | ParamKind::Number | ParamKind::Quantity
    )
}
