//! What must not change: the numbers of operations and faults in stored bytes, and, for one version of the
//! generator, which scenario a seed names.

use ringstorm::scenario::{GENERATOR, HEADER_BYTES, Op, Profile, STEP_BYTES, Scenario, generate};
use ringstorm_sim_device::Fault;
use strum::VariantArray;

const HEADER: [u8; HEADER_BYTES] = [0; HEADER_BYTES];

/// The text of a record, and the record of that text.
fn line(record: &[u8]) -> String {
    let scenario = Scenario::decode(&[&HEADER, record].concat());
    assert_eq!(scenario.steps.len(), 1);
    scenario.steps[0].to_string()
}

#[test]
fn the_numbers_of_operations() {
    let table: [(&[u8], &str); 23] = [
        (&[0], "idle"),
        (&[1, 0, 0, 2, 0, 0, 5, 0, 7, 0], "driver submit readable=2x5..7"),
        (&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf2, 0, 0, 0xc0], "driver submit writable=131072xfull"),
        (
            &[1, 0, 0xf1, 1, 0, 0xe0, 0, 0, 0, 0, 0xc0, 200, 0, 0xf0],
            "driver submit readable=65537xover writable=200xhuge",
        ),
        (&[2, 0, 0, 1, 0, 0x80, 0x34, 0x12, 0, 0x20], "driver prepare readable=1x4660..8192"),
        (&[3, 0, 0, 3, 0, 0, 1, 0, 1, 0], "driver write readable=3x1"),
        (&[4], "driver publish"),
        (&[5], "driver take"),
        (&[6], "driver collect"),
        (&[7, 1, 1, 0, 0x78, 0x56, 0x34, 0x12], "driver read oldest limit=305419896"),
        (&[7, 0, 0], "driver read newest limit=full"),
        (&[8, 255], "driver free oldest+254"),
        (&[9], "driver reset"),
        (&[10, 0, 1, 4], "driver misuse read stale newest"),
        (&[10, 3, 0, 5], "driver misuse free in-flight oldest+2"),
        (&[11, 0, 1], "driver interrupts off"),
        (&[32, 0, 0, 4], "device take count=4"),
        (&[32], "device take"),
        (&[33, 1, 1, 1, 12], "device return oldest written=12"),
        (&[33, 0, 2, 255], "device return newest written=full count=255 beyond"),
        (&[34, 0, 1], "device notifications off"),
        (&[64, 2, 0, 3, 0xff, 0xff, 0xff, 0xff], "device fault duplicate-id oldest+1 value=4294967295"),
        (&[128], "settle"),
    ];
    for (record, text) in table {
        assert_eq!(line(record), text, "{record:?}");
        // The other way round, the record is the same, with zeroes behind it.
        let document: ringstorm::scenario::Document =
            format!("ringstorm scenario 1\nqueue size=8 buffer=64\n{text}\n").parse().expect(text);
        let encoded = document.scenario.encode();
        let decoded = Scenario::decode(&[&HEADER, record].concat());
        assert_eq!(encoded, decoded.encode(), "{text}");
        assert_eq!(encoded[HEADER_BYTES], record[0], "{text}");
    }
    for op in Op::VARIANTS {
        assert!(table.iter().any(|(record, _)| record[0] == *op as u8), "{op:?} is not pinned");
    }
}

#[test]
fn the_numbers_of_faults() {
    let names = [
        "id-out-of-range",
        "truncated-id",
        "mid-chain-id",
        "duplicate-id",
        "length-too-long",
        "index-jump",
        "next-to-head",
        "next-to-middle",
        "length-scribbled",
        "never-returned",
        "next-out-of-range",
        "free-id",
    ];
    for (number, name) in names.iter().enumerate() {
        assert_eq!(line(&[64, 1, 0, number as u8, 9]), format!("device fault {name} oldest value=9"));
    }
    assert_eq!(names.len(), Fault::VARIANTS.len(), "a new fault is not pinned");
}

#[test]
fn numbers_that_are_not_assigned_are_idle() {
    for number in 0..=255 {
        if Op::from_repr(number).is_none() {
            assert_eq!(
                line(&[[number; 1].as_slice(), &[1; STEP_BYTES - 1]].concat()),
                "idle",
                "operation {number}"
            );
        }
        if Fault::from_repr(number).is_none() {
            assert_eq!(line(&[64, 0, 0, number]), "idle", "fault {number}");
        }
    }
    assert_eq!(line(&[10, 0, 0, 6]), "idle", "no such head");
}

#[test]
fn the_setup_in_bytes() {
    let table: [(&[u8], &str); 9] = [
        (&[], "queue size=8 buffer=64"),
        (&[3], "queue size=1 buffer=64"),
        (&[12], "queue size=32768 buffer=64"),
        (&[0, 0, 7], "queue size=8 buffer=7"),
        (&[0, 0xf0, 1, 2], "queue size=8 buffer=513"),
        (&[12, 0xf0, 0xff, 0xff], "queue size=32768 buffer=4096"),
        (&[0, 0, 0, 0, 0xfe, 0xff], "queue size=8 buffer=64 first-index=0xfffe"),
        (&[0, 0, 0, 0, 0, 0, 1], "queue size=8 buffer=64 after-fault=go-on"),
        (&[0, 0, 0, 0, 0, 0, 6], "queue size=8 buffer=64 over-long=refuse writable=zeroed"),
    ];
    for (bytes, text) in table {
        let scenario = Scenario::decode(bytes);
        assert_eq!((scenario.setup.to_string().as_str(), scenario.steps.len()), (text, 0), "{bytes:?}");
    }
    assert_eq!(Scenario::decode(&[]), Scenario::default());
}

