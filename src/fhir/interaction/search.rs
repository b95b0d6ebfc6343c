//! search. <https://hl7.org/fhir/R4/http.html#search>

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::super::admission::AUDIT_EVENT;
use super::super::answer::Answer;
use super::super::authority::{Authority, Permission};
use super::super::bundle::{BundleWriter, quoted};
use super::super::cursor::Tie;
use super::super::engine::{Engine, now, unavailable};
use super::super::index::{refusal, warning};
use super::super::link;
use super::super::outcome::{Failure, Issue, Kind, outcome};
use super::super::request::Request;
use super::super::resource::{Resource, parse_stored, render};
use super::super::search::page::{self, Place};
use super::super::search::parameter::Test;
use super::super::search::{Compartment, Include, Query, Settings, Total, compile};
use super::super::view::View;
use super::route::SearchIn;
use crate::store::{Comparison, Filter, Found, Position, ResourceKey, SearchPlan, Stored};

pub async fn search(
    engine: &Engine,
    authority: &dyn Authority,
    request: &Request,
    place: SearchIn,
) -> Result<Answer, Failure> {
    let view = View::of(request)?;
    let Prepared { query, plan, tie } = prepare(engine, authority, request, &place)?;
    let count_only = view.is_count() || query.count == 0;
    let gap = match engine.index.gap_of(&plan) {
        None if !query.revincludes.is_empty() => engine.index.gap(),
        gap => gap,
    };
    if let (Some(gap), true) = (&gap, count_only || query.total.is_some_and(is_counted)) {
        // A number has no place for a warning.
        return Err(refusal(gap, "results cannot be counted"));
    }
    let found = if count_only {
        Found::default()
    } else {
        let found = engine.store.search(&plan).await;
        in_reading_order(found.map_err(|error| unavailable(&error))?, plan.backwards)
    };
    let total = match gap {
        Some(_) => None,
        None => total(engine, &query, &plan, &found, count_only).await?,
    };
    let included = included(engine, authority, &query, &found).await?;
    let understood = Request {
        query: query.used.clone(),
        ..request.clone()
    };
    let links = links(engine, &understood, &tie, &plan, &found);
    let mut bundle = BundleWriter::new("searchset", total, &links);
    for stored in &found.rows {
        write(engine, &view, &mut bundle, stored, "match")?;
    }
    for stored in &included {
        write(engine, &view, &mut bundle, stored, "include")?;
    }
    let mut issues = issues(&query, gap.as_deref());
    if query.types.iter().any(|name| name == AUDIT_EVENT) {
        let missing = engine.trail.missing().into_iter();
        issues.extend(missing.map(|text| Issue::warning(Kind::Internal, text)));
    }
    write_issues(&mut bundle, issues);
    let answer = Answer::content(200, view.layout(bundle.finish())?);
    Ok(answer.showing(found.rows.iter().chain(&included)))
}

/// A previous page was fetched from its end.
fn in_reading_order(mut found: Found, backwards: bool) -> Found {
    if backwards {
        found.rows.reverse();
        found.positions.reverse();
    }
    found
}

/// A search understood: the query, its plan and what ties cursors to it.
struct Prepared {
    query: Query,
    plan: SearchPlan,
    tie: Tie,
}

fn prepare(
    engine: &Engine,
    authority: &dyn Authority,
    request: &Request,
    place: &SearchIn,
) -> Result<Prepared, Failure> {
    let (resource_type, compartment) = match place {
        SearchIn::System => (None, None),
        SearchIn::Type(name) => (Some(name.as_str()), None),
        SearchIn::Compartment(key, member) => (
            member.as_deref(),
            Some(Compartment {
                code: key.resource_type.clone(),
                id: key.id.clone(),
            }),
        ),
    };
    let scope = authority.scope(Permission::Search, resource_type)?;
    let settings = engine.search_settings(request.lenient);
    let query = query(engine, authority, resource_type, &request.query, &settings)?;
    let mut plan = compile(
        &engine.catalogue,
        &query,
        compartment.as_ref(),
        scope,
        now(),
    )?;
    if matches!(place, SearchIn::System) && query.types.is_empty() {
        // They are asked for by their name: each poll of everything makes one, so that
        // the next would always find something.
        let trail = Filter::Is(Comparison::Type(vec![AUDIT_EVENT.to_owned()]));
        plan.filter = Filter::All(vec![plan.filter, Filter::Not(Box::new(trail))]);
    }
    let tie = page::tie(
        &engine.settings.cursors,
        authority.identity(),
        &query,
        compartment.as_ref(),
    );
    if let Some(cursor) = &query.cursor {
        let place = page::decode(cursor, &tie, &plan.order)?;
        plan.after = place.position;
        plan.backwards = place.backwards;
    }
    Ok(Prepared { query, plan, tie })
}

