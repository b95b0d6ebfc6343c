//! `Patient/{id}/$everything`: the patient's compartment and what it refers to.
//! <https://hl7.org/fhir/R4/patient-operation-everything.html>

use std::collections::HashSet;

use serde_json::Value;

use super::super::admission::AUDIT_EVENT;
use super::super::answer::Answer;
use super::super::authority::{Authority, Permission};
use super::super::bundle::BundleWriter;
use super::super::cursor::Tie;
use super::super::engine::{Engine, unavailable};
use super::super::index::warning;
use super::super::interaction::read::current;
use super::super::interaction::route::known;
use super::super::interaction::search::{write, write_issues};
use super::super::link::{self, CURSOR};
use super::super::outcome::{Failure, Issue, Kind};
use super::super::request::{Content, Request};
use super::super::search::date::{self, Range};
use super::super::search::key::compartment_key;
use super::super::search::mention;
use super::super::search::page::{self, Place};
use super::super::view::View;
use crate::store::{
    Bounds, Comparison, Filter, OrderBy, OrderTerm, ResourceKey, Scope, SearchPlan, Stored,
};

/// Their time is a birth date, which is no care date.
const PERSONS: [&str; 3] = ["Patient", "Person", "RelatedPerson"];

pub async fn everything(
    engine: &Engine,
    authority: &dyn Authority,
    request: &Request,
    key: ResourceKey,
) -> Result<Answer, Failure> {
    let request = with_parameters(request)?;
    let view = View::of(&request)?;
    current(engine, authority, Permission::Read, &key).await?;
    let (asked, tie) = Asked::parse(engine, authority, &request, &key)?;
    let scope = authority.scope(Permission::Search, None)?;
    let plan = asked.plan(engine, &key, scope.clone());
    let found = engine
        .store
        .search(&plan)
        .await
        .map_err(|error| unavailable(&error))?;
    let mut links = vec![("self", link::own(engine, &request))];
    if let (true, Some(last)) = (found.more, found.positions.last()) {
        let place = Place {
            position: Some(last.clone()),
            backwards: false,
        };
        let cursor = page::encode(&place, &tie);
        links.push(("next", link::page(engine, &request, &cursor)));
    }
    let gap = engine.index.gap_of(&plan);
    let total =
        (asked.place.is_none() && !found.more && gap.is_none()).then_some(found.rows.len() as u64);
    let mut bundle = BundleWriter::new("searchset", total, &links);
    for stored in &found.rows {
        write(engine, &view, &mut bundle, stored, "match")?;
    }
    let supporting = supporting(engine, &scope, &found.rows, &asked).await?;
    for stored in &supporting {
        write(engine, &view, &mut bundle, stored, "include")?;
    }
    if let Some(gap) = gap {
        let issue = Issue::warning(Kind::Unavailable, warning(&gap));
        write_issues(&mut bundle, vec![issue]);
    }
    let answer = Answer::content(200, view.layout(bundle.finish())?);
    Ok(answer.showing(found.rows.iter().chain(&supporting)))
}

/// POST brings the parameters in a Parameters resource.
fn with_parameters(request: &Request) -> Result<Request, Failure> {
    let mut request = request.clone();
    let Content::Resource(content) = std::mem::take(&mut request.content) else {
        return Ok(request);
    };
    let parameters = content.get("parameter").and_then(Value::as_array);
    if content.get("resourceType").and_then(Value::as_str) != Some("Parameters") {
        return Err(Failure::at(
            Kind::Structure,
            "resourceType",
            "An operation takes a Parameters resource.",
        ));
    }
    for parameter in parameters.into_iter().flatten() {
        let name = parameter.get("name").and_then(Value::as_str);
        let value = parameter.as_object().and_then(|members| {
            members
                .iter()
                .find(|(name, _)| name.starts_with("value"))
                .map(|(_, value)| value)
        });
        let value = match value {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => {
                return Err(Failure::at(
                    Kind::Value,
                    "Parameters.parameter",
                    "A parameter of $everything has a date, a code or a number as its value.",
                ));
            }
        };
        request
            .query
            .push((name.unwrap_or_default().to_owned(), value));
    }
    Ok(request)
}

#[derive(Default)]
struct Asked {
    start: Option<Range>,
    end: Option<Range>,
    since: Option<Range>,
    types: Vec<String>,
    count: Option<usize>,
    place: Option<Place>,
}

