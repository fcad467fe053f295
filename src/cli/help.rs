//! What `ringstorm help` teaches: examples that can be typed as they are.

pub(super) const FRONT: &str = "\
A first hour:
  ringstorm                                      a storm over ringstorm's own queue: nothing is found
  ringstorm run --subject specimen-id-folded     a queue with a known defect: it is found, shrunk and told
  ringstorm replay findings/NAME.storm -v        what happens there, step by step
  ringstorm explore                              every scenario of small queues, nothing left to chance
  ringstorm calibrate                            every known defect: is it caught, and how fast

A scenario is a queue and a list of steps. A seed is a number that stands for one; a .storm file holds one as text;
any bytes that a fuzzer makes are one too. All of them are taken wherever FILE|SEED is asked for.";

pub(super) const RUN: &str = "\
Examples:
  ringstorm run --time 10min --out storm         findings, report and progress in storm/; ended, it goes on from there
  ringstorm run --subject NAME --isolate         in child processes: aborts and endless loops are findings too
  ringstorm run --profile honest                 a device without a fault: is a good driver left in peace
  ringstorm run --mask 'NAME/*/drains/*/*'       what is known is counted and not reported; * is any one part
  ringstorm run --shard 2/4 --json > part-2.json a quarter of the seeds; `ringstorm report` merges the parts

A finding's name is SUBJECT/KIND/INVARIANT/CALL/FAULT: whose, violation or panic or stuck or died, what does not hold,
in which call of the driver, and the last thing that the device did wrong before it.";

pub(super) const REPLAY: &str = "\
Examples:
  ringstorm replay findings/NAME.storm           a finding as text
  ringstorm replay 4711 --profile hostile        the scenario of a seed, which depends on the same options as `run`
  ringstorm replay fuzz/artifacts/storm/crash-1  what a fuzzer found
  ringstorm replay FILE -v                       with indexes, free descriptors and live chains after each step

A file that ends in `expect SUBJECT OUTCOME` lines is replayed on those subjects, and it is well if that comes of it.";

pub(super) const SHOW: &str = "\
Examples:
  ringstorm show 4711 > mine.storm               a scenario to edit by hand
  ringstorm show crash-1 -o corpus/regressions/0080-what-went-wrong.storm
  ringstorm show mine.storm --bytes -o corpus/storm/mine";

pub(super) const SHRINK: &str = "\
Example:
  ringstorm shrink fuzz/artifacts/storm/crash-1 -o small.storm

The smaller scenario goes wrong in the same way: the same kind, invariant, call and last fault.";

pub(super) const EXPLORE: &str = "\
Examples:
  ringstorm explore --queue-size 2 --depth 6 --faults 1
  ringstorm explore --queue-size 1 --alphabet    the steps that executions are made of
  ringstorm explore --subject NAME --time 1min   as deep as there is time for";

pub(super) const CALIBRATE: &str = "\
Columns: by which invariant it is caught; how many seeds until then, the median of 20 starts and the worst; the same in
seconds on one core; steps after shrinking.";

pub(super) const REPORT: &str = "\
Examples:
  ringstorm report storm/report.json
  ringstorm report part-*.json --json -o whole.json
  ringstorm report --compare before.json after.json";

pub(super) const COMPLETIONS: &str = "\
Examples:
  ringstorm completions bash > ~/.local/share/bash-completion/completions/ringstorm
  ringstorm completions zsh > ~/.zfunc/_ringstorm
  ringstorm completions fish > ~/.config/fish/completions/ringstorm.fish";
