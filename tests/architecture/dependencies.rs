//! Which crates may use which.

use crate::{nowhere, scan, top};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// The names of core that the simulated device may use: shared memory only, not the layout of a queue in it.
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

/// The packages of this repository that a package depends on, by dependencies of these kinds.
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
fn packages_depend_only_on_what_they_may() {
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
    assert_eq!(names, table.map(|(name, _)| name), "every package has a row in the table of this test");
}

#[test]
fn fuzz_targets_use_only_the_root_package() {
    let metadata = metadata("fuzz/Cargo.toml");
    assert_eq!(metadata.packages.len(), 1);
    let package = metadata.packages[0].name.as_str();
    assert_eq!(ours(&metadata, package, &[DependencyKind::Normal]), ["ringstorm"]);
}

#[test]
fn the_simulated_device_uses_only_the_memory_of_core() {
    let other = |text: &str| {
        scan::uses(text, "ringstorm_core")
            .into_iter()
            .filter(|name| !MEMORY.contains(&name.as_str()))
            .collect()
    };
    assert_eq!(other("use ringstorm_core::{SharedMemory, Layout};"), ["Layout"]);
    nowhere(|path| path.starts_with("sim-device/src/"), other);
}

/// The lines of code that name one of these words.
fn names(text: &str, of: &[&str]) -> Vec<String> {
    let code = scan::code(text);
    let words = scan::words(&code);
    let named = words.iter().filter(|(_, word)| of.contains(word));
    named.map(|(line, word)| format!("line {line}, {word}")).collect()
}

#[test]
fn core_and_model_name_no_other_crate_of_this_repository() {
    let ours = ["ringstorm", "ringstorm_core", "ringstorm_model", "ringstorm_sim_device"];
    assert_eq!(names("// ringstorm\nuse ringstorm_model::Event;", &ours), ["line 2, ringstorm_model"]);
    nowhere(
        |path| path.starts_with("core/src/") || path.starts_with("model/src/"),
        |text| names(text, &ours),
    );
}

#[test]
fn examples_of_the_queue_use_only_core() {
    let others = ["ringstorm", "ringstorm_model", "ringstorm_sim_device"];
    let of_the_queue = ["examples/vhost_user_blk/", "examples/rust_vmm_block/"];
    nowhere(|path| of_the_queue.iter().any(|folder| path.starts_with(folder)), |text| names(text, &others));
}
