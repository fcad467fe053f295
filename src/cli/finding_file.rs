//! The file that holds a finding: its name, its text, and the command that replays its seed.

use super::args::DEFAULT_STEPS;
use super::error::CliError;
use crate::campaign::{Finding, Plan};
use crate::outcome::Signature;
use crate::report::{as_regression, command_line, file_name, quoted};
use crate::scenario::{Document, Draw, GENERATOR, Profile};
use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

/// The file of a finding in `folder`. A group of findings has one file.
pub(super) fn path(folder: &Path, finding: &Finding) -> PathBuf {
    path_of(folder, &finding.signature)
}

/// The file of the group with this signature in `folder`.
pub(super) fn path_of(folder: &Path, signature: &Signature) -> PathBuf {
    folder.join(file_name(signature))
}

/// Creates the folder of findings if it does not exist.
pub(super) fn make_folder(folder: &Path) -> Result<(), CliError> {
    let refuse = |error: io::Error| CliError::Input(format!("{}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(refuse)
}

/// The content of the file.
pub(super) fn document(program: &str, plan: &Plan, finding: &Finding) -> Document {
    let signature = &finding.signature;
    let deadly = signature.expected.is_deadly(&finding.detail);
    let replay = replay_seed(plan, finding.shrunk_seed, plan.isolation.is_some() || deadly);
    let comments = [
        signature.to_string(),
        finding.detail.replace(['\n', '\r'], " "),
        format!(
            "from seed {} of generator {GENERATOR}: {}",
            finding.shrunk_seed,
            command_line(program, &replay).replace(['\n', '\r'], " ")
        ),
        as_regression(&signature.subject, signature.expected),
    ];
    let mut document = Document {
        comments: comments.map(|comment| format!(" {comment}")).into(),
        scenario: finding.shrunk.clone(),
        expectations: Vec::new(),
    };
    document.set_subject(&signature.subject);
    document
}

/// The arguments that replay a seed, before shrinking.
pub(super) fn replay_seed(plan: &Plan, seed: impl Display, isolate: bool) -> String {
    let isolate = if isolate { " --isolate" } else { "" };
    format!("replay {seed} --subject {}{}{isolate}", quoted(&plan.kind.name()), options(&plan.draw))
}

/// The options that select the scenarios of the run, where they differ from the defaults.
fn options(draw: &Draw) -> String {
    let Draw { profile, steps, queue_size } = *draw;
    let mut options = String::new();
    if profile != Profile::default() {
        options.push_str(&format!(" --profile {}", <&str>::from(profile)));
    }
    if steps != DEFAULT_STEPS as usize {
        options.push_str(&format!(" --steps {steps}"));
    }
    if let Some(size) = queue_size {
        options.push_str(&format!(" --queue-size {size}"));
    }
    options
}
