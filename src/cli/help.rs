//! The longer texts of `ringstorm help`: examples that work as they are, and the text form of scenarios.

use super::program;
use crate::report::PROGRAM;
use crate::scenario::Op;
use crate::subject::{SubjectKind, Subjects};
use ringstorm_model::Invariant;
use ringstorm_sim_device::Fault;
use strum::VariantArray;

/// The name and the subjects of a program in its help.
#[derive(Debug, Clone)]
pub(super) struct Program {
    name: String,
    subjects: Subjects,
}

impl Program {
    /// Ringstorm's own program has the name `ringstorm`. A program with subjects of its own has the name of its file.
    pub(super) fn new(subjects: Subjects) -> Self {
        let name = match subjects.external().next() {
            None => PROGRAM.to_owned(),
            Some(_) => program::called().file_name().unwrap_or_default().to_string_lossy().into_owned(),
        };
        Self { name, subjects }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The default subject, with what it is.
    fn default_subject(&self) -> String {
        match self.subjects.default_kind() {
            SubjectKind::Core => "core, ringstorm's own queue".to_owned(),
            kind => kind.name(),
        }
    }

    /// The subjects of this program that ringstorm does not have.
    fn own_subjects(&self) -> String {
        let names: Vec<String> = self.subjects.external().map(SubjectKind::name).collect();
        match names.as_slice() {
            [] => String::new(),
            [name] => format!("\n\nThis program tests the subject {name}, which is the default."),
            [default, ..] => {
                format!("\n\nThis program tests the subjects {}. {default} is the default.", names.join(", "))
            }
        }
    }

    /// Fills in the places of a text that depend on the program.
    pub(super) fn fill(&self, text: &str) -> String {
        text.replace("{program}", &self.name).replace("{default}", &self.default_subject())
    }

    /// The help below the options of a command; without a command, below the list of commands.
    pub(super) fn below(&self, command: Option<&str>) -> Option<String> {
        let text = match command {
            None => return Some(self.fill(FRONT) + &self.own_subjects()),
            Some("run") => RUN,
            Some("replay") => REPLAY,
            Some("show") => SHOW,
            Some("shrink") => SHRINK,
            Some("explore") => EXPLORE,
            Some("calibrate") => CALIBRATE,
            Some("report") => REPORT,
            Some("completions") => COMPLETIONS,
            Some("scenario") => return Some(self.fill(&scenario())),
            Some(_) => return None,
        };
        Some(self.fill(text))
    }
}

/// The help without a command.
const FRONT: &str = "\
First steps:
  {program}
      Run a storm over {default}.
  {program} run --subject specimen-id-folded
      Run a storm over a queue with a known defect. It finds, shrinks and explains the defect.
  {program} replay findings/NAME.storm -v --subject specimen-id-folded
      Replay a finding of that run, step by step.
  {program} explore
      Try every scenario of small queues.
  {program} calibrate
      Check that the storm catches every known defect, and how fast.

A subject is the driver-side queue under test. A scenario is a queue setup and a list of steps of \
the driver and the device. A seed is a number from which ringstorm makes a scenario. FILE|SEED \
accepts a seed, a .storm file (a scenario as text, see `{program} help scenario`), or any file of a \
fuzzer.";

const RUN: &str = "\
Examples:
  {program} run --time 10min --out storm
      Write results to storm/. If interrupted, the same command continues.
  {program} run --subject NAME --isolate
      Use child processes: an abort or an endless loop is then a finding.
  {program} run --profile honest
      Use a device that follows the specification.
  {program} run --mask 'NAME/*/drains/*/*'
      Count known findings, do not report them. * matches any one part.
  {program} run --shard 2/4 --json > part-2.json
      Run the second quarter of the seeds. `{program} report` merges the parts.

A finding is named by its signature, SUBJECT/OUTCOME/INVARIANT/CALL/FAULT: the subject; \
violation, panic, stuck or died; the rule that is violated; the failing call of the driver; a fault \
of the device that the finding needs, or no-fault.";

const REPLAY: &str = "\
Examples:
  {program} replay findings/NAME.storm
      Replay a finding over the subject that the file names. --subject selects another one.
  {program} replay 4711 --profile hostile
      Replay the scenario of a seed, with the same options as in `run`.
  {program} replay fuzz/artifacts/storm/crash-1
      Replay a file of a fuzzer.
  {program} replay FILE -v
      Add columns, the state at the failing step, and a test to paste.

A file names its subject in a comment, `# subject: NAME`. A file that names none, and a seed, use \
the default subject.

If a file ends in `expect SUBJECT OUTCOME` lines, `replay` runs it on these subjects, and the exit \
status is 0 if each outcome is as expected.";

const SHOW: &str = "\
Examples:
  {program} show 4711 > mine.storm
      Write the scenario of a seed as text, to edit it.
  {program} show crash-1 -o corpus/regressions/NNNN-what-went-wrong.storm
      Convert a file of a fuzzer to text.
  {program} show mine.storm --bytes -o corpus/storm/mine
      Convert text to bytes, as input for a fuzzer.";

const SHRINK: &str = "\
Example:
  {program} shrink fuzz/artifacts/storm/crash-1 -o small.storm

The smaller scenario fails in the same way: its outcome, invariant and failing call stay the same. \
Faults that the finding does not need are removed.";

const EXPLORE: &str = "\
Examples:
  {program} explore --queue-size 2 --depth 6 --faults 1
  {program} explore --queue-size 1 --alphabet
      List the actions that are tried from every state.
  {program} explore --subject NAME --time 1min
      Explore as deep as one minute for all queue sizes permits.";

const CALIBRATE: &str = "\
Examples:
  {program} calibrate
  {program} calibrate --subject specimen-id-folded,specimen-id-truncated
      Measure these subjects. Your own program measures variants of your queue.

Exit status: 1 if at least one of the 20 starts does not catch a subject.

Columns: the subject; the invariant by which it is caught; the seeds until then, at the median of \
20 starts and at worst; the same in seconds on one core; the steps after shrinking.";

const REPORT: &str = "\
Examples:
  {program} report storm/report.json
  {program} report part-*.json --json -o whole.json
  {program} report --compare before.json after.json";

const COMPLETIONS: &str = "\
Examples:
  {program} completions bash > ~/.local/share/bash-completion/completions/{program}
  {program} completions zsh > ~/.zfunc/_{program}
  {program} completions fish > ~/.config/fish/completions/{program}.fish";

/// A complete scenario, which `ringstorm scenario` prints.
pub(super) const EXAMPLE: &str = "\
ringstorm scenario 1
# The device returns an id outside the descriptor table. The specimen takes it modulo the queue
# size and completes a chain that the device still has.
queue size=1 buffer=64
driver submit readable=1x8
device take
device fault id-out-of-range newest value=0
driver take
expect core pass
expect specimen-id-folded violation completed-once
";

/// The help of the text form: an example, the grammar, and every word of the language.
fn scenario() -> String {
    let example: String = EXAMPLE.lines().map(|line| format!("  {line}\n")).collect();
    let named = |(name, what): (&str, &str)| format!("{name}: {}\n", what.replace('\n', " "));
    let operations: String = Op::VARIANTS.iter().map(|op| named((op.name(), op.description()))).collect();
    let faults: String =
        Fault::VARIANTS.iter().map(|fault| named((fault.name(), fault.description()))).collect();
    let invariants: String =
        Invariant::VARIANTS.iter().map(|invariant| named((invariant.name(), invariant.sentence()))).collect();
    format!(
        "Example:\n{example}\n{GRAMMAR}\nOperations:\n{operations}\nFaults:\n{faults}\nInvariants:\n{invariants}"
    )
}

const GRAMMAR: &str = "\
Try it: `{program} scenario > mine.storm`, then `{program} replay mine.storm -v`.

The lines, in this order:
  ringstorm scenario 1
      The first line.
  # COMMENT
      Any number of comments.
  queue size=N buffer=BYTES [OPTION...]
      The queue: the number of descriptors, and the size of a buffer.
      first-index=N        both rings begin at this index
      features=event-idx   used_event and avail_event
      after-fault=go-on    the queue stays usable after a device fault
      over-long=refuse     report a length that is too long, do not clamp it
      writable=zeroed      zero device-writable buffers first
      ending=dropped       drop the queue at the end, while the device runs
  OPERATION ARGUMENTS
      The steps, one per line. After the last step the faults stop, the
      device returns every chain, and the driver takes and frees them.
  expect SUBJECT OUTCOME
      Optional: pass, violation INVARIANT, panic, stuck or died.
The file ends with a line break.

Arguments:
  readable=1x8 writable=2x4..16
      Device-readable and device-writable buffers: number and length. The
      lengths cycle through a range. full is the size of a buffer, over is
      one byte more, huge is far too long. driver submit, prepare and write
      have these arguments.
  driver submit writable=1x1 times=N
      Submit N equal chains, or fewer if the queue refuses one.
  rounds N
      N round trips, or fewer if the queue refuses a chain or the device
      returns none: driver submit writable=1x1, device take, device return
      newest written=full, driver take, driver free newest.
  newest, oldest, oldest+1
      A chain, or a descriptor. driver free and driver withdraw have only
      this argument.
  driver read newest limit=N
      Read at most N bytes, or full.
  driver misuse free|read|withdraw HEAD newest
      Call with a wrong head: out-of-range (the queue size), far (65535),
      free-descriptor, mid-chain, stale (a handle of an earlier chain),
      in-flight, or returned (a chain that was taken: only withdraw is wrong).
  driver interrupts on|off
      Ask for used-buffer notifications, or for none.
  driver delay-interrupts
      Ask for a used-buffer notification when several chains have been
      returned.
  driver interrupt-arrives
      Let the queue handle a used-buffer notification.
  driver take-back [live]
      Take back the chains that the device has not returned: stop the device
      and reset the queue, or live, while the device runs.
  driver memory-fails after=N
      Let an access to memory fail after N accesses.
  device take [count=N]
      Take N available chains.
  device return newest written=N [count=N] [beyond]
      Write and report N bytes, or full. beyond also writes the bytes behind.
  device notifications on|off
      Ask for available-buffer notifications, or for none.
  device event ahead=N
      Set avail_event N entries ahead.
  device fault FAULT newest value=N
      A fault of the list below, its chain or descriptor, and a number from
      which the forged value is made.
Without arguments: driver publish, driver take, driver collect, driver reset,
settle, idle.
";
