//! Resource -> index rows. <https://hl7.org/fhir/R4/search.html#ptypes>

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::catalogue::{Catalogue, Param, Storage};
use super::composite::{Composite, scope_beside};
use super::date::Range;
use super::key::{Fact, fact_key, identity_key, param_key, unit_key};
use super::order::{Extent, of_time};
use super::path::text;
use super::quantity::UnitName;
use super::reference::Base;
use super::row_order::sort_and_deduplicate;
use super::sensitivity::sensitive_label_keys_of;
use super::token::{self, Token};
use super::{date, near, quantity, reference, sound, string};
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
        rows.keys.extend(sensitive_label_keys_of(resource));
        sort_and_deduplicate(&mut rows);
        rows
    }
}

/// Gathers the values of one parameter.
struct Facts<'a> {
    base: &'a Base,
    param: &'a Param,
    /// The parameter's own, or that beside the first value of a composite.
    scope: &'a str,
    rows: IndexRows,
    /// Each in every way in which it can be asked for.
    quantities: Vec<Vec<(UnitName, Range)>>,
    extent: Extent,
    present: bool,
}

/// A value of a composite's first parameter: the code with its system and
/// whatever the system, and where the second value stands beside it.
struct First<'a, 'v> {
    with_system: IndexKey,
    code: IndexKey,
    /// Any code of its system, where it has one.
    system: Option<IndexKey>,
    composite: &'a Composite,
    object: &'v Map<String, Value>,
}

impl<'a> Facts<'a> {
    fn of(base: &'a Base, param: &'a Param) -> Self {
        Self {
            base,
            param,
            scope: &param.scope,
            rows: IndexRows::default(),
            quantities: Vec::new(),
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
        self.composites(resource);
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
            ParamKind::String if self.param.storage == Storage::Sounds => self.sounds(value),
            ParamKind::Special => self.place(value),
            ParamKind::Token => self.tokens(leaf, value),
            ParamKind::Reference => self.references(leaf, value),
            ParamKind::String => self.strings(value),
            ParamKind::Date => self.date(value),
            ParamKind::Uri => self.uri(leaf, value),
            ParamKind::Number => self.number(value),
            ParamKind::Quantity => self.quantity(leaf, value),
            // Taken apart.
            ParamKind::Composite => {}
        }
    }

    /// The second values beside each system and each code of the first. Where the code is of one
    /// system throughout, a fact says so; else they stand beside each code
    /// with its system once more.
    fn composites(&mut self, resource: &Map<String, Value>) {
        let mut firsts = Vec::new();
        for composite in &self.param.composites {
            composite.visit(resource, &mut |object| {
                firsts.extend(self.firsts(composite, object));
            });
        }
        let systems: BTreeSet<_> = firsts.iter().filter_map(|first| first.system).collect();
        for key in systems {
            self.beside(key, firsts.iter().filter(|one| one.system == Some(key)));
        }
        for code in firsts.iter().map(|one| one.code).collect::<BTreeSet<_>>() {
            let of_code = || firsts.iter().filter(move |first| first.code == code);
            self.beside(code, of_code());
            let systems: BTreeSet<_> = of_code().map(|first| first.with_system).collect();
            if systems.len() == 1 {
                self.rows.keys.extend(systems);
                continue;
            }
            for system in systems {
                self.beside(
                    system,
                    of_code().filter(|first| first.with_system == system),
                );
            }
        }
    }

    fn firsts<'v>(
        &self,
        composite: &'a Composite,
        object: &'v Map<String, Value>,
    ) -> Vec<First<'a, 'v>> {
        let (param, fold) = (self.param, composite.first.folds_case());
        let mut firsts = Vec::new();
        for path in &composite.first.expression.paths {
            path.visit(object, &mut |value| {
                for token in token::tokens(&path.leaf, value) {
                    let keys = token::code_keys(&param.scope, &param.code, &token, fold);
                    let system = token.system.map(|system| self.key(Fact::System(system)));
                    firsts.extend(keys.map(|[with_system, code]| First {
                        with_system,
                        code,
                        system,
                        composite,
                        object,
                    }));
                }
            });
        }
        firsts
    }

    fn beside<'f, 'v: 'f>(
        &mut self,
        first: IndexKey,
        places: impl Iterator<Item = &'f First<'a, 'v>>,
    ) where
        'a: 'f,
    {
        let scope = scope_beside(first);
        let mut all = Facts {
            scope: &scope,
            ..Facts::of(self.base, self.param)
        };
        for First {
            composite, object, ..
        } in places
        {
            let mut second = Facts {
                scope: &scope,
                ..Facts::of(self.base, &composite.second)
            };
            second.values(object);
            all.append(second);
        }
        all.measured();
        self.append(all);
    }

    fn append(&mut self, mut other: Facts<'_>) {
        self.present |= other.present;
        self.quantities.append(&mut other.quantities);
        self.rows.keys.append(&mut other.rows.keys);
        self.rows.texts.append(&mut other.rows.texts);
        self.rows.ranges.append(&mut other.rows.ranges);
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

    fn sounds(&mut self, value: &Value) {
        let codes = sound::of_value(value).into_iter().flatten();
        codes.for_each(|code| self.push(Fact::Code(&code)));
    }

    fn place(&mut self, value: &Value) {
        let rows = near::rows(self.scope, &self.param.code, value);
        for (row, coordinate) in rows.into_iter().flatten() {
            self.rows.ranges.push((row, coordinate, coordinate));
            self.present = true;
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
        self.range((low, high));
    }

    fn number(&mut self, value: &Value) {
        if let Some(range) = quantity::of_number(value) {
            self.range(range);
        }
    }

    fn range(&mut self, (low, high): Range) {
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
        if !alternatives.is_empty() {
            self.present = true;
            self.quantities.push(alternatives);
        }
    }

    /// The plain number, and the value in base units. A unit by its name is a
    /// fact where all the numbers are in it; else those that are stand once more.
    fn measured(&mut self) {
        let quantities = std::mem::take(&mut self.quantities);
        let is_in = |names: &[(UnitName, Range)], unit| names.iter().any(|(name, _)| name == unit);
        for (unit, (low, high)) in quantities.iter().flatten() {
            let row = unit_key(self.scope, &self.param.code, unit);
            if unit.names_plain_numbers() && quantities.iter().all(|names| is_in(names, unit)) {
                self.rows.keys.push(row);
            } else {
                self.rows.ranges.push((row, *low, *high));
            }
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
        self.measured();
        // Nobody sorts by tags and profiles; leaving them out saves their space.
        if !param.scope.is_empty() {
            rows.order.extend(self.extent.into_rows(&param.code));
        }
        if !param.parts.is_empty() {
            return;
        }
        if self.present && param.has_present_fact() {
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
