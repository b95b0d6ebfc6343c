//! `cargo xtask <chore>`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use xtask::{Result, definitions};

const USAGE: &str = "usage: cargo xtask definitions [--from FOLDER]

definitions  write src/fhir/definitions/data from the official R4 bundles
             (FOLDER holds profiles-resources.json.gz, profiles-types.json.gz,
             search-parameters.json.gz and valuesets.json.gz; default ../shared/fhir/definitions)";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let root = project_root()?;
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let from = match arguments.as_slice() {
        ["definitions"] => root.join(definitions::DEFAULT_SOURCE),
        ["definitions", "--from", folder] => PathBuf::from(folder),
        _ => return Err(USAGE.to_owned()),
    };
    let folder = root.join(definitions::DATA_FOLDER);
    for (name, text) in definitions::generate(&from)?.files() {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
        println!("{} ({} bytes)", path.display(), text.len());
    }
    Ok(())
}

fn project_root() -> Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_path_buf)
        .ok_or_else(|| "xtask is not inside the project".to_owned())
}
