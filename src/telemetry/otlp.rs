//! Traces and metrics by OTLP over HTTP, only when the standard variables name
//! a collector. Sending happens on threads of the exporters' own: a collector
//! that is down costs no request anything.
//!
//! <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>

use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{MetricExporter, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;

use super::{BoxedLayer, request};
use crate::config::ConfigError;

#[derive(Default)]
pub struct Exporters {
    traces: Option<SdkTracerProvider>,
    metrics: Option<SdkMeterProvider>,
}

impl Exporters {
    pub fn from_environment() -> Result<Self, ConfigError> {
        if variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(Self::default());
        }
        Ok(Self {
            traces: wanted("TRACES")?.then(traces).transpose()?,
            metrics: wanted("METRICS")?.then(metrics).transpose()?,
        })
    }

    /// One span for each request and nothing else: events could carry anything.
    pub fn span_layer(&self) -> Option<BoxedLayer> {
        let tracer = self.traces.as_ref()?.tracer("unloop");
        let layer = tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false);
        let spans_of_requests =
            filter_fn(|metadata| metadata.is_span() && metadata.target() == request::TARGET);
        Some(layer.with_filter(spans_of_requests).boxed())
    }

    pub fn install(&self) {
        if let Some(metrics) = &self.metrics {
            request::measure_with(metrics);
        }
        if self.traces.is_some() {
            request::follow_traces();
        }
    }

    pub fn shut_down(&self, within: Duration) {
        let traces = self.traces.as_ref();
        let metrics = self.metrics.as_ref();
        let results = [
            traces.map(|traces| traces.shutdown_with_timeout(within)),
            metrics.map(|metrics| metrics.shutdown_with_timeout(within)),
        ];
        for error in results.into_iter().flatten().filter_map(Result::err) {
            tracing::warn!(%error, "the last traces or metrics were not sent");
        }
    }
}

fn traces() -> Result<SdkTracerProvider, ConfigError> {
    let exporter = SpanExporter::builder().with_http().build();
    let exporter = exporter.map_err(|error| refused("traces", &error))?;
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource())
        .build())
}

fn metrics() -> Result<SdkMeterProvider, ConfigError> {
    let exporter = MetricExporter::builder().with_http().build();
    let exporter = exporter.map_err(|error| refused("metrics", &error))?;
    Ok(SdkMeterProvider::builder()
        .with_periodic_exporter(exporter)
        .with_resource(resource())
        .build())
}

/// The SDK reads OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES; without a name
/// it would call the service unknown.
fn resource() -> Resource {
    let named = variable("OTEL_SERVICE_NAME").is_some()
        || variable("OTEL_RESOURCE_ATTRIBUTES").is_some_and(|all| all.contains("service.name="));
    let builder = Resource::builder();
    if named {
        return builder.build();
    }
    builder.with_service_name("unloop").build()
}

/// Whether a collector is named for the signal, in a protocol that is spoken here.
fn wanted(signal: &str) -> Result<bool, ConfigError> {
    let none = variable(&format!("OTEL_{signal}_EXPORTER")).is_some_and(|value| value == "none");
    let endpoint = variable(&format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"))
        .or_else(|| variable("OTEL_EXPORTER_OTLP_ENDPOINT"));
    if none || endpoint.is_none() {
        return Ok(false);
    }
    let own = format!("OTEL_EXPORTER_OTLP_{signal}_PROTOCOL");
    for name in [own.as_str(), "OTEL_EXPORTER_OTLP_PROTOCOL"] {
        match variable(name).as_deref() {
            None => {}
            Some("http/protobuf") => break,
            Some(other) => {
                return Err(ConfigError::new(format!(
                    "{name} is {other:?}; Unloop exports by http/protobuf only"
                )));
            }
        }
    }
    Ok(true)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn refused(what: &str, error: &opentelemetry_otlp::ExporterBuildError) -> ConfigError {
    ConfigError::new(format!(
        "the OTEL_EXPORTER_OTLP_… variables for {what} are not right: {error}"
    ))
}
