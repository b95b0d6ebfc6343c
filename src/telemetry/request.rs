//! One span and one measurement for each request, in a closed list of fields:
//! method, interaction, type, status, route. Names follow
//! <https://opentelemetry.io/docs/specs/semconv/http/>.

use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Histogram, MeterProvider as _};
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Filters (`UNLOOP_LOG`) name requests by it.
pub const TARGET: &str = "unloop::request";

/// Seconds, as the semantic conventions have them for HTTP servers.
const BOUNDARIES: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

static DURATION: OnceLock<Histogram<f64>> = OnceLock::new();
static PROPAGATOR: OnceLock<TraceContextPropagator> = OnceLock::new();

/// What may be known of a request. Every value is from a short, fixed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub method: &'static str,
    /// `read`, `search-type`, …; `None` where there is no such interaction.
    pub interaction: Option<&'static str>,
    /// A resource type of R4; `None` where the request names none.
    pub resource_type: Option<&'static str>,
    /// The address with its parts named: `/fhir/{type}/{id}`.
    pub route: &'static str,
    pub status: u16,
}

pub(super) fn measure_with(metrics: &SdkMeterProvider) {
    let histogram = metrics
        .meter("unloop")
        .f64_histogram("http.server.request.duration")
        .with_unit("s")
        .with_description("Duration of requests, by interaction, type and status.")
        .with_boundaries(BOUNDARIES.to_vec())
        .build();
    DURATION.get_or_init(|| histogram);
}

pub(super) fn follow_traces() {
    PROPAGATOR.get_or_init(TraceContextPropagator::new);
}

/// Opens the span, below the caller's where the headers name one
/// (<https://www.w3.org/TR/trace-context/>).
pub fn open<'h>(header: &'h dyn Fn(&str) -> Option<&'h str>) -> tracing::Span {
    let span = tracing::info_span!(
        target: TARGET,
        "request",
        otel.name = Empty,
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = Empty,
        http.response.status_code = Empty,
        http.route = Empty,
        fhir.interaction = Empty,
        fhir.type = Empty,
    );
    if let Some(propagator) = PROPAGATOR.get() {
        let parent = propagator.extract(&Headers(header));
        if let Err(error) = span.set_parent(parent) {
            tracing::debug!(%error, "the caller's trace is not followed");
        }
    }
    span
}

/// Fills the span in, logs the request and measures it.
pub fn close(span: &tracing::Span, seen: &Seen, duration: Duration) {
    if !span.is_disabled() {
        fill(span, seen);
    }
    let milliseconds = duration.as_secs_f64() * 1000.0;
    if seen.status >= 500 {
        tracing::error!(target: TARGET, parent: span, milliseconds, "failed");
    } else {
        tracing::info!(target: TARGET, parent: span, milliseconds, "answered");
    }
    if let Some(histogram) = DURATION.get() {
        histogram.record(duration.as_secs_f64(), &attributes(seen));
    }
}

fn fill(span: &tracing::Span, seen: &Seen) {
    span.record("otel.name", name(seen));
    span.record("http.request.method", seen.method);
    span.record("http.response.status_code", seen.status);
    span.record("http.route", seen.route);
    if let Some(interaction) = seen.interaction {
        span.record("fhir.interaction", interaction);
    }
    if let Some(resource_type) = seen.resource_type {
        span.record("fhir.type", resource_type);
    }
    if seen.status >= 500 {
        span.record("otel.status_code", "ERROR");
    }
}

/// `read Patient`
fn name(seen: &Seen) -> String {
    match (seen.interaction, seen.resource_type) {
        (Some(interaction), Some(resource_type)) => format!("{interaction} {resource_type}"),
        (Some(interaction), None) => interaction.to_owned(),
        (None, _) => format!("{} {}", seen.method, seen.route),
    }
}

fn attributes(seen: &Seen) -> [KeyValue; 5] {
    [
        KeyValue::new("http.request.method", seen.method),
        KeyValue::new("http.route", seen.route),
        KeyValue::new("http.response.status_code", i64::from(seen.status)),
        KeyValue::new("fhir.interaction", seen.interaction.unwrap_or("other")),
        KeyValue::new("fhir.type", seen.resource_type.unwrap_or("other")),
    ]
}

struct Headers<'h>(&'h dyn Fn(&str) -> Option<&'h str>);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (self.0)(key)
    }

    /// The propagator asks by name only.
    fn keys(&self) -> Vec<&str> {
        Vec::new()
    }
}
