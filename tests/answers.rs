//! Fault attribution: each answer of the driver is counted for the fault that caused it.

use ringstorm::counts::{Answers, Counts, CountsReport};
use ringstorm::execution::Rig;
use ringstorm::executor::Executor;
use ringstorm::scenario::{Document, Draw, Op, Profile};
use ringstorm::subject::{Capabilities, CoreQueue, External, SubjectKind};
use ringstorm_sim_device::Fault;

/// The counts of a scenario that begins with one chain in flight at the device.
#[track_caller]
fn counts(subject: &str, setup: &str, steps: &[&str]) -> Counts {
    counts_of(SubjectKind::by_name(subject).expect("a subject"), setup, steps)
}

#[track_caller]
fn counts_of(kind: SubjectKind, setup: &str, steps: &[&str]) -> Counts {
    let begin = "driver submit readable=1x8 writable=1x8\ndevice take\n";
    let text = format!("ringstorm scenario 1\nqueue size=4 buffer=64{setup}\n{begin}{}\n", steps.join("\n"));
    let scenario = text.parse::<Document>().unwrap_or_else(|error| panic!("{error}\n{text}")).scenario;
    let mut rig = Rig::new().expect("there is memory");
    rig.run(kind, &scenario, &mut ()).expect("there is memory");
    rig.take_counts()
}

fn answers(change: impl FnOnce(&mut Answers)) -> Answers {
    let mut answers = Answers { thrown: 1, ..Answers::default() };
    change(&mut answers);
    answers
}

#[test]
fn the_take_that_reads_a_bad_element_answers_its_fault() {
    let steps = [
        "driver submit readable=1x8",
        "device take",
        "device return oldest written=full",
        "device fault id-out-of-range newest value=9",
        "driver take",
        "driver take",
    ];
    let once = counts("core", " after-fault=go-on", &steps[..5]);
    // The only take reads the honest element before the bad one. Then the faults stop.
    assert_eq!(*once.fault(Fault::IdOutOfRange), answers(|_| {}));
    assert_eq!(once.fault(Fault::IdOutOfRange).unanswered(), 1);
    let twice = counts("core", " after-fault=go-on", &steps);
    assert_eq!(*twice.fault(Fault::IdOutOfRange), answers(|answers| answers.reported = 1));
    let broken = counts("core", "", &steps);
    assert_eq!(*broken.fault(Fault::IdOutOfRange), answers(|answers| answers.broken = 1));
}

#[test]
fn an_excess_element_is_answered_by_the_take_that_refuses_the_used_index() {
    let steps =
        ["device return newest written=full", "device fault id-out-of-range newest value=9", "driver take"];
    let refused = counts("core", " after-fault=go-on", &steps);
    assert_eq!(*refused.fault(Fault::IdOutOfRange), answers(|answers| answers.broken = 1));
}

#[test]
fn a_reduced_length_counts_as_clamped() {
    let steps = ["device fault length-too-long newest value=5", "driver take"];
    let clamped = counts("core", "", &steps);
    assert_eq!(*clamped.fault(Fault::LengthTooLong), answers(|answers| answers.clamped = 1));
    let refused = counts("core", " after-fault=go-on over-long=refuse", &steps);
    assert_eq!(*refused.fault(Fault::LengthTooLong), answers(|answers| answers.reported = 1));
    let wrong = counts("specimen-length-passed-through", "", &steps);
    assert_eq!(*wrong.fault(Fault::LengthTooLong), answers(|answers| answers.violated = 1));
}

/// If a driver reports no lengths, the lengths that its adapter returns are not counted.
#[test]
fn a_driver_that_reports_no_lengths_clamps_none() {
    const CAN: Capabilities = Capabilities { lengths: false, ..SubjectKind::Core.capabilities() };
    static NO_LENGTHS: External =
        External::new("no-lengths", CAN, |setup, provided| Box::new(CoreQueue::new(setup, provided)));
    let steps = ["device fault length-too-long newest value=5", "driver take"];
    let ignored = counts_of(SubjectKind::External(&NO_LENGTHS), "", &steps);
    assert_eq!(*ignored.fault(Fault::LengthTooLong), answers(|answers| answers.ignored = 1));
}

