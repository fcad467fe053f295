//! A queue that computes its own layout wrongly is a finding, and not an error of its adapter.

use ringstorm::cli::{self, Found};
use ringstorm::execution::{CannotRun, Rig};
use ringstorm::scenario::{Document, Scenario, Setup};
use ringstorm::subject::{
    Answer, Capabilities, Completion, CoreQueue, External, Geometry, Provided, QueueSize, Subject,
    SubjectKind,
};

/// A queue with another geometry than it uses.
struct Misplaced {
    queue: CoreQueue,
    geometry: Geometry,
}

impl Subject for Misplaced {
    fn geometry(&self) -> Geometry {
        self.geometry
    }

    fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16> {
        self.queue.submit(readable, writable)
    }

    fn publish(&mut self) -> bool {
        self.queue.publish()
    }

    fn take(&mut self) -> Answer<Option<Completion>> {
        self.queue.take()
    }

    fn read(&mut self, head: u16, out: &mut [u8]) -> Answer<usize> {
        self.queue.read(head, out)
    }

    fn release(self: Box<Self>) {
        Box::new(self.queue).release();
    }
}

const CAN: Capabilities = Capabilities { computes_geometry: true, prepare: true, ..Capabilities::NONE };

/// A subject that moves the parts of a right geometry.
fn moved(name: &str, how: fn(Geometry) -> Geometry) -> External {
    External::variant(name, CAN, move |setup: &Setup, provided: &Provided| {
        let queue = CoreQueue::new(setup, provided);
        Box::new(Misplaced { geometry: how(queue.geometry()), queue })
    })
    .with_rings(|size| 32 * size.as_usize() + 64)
}

fn of_size_four() -> Scenario {
    Scenario {
        setup: Setup { queue_size: QueueSize::new(4).expect("a size"), ..Setup::default() },
        steps: Vec::new(),
    }
}

/// The verdict for a queue of four descriptors: table at 0, available ring at 64, used ring at 80, which end at 118.
fn verdict(how: fn(Geometry) -> Geometry) -> String {
    let own: &'static External = Box::leak(Box::new(moved("moved", how)));
    let outcome = Rig::new().expect("memory").run(SubjectKind::External(own), &of_size_four(), &mut ());
    outcome.map_or_else(|error| error.to_string(), |outcome| outcome.verdict.to_string())
}

#[test]
fn each_part_has_its_alignment_and_its_size() {
    insta::assert_snapshot!(verdict(|right| right), @"pass");
    insta::assert_snapshot!(verdict(|right| Geometry { table: 120, available: 0, used: 16, ..right }), @"violation of layout: the descriptor table begins at offset 120; expected a multiple of 16");
    insta::assert_snapshot!(verdict(|right| Geometry { available: 65, used: 84, ..right }), @"violation of layout: the available ring begins at offset 65; expected a multiple of 2");
    insta::assert_snapshot!(verdict(|right| Geometry { used: 82, ..right }), @"violation of layout: the used ring begins at offset 82; expected a multiple of 4");
    insta::assert_snapshot!(verdict(|right| Geometry { used: 76, ..right }), @"violation of layout: the used ring, 38 bytes from offset 76, overlaps the available ring, 14 bytes from offset 64");
    insta::assert_snapshot!(verdict(|right| Geometry { available: 60, ..right }), @"violation of layout: the available ring, 14 bytes from offset 60, overlaps the descriptor table, 64 bytes from offset 0");
    insta::assert_snapshot!(verdict(|right| Geometry { available: 0, used: 16, table: 48, ..right }), @"violation of layout: the used ring, 38 bytes from offset 16, overlaps the descriptor table, 64 bytes from offset 48");
    insta::assert_snapshot!(verdict(|right| Geometry { available: 0, used: 16, table: 64, ..right }), @"pass");
}

/// What does not fit in the memory, or has another size, is not the queue's layout.
#[test]
fn other_errors_are_those_of_the_adapter() {
    for how in [(|right| Geometry { used: 400, ..right }) as fn(Geometry) -> Geometry, |right| Geometry {
        size: 8,
        ..right
    }] {
        let own: &'static External = Box::leak(Box::new(moved("moved", how)));
        let result = Rig::new().expect("memory").run(SubjectKind::External(own), &of_size_four(), &mut ());
        assert!(matches!(result, Err(CannotRun::Adapter(_))), "{result:?}");
    }
}

/// The finding has a scenario, which is shrunk and can be replayed, also step by step.
#[test]
fn a_wrong_layout_is_found_shrunk_and_replayed() {
    let own = vec![moved("overlapping", |right| Geometry { used: right.used - 4, ..right })].leak();
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().to_str().expect("a name");
    let run = cli::command(own, ["run", "--seeds", "20", "--out", out]);
    assert_eq!(run.expect("a run"), Found::Something);
    let file = folder.path().join("overlapping-violation-layout-construct-no-fault.storm");
    let text = std::fs::read_to_string(&file).expect("a finding");
    let document: Document = text.parse().expect("a scenario");
    assert_eq!((document.scenario.steps.len(), document.scenario.setup.queue_size.get()), (0, 1), "{text}");
    let replay = cli::command(own, ["replay", file.to_str().expect("a name")]);
    assert_eq!(replay.expect("a run"), Found::Something);
    let explore = cli::command(own, ["explore", "--queue-size", "1", "--depth", "1"]);
    assert_eq!(explore.expect("a run"), Found::Something);
    let mut rig = Rig::new().expect("memory");
    let (trace, _) =
        ringstorm::annotated_trace::annotate(&mut rig, SubjectKind::External(&own[0]), &document.scenario)
            .expect("a run");
    insta::assert_snapshot!(trace, @r"
    queue size=1 buffer=1 on overlapping

    violation of layout: the used ring, 14 bytes from offset 20, overlaps the available ring, 8 bytes from offset 16
      at construction of the queue, before any step; failing call: construct
      rule layout: The descriptor table is aligned to 16 bytes and has 16 bytes for each descriptor. The available ring is aligned to 2 bytes and has 6 bytes, and 2 for each descriptor. The used ring is aligned to 4 bytes and has 6 bytes, and 8 for each descriptor. None overlaps another (2.7).
    ");
}
