//! Parses arbitrary text as a scenario.

use super::input_counts;
use crate::scenario::Document;

/// Parses a text as a scenario. Returns whether it was one.
///
/// # Panics
/// If printing and parsing again gives a different scenario or text, or if an error gives a position outside of the
/// text.
pub fn text(text: &str) -> bool {
    let reached = parse_and_print(text);
    input_counts::count(text.lines().count(), reached);
    reached
}

fn parse_and_print(text: &str) -> bool {
    match text.parse::<Document>() {
        Ok(document) => {
            let printed = document.to_string();
            let again: Document = printed.parse().unwrap_or_else(|error| panic!("{error}\n{printed}"));
            assert_eq!(
                again, document,
                "the scenario changed when it was printed and parsed again:\n{printed}"
            );
            assert_eq!(again.to_string(), printed, "printing again gave a different text");
            true
        }
        Err(error) => {
            // If the text ends too early, the position is one line, or one column, after its end.
            let lines: Vec<&str> = text.split('\n').collect();
            assert!((1..=lines.len() + 1).contains(&error.line), "a text of {} lines: {error}", lines.len());
            let columns = lines.get(error.line - 1).map_or(0, |line| line.chars().count());
            assert!((1..=columns + 1).contains(&error.column), "a line of {columns} characters: {error}");
            assert!(error.to_string().starts_with(&format!("line {}, column {}", error.line, error.column)));
            false
        }
    }
}
