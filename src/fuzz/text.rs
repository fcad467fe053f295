//! Any text in front of the parser of scenarios.

use super::input_counts;
use crate::scenario::Document;

/// Reads a text as a scenario. Says whether it was one.
///
/// # Panics
/// If what was read is not what it is printed as, or if a refusal names no place in the text.
pub fn text(text: &str) -> bool {
    let reached = read(text);
    input_counts::count(text.lines().count(), reached);
    reached
}

fn read(text: &str) -> bool {
    match text.parse::<Document>() {
        Ok(document) => {
            let printed = document.to_string();
            let again: Document = printed.parse().unwrap_or_else(|error| panic!("{error}\n{printed}"));
            assert_eq!(again, document, "printed as\n{printed}");
            assert_eq!(again.to_string(), printed, "printed in two ways");
            true
        }
        Err(error) => {
            // A text may end too soon: one line, and one column, behind what is there.
            let lines: Vec<&str> = text.split('\n').collect();
            assert!((1..=lines.len() + 1).contains(&error.line), "a text of {} lines: {error}", lines.len());
            let columns = lines.get(error.line - 1).map_or(0, |line| line.chars().count());
            assert!((1..=columns + 1).contains(&error.column), "a line of {columns} characters: {error}");
            assert!(error.to_string().starts_with(&format!("line {}, column {}", error.line, error.column)));
            false
        }
    }
}
