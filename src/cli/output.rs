//! What a command says: results on stdout, everything else on stderr.

use std::io::{self, Write as _};

use super::error::CliError;

/// One line on stdout, at once.
pub fn say(line: impl std::fmt::Display) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")
        .and_then(|()| stdout.flush())
        .map_err(|error| CliError::Failed(format!("stdout: {error}")))
}

/// One line on stderr. Where that is closed there is nobody to tell.
pub fn note(line: impl std::fmt::Display) {
    writeln!(io::stderr().lock(), "{line}").ok();
}

pub fn complain(error: &CliError) {
    if !matches!(error, CliError::Reported) {
        note(format!("unloop: {error}"));
    }
}
