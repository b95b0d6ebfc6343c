//! Which files there are, and how each is read.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::super::error::CliError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One JSON document.
    Document,
    /// NDJSON: one resource on each line. <https://github.com/ndjson/ndjson-spec>
    Lines,
}

#[derive(Debug)]
pub struct Source {
    pub path: PathBuf,
    pub form: Form,
    compressed: bool,
    pub comes_first: bool,
}

impl Source {
    /// `None` where the name tells no form that is known.
    fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_lowercase();
        let (plain, compressed) = match name.strip_suffix(".gz") {
            Some(plain) => (plain, true),
            None => (name.as_str(), false),
        };
        let form = match plain.rsplit_once('.')?.1 {
            "json" => Form::Document,
            "ndjson" => Form::Lines,
            _ => return None,
        };
        Some(Self {
            path: path.to_path_buf(),
            form,
            compressed,
            comes_first: name.starts_with("hospital") || name.starts_with("practitioner"),
        })
    }

    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let file = BufReader::new(File::open(&self.path)?);
        Ok(if self.compressed {
            Box::new(MultiGzDecoder::new(file))
        } else {
            Box::new(file)
        })
    }
}

/// All files below the paths, in the order of the paths, then of their names.
pub fn find(paths: &[PathBuf]) -> Result<Vec<Source>, CliError> {
    let mut sources = Vec::new();
    for path in paths {
        if path.is_dir() {
            search(path, &mut sources).map_err(|error| cannot_read(path, &error))?;
            continue;
        }
        fs::metadata(path).map_err(|error| cannot_read(path, &error))?;
        sources.push(Source::of(path).ok_or_else(|| {
            CliError::Failed(format!(
                "{}: not a .json, .json.gz, .ndjson or .ndjson.gz file",
                path.display()
            ))
        })?);
    }
    if sources.is_empty() {
        return Err(CliError::Failed(
            "no .json, .json.gz, .ndjson or .ndjson.gz file below the paths given".to_owned(),
        ));
    }
    Ok(sources)
}

fn search(folder: &Path, sources: &mut Vec<Source>) -> io::Result<()> {
    let entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    let mut paths: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
    paths.sort();
    for path in paths {
        // A link to a folder may lead round in a circle.
        if path.is_dir() && !path.is_symlink() {
            search(&path, sources)?;
        } else if path.is_file() {
            sources.extend(Source::of(&path));
        }
    }
    Ok(())
}

fn cannot_read(path: &Path, error: &io::Error) -> CliError {
    CliError::Failed(format!("{}: {error}", path.display()))
}
