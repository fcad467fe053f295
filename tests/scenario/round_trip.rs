//! Converting between values, bytes and text loses nothing.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use ringstorm::outcome::Expected;
use ringstorm::scenario::{
    Buffers, Document, HEADER_BYTES, Lengths, Profile, STEP_BYTES, Scenario, Step, generate,
};
use ringstorm_core::QueueSize;
use ringstorm_model::Invariant;
use strum::VariantArray;

fn survives_bytes(scenario: &Scenario) {
    let bytes = scenario.encode();
    assert_eq!(bytes.len(), HEADER_BYTES + STEP_BYTES * scenario.steps.len());
    assert_eq!(Scenario::decode(&bytes), *scenario, "through bytes:\n{scenario}");
}

fn survives_text(document: &Document) {
    let text = document.to_string();
    let read: Document = text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(read, *document, "through text:\n{text}");
    assert_eq!(read.to_string(), text);
}

fn survives(scenario: &Scenario) {
    survives_bytes(scenario);
    survives_text(&Document { scenario: scenario.clone(), ..Document::default() });
}

/// Random bytes, and records that begin with an assigned number, so that most steps are valid.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let numbers = select(ringstorm::scenario::Op::VARIANTS).prop_map(|op| op as u8);
    let fields = prop_oneof![any::<u8>(), 0_u8..8, select(vec![0xbf, 0xc0, 0xdf, 0xe0, 0xef, 0xf0, 0xff])];
    let record =
        (numbers, vec(fields, STEP_BYTES - 1)).prop_map(|(number, rest)| [vec![number], rest].concat());
    let likely = (vec(any::<u8>(), HEADER_BYTES), vec(record, 0..12), vec(any::<u8>(), 0..STEP_BYTES))
        .prop_map(|(header, records, rest)| [header, records.concat(), rest].concat());
    prop_oneof![1 => vec(any::<u8>(), 0..200), 3 => likely]
}

fn expected() -> impl Strategy<Value = Expected> {
    let violation = select(Invariant::VARIANTS).prop_map(Expected::Violation);
    let others = vec![Expected::Pass, Expected::Panic, Expected::Stuck, Expected::Died];
    prop_oneof![select(others), violation]
}

proptest! {
    #[test]
    fn any_bytes_are_a_scenario_that_survives(bytes in bytes()) {
        let scenario = Scenario::decode(&bytes);
        prop_assert!(scenario.setup.fits());
        prop_assert_eq!(scenario.steps.len(), bytes.len().saturating_sub(HEADER_BYTES).div_ceil(STEP_BYTES));
        survives(&scenario);
    }

    #[test]
    fn a_document_survives_text(
        bytes in bytes(),
        comments in vec("[^\r\n]{0,20}", 0..4),
        expectations in vec(("[a-z][a-z0-9-]{0,12}", expected()), 0..4),
    ) {
        survives_text(&Document { comments, scenario: Scenario::decode(&bytes), expectations });
    }

    /// Missing bytes are zero.
    #[test]
    fn zeroes_at_the_end_of_a_record_can_be_left_out(bytes in bytes()) {
        let mut padded = bytes.clone();
        let records = bytes.len().saturating_sub(HEADER_BYTES).div_ceil(STEP_BYTES);
        padded.resize(HEADER_BYTES + STEP_BYTES * records, 0);
        prop_assert_eq!(Scenario::decode(&padded), Scenario::decode(&bytes));
    }
}

#[test]
fn generated_scenarios_survive() {
    for profile in Profile::VARIANTS {
        for seed in 0..1000 {
            let scenario = generate(seed, *profile, 40);
            assert_eq!(scenario.steps.len(), 40);
            survives(&scenario);
        }
    }
}

#[test]
fn very_large_counts_survive() {
    for count in [1, 7, 8, 255, 256, 32_768, 65_535, 65_536, 65_537, 131_071, 131_072] {
        let lengths = [
            Lengths::Full,
            Lengths::Over,
            Lengths::Huge,
            Lengths::Cycle { from: 0, to: 0 },
            Lengths::Cycle { from: 255, to: 256 },
            Lengths::Cycle { from: 1, to: 65_535 },
        ];
        for lengths in lengths {
            let buffers = Buffers { count, lengths };
            let steps = vec![
                Step::Submit { readable: buffers, writable: Buffers::NONE },
                Step::Prepare { readable: Buffers::NONE, writable: buffers },
                Step::Write { readable: buffers, writable: buffers },
            ];
            survives(&Scenario { steps, ..Scenario::default() });
        }
    }
    assert_eq!(Buffers::MAX, 131_072);
}

#[test]
fn every_queue_size_and_every_edge_of_the_setup_survives() {
    for exponent in 0..16 {
        for (buffer_size, first_index) in [(1, 0), (64, 1), (255, 0x7fff), (256, 0x8000), (4096, 0xffff)] {
            let mut scenario = Scenario::default();
            scenario.setup.queue_size = QueueSize::new(1 << exponent).expect("a power of two");
            scenario.setup.buffer_size = buffer_size;
            scenario.setup.first_index = ringstorm_core::RingIndex::new(first_index);
            assert!(scenario.setup.fits());
            survives(&scenario);
        }
    }
    let mut widest = Scenario::default();
    widest.setup.buffer_size = 65_535;
    survives(&widest);
}
