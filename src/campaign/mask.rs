//! Findings that are known, and not to be reported.

/// Whether a signature is masked: part by part it is what the mask says, where `*` says anything.
pub fn is_masked(mask: &str, signature: &str) -> bool {
    let (mut asked, mut parts) = (mask.split('/'), signature.split('/'));
    loop {
        match (asked.next(), parts.next()) {
            (None, None) => return true,
            (Some(asked), Some(part)) if asked == part || asked == "*" => {}
            _ => return false,
        }
    }
}
