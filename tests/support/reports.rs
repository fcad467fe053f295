//! Reports for tests: of a small run with fixed times, and one with hostile text.

use ringstorm::campaign::{self, Budget, Canary, Hang, Plan, Summary};
use ringstorm::report::{
    CalibrationReport, Interval, PROGRAM, PaceReport, RunOptions, RunReport, file_name, read_calibration,
};
use ringstorm::scenario::{Draw, Profile};
use ringstorm::subject::SubjectKind;
use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

/// The report of a run of `seeds` seeds, which stops at `max_findings` groups of findings.
pub fn run(subject: &str, seeds: u64, max_findings: usize) -> RunReport {
    let plan = Plan {
        kind: SubjectKind::by_name(subject).expect("a subject"),
        draw: Draw { profile: Profile::Swarm, steps: 64, queue_size: None },
        from: 0,
        budget: Budget::Seeds(seeds),
        jobs: 2,
        max_findings,
        masks: BTreeSet::new(),
        call_timeout: Plan::CALL_TIMEOUT,
        isolation: None,
    };
    let hung = |hang: &Hang, _: &Summary| panic!("{hang:?}");
    let summary = campaign::run(&plan, Summary::default(), &AtomicBool::new(false), &hung, &mut ());
    let summary = summary.expect("there is memory");
    let asked = RunOptions::new(&plan, Some(Interval { from: 0, count: seeds }));
    let canary = Canary {
        subject: "specimen-id-folded".to_owned(),
        seeds: 6,
        signature: "specimen-id-folded/violation/no-forged-completion/take/truncated-id".to_owned(),
    };
    let file = |finding: &campaign::Finding| format!("findings/{}", file_name(&finding.signature));
    let program = PROGRAM.to_owned();
    let mut report = RunReport::new(asked, program, None, &plan, &summary, Some(canary), file);
    (report.seconds, report.construction_seconds, report.stepping_seconds) = (2.0, 0.25, 3.0);
    (report.steps_per_second, report.steps_per_second_per_core) = (2_000_000.0, 1_000_000.0);
    let point = |seconds: u32, steps: u64| PaceReport {
        seconds: seconds.into(),
        effective_steps: steps,
        stepping_seconds: f64::from(seconds) * 1.5,
    };
    report.pace = vec![point(1, report.effective_steps / 3), point(2, report.effective_steps)];
    report
}

/// A run with findings.
pub fn found() -> RunReport {
    run("specimen-links-read-back", 400, 3)
}

/// A report in which every text is hostile.
#[allow(dead_code, reason = "not every test uses it")]
pub fn hostile() -> RunReport {
    let text = "<script>alert(1)</script> & \"quoted\" 'x' \u{202e}\u{1b}\u{0}\u{feff}<img src=x onerror=alert(2)> \
                {{ 7 * 7 }} ]]> --> </svg><b onclick=alert(3)>";
    let mut report = found();
    report.asked.subject = text.to_owned();
    report.program = text.to_owned();
    report.asked.generator = text.to_owned();
    report.asked.masks.insert(text.to_owned());
    report.masked.insert(text.to_owned(), 3);
    report.trace_hash = text.to_owned();
    report.missing.push(text.to_owned());
    report.canary = report.canary.map(|canary| Canary { subject: text.to_owned(), ..canary });
    for finding in &mut report.findings {
        finding.signature.subject = text.to_owned();
        finding.detail = text.to_owned();
        finding.file = text.to_owned();
        finding.scenario = text.to_owned();
        for moment in finding.timeline.iter_mut().flat_map(|timeline| &mut timeline.moments) {
            moment.note = text.to_owned();
            moment.step = text.to_owned();
            moment.touches.push(u16::MAX);
        }
    }
    report
}

/// A calibration of two specimens.
#[allow(dead_code, reason = "not every test uses it")]
pub fn calibration() -> CalibrationReport {
    let text = r#"{"version": 1, "generator": "swarm-7", "specimens": [
        {"name": "specimen-id-folded", "found": true, "invariant": "no-forged-completion", "median_seeds": 6,
         "median_seconds": 0.001, "worst_seeds": 20, "worst_seconds": 0.01, "steps_after_shrinking": 3, "scenario": ""},
        {"name": "specimen-never-seen", "found": false, "invariant": null, "median_seeds": null,
         "median_seconds": null, "worst_seeds": null, "worst_seconds": null, "steps_after_shrinking": null,
         "scenario": null}]}"#;
    read_calibration(text).expect("a calibration")
}
