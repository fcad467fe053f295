//! One cause gives few groups of findings, named after the faults that it needs.

use ringstorm::campaign::{self, Budget, Ending, Hang, Plan, Summary};
use ringstorm::execution::Rig;
use ringstorm::outcome::{Call, Expected, Verdict};
use ringstorm::report::{Comparison, Interval, RunOptions, RunReport};
use ringstorm::scenario::{Document, Draw, Profile};
use ringstorm::subject::SubjectKind;
use ringstorm_model::Invariant;
use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

fn plan(subject: &str, seeds: u64, masks: &[&str]) -> Plan {
    Plan {
        kind: SubjectKind::by_name(subject).expect("a subject"),
        draw: Draw { profile: Profile::Swarm, steps: 128, queue_size: None },
        from: 0,
        budget: Budget::Seeds(seeds),
        jobs: 2,
        max_findings: 999,
        masks: masks.iter().map(ToString::to_string).collect::<BTreeSet<String>>(),
        call_timeout: Plan::CALL_TIMEOUT,
        isolation: None,
    }
}

fn run(plan: &Plan) -> Summary {
    let hung = |hang: &Hang, _: &Summary| panic!("{hang:?}");
    campaign::run(plan, Summary::default(), &AtomicBool::new(false), &hung, &mut ()).expect("there is memory")
}

fn signatures(summary: &Summary) -> Vec<String> {
    summary.reported().map(|finding| finding.signature.to_string()).collect()
}

const NO_FAULT: &str = "specimen-mid-chain-freed/violation/misuse-refused/free/no-fault";

/// The caller frees a descriptor inside a chain. Before almost every such call, the device has committed a fault.
#[test]
fn a_defect_that_needs_no_fault_is_one_group_without_a_fault() {
    let summary = run(&plan("specimen-mid-chain-freed", 300, &[]));
    assert_eq!(signatures(&summary), [NO_FAULT]);
    assert!(summary.seen_as.len() > 3, "other faults came before: {:?}", summary.seen_as);
    assert!(summary.seen_as.values().all(|group| group.to_string() == NO_FAULT), "{:?}", summary.seen_as);
    let (finding, seen) = (&summary.findings[0], &summary.tally);
    assert!(finding.count > 10 && finding.count < seen.seeds && finding.shrunk.steps.len() == 2);
}

#[test]
fn one_defect_gives_at_most_three_groups() {
    let mut many = Vec::new();
    for subject in [
        "specimen-reset-keeps-used-index",
        "specimen-completion-order-assumed",
        "specimen-payload-cut-to-words",
        "specimen-id-truncated",
        "specimen-length-passed-through",
        "specimen-available-index-saturates",
        "specimen-used-event-stale",
        "specimen-index-jump-followed",
        "specimen-ring-slot-freed",
        "specimen-neighbours-freed",
        "specimen-reset-keeps-chains",
        "specimen-length-ignored",
        "specimen-over-long-loses-chain",
        "specimen-fault-resets-driver",
        "specimen-wish-remembered",
    ] {
        let summary = run(&plan(subject, 400, &[]));
        assert!(!summary.findings.is_empty(), "{subject}");
        println!("{subject}: {:?}", signatures(&summary));
        if summary.findings.len() > 3 {
            many.push((subject, signatures(&summary)));
        }
    }
    assert!(many.is_empty(), "{many:?}");
}

/// Any bad used element makes this queue stall.
#[test]
fn a_group_has_one_name_and_lists_the_other_faults_that_show_it() {
    let summary = run(&plan("specimen-bad-element-stalls", 600, &[]));
    let [group] = &summary.findings[..] else { panic!("{:?}", signatures(&summary)) };
    assert!(!group.also.is_empty() && !group.also.contains_key(&group.signature), "{:?}", group.also);
    // The seed that the file of the finding names shows the finding.
    let scenario = plan("specimen-bad-element-stalls", 600, &[]).draw.scenario(group.shrunk_seed);
    let kind = SubjectKind::by_name("specimen-bad-element-stalls").expect("a subject");
    let outcome = Rig::new().expect("memory").run(kind, &scenario, &mut ()).expect("a run");
    assert_eq!(summary.resolve(&outcome.signature(&kind.name())).expected, group.signature.expected);
    for other in group.also.keys() {
        assert_eq!(summary.resolve(other), &group.signature);
        assert_eq!((other.expected, other.call), (group.signature.expected, group.signature.call));
        assert_ne!(other.last_fault, group.signature.last_fault);
    }
}

