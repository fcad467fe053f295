//! Suggestions for unknown names.

/// Up to this many names are all listed. Of more, only the most similar ones.
const MAX_LISTED: usize = 8;
/// The number of suggestions from a longer list.
const SUGGESTIONS: usize = 3;

/// The text after "expected" in an error: all names if they are few, else the names most similar to `found`.
pub(crate) fn expected(what: &str, names: impl Iterator<Item = String>, found: &str) -> String {
    let mut names: Vec<String> = names.collect();
    if names.len() <= MAX_LISTED {
        return format!("one of {}", names.join(", "));
    }
    let similarity = |name: &str| (1e6 * strsim::jaro_winkler(name, found)) as u32;
    names.sort_by_key(|name| std::cmp::Reverse(similarity(name)));
    names.truncate(SUGGESTIONS);
    let last = names.pop().unwrap_or_default();
    format!("{what} (did you mean {} or {last}?)", names.join(", "))
}
