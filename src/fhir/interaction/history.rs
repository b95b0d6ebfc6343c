//! history of an instance, a type and the system.
//! <https://hl7.org/fhir/R4/http.html#history>

use super::super::admission::AUDIT_EVENT;
use super::super::answer::{Answer, etag};
use super::super::authority::{Authority, Permission};
use super::super::bundle::{BundleWriter, quoted};
use super::super::cursor::{self, Tie};
use super::super::engine::{Engine, unavailable};
use super::super::link::{self, CURSOR};
use super::super::outcome::{Failure, Kind};
use super::super::request::Request;
use super::super::resource::{instant, parse_stored, render};
use super::super::search::{date, types};
use super::super::view::View;
use super::read::not_found;
use crate::store::{HistoryOf, HistoryPlan, HistoryPosition, Method, ResourceKey, Scope, Stored};

pub async fn history(
    engine: &Engine,
    authority: &dyn Authority,
    request: &Request,
    of: HistoryOf,
) -> Result<Answer, Failure> {
    let view = View::of(request)?;
    let mut plan = plan(engine, authority, request, of)?;
    if view.is_count() {
        plan.limit = 0;
    }
    let (versions, more) = page(engine, plan.clone()).await?;
    if let (HistoryOf::Instance(key), true) = (&plan.of, versions.is_empty()) {
        exists(engine, &plan, key).await?;
    }
    let mut links = vec![("self", link::own(engine, request))];
    if let (true, Some(last)) = (more, versions.last()) {
        let tie = tie(engine, authority, request);
        links.push(("next", link::page(engine, request, &cursor_of(last, &tie))));
    }
    let mut bundle = BundleWriter::new("history", None, &links);
    let mut shown = Vec::with_capacity(versions.len());
    for stored in &versions {
        write_entry(engine, &view, &mut bundle, stored)?;
        shown.push(stored);
    }
    let text = view.layout(bundle.finish())?;
    Ok(Answer::content(200, text).showing(shown))
}

/// A page with more bytes than this ends there.
const PAGE_BYTES: usize = 4 << 20;

/// A page of what the caller may see, and whether there is more of that: neither a
/// page that is short nor a link tells of versions in between.
async fn page(engine: &Engine, mut plan: HistoryPlan) -> Result<(Vec<Stored>, bool), Failure> {
    let limit = plan.limit;
    if limit > 0 {
        plan.limit = limit.saturating_add(1);
    }
    let mut seen = Vec::new();
    let mut bytes = 0;
    loop {
        let found = engine.store.history(&plan).await;
        let (versions, more) = found.map_err(|error| unavailable(&error))?;
        plan.after = versions.last().map(place);
        for stored in versions {
            if admits(engine, &plan.scope, &stored)? {
                bytes += stored.body.as_ref().map_or(0, String::len);
                seen.push(stored);
            }
        }
        if seen.len() > limit || !more || limit == 0 || bytes > PAGE_BYTES {
            break;
        }
    }
    let cut = bytes > PAGE_BYTES && seen.len() > 1;
    let limit = match cut {
        // The last one says that there is more.
        true => limit.min(seen.len() - 1),
        false => limit,
    };
    let more = seen.len() > limit;
    seen.truncate(limit);
    Ok((seen, more))
}

fn place(stored: &Stored) -> HistoryPosition {
    HistoryPosition {
        updated: stored.updated,
        key: stored.key.clone(),
        version: stored.version,
    }
}

/// The store chose by the current version. A past one may have been another
/// patient's, and is judged by what it said itself.
pub fn admits(engine: &Engine, scope: &Scope, stored: &Stored) -> Result<bool, Failure> {
    let name = &stored.key.resource_type;
    if scope.within(&[name]).is_everything() {
        return Ok(true);
    }
    let Some(resource) = parse_stored(stored)? else {
        return Ok(false);
    };
    let index = engine.catalogue.extract(name, &resource.content);
    Ok(scope.admits(&stored.key, &index))
}

