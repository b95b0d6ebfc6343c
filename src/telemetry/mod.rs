//! What an operator sees: logs on stderr, and traces and metrics by OTLP when
//! the standard variables ask for them. Never content, ids or search values.

pub mod disk;
mod otlp;
pub mod request;

use std::sync::mpsc;
use std::time::Duration;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use crate::config::{ConfigError, Log, LogFormat};

type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Keep it until the program ends; [`Telemetry::end`] sends what is left.
pub struct Telemetry {
    exporters: otlp::Exporters,
}

impl Telemetry {
    /// Starts logging and, where asked for, exporting. Once in a program.
    pub fn start(log: &Log) -> Result<Self, ConfigError> {
        let filter = EnvFilter::try_new(&log.filter).map_err(|error| {
            ConfigError::new(format!(
                "UNLOOP_LOG is {:?}, which is no filter ({error}); an example is warn,unloop=info",
                log.filter
            ))
        })?;
        let exporters = otlp::Exporters::from_environment()?;
        let mut layers: Vec<BoxedLayer> = vec![text_or_json(log.format, filter)];
        layers.extend(exporters.span_layer());
        // A second start in one process (tests) keeps the first.
        drop(tracing::subscriber::set_global_default(
            Registry::default().with(layers),
        ));
        exporters.install();
        Ok(Self { exporters })
    }

    /// Sends what waits, for at most this long. Not from within a runtime.
    pub fn end(self, within: Duration) {
        let (done, ended) = mpsc::channel();
        std::thread::spawn(move || {
            self.exporters.shut_down(within);
            // Where it took too long nobody listens any more.
            done.send(()).ok();
        });
        if ended.recv_timeout(within).is_err() {
            tracing::warn!("the last traces or metrics were not sent in time");
        }
    }
}

fn text_or_json(format: LogFormat, filter: EnvFilter) -> BoxedLayer {
    let layer = fmt::layer().with_writer(std::io::stderr);
    match format {
        LogFormat::Json => layer.json().flatten_event(true).with_filter(filter).boxed(),
        LogFormat::Text => {
            let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
            layer.with_ansi(colours).with_filter(filter).boxed()
        }
    }
}
