//! Random inputs for the targets `table`, `walk` and `text`.

use arbitrary::{Arbitrary, Unstructured};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use ringstorm::fuzz;
use ringstorm::scenario::{Document, Profile, generate};

const INPUTS: u64 = 3000;

/// Runs random inputs and counts those that reach the code under test.
fn reached(run: impl Fn(Unstructured<'_>) -> bool) -> u64 {
    let inputs = (0..INPUTS).filter(|seed| {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(*seed);
        let length = rng.random_range(0..600);
        let bytes: Vec<u8> = (0..length).map(|_| rng.random()).collect();
        run(Unstructured::new(&bytes))
    });
    inputs.count() as u64
}

#[test]
fn the_table_agrees_with_its_oracle() {
    let reached = reached(|bytes| fuzz::table(&fuzz::Calls::arbitrary_take_rest(bytes).expect("an input")));
    assert!(reached > INPUTS / 8, "{reached} of {INPUTS} inputs made a chain");
}

#[test]
fn neither_side_accepts_impossible_values() {
    let reached = reached(|bytes| fuzz::walk(&fuzz::Walk::arbitrary_take_rest(bytes).expect("an input")));
    assert!(reached > INPUTS / 8, "{reached} of {INPUTS} inputs were read");
}

#[test]
fn a_changed_text_is_refused_with_a_position_or_parsed() {
    let (mut read, mut refused) = (0, 0);
    for seed in 0..300 {
        let scenario = generate(seed, Profile::Swarm, 12);
        let whole = Document { scenario, ..Document::default() }.to_string();
        assert!(fuzz::text(&whole));
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        for _ in 0..8 {
            let mut bytes = whole.clone().into_bytes();
            let at = rng.random_range(0..bytes.len());
            match rng.random_range(0..3) {
                0 => bytes[at] = rng.random_range(b' '..=b'~'),
                1 => drop(bytes.remove(at)),
                _ => bytes.truncate(at),
            }
            let text = String::from_utf8(bytes).expect("text");
            *if fuzz::text(&text) { &mut read } else { &mut refused } += 1;
        }
    }
    assert!(read > 50 && refused > 1000, "{read} were read and {refused} refused");
}
