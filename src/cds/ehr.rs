//! The FHIR server of the EHR that calls: its ids are not those of the records
//! here, and it is read only where the operator lists it, with the token that
//! came with the call. <https://cds-hooks.hl7.org/2.0/#fhir-resource-access>

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::access::outbound::{Asking, Outbound};
use crate::fhir::engine::Engine;
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::search::path::{items, text};

/// A part of the time in which a card has to be there.
const WITHIN: Duration = Duration::from_millis(300);

/// Bytes of one answer.
const MOST: usize = 2 * 1024 * 1024;

/// Entries of one answer; what is behind them is told as not checked.
const COUNT: usize = 100;

/// The FHIR servers that may be read.
pub struct FhirServers {
    /// Base URLs without a slash at the end.
    listed: Vec<String>,
    outbound: Arc<Outbound>,
}

impl FhirServers {
    pub fn new(listed: Vec<String>, outbound: Arc<Outbound>) -> Self {
        Self { listed, outbound }
    }
}

/// Another server than this one, and what it is asked with.
pub struct Ehr<'c> {
    pub server: &'c str,
    token: Option<&'c str>,
}

impl<'c> Ehr<'c> {
    /// `None`: the call is about records of this service.
    pub fn of(engine: &Engine, call: &'c Map<String, Value>) -> Result<Option<Self>, Failure> {
        let Some(server) = call.get("fhirServer") else {
            return Ok(None);
        };
        let server = server.as_str().filter(|url| url.starts_with("http"));
        let server = server.map(|url| url.trim_end_matches('/')).ok_or_else(|| {
            let text = "fhirServer is the base URL of the EHR's FHIR server.";
            Failure::at(Kind::Value, "fhirServer", text)
        })?;
        if server == engine.settings.base_url {
            return Ok(None);
        }
        let granted = call.get("fhirAuthorization").and_then(Value::as_object);
        let token = granted.and_then(|granted| text(granted, "access_token"));
        Ok(Some(Self { server, token }))
    }

    /// The records of a type that are about a patient there; why not, in words
    /// for whoever reads the card.
    pub async fn search(
        &self,
        servers: &FhirServers,
        resource_type: &str,
        patient: &str,
    ) -> Result<Map<String, Value>, &'static str> {
        if !servers.listed.iter().any(|listed| listed == self.server) {
            return Err("the EHR's FHIR server is not one that this service may read");
        }
        let include = match resource_type {
            "AllergyIntolerance" => String::new(),
            name => format!("&_include={name}:medication"),
        };
        let server = self.server;
        let url = format!("{server}/{resource_type}?patient={patient}&_count={COUNT}{include}");
        let asking = Asking {
            accept: "application/fhir+json",
            bearer: self.token,
            most: MOST,
            depth: 64,
            within: WITHIN,
        };
        match servers.outbound.ask(&url, &asking).await {
            Ok(document) => match document.content {
                Value::Object(bundle) if text(&bundle, "resourceType") == Some("Bundle") => {
                    Ok(bundle)
                }
                _ => Err("the EHR's FHIR server answered with something else than a Bundle"),
            },
            Err(error) => {
                tracing::warn!(resource_type, %error, "an EHR's FHIR server could not be read");
                Err("the EHR's FHIR server did not answer, or refused")
            }
        }
    }
}

/// The record with the products that it refers to inside, as far as they came
/// along. A link of another server must not be looked up here (`is_ours` is false).
pub fn with_products(
    record: &Map<String, Value>,
    bundles: &[&Map<String, Value>],
    is_ours: bool,
) -> Map<String, Value> {
    let mut record = record.clone();
    let mut products: Vec<Value> = items(&record, "contained").to_vec();
    if let Some(Value::Object(link)) = record.get_mut("medicationReference") {
        let product = text(link, "reference")
            .and_then(|link| bundles.iter().find_map(|bundle| linked(bundle, link)));
        match product {
            Some(product) => {
                let mut product = product.clone();
                product.insert("id".to_owned(), INSIDE.into());
                // What is inside another resource has neither versions nor parts of its own.
                // <https://hl7.org/fhir/R4/domainresource.html#invs>
                product.retain(|name, _| !matches!(name.as_str(), "meta" | "text" | "contained"));
                products.push(product.into());
                link.insert("reference".to_owned(), format!("#{INSIDE}").into());
            }
            None if is_ours => {}
            None => unlink(link),
        }
    }
    if is_ours && products.is_empty() {
        return record;
    }
    for product in &mut products {
        let ingredients = product.get_mut("ingredient").and_then(Value::as_array_mut);
        for ingredient in ingredients.into_iter().flatten() {
            if let Some(Value::Object(link)) = ingredient.get_mut("itemReference")
                && !is_ours
            {
                unlink(link);
            }
        }
    }
    if !products.is_empty() {
        record.insert("contained".to_owned(), json!(products));
    }
    record
}

/// No id of the record's own contained resources.
const INSIDE: &str = "product-of-the-ehr";

fn linked<'b>(bundle: &'b Map<String, Value>, link: &str) -> Option<&'b Map<String, Value>> {
    let entry = items(bundle, "entry").iter().find(|entry| {
        let full = entry.get("fullUrl").and_then(Value::as_str);
        let resource = entry.get("resource").and_then(Value::as_object);
        let id = resource.and_then(|resource| text(resource, "id"));
        let own = id.map(|id| format!("Medication/{id}"));
        full == Some(link) || (own.is_some() && own.as_deref() == Some(link))
    })?;
    let resource = entry.get("resource")?.as_object()?;
    (text(resource, "resourceType") == Some("Medication")).then_some(resource)
}

/// What is inside the record stays linked.
fn unlink(link: &mut Map<String, Value>) {
    if !text(link, "reference").is_some_and(|target| target.starts_with('#')) {
        link.remove("reference");
    }
}
