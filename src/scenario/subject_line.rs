//! The subject that a scenario file names in its comments. Readers that do not know the comment ignore it.

use super::Document;

/// The beginning of the comment that names the subject.
const LABEL: &str = "subject: ";
/// The kinds of findings: the second part of a signature.
const KINDS: [&str; 4] = ["violation", "panic", "stuck", "died"];

impl Document {
    /// The subject that a comment names: `# subject: NAME`. Findings of earlier versions have no such comment; their
    /// signature names the subject.
    pub fn subject(&self) -> Option<&str> {
        let comments = || self.comments.iter().map(|comment| comment.trim());
        comments().find_map(labelled).or_else(|| comments().find_map(signed))
    }

    /// Names the subject in a comment, instead of the one that was named before.
    pub fn set_subject(&mut self, name: &str) {
        let line = format!(" {LABEL}{name}");
        match self.comments.iter_mut().find(|comment| labelled(comment.trim()).is_some()) {
            Some(comment) => *comment = line,
            None => self.comments.push(line),
        }
    }
}

fn labelled(comment: &str) -> Option<&str> {
    comment.strip_prefix(LABEL).filter(|name| is_name(name))
}

/// The subject of a signature: SUBJECT/OUTCOME/INVARIANT/CALL/FAULT.
fn signed(comment: &str) -> Option<&str> {
    let parts: Vec<&str> = comment.split('/').collect();
    let [name, kind, _, _, _, ..] = parts[..] else { return None };
    (KINDS.contains(&kind) && parts.iter().all(|part| is_name(part))).then_some(name)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}
