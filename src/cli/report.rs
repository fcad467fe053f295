//! `ringstorm report`.

use super::args::{Format, ReportArgs};
use super::error::{CliError, Found};
use super::output;
use crate::report::{self, Comparison, RunReport};
use std::path::Path;

pub(super) fn report(args: &ReportArgs) -> Result<Found, CliError> {
    let format = format(args)?;
    if args.compare {
        return compare(args, format);
    }
    let calibration =
        args.calibration.as_deref().map(|path| read(path, report::read_calibration)).transpose()?;
    let reports = args.inputs.iter().map(|path| Ok((path.display().to_string(), read(path, report::read)?)));
    let whole = report::merge(reports.collect::<Result<_, CliError>>()?)
        .map_err(|error| CliError::Input(error.to_string()))?;
    let text = match format {
        Format::Text => whole.text(),
        Format::Json => whole.json(),
        Format::Html => report::page(&whole, calibration.as_ref()).map_err(CliError::Input)?,
        Format::Junit => report::junit(&whole).map_err(CliError::Input)?,
        Format::Sarif => report::sarif(&whole),
    };
    put(args, &text)?;
    found(&whole)
}

/// Compares two runs.
fn compare(args: &ReportArgs, format: Format) -> Result<Found, CliError> {
    let [before, after] = args.inputs.as_slice() else {
        let count = args.inputs.len();
        return Err(CliError::Input(format!(
            "--compare: expected two reports, before and after, found {count}"
        )));
    };
    let whole = |path: &Path| {
        let parts = vec![(path.display().to_string(), read(path, report::read)?)];
        report::merge(parts).map_err(|error| CliError::Input(error.to_string()))
    };
    let (first, second) = (whole(before)?, whole(after)?);
    let comparison = Comparison::new(&first, &second).map_err(CliError::Input)?;
    match format {
        Format::Text => put(args, &report::visible(&comparison.to_string()))?,
        Format::Json => put(args, &comparison.json())?,
        Format::Html | Format::Junit | Format::Sarif => {
            return Err(CliError::Input("--compare: expected text or json as the format".to_owned()));
        }
    }
    match (comparison.findings.new.is_empty(), second.gaps().as_slice()) {
        (false, _) => Ok(Found::Something),
        (true, []) => Ok(Found::Nothing),
        // The missing part can have a new finding.
        (true, gaps) => Err(CliError::Input(format!(
            "{}: no new finding, but incomplete: {}",
            after.display(),
            gaps.join(", ")
        ))),
    }
}

fn put(args: &ReportArgs, text: &str) -> Result<(), CliError> {
    match &args.output {
        Some(path) => output::write_file(path, text.as_bytes()),
        None => output::emit(text),
    }
}

/// The form that the options or the extension of the output file select.
fn format(args: &ReportArgs) -> Result<Format, CliError> {
    let ending = args.output.as_deref().and_then(Path::extension).and_then(|ending| ending.to_str());
    Ok(match (args.format, args.json, ending) {
        (Some(format), ..) => format,
        (None, true, _) | (None, false, Some("json")) => Format::Json,
        (None, false, Some("html" | "htm")) => Format::Html,
        (None, false, Some("xml")) => Format::Junit,
        (None, false, Some("sarif")) => Format::Sarif,
        (None, false, None | Some("txt")) => Format::Text,
        (None, false, Some(ending)) => {
            return Err(CliError::Input(format!(
                "-o: expected the extension .txt, .json, .html, .xml or .sarif, found .{ending}; or use --format"
            )));
        }
    })
}

/// Reads a file with one of the readers of reports.
fn read<T>(path: &Path, reader: impl Fn(&str) -> Result<T, String>) -> Result<T, CliError> {
    let refuse = |what: String| CliError::Input(format!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
    reader(&text).map_err(refuse)
}

/// Whether the run found something. An incomplete run without findings is an error.
fn found(whole: &RunReport) -> Result<Found, CliError> {
    match (whole.findings.is_empty(), whole.gaps().as_slice()) {
        (false, _) => Ok(Found::Something),
        (true, []) => Ok(Found::Nothing),
        (true, gaps) => Err(CliError::Input(format!("nothing found, but incomplete: {}", gaps.join(", ")))),
    }
}
