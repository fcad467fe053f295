//! What an adapter sees its queue do outside of its memory is a finding, wherever the scenario is run.

use ringstorm::execution::{Advance, Rig};
use ringstorm::outcome::{Call, Expected, Verdict};
use ringstorm::scenario::Document;
use ringstorm::subject::{Answer, Capabilities, Completion, Geometry, Kind, Own, Subject, Trespass};
use ringstorm_model::Invariant;

/// A queue that writes beside its memory with the first chain.
struct Stray(Geometry);

impl Subject for Stray {
    fn geometry(&self) -> Geometry {
        self.0
    }

    fn submit(&mut self, _: &[&[u8]], _: &[u32]) -> Answer<u16> {
        Trespass::raise("8 bytes behind the rings were written")
    }

    fn take(&mut self) -> Answer<Option<Completion>> {
        Ok(None)
    }

    fn read(&mut self, _: u16, _: &mut [u8]) -> Answer<usize> {
        Ok(0)
    }

    fn release(self: Box<Self>) {}
}

static STRAY: Own = Own::new("stray", Capabilities::NONE, |setup, _| {
    let size = setup.queue_size.get();
    let (available, end) = (16 * usize::from(size), 18 * usize::from(size) + 6);
    Box::new(Stray(Geometry { size, table: 0, available, used: end.next_multiple_of(4) }))
});

const SCENARIO: &str =
    "ringstorm scenario 1\nqueue size=2 buffer=8\ndriver take\ndriver submit readable=1x8\n";

#[test]
fn it_violates_own_area_in_the_call_that_it_was_seen_in() {
    let scenario = SCENARIO.parse::<Document>().unwrap().scenario;
    let mut rig = Rig::new().unwrap();
    let outcome = rig.run(Kind::Own(&STRAY), &scenario, &mut ()).unwrap();
    let Verdict::Violation(violation) = &outcome.verdict else { panic!("{:?}", outcome.verdict) };
    assert_eq!(violation.to_string(), "own-area: 8 bytes behind the rings were written");
    assert_eq!((outcome.call, outcome.step), (Call::Submit, 1));
    let signature = outcome.signature("stray").to_string();
    assert_eq!(signature, "stray/violation/own-area/submit/no-fault");
    // The rig is of use for another execution.
    assert!(!rig.run(Kind::Core, &scenario, &mut ()).unwrap().is_finding());
}

#[test]
fn it_ends_an_execution_that_goes_step_by_step() {
    let scenario = SCENARIO.parse::<Document>().unwrap().scenario;
    let mut rig = Rig::new().unwrap();
    rig.try_begin(Kind::Own(&STRAY), &scenario.setup).unwrap();
    assert_eq!(rig.try_step(&scenario.steps[0]).unwrap(), Advance::On);
    let Advance::Ended(verdict) = rig.try_step(&scenario.steps[1]).unwrap() else { panic!("it goes on") };
    assert_eq!(Expected::of(&verdict), Expected::Violation(Invariant::OwnArea));
}
