//! Matches signatures of known findings.

/// Whether each part of the signature equals that part of the mask. A `*` in the mask matches any part.
pub(crate) fn is_masked(mask: &str, signature: &str) -> bool {
    let (mut asked, mut parts) = (mask.split('/'), signature.split('/'));
    loop {
        match (asked.next(), parts.next()) {
            (None, None) => return true,
            (Some(asked), Some(part)) if asked == part || asked == "*" => {}
            _ => return false,
        }
    }
}
