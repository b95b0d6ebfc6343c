//! The search parameters as lines: `param code kind url`, then indented
//! `on Type expression`, `target Type...` and `component url expression`.
//! <https://hl7.org/fhir/R4/searchparameter.html>

use std::collections::BTreeMap;

use serde_json::Value;

use super::bundle::{last_segment, list, required, text, texts};
use crate::Result;

/// Parameters without an expression (`_text`, `_content`, `_query`, `_filter`,
/// two extension parameters) and without a base (ten extension parameters) say
/// nothing that can be extracted and are left out, and so are the examples of
/// the SearchParameter page, which redefine `_id` and `Condition.subject`.
pub fn table(parameters: &[&Value], types: &[&str]) -> Result<String> {
    let mut blocks = BTreeMap::new();
    for parameter in parameters {
        let url = required(parameter, "url")?;
        if let Some(expression) = text(parameter, "expression")
            && !last_segment(url).starts_with("example")
        {
            let block = block(parameter, expression, types)?;
            blocks.insert((required(parameter, "code")?, url), block);
        }
    }
    Ok(blocks.into_values().collect())
}

fn block(parameter: &Value, expression: &str, types: &[&str]) -> Result<String> {
    let mut out = format!(
        "param {} {} {}\n",
        required(parameter, "code")?,
        required(parameter, "type")?,
        required(parameter, "url")?
    );
    for base in texts(parameter, "base") {
        let alternatives = alternatives_for(expression, base, types);
        if !alternatives.is_empty() {
            out.push_str(&format!("  on {base} {}\n", alternatives.join(" | ")));
        }
    }
    let targets = texts(parameter, "target");
    if !targets.is_empty() {
        out.push_str(&format!("  target {}\n", targets.join(" ")));
    }
    for component in list(parameter, "component") {
        let (url, expression) = (
            required(component, "definition")?,
            required(component, "expression")?,
        );
        out.push_str(&format!("  component {url} {expression}\n"));
    }
    Ok(out)
}

/// An alternative that starts at another type does not concern this one; one
/// that starts at no type at all (`name | alias`) does.
fn alternatives_for<'a>(expression: &'a str, base: &str, types: &[&str]) -> Vec<&'a str> {
    split_union(expression)
        .into_iter()
        .filter(|alternative| {
            let head = alternative.trim_start_matches('(');
            let end = head
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(head.len());
            let head = head.get(..end).unwrap_or(head);
            head == base || !types.contains(&head)
        })
        .collect()
}

/// Splits at `|` outside of parentheses and quotes.
fn split_union(expression: &str) -> Vec<&str> {
    let (mut depth, mut quoted) = (0_i32, false);
    expression
        .split(|c| {
            match c {
                '\'' => quoted = !quoted,
                '(' if !quoted => depth += 1,
                ')' if !quoted => depth -= 1,
                _ => {}
            }
            c == '|' && depth == 0 && !quoted
        })
        .map(str::trim)
        .filter(|alternative| !alternative.is_empty())
        .collect()
}