impl Asked {
    fn parse(
        engine: &Engine,
        authority: &dyn Authority,
        request: &Request,
        key: &ResourceKey,
    ) -> Result<(Self, Tie), Failure> {
        let mut asked = Self::default();
        let identity = authority.identity().to_owned();
        let mut parts = vec!["$everything".to_owned(), identity, key.to_string()];
        let mut cursor = None;
        for (name, value) in &request.query {
            match name.as_str() {
                "start" => asked.start = Some(time(name, value)?),
                "end" => asked.end = Some(time(name, value)?),
                "_since" => asked.since = Some(time(name, value)?),
                "_type" => {
                    for name in value.split(',') {
                        known(engine, name)?;
                        asked.types.push(name.to_owned());
                    }
                }
                "_count" => {
                    let count = value.parse().map_err(|_| {
                        Failure::new(Kind::Value, "_count is a whole number from 0.")
                    })?;
                    asked.count = Some(count);
                    continue;
                }
                CURSOR => {
                    cursor = Some(value);
                    continue;
                }
                "_format" | "_pretty" | "_summary" | "_elements" => continue,
                other => {
                    return Err(Failure::new(
                        Kind::NotSupported,
                        format!(
                            "$everything has no parameter \"{other}\". It has start, end, _since, _type and _count."
                        ),
                    ));
                }
            }
            parts.push(format!("{name}={value}"));
        }
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let tie = engine.settings.cursors.tie(&parts);
        if let Some(cursor) = cursor {
            asked.place = Some(page::decode(cursor, &tie, &order())?);
        }
        Ok((asked, tie))
    }

    fn plan(&self, engine: &Engine, key: &ResourceKey, scope: Scope) -> SearchPlan {
        let member = compartment_key("Patient", &key.id);
        let mut filter = vec![Filter::Is(Comparison::Key(vec![member]))];
        if !self.types.is_empty() {
            filter.push(Filter::Is(Comparison::Type(self.types.clone())));
        }
        if !self.types.iter().any(|name| name == AUDIT_EVENT) {
            // Who looked at the record is no part of it, unless it is asked for.
            let trail = Filter::Is(Comparison::Type(vec![AUDIT_EVENT.to_owned()]));
            filter.push(Filter::Not(Box::new(trail)));
        }
        if let Some((low, _)) = self.since {
            let bounds = Bounds {
                low_min: Some(low),
                ..Bounds::default()
            };
            filter.push(Filter::Is(Comparison::Updated(bounds)));
        }
        if self.start.is_some() || self.end.is_some() {
            filter.push(self.care_dates());
        }
        let limits = &engine.settings.limits;
        let mut plan = SearchPlan {
            scope,
            filter: Filter::All(filter),
            order: order(),
            after: None,
            backwards: false,
            limit: self.count.unwrap_or(limits.max_page).min(limits.max_page),
        };
        plan.after = self.place.as_ref().and_then(|place| place.position.clone());
        plan
    }

    /// "The date range relates to care dates": what has none always belongs.
    fn care_dates(&self) -> Filter {
        let overlaps = Bounds {
            high_min: self.start.map(|(low, _)| low),
            low_max: self.end.map(|(_, high)| high),
            ..Bounds::default()
        };
        let persons = PERSONS.map(str::to_owned).to_vec();
        Filter::Any(vec![
            Filter::Is(Comparison::Type(persons)),
            Filter::Is(Comparison::Moment(overlaps)),
            Filter::Not(Box::new(Filter::Is(Comparison::Moment(Bounds::default())))),
        ])
    }
}

fn order() -> Vec<OrderTerm> {
    [OrderBy::Type, OrderBy::Id]
        .into_iter()
        .map(|by| OrderTerm {
            by,
            descending: false,
        })
        .collect()
}

fn time(name: &str, value: &str) -> Result<Range, Failure> {
    date::range(value).ok_or_else(|| {
        Failure::new(
            Kind::Value,
            format!("{name} is not a FHIR date or time. Example: 2026-11-21."),
        )
    })
}

/// What the page refers to outside the compartment: practitioners,
/// organizations, medications. Of other patients' records nothing is brought.
async fn supporting(
    engine: &Engine,
    scope: &Scope,
    rows: &[Stored],
    asked: &Asked,
) -> Result<Vec<Stored>, Failure> {
    let Some(compartment) = engine.definitions.compartment("Patient") else {
        return Ok(Vec::new());
    };
    let on_page: HashSet<&ResourceKey> = rows.iter().map(|row| &row.key).collect();
    let mut wanted: Vec<ResourceKey> = Vec::new();
    let mut seen = HashSet::new();
    for row in rows {
        let body = row.body.as_deref().unwrap_or_default();
        for key in mention::mentioned(body, &engine.catalogue.base) {
            let outside = key.resource_type != "Patient"
                && !compartment.members.contains_key(&key.resource_type);
            let asked_for = asked.types.is_empty() || asked.types.contains(&key.resource_type);
            if outside && asked_for && !on_page.contains(&key) && seen.insert(key.clone()) {
                wanted.push(key);
            }
        }
    }
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let found = engine
        .store
        .read(scope, &wanted)
        .await
        .map_err(|error| unavailable(&error))?;
    Ok(found
        .into_iter()
        .flatten()
        .filter(|stored| stored.body.is_some())
        .collect())
}
