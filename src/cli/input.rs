//! Reads scenarios: from text files, byte files and seeds.

use super::args::{SeedArgs, seed};
use super::error::CliError;
use super::output;
use super::session::Session;
use crate::scenario::{Document, Scenario};
use std::path::Path;

/// The beginning of every version of the text form.
const TEXT_START: &[u8] = b"ringstorm scenario";

/// Reads the scenario that an argument names. A number is a seed; anything else is a file.
pub(super) fn read(session: Session, input: &str, seed_args: &SeedArgs) -> Result<Document, CliError> {
    let digits = !input.is_empty() && input.bytes().all(|byte| byte.is_ascii_digit());
    if digits || input.starts_with("0x") {
        let seed = seed(input).map_err(|error| CliError::Input(format!("{input}: {error}")))?;
        let kind = session.subject(seed_args.subject.as_deref())?;
        let scenario = seed_args.draw().scenario_with(seed, kind.offered_calls());
        return Ok(Document { scenario, ..Document::default() });
    }
    let bytes = std::fs::read(input).map_err(|error| CliError::Input(format!("{input}: {error}")))?;
    let is_text =
        bytes.starts_with(TEXT_START) || Path::new(input).extension().is_some_and(|ext| ext == "storm");
    if !is_text {
        output::note(&format!(
            "{input}: read as the bytes of a fuzzer, since it does not begin with `ringstorm scenario 1`"
        ));
        return Ok(Document { scenario: Scenario::decode(&bytes), ..Document::default() });
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..good].iter().filter(|byte| **byte == b'\n').count();
        CliError::Input(format!("{input}: line {line}: expected text, found bytes that are not UTF-8"))
    })?;
    text.parse().map_err(|error| CliError::Input(format!("{input}: {error}")))
}