/// The query of a caller: its links lead only through types that this one may
/// search, or they would tell what is hidden.
pub fn query(
    engine: &Engine,
    authority: &dyn Authority,
    resource_type: Option<&str>,
    pairs: &[(String, String)],
    settings: &Settings,
) -> Result<Query, Failure> {
    let mut query = Query::parse(&engine.catalogue, resource_type, pairs, settings)?;
    for parameter in &mut query.parameters {
        granted(authority, &mut parameter.test)?;
    }
    Ok(query)
}

/// Of a chain without a type, the ends that are open to the caller are left.
fn granted(authority: &dyn Authority, test: &mut Test) -> Result<(), Failure> {
    let may_search = |name: &str| authority.scope(Permission::Search, Some(name));
    match test {
        Test::Has(has) => {
            may_search(&has.source)?;
            granted(authority, &mut has.parameter.test)
        }
        Test::Chain(ends) => {
            let mut refusal = None;
            ends.retain_mut(|(target, parameter)| {
                let end = may_search(target);
                match end.and_then(|_| granted(authority, &mut parameter.test)) {
                    Ok(()) => true,
                    Err(failure) => {
                        refusal = Some(failure);
                        false
                    }
                }
            });
            match refusal {
                Some(failure) if ends.is_empty() => Err(failure),
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

fn is_counted(total: Total) -> bool {
    matches!(total, Total::Accurate | Total::Estimate)
}

/// Counted where asked for, or where it costs nothing.
async fn total(
    engine: &Engine,
    query: &Query,
    plan: &SearchPlan,
    found: &Found,
    count_only: bool,
) -> Result<Option<u64>, Failure> {
    let asked = count_only || query.total.is_some_and(is_counted);
    if asked {
        let total = engine.store.count(plan).await;
        return total.map(Some).map_err(|error| unavailable(&error));
    }
    let whole = plan.after.is_none() && !found.more && query.total.is_none();
    Ok(whole.then_some(found.rows.len() as u64))
}

/// What `_include` and `_revinclude` bring, each resource once.
async fn included(
    engine: &Engine,
    authority: &dyn Authority,
    query: &Query,
    found: &Found,
) -> Result<Vec<Stored>, Failure> {
    if query.includes.is_empty() && query.revincludes.is_empty() {
        return Ok(Vec::new());
    }
    let mut seen: HashSet<ResourceKey> = found.rows.iter().map(|row| row.key.clone()).collect();
    let mut all = Vec::new();
    let mut round = parsed(&found.rows)?;
    let mut first = true;
    while !round.is_empty() {
        let brought = include_round(engine, authority, query, &round, first).await?;
        let mut fresh = Vec::new();
        for stored in brought {
            if stored.body.is_some() && seen.insert(stored.key.clone()) {
                fresh.push(stored);
            }
        }
        if all.len() + fresh.len() > most_included(engine) {
            return Err(too_many_included());
        }
        round = parsed(&fresh)?;
        all.extend(fresh);
        first = false;
    }
    Ok(all)
}

fn parsed(rows: &[Stored]) -> Result<Vec<(ResourceKey, Resource)>, Failure> {
    let mut parsed = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(resource) = parse_stored(row)? {
            parsed.push((row.key.clone(), resource));
        }
    }
    Ok(parsed)
}

async fn include_round(
    engine: &Engine,
    authority: &dyn Authority,
    query: &Query,
    round: &[(ResourceKey, Resource)],
    first: bool,
) -> Result<Vec<Stored>, Failure> {
    let scope = authority.scope(Permission::Search, None)?;
    let counts = |include: &&Include| first || include.iterate;
    let includes: Vec<Include> = query.includes.iter().filter(counts).cloned().collect();
    let revincludes: Vec<Include> = query.revincludes.iter().filter(counts).cloned().collect();
    let documents: Vec<(&str, &Map<String, Value>)> = round
        .iter()
        .map(|(_, resource)| (resource.resource_type.as_str(), &resource.content))
        .collect();
    let mut brought = Vec::new();
    let keys = engine.catalogue.included(&documents, &includes);
    if !keys.is_empty() {
        let rows = engine.store.read(&scope, &keys).await;
        let rows = rows.map_err(|error| unavailable(&error))?;
        brought.extend(rows.into_iter().flatten());
    }
    let sources: Vec<ResourceKey> = round.iter().map(|(key, _)| key.clone()).collect();
    let limit = most_included(engine);
    for plan in engine
        .catalogue
        .revincluded(&sources, &revincludes, &scope, limit + 1)
    {
        let found = engine.store.search(&plan).await;
        let found = found.map_err(|error| unavailable(&error))?;
        if found.more {
            // A page of it would be cut off in silence.
            return Err(too_many_included());
        }
        brought.extend(found.rows);
    }
    Ok(brought)
}

fn too_many_included() -> Failure {
    Failure::new(
        Kind::TooCostly,
        "The includes bring too many resources. Lower _count or name fewer includes.",
    )
}

/// More than this on one page is refused rather than cut off in silence.
fn most_included(engine: &Engine) -> usize {
    engine.settings.limits.max_page * 10
}

fn links(
    engine: &Engine,
    request: &Request,
    tie: &Tie,
    plan: &SearchPlan,
    found: &Found,
) -> Vec<(&'static str, String)> {
    let mut links = vec![("self", link::own(engine, request))];
    let (further_back, further_on) = if plan.backwards {
        (found.more, true)
    } else {
        (plan.after.is_some(), found.more)
    };
    // Where all that stood on the page is gone, its neighbours are the first and the last.
    let mut add = |relation, position: Option<&Position>, backwards| {
        let place = Place {
            position: position.cloned(),
            backwards,
        };
        let cursor = page::encode(&place, tie);
        links.push((relation, link::page(engine, request, &cursor)));
    };
    if further_on {
        add("next", found.positions.last(), false);
    }
    if further_back {
        add("previous", found.positions.first(), true);
    }
    links
}

/// One entry of a searchset.
pub fn write(
    engine: &Engine,
    view: &View,
    bundle: &mut BundleWriter,
    stored: &Stored,
    mode: &str,
) -> Result<(), Failure> {
    let Some(text) = render(stored) else {
        return Ok(());
    };
    let text = view.resource(engine.definitions, text)?;
    let full_url = quoted(&format!("{}/{}", engine.settings.base_url, stored.key));
    let search = format!(r#"{{"mode":"{mode}"}}"#);
    bundle.entry(&[
        ("fullUrl", &full_url),
        ("resource", &text),
        ("search", &search),
    ]);
    Ok(())
}

/// What lenient handling left out, and what the index may not have.
fn issues(query: &Query, gap: Option<&str>) -> Vec<Issue> {
    let ignored = query.ignored.iter().map(|name| {
        let text = format!("The parameter \"{name}\" is not known here and was ignored.");
        Issue::warning(Kind::NotSupported, text)
    });
    let gap = gap.map(|gap| Issue::warning(Kind::Unavailable, warning(gap)));
    ignored.chain(gap).collect()
}

pub fn write_issues(bundle: &mut BundleWriter, issues: Vec<Issue>) {
    if issues.is_empty() {
        return;
    }
    let text = outcome(&issues).to_string();
    bundle.entry(&[("resource", &text), ("search", r#"{"mode":"outcome"}"#)]);
}
