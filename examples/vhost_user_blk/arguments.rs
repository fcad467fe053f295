//! Parses arguments and formats argument errors.

use clap::Parser;
use std::ffi::OsString;

/// The parsed arguments, or a text to print and an exit status: help with 0, or an error in one line with 2.
pub fn parse<O: Parser>(arguments: impl IntoIterator<Item = OsString>) -> Result<O, (String, u8)> {
    O::try_parse_from(arguments).map_err(|error| {
        let text = error.render().to_string();
        if !error.use_stderr() {
            return (text, 0);
        }
        let lines = text.lines().map(str::trim).filter(|line| {
            !line.is_empty() && !line.starts_with("Usage:") && !line.starts_with("For more information")
        });
        (lines.collect::<Vec<_>>().join("; "), 2)
    })
}
