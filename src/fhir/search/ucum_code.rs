//! UCUM codes, read by their grammar.
//! <https://ucum.org/ucum#section-Syntax-Rules>

use super::decimal::Decimal;
use super::ucum::Unit;
use super::ucum_units::{BASE, PREFIXES, UNITS};

/// A definition refers to few others.
const DEEPEST: usize = 12;

/// `None` where the code is not known.
pub(super) fn read(code: &str) -> Option<Unit> {
    let offset = match code {
        "Cel" => Some("273.15"),
        "[degF]" => Some("459.67"),
        _ => None,
    };
    let mut parser = Parser {
        rest: code,
        depth: 0,
    };
    let unit = parser.term()?;
    let powers = unit.base.iter();
    let powers: Vec<_> = powers
        .map(|(base, power)| format!("{base}{power}"))
        .collect();
    parser.rest.is_empty().then_some(Unit {
        offset: offset.and_then(Decimal::parse),
        kind: powers.join("."),
        ..unit
    })
}

struct Parser<'c> {
    rest: &'c str,
    depth: usize,
}

impl<'c> Parser<'c> {
    fn term(&mut self) -> Option<Unit> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let mut unit = if self.take('/') {
            self.component()?.inverse()
        } else {
            self.component()?
        };
        loop {
            if self.take('.') {
                unit = unit.times(self.component()?)?;
            } else if self.take('/') {
                unit = unit.times(self.component()?.inverse())?;
            } else {
                self.depth -= 1;
                return Some(unit);
            }
        }
    }

    fn component(&mut self) -> Option<Unit> {
        if self.take('(') {
            let unit = self.term()?;
            return self.take(')').then_some(unit);
        }
        if self.rest.starts_with('{') {
            self.annotation()?;
            return Some(Unit::number(1, 1, 0));
        }
        let unit = if self.rest.starts_with("10*") || self.rest.starts_with("10^") {
            self.rest = self.rest.get(3..)?;
            Unit::number(1, 1, 1)
        } else if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            return Some(Unit::number(self.digits()?.parse().ok()?, 1, 0));
        } else {
            self.symbol()?
        };
        let unit = match self.exponent()? {
            Some(power) => unit.power(power)?,
            None => unit,
        };
        if self.rest.starts_with('{') {
            self.annotation()?;
        }
        Some(unit)
    }

    fn annotation(&mut self) -> Option<()> {
        let (_, rest) = self.rest.split_once('}')?;
        self.rest = rest;
        Some(())
    }

    fn exponent(&mut self) -> Option<Option<i32>> {
        let negative = self.take('-');
        let signed = negative || self.take('+');
        if !signed && !self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            return Some(None);
        }
        let power: i32 = self.digits()?.parse().ok().filter(|power| *power <= 30)?;
        Some(Some(if negative { -power } else { power }))
    }

    fn digits(&mut self) -> Option<&'c str> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit());
        let (digits, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        (!digits.is_empty() && digits.len() < 10).then_some(digits)
    }

    /// Up to an operator, an annotation or an exponent; brackets are one piece.
    fn symbol(&mut self) -> Option<Unit> {
        let mut inside = false;
        let end = self.rest.find(|c: char| {
            inside = (inside || c == '[') && c != ']';
            !inside && (matches!(c, '.' | '/' | '(' | ')' | '{' | '+' | '-') || c.is_ascii_digit())
        });
        let (symbol, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        self.atom(symbol, false).or_else(|| {
            PREFIXES.iter().find_map(|(prefix, power)| {
                let unit = self.atom(symbol.strip_prefix(prefix)?, true)?;
                unit.times(Unit::number(1, 1, *power))
            })
        })
    }

    fn atom(&self, symbol: &str, prefixed: bool) -> Option<Unit> {
        if let Some(base) = BASE.iter().find(|(base, _)| *base == symbol) {
            let mut unit = Unit::number(1, 1, 0);
            unit.base.insert(base.0, 1);
            return (base.1 || !prefixed).then_some(unit);
        }
        let (_, metric, factor, of) = UNITS.iter().find(|(code, ..)| *code == symbol)?;
        if prefixed && !metric {
            return None;
        }
        let mut parser = Parser {
            rest: of,
            depth: self.depth,
        };
        let factor = Decimal::parse(factor)?;
        let mantissa = factor.mantissa.unsigned_abs();
        parser
            .term()?
            .times(Unit::number(mantissa, 1, factor.exponent))
    }

    fn take(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}
