//! Every setting by its variable, its key in the file, its default and what it
//! is for. Nothing else can be set.

/// One setting. The default is written as an operator would write it.
pub struct Setting {
    pub variable: &'static str,
    pub key: &'static str,
    pub default: &'static str,
    /// What the help shows where the default is not a fixed value.
    pub default_note: &'static str,
    pub about: &'static str,
}

const fn setting(
    variable: &'static str,
    key: &'static str,
    default: &'static str,
    about: &'static str,
) -> Setting {
    Setting {
        variable,
        key,
        default,
        default_note: default,
        about,
    }
}

const fn derived(
    variable: &'static str,
    key: &'static str,
    default_note: &'static str,
    about: &'static str,
) -> Setting {
    Setting {
        variable,
        key,
        default: "",
        default_note,
        about,
    }
}

pub const SETTINGS: &[Setting] = &[
    setting(
        "DATABASE_URL",
        "database.url",
        "sqlite:unloop.db",
        "where records are kept: sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME",
    ),
    derived(
        "UNLOOP_DB_POOL",
        "database.pool",
        "8 on SQLite, 16 on PostgreSQL",
        "connections for reading",
    ),
    setting(
        "UNLOOP_MIGRATE",
        "database.migrate",
        "true",
        "bring the schema up to date at the start",
    ),
    setting(
        "UNLOOP_REINDEX",
        "database.reindex",
        "true",
        "rebuild an outdated search index in the background while serving",
    ),
    setting(
        "UNLOOP_BIND",
        "server.bind",
        "127.0.0.1:8080",
        "address and port to listen on; port 0 takes a free one",
    ),
    derived(
        "UNLOOP_BASE_URL",
        "server.base_url",
        "http:// + bound address + /fhir",
        "how clients reach the FHIR base, as written into links",
    ),
    derived(
        "UNLOOP_WORKERS",
        "server.workers",
        "one for each processor",
        "threads that serve HTTP",
    ),
    setting(
        "UNLOOP_SHUTDOWN_SECONDS",
        "server.shutdown_seconds",
        "30",
        "how long requests in flight may take after SIGTERM",
    ),
    derived(
        "UNLOOP_TLS_CERT",
        "server.tls_cert",
        "no TLS",
        "PEM file with the certificate chain; serves https by itself",
    ),
    derived(
        "UNLOOP_TLS_KEY",
        "server.tls_key",
        "no TLS",
        "PEM file with the private key of UNLOOP_TLS_CERT",
    ),
    derived(
        "UNLOOP_CORS_ORIGINS",
        "server.cors_origins",
        "none",
        "origins whose pages may call this service, with commas between them",
    ),
    setting(
        "UNLOOP_RATE_ADDRESS",
        "limits.rate_address",
        "1000",
        "requests a second from one address, 0: any number; behind a proxy all come from one",
    ),
    setting(
        "UNLOOP_RATE_CALLER",
        "limits.rate_caller",
        "500",
        "requests a second of one caller, 0: any number",
    ),
    setting(
        "UNLOOP_RATE_AUTH",
        "limits.rate_auth",
        "10",
        "requests a second from one address for tokens, 0: any number",
    ),
    setting(
        "UNLOOP_BODY_SECONDS",
        "limits.body_seconds",
        "60",
        "how long the content of a request may take to arrive",
    ),
    setting(
        "UNLOOP_REQUEST_SECONDS",
        "limits.request_seconds",
        "30",
        "how long the service works for one request, once its content is there",
    ),
    setting(
        "UNLOOP_STATEMENT_SECONDS",
        "limits.statement_seconds",
        "10",
        "how long one question to the database may take",
    ),
    setting(
        "UNLOOP_MAX_NODES",
        "limits.nodes",
        "500000",
        "most values (objects, arrays, texts, numbers) in the JSON of one request",
    ),
    setting(
        "UNLOOP_MAX_RECORD_BYTES",
        "limits.record_bytes",
        "33554432",
        "most bytes of records that are read for one request",
    ),
    setting(
        "UNLOOP_MEMORY_BYTES",
        "limits.memory_bytes",
        "268435456",
        "what all requests under way may hold together, by estimate; more are told to come again",
    ),
    setting(
        "UNLOOP_DISK_RESERVE_BYTES",
        "limits.disk_reserve_bytes",
        "536870912",
        "with less free space beside a SQLite database, requests without a token and expensive ones are refused",
    ),
    setting(
        "UNLOOP_MAX_BODY_BYTES",
        "limits.body_bytes",
        "16777216",
        "largest request content; a document of an import may have 50 MB at least",
    ),
    setting(
        "UNLOOP_MAX_URL_BYTES",
        "limits.url_bytes",
        "8192",
        "longest path and query together",
    ),
    setting(
        "UNLOOP_MAX_DEPTH",
        "limits.depth",
        "64",
        "deepest nesting of objects and arrays",
    ),
    setting(
        "UNLOOP_MAX_ENTRIES",
        "limits.entries",
        "10000",
        "most entries of one batch or transaction",
    ),
    setting(
        "UNLOOP_DEFAULT_PAGE",
        "limits.default_page",
        "20",
        "results on a page when a search has no _count",
    ),
    setting(
        "UNLOOP_MAX_PAGE",
        "limits.max_page",
        "1000",
        "most results on a page",
    ),
    derived(
        "UNLOOP_TYPES",
        "records.types",
        "all types of R4",
        "the resource types to expose, with commas between them",
    ),
    derived(
        "UNLOOP_SECRET",
        "access.secret",
        "on SQLite: made once, in a file beside the database",
        "at least 32 bytes that seal the signing keys and the audit trail; without it PostgreSQL has no built-in issuer",
    ),
    derived(
        "UNLOOP_EARLIER_SECRETS",
        "access.earlier_secrets",
        "none",
        "what UNLOOP_SECRET was before, with commas between them: unloop audit verify needs them",
    ),
    derived(
        "UNLOOP_ISSUER",
        "access.issuer",
        "base URL without /fhir",
        "the built-in issuer's URL, below which /auth and /.well-known are reached",
    ),
    derived(
        "UNLOOP_ISSUERS",
        "access.issuers",
        "none",
        "other issuers whose tokens count: URL|AUDIENCE|SCOPES, with commas between them; SCOPES is the most that their tokens can be granted",
    ),
    setting(
        "UNLOOP_PATIENTS_READ_PSYCHOTHERAPY_NOTES",
        "access.patients_read_psychotherapy_notes",
        "false",
        "show patients the records that are labelled as psychotherapy notes (45 CFR 164.501)",
    ),
    setting(
        "UNLOOP_OUTBOUND_PRIVATE",
        "access.outbound_private",
        "false",
        "ask issuers, clients and FHIR servers of EHRs at private addresses and by http too",
    ),
    derived(
        "UNLOOP_CDS_CLIENTS",
        "cds.clients",
        "none",
        "EHRs that sign their CDS Hooks calls: ISSUER-URL|CLIENT-ID, with commas between them",
    ),
    derived(
        "UNLOOP_CDS_FHIR_SERVERS",
        "cds.fhir_servers",
        "none",
        "base URLs of EHRs' FHIR servers that CDS services may read, with commas between them",
    ),
    derived(
        "UNLOOP_KNOWLEDGE_DIR",
        "clinical.knowledge_dir",
        "what the program brings",
        "folder whose TOML files replace those of the knowledge base, by name",
    ),
    setting(
        "UNLOOP_STRICT_APPOINTMENTS",
        "clinical.strict_appointments",
        "false",
        "refuse what is wrong with appointments of other systems too, instead of warning",
    ),
    setting(
        "UNLOOP_TIME_ZONE",
        "clinical.time_zone",
        "UTC",
        "time zone of the practice, such as Europe/Berlin: what dates without an offset are read in; a change rebuilds the search index",
    ),
    setting(
        "UNLOOP_VITALS",
        "clinical.vitals",
        "standard",
        "history: refuse nothing, and flag what is impossible; standard: refuse impossible and unreadable vital signs; strict: implausible ones and any breach of the R4 profiles",
    ),
    setting(
        "UNLOOP_LOG",
        "log.filter",
        "warn,unloop=info,unloop::request=warn",
        "what is logged; unloop=info logs every request",
    ),
    setting("UNLOOP_LOG_FORMAT", "log.format", "text", "text or json"),
];

