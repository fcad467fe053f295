//! Every seed of the fuzz corpus, through the function that the fuzz target calls.

use ringstorm::scenario::Scenario;
use std::path::Path;

#[test]
fn every_seed_of_storm_passes_and_nearly_all_reach_the_queue() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/storm");
    let (mut seeds, mut reached) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        seeds += 1;
        reached += usize::from(ringstorm::fuzz::storm(&Scenario::decode(&bytes)));
    }
    assert!(seeds >= 30, "{seeds} seeds");
    assert!(reached * 10 >= seeds * 9, "{reached} of {seeds} seeds do something with the queue");
}
