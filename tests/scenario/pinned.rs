//! Pinned values that must not change: the numbers of operations and faults in bytes, and, for one version of the
//! generator, the scenario of each seed.

use ringstorm::scenario::{GENERATOR, HEADER_BYTES, Op, Profile, STEP_BYTES, Scenario, generate};
use ringstorm_sim_device::Fault;
use strum::VariantArray;

const HEADER: [u8; HEADER_BYTES] = [0; HEADER_BYTES];

/// The text of a record. Checks that the text has this record.
fn line(record: &[u8]) -> String {
    let scenario = Scenario::decode(&[&HEADER, record].concat());
    assert_eq!(scenario.steps.len(), 1);
    scenario.steps[0].to_string()
}

#[test]
fn the_numbers_of_operations() {
    let table: [(&[u8], &str); 38] = [
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
        (&[10, 0, 0, 128 + 5], "driver misuse withdraw in-flight newest"),
        (&[10, 1, 0, 128 + 6], "driver misuse withdraw returned oldest"),
        (&[12, 0, 0, 0, 3, 1], "driver memory-fails after=259"),
        (&[13, 1], "driver withdraw oldest"),
        (&[14, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 3, 0, 3, 0], "driver submit writable=1x3 times=5"),
        (&[14], "driver submit times=1"),
        (
            &[14, 0xf0, 0, 0x80, 0, 0, 0xc2, 0, 0, 0, 0, 2, 0, 0x80, 5, 0, 7, 1],
            "driver submit readable=131072xfull writable=2x5..263 times=32768",
        ),
        (&[15], "driver delay-interrupts"),
        (&[16], "driver take-back"),
        (&[16, 0, 1], "driver take-back live"),
        (&[17], "driver interrupt-arrives"),
        (&[129], "rounds 1"),
        (&[129, 0, 0, 0, 15], "rounds 7"),
        (&[129, 0, 0xf0, 0, 0, 0, 2], "rounds 131072"),
        (&[32, 0, 0, 4], "device take count=4"),
        (&[32], "device take"),
        (&[33, 1, 1, 1, 12], "device return oldest written=12"),
        (&[33, 0, 2, 255], "device return newest written=full count=255 beyond"),
        (&[34, 0, 1], "device notifications off"),
        (&[35, 0, 0, 0, 5], "device event ahead=5"),
        (&[64, 2, 0, 3, 0xff, 0xff, 0xff, 0xff], "device fault duplicate-id oldest+1 value=4294967295"),
        (&[128], "settle"),
    ];
    for (record, text) in table {
        assert_eq!(line(record), text, "{record:?}");
        // Encoding gives the same record, with zeros at the end.
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
        "stale-id",
        "length-for-readable",
        "length-unwritten",
        "index-backwards",
        "index-before-element",
        "flags-garbage",
        "event-garbage",
        "next-to-self",
        "next-to-free",
        "next-set",
        "next-cleared",
        "write-flipped",
        "indirect-flipped",
        "length-grown",
        "length-zeroed",
        "address-of-another",
        "address-outside",
        "address-zero",
        "available-index-overwritten",
        "available-entry-overwritten",
        "readable-written",
        "written-after-return",
        "spurious-notification",
        "lost-notification",
        "changed-between-reads",
        "stops-answering",
        "needs-reset",
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
    for head in [7, 127, 128 + 7, 255] {
        assert_eq!(line(&[10, 0, 0, head]), "idle", "no such head: {head}");
    }
}

#[test]
fn the_setup_in_bytes() {
    let table: [(&[u8], &str); 11] = [
        (&[], "queue size=8 buffer=64"),
        (&[3], "queue size=1 buffer=64"),
        (&[12], "queue size=32768 buffer=64"),
        (&[0, 0, 7], "queue size=8 buffer=7"),
        (&[0, 0xf0, 1, 2], "queue size=8 buffer=513"),
        (&[12, 0xf0, 0xff, 0xff], "queue size=32768 buffer=4096"),
        (&[0, 0, 0, 0, 0xfe, 0xff], "queue size=8 buffer=64 first-index=0xfffe"),
        (&[0, 0, 0, 0, 0, 0, 1], "queue size=8 buffer=64 after-fault=go-on"),
        (&[0, 0, 0, 0, 0, 0, 8], "queue size=8 buffer=64 features=event-idx"),
        (&[0, 0, 0, 0, 0, 0, 6], "queue size=8 buffer=64 over-long=refuse writable=zeroed"),
        (&[0, 0, 0, 0, 0, 0, 0, 1], "queue size=8 buffer=64 ending=dropped"),
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

/// FNV-1a over the bytes of many complete scenarios. Short ones seldom contain the rare choices.
fn fingerprint(profile: Profile) -> u64 {
    let bytes = (0..300).flat_map(|seed| generate(seed, profile, 128).encode());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// Compares with a reviewed file. If a change makes seeds mean other scenarios, give the generator a new version.
fn pin(name: &str, drawn: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../reports/generator");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, drawn));
}

#[test]
fn the_version_of_the_generator() {
    let prints: Vec<String> = Profile::VARIANTS
        .iter()
        .map(|profile| format!("{profile:?} {:#018x}", fingerprint(*profile)))
        .collect();
    pin("seeds", &format!("{GENERATOR}\n{}", prints.join("\n")));
}

#[test]
fn honest_seeds() {
    pin("honest-seeds", &drawn(Profile::Honest));
}

#[test]
fn hostile_seeds() {
    pin("hostile-seeds", &drawn(Profile::Hostile));
}

#[test]
fn swarm_seeds() {
    pin("swarm-seeds", &drawn(Profile::Swarm));
}
