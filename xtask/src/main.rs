//! `cargo xtask <chore>`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use xtask::{Result, advisories, condition_sets, definitions, medicines};

const USAGE: &str =
    "usage: cargo xtask definitions|condition-sets|medicines|advisories [--from FOLDER]

definitions  write src/fhir/definitions/data from the official R4 bundles
             (FOLDER holds profiles-resources.json.gz, profiles-types.json.gz,
             search-parameters.json.gz and valuesets.json.gz; default ../shared/fhir/definitions)
condition-sets
             write src/clinical/knowledge/condition-sets.toml from the gathered code sets
             (FOLDER holds condition-sets.json and condition-coverage.json;
             default ../shared/clinical/valuesets)
medicines    write src/clinical/knowledge/medicines.tsv from the gathered names of medicines
             (FOLDER holds ingredients.json, brands.json and rxnorm-products.json;
             default ../shared/clinical/valuesets)
advisories   write tests/tidy/advisories.tsv, the known faults of the crates in Cargo.lock
             (FOLDER is a checkout of RustSec/advisory-db; default ../advisory-db)";

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
    let (chore, from) = match arguments.as_slice() {
        [chore] => (*chore, None),
        [chore, "--from", folder] => (*chore, Some(PathBuf::from(folder))),
        _ => return Err(USAGE.to_owned()),
    };
    let source = |default: &str| from.clone().unwrap_or_else(|| root.join(default));
    match chore {
        "definitions" => {
            let folder = root.join(definitions::DATA_FOLDER);
            for (name, text) in definitions::generate(&source(definitions::DEFAULT_SOURCE))?.files()
            {
                write(&folder.join(name), text)?;
            }
            Ok(())
        }
        "condition-sets" => {
            let text = condition_sets::generate(&source(condition_sets::DEFAULT_SOURCE))?;
            write(&root.join(condition_sets::DATA_FILE), &text)
        }
        "medicines" => {
            let text = medicines::generate(&source(medicines::DEFAULT_SOURCE))?;
            write(&root.join(medicines::DATA_FILE), &text)
        }
        "advisories" => {
            let folder = source(advisories::DEFAULT_SOURCE);
            let text = advisories::generate(&folder, &root.join("Cargo.lock"))?;
            write(&root.join(advisories::DATA_FILE), &text)
        }
        _ => Err(USAGE.to_owned()),
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("{} ({} bytes)", path.display(), text.len());
    Ok(())
}

fn project_root() -> Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_path_buf)
        .ok_or_else(|| "xtask is not inside the project".to_owned())
}