/// A wrong `next` makes this queue loop, panic, or free too few descriptors.
#[test]
fn failures_that_differ_in_more_than_the_fault_stay_apart() {
    let summary = run(&plan("specimen-free-follows-table", 600, &[]));
    let kinds: BTreeSet<&str> =
        summary.findings.iter().map(|finding| finding.signature.expected.kind()).collect();
    assert_eq!(kinds, BTreeSet::from(["panic", "stuck", "violation"]), "{:?}", signatures(&summary));
}

/// What this queue does after its `publish` unwinds depends on where it unwound: it publishes nothing, or notifies wrongly.
#[test]
fn findings_that_need_the_same_call_to_unwind_are_one_group() {
    let summary = run(&plan("specimen-unwound-publish", 1_700, &[]));
    let [group] = &summary.findings[..] else { panic!("{:?}", signatures(&summary)) };
    assert_eq!(group.unwound, Some(Call::Publish));
    let seen: BTreeSet<Expected> = group.signatures().map(|signature| signature.expected).collect();
    assert!(seen.contains(&Expected::Violation(Invariant::Notified)) && seen.len() > 2, "{seen:?}");
}

/// The device changes a value between the two reads, and the queue then returns a wrong chain, blames the device, or
/// panics.
#[test]
fn a_double_fetch_is_reported_and_not_what_follows_from_it() {
    let kind = SubjectKind::by_name("specimen-id-fetched-twice").expect("a subject");
    for scenario in [
        "queue size=2 buffer=1\n\
         driver submit writable=1x1\n\
         device fault index-jump newest value=0\n\
         device fault changed-between-reads oldest value=0\n\
         driver take\n",
        "queue size=2 buffer=1 over-long=refuse\n\
         driver submit writable=1x1\n\
         device take\n\
         device return newest written=full\n\
         device fault changed-between-reads oldest value=0\n\
         driver take\n",
        "queue size=1 buffer=1\n\
         driver submit writable=1x1\n\
         device fault changed-between-reads oldest value=0\n\
         device fault index-jump newest value=0\n\
         driver take\n",
    ] {
        let Document { scenario, .. } =
            format!("ringstorm scenario 1\n{scenario}").parse().expect("a scenario");
        let outcome = Rig::new().expect("memory").run(kind, &scenario, &mut ()).expect("a run");
        let Verdict::Violation(violation) = outcome.verdict else { panic!("{:?}", outcome.verdict) };
        assert_eq!((violation.invariant, outcome.call), (Invariant::FetchedOnce, Call::Take), "{violation}");
    }
}

fn report(plan: &Plan, summary: &Summary) -> RunReport {
    let Budget::Seeds(count) = plan.budget else { panic!("seeds") };
    let asked = RunOptions::new(plan, Some(Interval { from: plan.from, count }));
    RunReport::new(asked, String::new(), None, plan, summary, None, |_| String::new())
}

/// Another run can see another fault of the group first.
#[test]
fn a_group_with_another_name_is_the_same_group() {
    let plan = plan("specimen-bad-element-stalls", 600, &[]);
    let before = report(&plan, &run(&plan));
    let mut after = before.clone();
    let group = &mut after.findings[0];
    let (name, detail) = group.also.pop_first().expect("another signature");
    let old = std::mem::replace(&mut group.signature, name.clone());
    group.also.insert(old.clone(), detail);
    (after.aliases, after.seen_as) = ([(old, name.clone())].into(), [].into());
    let findings = Comparison::new(&before, &after).expect("two reports").findings;
    assert!(findings.new.is_empty() && findings.gone.is_empty(), "{findings:?}");
    let [same] = &findings.same[..] else { panic!("{findings:?}") };
    assert_eq!(same.signature, name.to_string());
}