fn plan(
    engine: &Engine,
    authority: &dyn Authority,
    request: &Request,
    of: HistoryOf,
) -> Result<HistoryPlan, Failure> {
    let limits = &engine.settings.limits;
    let scope = match &of {
        HistoryOf::Instance(key) => authority.scope(Permission::Read, Some(&key.resource_type))?,
        HistoryOf::Type(name) => authority.scope(Permission::Search, Some(name))?,
        _ => authority.scope(Permission::Search, None)?,
    };
    let of = match of {
        HistoryOf::System => of_types(engine, request)?,
        of => of,
    };
    let mut plan = HistoryPlan {
        scope,
        of,
        since: None,
        at: None,
        after: None,
        limit: limits.default_page,
    };
    for (name, value) in &request.query {
        match name.as_str() {
            "_since" => plan.since = Some(time(name, value)?.0),
            "_at" => plan.at = Some(time(name, value)?),
            "_count" => {
                let count = value
                    .parse::<usize>()
                    .map_err(|_| Failure::new(Kind::Value, "_count is a whole number from 0."))?;
                plan.limit = count.min(limits.max_page);
            }
            CURSOR => plan.after = Some(position_of(value, &tie(engine, authority, request))?),
            "_type" if matches!(plan.of, HistoryOf::Types(_)) => {}
            "_type" => {
                let text = "_type only selects in the history of everything: /_history?_type=Patient,Observation.";
                return Err(Failure::new(Kind::Value, text));
            }
            "_format" | "_pretty" | "_summary" | "_elements" => {}
            other => {
                return Err(Failure::new(
                    Kind::NotSupported,
                    format!(
                        "History has no parameter \"{other}\". It has _since, _at, _type (of everything), _count, _summary, _elements, _pretty and _format."
                    ),
                ));
            }
        }
    }
    Ok(plan)
}

/// The types in `_type`; without it all but AuditEvents, which are asked for by their name:
/// each poll makes one, so that the next would always find something.
fn of_types(engine: &Engine, request: &Request) -> Result<HistoryOf, Failure> {
    let types = types(&engine.catalogue, None, &request.query)?;
    Ok(match types.is_empty() {
        true => HistoryOf::Others(AUDIT_EVENT.to_owned()),
        false => HistoryOf::Types(types),
    })
}

/// A FHIR date, dateTime or instant as a range.
fn time(name: &str, value: &str) -> Result<date::Range, Failure> {
    date::range(value).ok_or_else(|| {
        Failure::new(
            Kind::Value,
            format!("{name} is not a FHIR time. Example: 2026-11-21T08:00:00Z."),
        )
    })
}

/// An empty page of a resource that exists is no error; without it, 404.
async fn exists(engine: &Engine, plan: &HistoryPlan, key: &ResourceKey) -> Result<(), Failure> {
    let found = engine
        .store
        .read(&plan.scope, std::slice::from_ref(key))
        .await
        .map_err(|error| unavailable(&error))?;
    match found.into_iter().next().flatten() {
        Some(_) => Ok(()),
        None => Err(not_found(key)),
    }
}

fn write_entry(
    engine: &Engine,
    view: &View,
    bundle: &mut BundleWriter,
    stored: &Stored,
) -> Result<(), Failure> {
    let key = &stored.key;
    let full_url = quoted(&format!("{}/{key}", engine.settings.base_url));
    let (method, url) = match stored.method {
        Method::Post => ("POST", key.resource_type.clone()),
        Method::Put => ("PUT", key.to_string()),
        Method::Patch => ("PATCH", key.to_string()),
        Method::Delete => ("DELETE", key.to_string()),
    };
    let request = format!(r#"{{"method":"{method}","url":"{url}"}}"#);
    let status = match (stored.method, stored.version) {
        (Method::Delete, _) => "204 No Content",
        (Method::Post, _) | (_, 1) => "201 Created",
        _ => "200 OK",
    };
    let response = format!(
        r#"{{"status":"{status}","etag":{},"lastModified":"{}"}}"#,
        quoted(&etag(stored.version)),
        instant(stored.updated),
    );
    let rest = [
        ("request", request.as_str()),
        ("response", response.as_str()),
    ];
    match render(stored) {
        Some(text) => {
            let text = view.resource(engine.definitions, text)?;
            bundle.entry(&[
                ("fullUrl", &full_url),
                ("resource", &text),
                rest[0],
                rest[1],
            ]);
        }
        None => bundle.entry(&[("fullUrl", &full_url), rest[0], rest[1]]),
    }
    Ok(())
}

fn cursor_of(stored: &Stored, tie: &Tie) -> String {
    let key = &stored.key;
    let place = (stored.updated, &key.resource_type, &key.id, stored.version);
    tie.seal(&serde_json::json!(place))
}

/// A history with other bounds is another listing.
fn tie(engine: &Engine, authority: &dyn Authority, request: &Request) -> Tie {
    let mut parts = vec!["history", authority.identity()];
    parts.extend(request.path.iter().map(String::as_str));
    for (name, value) in &request.query {
        if matches!(name.as_str(), "_since" | "_at" | "_type") {
            parts.extend([name.as_str(), value.as_str()]);
        }
    }
    engine.settings.cursors.tie(&parts)
}

fn position_of(cursor: &str, tie: &Tie) -> Result<HistoryPosition, Failure> {
    let place = serde_json::from_value::<(i64, String, String, i64)>(tie.open(cursor)?);
    let (updated, resource_type, id, version) = place.map_err(|_| cursor::refused())?;
    Ok(HistoryPosition {
        updated,
        key: ResourceKey { resource_type, id },
        version,
    })
}
