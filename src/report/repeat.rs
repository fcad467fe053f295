//! The commands that repeat a run and replay its findings.

use super::{FindingReport, RunReport};
use crate::scenario::Profile;
use std::fmt::Write;

/// The default steps of a scenario and the default limit of findings.
const DEFAULTS: (usize, usize) = (128, 10);

/// A path or a name, quoted for a shell.
pub(crate) fn quoted(text: &str) -> String {
    let plain =
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./+".contains(&byte));
    // A shell command would parse a name that begins with a dash as an option.
    let text = if text.starts_with('-') { format!("./{text}") } else { text.to_owned() };
    if plain { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// A command line of a program; without a program, only the arguments.
pub(crate) fn command_line(program: &str, arguments: &str) -> String {
    if program.is_empty() { arguments.to_owned() } else { format!("{} {arguments}", quoted(program)) }
}

/// The command that runs the same seeds again.
pub(super) fn run_command(report: &RunReport) -> String {
    let asked = &report.asked;
    let mut command = command_line(&report.program, &format!("run --subject {}", quoted(&asked.subject)));
    let _ = match (&asked.all_seeds, asked.time) {
        (Some(all), _) => write!(command, " --seeds {} --from {}", all.count, all.from),
        // A run with a time: the seeds that ran.
        (None, _) => write!(command, " --seeds {} --from {}", report.seeds.max(1), report.from),
    };
    command.push_str(&draw_options(report));
    let (_, most) = DEFAULTS;
    if asked.max_findings != most {
        let _ = write!(command, " --max-findings {}", asked.max_findings);
    }
    for mask in &asked.masks {
        let _ = write!(command, " --mask {}", quoted(mask));
    }
    if let Some(shard) = &report.shard {
        let _ = write!(command, " --shard {}", quoted(shard));
    }
    command.push_str(isolate(report));
    command
}

/// The command that replays the shrunk scenario of a finding; without a file, the scenario before shrinking.
pub(super) fn replay_command(report: &RunReport, finding: &FindingReport) -> String {
    if finding.file.is_empty() {
        return seed_command(report, finding);
    }
    let (file, subject) = (quoted(&finding.file), quoted(&report.asked.subject));
    command_line(
        &report.program,
        &format!("replay {file} --subject {subject}{}", isolate_for(report, finding)),
    )
}

/// The command that replays the seed whose scenario the finding shows, before shrinking.
pub(super) fn seed_command(report: &RunReport, finding: &FindingReport) -> String {
    let (seed, subject) = (finding.shrunk_seed.unwrap_or(finding.seed), quoted(&report.asked.subject));
    let (draw, isolate) = (draw_options(report), isolate_for(report, finding));
    command_line(&report.program, &format!("replay {seed} --subject {subject}{draw}{isolate}"))
}

fn draw_options(report: &RunReport) -> String {
    let (asked, (steps, _)) = (&report.asked, DEFAULTS);
    let mut options = String::new();
    if asked.profile != Profile::default() {
        let _ = write!(options, " --profile {}", <&str>::from(asked.profile));
    }
    if asked.steps_per_seed != steps {
        let _ = write!(options, " --steps {}", asked.steps_per_seed);
    }
    if let Some(size) = asked.queue_size {
        let _ = write!(options, " --queue-size {size}");
    }
    options
}

/// A finding that ends its process needs a child, also if the run had none.
fn isolate_for(report: &RunReport, finding: &FindingReport) -> &'static str {
    match finding.signature.expected.is_deadly(&finding.detail) {
        true => " --isolate",
        false => isolate(report),
    }
}

const fn isolate(report: &RunReport) -> &'static str {
    if report.isolated { " --isolate" } else { "" }
}
