//! Known defects that the storm cannot catch yet. Whoever adds what one waits for takes it off the list.

use ringstorm::subject::Defect;

/// Each with what it waits for.
pub const WAITING: [(Defect, &str); 5] = [
    (Defect::WriteFlagReadBack, "a fault that flips WRITE in a descriptor"),
    (Defect::IndexBeforeEntry, "a look at the order of stores within a call"),
    (Defect::IdFetchedTwice, "a look at values that are loaded twice within a call"),
    (Defect::LengthFetchedTwice, "likewise"),
    (Defect::UsedIndexFetchedTwice, "likewise"),
];

/// Whether a defect is on the list.
pub fn is_waiting(defect: Defect) -> bool {
    WAITING.iter().any(|(waiting, _)| *waiting == defect)
}