/// A seed of one group can have had the signature of another group before shrinking.
#[test]
fn two_groups_of_both_reports_stay_two() {
    let plan = plan("specimen-free-follows-table", 400, &[]);
    let mut report = report(&plan, &run(&plan));
    let [one, two] = [0, 1].map(|number| report.findings[number].signature.clone());
    report.seen_as.insert(one, two);
    let findings = Comparison::new(&report, &report).expect("two reports").findings;
    assert_eq!(findings.same.len(), report.findings.len(), "{findings:?}");
}

/// A run that was interrupted while it shrunk a masked finding continues, although it has enough others.
#[test]
fn a_masked_finding_that_is_not_shrunk_does_not_stop_a_run() {
    let masks = ["specimen-free-follows-table/stuck/*/*/*"];
    let masked = plan("specimen-free-follows-table", 400, &masks);
    let mut summary = run(&masked);
    let group = summary.findings.iter_mut().find(|group| group.masked).expect("a masked group");
    group.unshrunk = true;
    summary.ending = Ending::Unfinished;
    let hung = |hang: &Hang, _: &Summary| panic!("{hang:?}");
    let enough = Plan { max_findings: 1, ..masked };
    let ended = campaign::run(&enough, summary, &AtomicBool::new(false), &hung, &mut ()).expect("memory");
    assert_eq!(ended.ending, Ending::EnoughFindings);
    assert!(ended.findings.iter().all(|group| !group.unshrunk));
}

/// Masks hide groups and change none, also if the run continues from its report.
#[test]
fn a_masked_run_continues_from_its_report() {
    let open = plan("specimen-free-follows-table", 400, &[]);
    let whole = run(&open);
    let masks = ["specimen-free-follows-table/stuck/*/*/*"];
    let masked = plan("specimen-free-follows-table", 400, &masks);
    let half = plan("specimen-free-follows-table", 200, &masks);
    let part = Summary { ending: Ending::Unfinished, ..run(&half) };
    let read = report(&masked, &part).summary().expect("a summary");
    let hung = |hang: &Hang, _: &Summary| panic!("{hang:?}");
    let continued = campaign::run(&masked, read, &AtomicBool::new(false), &hung, &mut ()).expect("memory");
    let at_once = run(&masked);
    assert_eq!(signatures(&continued), signatures(&at_once));
    let counts = |summary: &Summary| {
        let groups = summary.findings.iter();
        groups.map(|group| (group.signature.to_string(), group.count)).collect::<BTreeSet<_>>()
    };
    assert_eq!(counts(&continued), counts(&whole));
    assert_eq!(counts(&at_once), counts(&whole));
    let seen = report(&masked, &at_once);
    assert_eq!((seen.findings.len(), seen.masked_groups.len()), (2, 1));
    assert_eq!(seen.masked.values().sum::<u64>(), seen.masked_groups[0].count);
}

/// A mask names a group, or the last fault of a seed's scenario as reports of earlier versions do.
#[test]
fn masks_match_signatures_before_and_after_shrinking() {
    let whole = run(&plan("specimen-mid-chain-freed", 300, &[]));
    let masked = run(&plan("specimen-mid-chain-freed", 300, &[NO_FAULT]));
    assert_eq!(signatures(&masked), [""; 0]);
    // Masks do not change the groups.
    assert_eq!(masked.findings[0].count, whole.findings[0].count);
    assert!(masked.findings[0].masked && masked.masked.is_empty(), "{:?}", masked.masked);
    let (old, group) = whole.seen_as.iter().next().expect("a seed with a fault");
    assert!(old != group && group.to_string() == NO_FAULT);
    let old = old.to_string();
    let masked = run(&plan("specimen-mid-chain-freed", 300, &[&old]));
    assert!(masked.masked[&old] > 0, "{:?}", masked.masked);
    assert_eq!(masked.findings[0].count + masked.masked[&old], whole.findings[0].count);
}
