//! Who may use whom.

use crate::{nowhere, scan, top};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// What of core the simulated device may know: shared memory, and nothing of how a queue lies in it.
const MEMORY: [&str; 8] = [
    "SharedMemory",
    "OrderedLoad",
    "OrderedStore",
    "FullBarrier",
    "HeapMemory",
    "RawMemory",
    "AnyMemory",
    "Error",
];

fn metadata(manifest: &str) -> Metadata {
    let mut command = MetadataCommand::new();
    command.manifest_path(top().join(manifest)).no_deps().other_options(["--offline".to_owned()]);
    command.exec().expect("cargo metadata")
}

/// The packages of ours that a package uses, of these kinds.
fn ours(metadata: &Metadata, package: &str, kinds: &[DependencyKind]) -> Vec<String> {
    let package = metadata.packages.iter().find(|one| one.name.as_str() == package).expect(package);
    let mut names: Vec<String> = package
        .dependencies
        .iter()
        .filter(|dependency| kinds.contains(&dependency.kind))
        .filter(|dependency| dependency.path.is_some() || dependency.name.starts_with("ringstorm"))
        .map(|dependency| dependency.name.clone())
        .collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn packages_use_whom_they_may() {
    use DependencyKind::{Build, Development, Normal};
    let metadata = metadata("Cargo.toml");
    let table: [(&str, &[&str]); 4] = [
        ("ringstorm", &["ringstorm-core", "ringstorm-model", "ringstorm-sim-device"]),
        ("ringstorm-core", &[]),
        ("ringstorm-model", &[]),
        ("ringstorm-sim-device", &["ringstorm-core"]),
    ];
    for (package, allowed) in table {
        assert_eq!(ours(&metadata, package, &[Normal]), allowed, "{package}");
        for name in ours(&metadata, package, &[Build, Development]) {
            assert!(allowed.contains(&name.as_str()), "the tests of {package} use {name}");
        }
    }
    let mut names: Vec<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, table.map(|(name, _)| name), "a package that no rule is made for");
}

#[test]
fn fuzz_targets_use_the_harness_only() {
    let metadata = metadata("fuzz/Cargo.toml");
    assert_eq!(metadata.packages.len(), 1);
    let package = metadata.packages[0].name.as_str();
    assert_eq!(ours(&metadata, package, &[DependencyKind::Normal]), ["ringstorm"]);
}

#[test]
fn the_simulated_device_knows_memory_only() {
    let other = |text: &str| {
        scan::uses(text, "ringstorm_core")
            .into_iter()
            .filter(|name| !MEMORY.contains(&name.as_str()))
            .collect()
    };
    assert_eq!(other("use ringstorm_core::{SharedMemory, Layout};"), ["Layout"]);
    nowhere(|path| path.starts_with("sim-device/src/"), other);
}

/// Where code names one of these.
fn names(text: &str, of: &[&str]) -> Vec<String> {
    let code = scan::code(text);
    let words = scan::words(&code);
    let named = words.iter().filter(|(_, word)| of.contains(word));
    named.map(|(line, word)| format!("line {line}, {word}")).collect()
}

#[test]
fn core_and_model_know_nobody_of_ours() {
    let ours = ["ringstorm", "ringstorm_core", "ringstorm_model", "ringstorm_sim_device"];
    assert_eq!(names("// ringstorm\nuse ringstorm_model::Event;", &ours), ["line 2, ringstorm_model"]);
    nowhere(
        |path| path.starts_with("core/src/") || path.starts_with("model/src/"),
        |text| names(text, &ours),
    );
}

#[test]
fn examples_use_the_queue_as_a_stranger_would() {
    let others = ["ringstorm", "ringstorm_model", "ringstorm_sim_device"];
    let of_the_queue = ["examples/vhost_user_blk/", "examples/rust_vmm_block/"];
    nowhere(|path| of_the_queue.iter().any(|folder| path.starts_with(folder)), |text| names(text, &others));
}