#[test]
fn a_changed_value_that_the_driver_never_reads_is_ignored() {
    let steps = ["device fault length-scribbled newest value=5", "driver take"];
    let ignored = counts("core", "", &steps);
    assert_eq!(*ignored.fault(Fault::LengthScribbled), answers(|answers| answers.ignored = 1));
    // Without a call that could notice the fault, there is no answer.
    let unmet = counts("core", "", &["device fault stops-answering newest value=0"]);
    assert_eq!(*unmet.fault(Fault::StopsAnswering), answers(|_| {}));
    assert_eq!(unmet.fault(Fault::StopsAnswering).unanswered(), 1);
}

#[test]
fn a_device_fault_is_attributed_to_the_used_index_that_it_reports() {
    let steps = [
        "device fault length-scribbled newest value=5",
        "device fault index-jump newest value=99",
        "driver take",
    ];
    let counts = counts("core", "", &steps);
    assert_eq!(*counts.fault(Fault::IndexJump), answers(|answers| answers.broken = 1));
    assert_eq!(*counts.fault(Fault::LengthScribbled), answers(|answers| answers.ignored = 1));
}

/// A driver that follows the corrupted table fails some calls after the first one that could have noticed.
#[test]
fn a_finding_replaces_an_earlier_answer() {
    let steps = [
        "driver submit readable=1x8",
        "device fault next-out-of-range oldest value=2",
        "device return newest written=full",
        "driver take",
        "driver free newest",
        "driver submit readable=1x8",
    ];
    let before = counts("specimen-links-read-back", "", &steps[..4]);
    assert_eq!(*before.fault(Fault::NextOutOfRange), answers(|answers| answers.ignored = 1));
    let wrong = counts("specimen-links-read-back", "", &steps);
    assert_eq!(*wrong.fault(Fault::NextOutOfRange), answers(|answers| answers.violated = 1));
}

#[test]
fn operations_are_counted_with_the_effective_ones() {
    let counts = counts("core", "", &["driver take", "driver take", "device take", "driver reset"]);
    let steps = |op: Op| (counts.operation(op).begun, counts.operation(op).effective);
    assert_eq!(steps(Op::Submit), (1, 1));
    assert_eq!(steps(Op::DeviceTake), (2, 1));
    assert_eq!((steps(Op::Take), steps(Op::Reset), steps(Op::Free)), ((2, 0), (1, 1), (0, 0)));
}

#[test]
fn no_fault_has_more_answers_than_occurrences_and_reports_convert_back() {
    let mut rig = Rig::new().expect("there is memory");
    for subject in ["core", "specimen-mid-chain-freed", "specimen-length-passed-through"] {
        let draw = Draw { profile: Profile::Swarm, steps: 128, queue_size: None };
        let block = rig
            .run_seeds(SubjectKind::by_name(subject).expect("a subject"), &draw, 0, 300)
            .expect("there is memory");
        let report = CountsReport::from(block.tally.counts);
        let begun: u64 = report.operations.values().map(|steps| steps.begun).sum();
        assert!(
            begun <= block.tally.steps && begun + 300 >= block.tally.steps,
            "all steps but the drain at the end are counted"
        );
        for (name, answers) in &report.faults {
            assert!(answers.answered() <= answers.thrown, "{name}: {answers:?}");
            assert!(subject != "core" || answers.violated == 0, "{name}: {answers:?}");
        }
        let violated: u64 = report.faults.values().map(|answers| answers.violated).sum();
        let with_fault = block.findings.iter().filter(|(_, outcome)| outcome.last_fault.is_some()).count();
        assert_eq!(violated, with_fault as u64, "{subject}");
        assert_eq!(Counts::try_from(report), Ok(block.tally.counts));
    }
}
