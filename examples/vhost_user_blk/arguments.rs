//! Arguments, and what becomes of wrong ones.

use clap::Parser;
use std::ffi::OsString;

/// The arguments, or what to print with which exit status: help that was asked for, or in one line what is wrong.
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
