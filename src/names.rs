//! Names that people write, and what they may have meant.

/// How many names are listed in full; of more, only the nearest.
const FEW: usize = 8;
/// How many are the nearest.
const NEAREST: usize = 3;

/// What stands for a name in "expected ...": all of them if they are few, else those that look most like `found`.
pub(crate) fn expected(what: &str, names: impl Iterator<Item = String>, found: &str) -> String {
    let mut names: Vec<String> = names.collect();
    if names.len() <= FEW {
        return format!("one of {}", names.join(", "));
    }
    let likeness = |name: &str| (1e6 * strsim::jaro_winkler(name, found)) as u32;
    names.sort_by_key(|name| std::cmp::Reverse(likeness(name)));
    names.truncate(NEAREST);
    format!("{what}; the nearest are {}", names.join(", "))
}