fn drawn(profile: Profile) -> String {
    let scenarios = (0..3).map(|seed| generate(seed, profile, 12).to_string());
    scenarios.map(|text| text.replacen("ringstorm scenario 1\n", "", 1)).collect::<Vec<_>>().join("\n")
}

/// FNV-1a over the bytes of many whole scenarios: short ones hardly meet the rare choices.
fn fingerprint(profile: Profile) -> u64 {
    let bytes = (0..300).flat_map(|seed| generate(seed, profile, 128).encode());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[test]
fn the_version_of_the_generator() {
    let prints: Vec<String> = Profile::VARIANTS
        .iter()
        .map(|profile| format!("{profile:?} {:#018x}", fingerprint(*profile)))
        .collect();
    // Whoever changes these, or the scenarios below, gives the generator a new version.
    insta::assert_snapshot!(format!("{GENERATOR}\n{}", prints.join("\n")), @r"
    swarm-3 (xoshiro256++)
    Honest 0x91ba9cd5cb1beb77
    Hostile 0x0a6097d9ebeca41f
    Swarm 0x6bbbfe5180b093eb
    ");
}

#[test]
fn honest_seeds() {
    insta::assert_snapshot!(drawn(Profile::Honest), @r"
    queue size=4 buffer=64 first-index=0xffff after-fault=go-on
    driver submit writable=1xfull
    driver misuse free far oldest
    driver submit readable=1xfull writable=1x1..7
    driver prepare readable=1xfull
    driver publish
    driver misuse read far oldest
    driver reset
    driver submit readable=1x1..6 writable=1xfull
    device take count=2
    driver misuse read stale newest
    device return oldest written=59 count=2
    driver collect

    queue size=64 buffer=64 after-fault=go-on
    driver submit writable=4x1
    driver submit readable=6x1 writable=3x2..4
    driver reset
    settle
    driver write readable=3x4 writable=2x1..7
    driver write readable=5x1..5 writable=3xfull
    driver submit writable=3x1
    driver submit writable=1x1
    driver prepare readable=6xfull writable=2x1..2
    device take
    driver misuse free out-of-range oldest+204
    driver misuse free far oldest+13

    queue size=32 buffer=64 first-index=0xfff6 after-fault=go-on over-long=refuse
    driver misuse read stale oldest
    settle
    driver prepare readable=1x1..4
    driver submit writable=1x8..12
    driver write readable=2x2..5
    driver write readable=24x1 writable=4x3..5
    device take count=2
    driver misuse read out-of-range oldest+114
    device return oldest+187 written=full
    device take count=3
    driver misuse free out-of-range oldest+233
    driver take
    ");
}

#[test]
fn hostile_seeds() {
    insta::assert_snapshot!(drawn(Profile::Hostile), @r"
    queue size=4 buffer=64 first-index=0xffff after-fault=go-on
    driver submit writable=1xfull
    device take
    driver write writable=1x1
    driver submit writable=1x1
    device notifications off
    device take
    driver prepare writable=1xfull
    driver misuse free far oldest
    device take
    device take count=2
    device return oldest+151 written=full
    driver collect

    queue size=64 buffer=64 after-fault=go-on
    driver submit writable=4x1
    driver submit readable=6x1 writable=3x2..4
    driver interrupts on
    device take count=3
    driver reset
    device fault duplicate-id oldest value=0
    driver collect
    driver prepare readable=4xfull writable=2xfull
    driver misuse read far newest
    driver write writable=4xfull
    device fault length-too-long oldest+192 value=4294967295
    driver prepare readable=3x1 writable=1x1

    queue size=32 buffer=64 first-index=0xfff6 after-fault=go-on over-long=refuse
    device fault next-to-head oldest value=4294967295
    device fault index-jump oldest value=4294967295
    driver submit readable=3xfull
    driver write readable=2x3..5 writable=2x1..7
    device take
    driver prepare readable=1x1
    driver write readable=2x1
    driver submit readable=3x1 writable=1x1..2
    driver submit readable=2x1..4 writable=1x8..9
    device return oldest written=full
    driver submit readable=1xfull writable=2x12..14
    driver take
    ");
}

#[test]
fn swarm_seeds() {
    insta::assert_snapshot!(drawn(Profile::Swarm), @r"
    queue size=4 buffer=64 first-index=0xffff after-fault=go-on
    driver submit readable=2xfull
    device take count=2
    device fault length-too-long oldest value=56323480
    device fault id-out-of-range oldest+120 value=5
    device fault length-too-long oldest value=2129889855
    device fault length-too-long oldest value=4294967295
    driver submit readable=2xfull
    device fault next-to-head oldest+91 value=5
    driver collect
    device fault id-out-of-range oldest value=0
    driver free newest
    driver submit writable=2xfull

    queue size=64 buffer=64 after-fault=go-on
    driver submit writable=1xfull
    driver reset
    driver submit readable=2xfull
    driver submit writable=1x1..2
    settle
    driver submit readable=1x1..5
    driver submit readable=1x1..6
    driver submit writable=1x6..9
    device fault id-out-of-range oldest value=0
    driver reset
    driver submit writable=2x1..5
    driver submit readable=1x4..5

    queue size=32 buffer=64 first-index=0xfff6 after-fault=go-on over-long=refuse
    driver submit readable=1xfull
    driver submit readable=1x1..4
    device fault next-to-middle oldest+233 value=0
    driver prepare writable=1x1..4
    driver submit writable=1x1
    device fault never-returned oldest value=0
    device fault next-out-of-range oldest value=0
    device fault never-returned oldest value=0
    driver prepare writable=1x1
    driver reset
    device fault index-jump oldest value=4294967295
    device fault next-to-middle newest value=0
    ");
}
