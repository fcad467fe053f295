//! Executions over memory between guard pages. Any access outside rings and buffers ends the process at once. Over heap
//! memory, only the checks of the memory type itself would notice. Outcomes must be the same over both.
#![cfg(unix)]

use ringstorm::execution::{MemoryKind, Rig};
use ringstorm::scenario::{Document, Profile, Scenario, generate};
use ringstorm::subject::SubjectKind;
use std::path::Path;

const GUARDED: [MemoryKind; 2] = [MemoryKind::BeforeGuard, MemoryKind::BehindGuard];
const STEPS: usize = 64;
const SEEDS: u64 = 1000;

/// Runs a scenario over each kind of memory. The outcomes, trace hashes included, must be equal.
struct Rigs {
    heap: Rig,
    guarded: [Rig; 2],
}

impl Rigs {
    fn new() -> Self {
        Self { heap: Rig::new().unwrap(), guarded: GUARDED.map(|memory| Rig::with_memory(memory).unwrap()) }
    }

    #[track_caller]
    fn run(&mut self, kind: SubjectKind, scenario: &Scenario, what: &str) {
        let expected = self.heap.run(kind, scenario, &mut ()).unwrap();
        for (rig, memory) in self.guarded.iter_mut().zip(GUARDED) {
            let outcome = rig.run(kind, scenario, &mut ()).unwrap();
            assert_eq!(outcome, expected, "{what} on {}, {memory:?}", kind.name());
        }
    }
}

/// Runs each regression with the subjects that it names and with core. `tests/regressions.rs` checks the outcomes themselves.
#[test]
fn every_regression_has_the_same_outcome() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/regressions");
    let mut rigs = Rigs::new();
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let document: Document = std::fs::read_to_string(&path).unwrap().parse().unwrap();
        let named = document.expectations.iter().map(|(name, _)| SubjectKind::by_name(name).unwrap());
        for kind in named.chain([SubjectKind::Core]) {
            rigs.run(kind, &document.scenario, &path.display().to_string());
        }
        count += 1;
    }
    assert!(count > 50, "the folder contains only {count} regressions");
}

fn seeds(profile: Profile) {
    let mut rigs = Rigs::new();
    for seed in 0..SEEDS {
        rigs.run(SubjectKind::Core, &generate(seed, profile, STEPS), &format!("{profile:?} seed {seed}"));
    }
}

#[test]
fn core_with_an_honest_device() {
    seeds(Profile::Honest);
}

#[test]
fn core_with_a_hostile_device() {
    seeds(Profile::Hostile);
}

#[test]
fn core_in_the_swarm() {
    seeds(Profile::Swarm);
}

/// The page before or after the memory of a rig is mapped without any permission.
#[test]
#[cfg(target_os = "linux")]
fn the_memory_of_a_rig_ends_at_a_guard() {
    use ringstorm_core::SharedMemory;

    let permissions = |address: u64| {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let bound = |text: &str| u64::from_str_radix(text, 16).unwrap();
        maps.lines().find_map(|line| {
            let (range, rest) = line.split_once(' ')?;
            let (start, end) = range.split_once('-')?;
            (bound(start)..bound(end)).contains(&address).then(|| rest[..4].to_owned())
        })
    };
    for (length, alignment) in [(1, 1), (99, 1), (118, 16), (4096, 16), (5000, 1)] {
        let before = MemoryKind::BeforeGuard.memory(length, alignment).unwrap();
        let behind = MemoryKind::BehindGuard.memory(length, alignment).unwrap();
        let end = before.host_address() + length as u64;
        let guard = end.next_multiple_of(alignment as u64);
        let addresses = [end - 1, guard, behind.host_address(), behind.host_address() - 1];
        let expected = ["rw-p", "---p", "rw-p", "---p"].map(|text| Some(text.to_owned()));
        assert_eq!(addresses.map(permissions), expected, "{length} bytes");
    }
}