/// Names the file itself, so it has no key.
pub const FILE_VARIABLE: &str = "UNLOOP_CONFIG";

/// The test suite's own; the service never reads them.
pub const OF_THE_TESTS: &[&str] = &["UNLOOP_TEST_", "UNLOOP_SHARED", "UNLOOP_BINARY"];

/// The part of `--help` on settings.
pub fn help() -> String {
    let mut text = String::from(
        "Settings come from the environment or from a TOML file (--config FILE or UNLOOP_CONFIG);\n\
         the environment wins. In the file, database.url is `url` below [database].\n",
    );
    for setting in SETTINGS {
        text.push_str(&format!(
            "\n  {} ({})\n      {} [{}]",
            setting.variable, setting.key, setting.about, setting.default_note
        ));
    }
    text.push_str(
        "\n\nTraces and metrics go out by OTLP (http/protobuf) when OTEL_EXPORTER_OTLP_ENDPOINT,\n\
         OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or OTEL_EXPORTER_OTLP_METRICS_ENDPOINT is set.",
    );
    text
}

/// The page `docs/configuration.md`: every setting as a row of a table.
pub fn configuration_page() -> String {
    let mut page = String::from(
        "<!-- Generated from src/config/settings.rs. To write it anew: UPDATE_DOCS=1 cargo test --lib configuration_page -->\n\n\
         # Configuration\n\n\
         Settings come from the environment or from a TOML file (`--config FILE` or `UNLOOP_CONFIG`). The environment wins.\n\
         In the file, `database.url` is `url` below `[database]`. A wrong or unknown setting stops the start with a line\n\
         that names it.\n\n\
         | variable | key in the file | default | meaning |\n|---|---|---|---|\n",
    );
    for setting in SETTINGS {
        let about = setting.about.replace('|', "\\|");
        page.push_str(&format!(
            "| `{}` | `{}` | {} | {about} |\n",
            setting.variable, setting.key, setting.default_note
        ));
    }
    page.push_str(
        "\nTraces and metrics go out by OTLP (http/protobuf) when `OTEL_EXPORTER_OTLP_ENDPOINT`,\n\
         `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` or `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT` is set.\n",
    );
    page
}

#[cfg(test)]
mod tests {
    use super::configuration_page;

    #[test]
    fn the_configuration_page_is_the_generated_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, configuration_page()).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap();
        assert!(
            committed == configuration_page(),
            "docs/configuration.md is outdated: UPDATE_DOCS=1 cargo test --lib configuration_page"
        );
    }
}
