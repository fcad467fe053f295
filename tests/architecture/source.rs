//! What stands where in the source, and what stands nowhere.

use crate::{nowhere, scan, sources, top};
use std::process::Command;

fn lines(numbers: Vec<usize>) -> Vec<String> {
    numbers.into_iter().map(|number| format!("line {number}")).collect()
}

/// Whether it is source that is shipped, and not a test, a benchmark or an example.
fn is_product(path: &str) -> bool {
    ["src/", "core/src/", "model/src/", "sim-device/src/"].iter().any(|folder| path.starts_with(folder))
}

#[test]
fn unsafe_stands_in_shared_memory_only() {
    nowhere(
        |path| is_product(path) && !path.starts_with("core/src/memory/"),
        |text| lines(scan::word(text, "unsafe")),
    );
    // Tests of the root package, the device and the model reach memory through its trait, and so does an example with
    // its device. Benchmarks and examples have adapters of foreign queues, whose calls are unsafe, or which are made
    // over a slice of shared memory; one tells by address where its rings are, another starts a process that must not
    // be left behind, and waits for eventfds that are foreign too. rust-vmm's device reaches the watched
    // memory of the storm by address.
    let foreign = [
        "benches/queue/peer.rs",
        "benches/queue/rings.rs",
        "examples/rust_vmm_device/memory.rs",
        "examples/vhost_user_blk/daemon.rs",
        "examples/vhost_user_blk/frontend.rs",
        "examples/vhost_user_blk/peer.rs",
        "examples/virtio_driver/adapter.rs",
        "examples/virtio_driver/block.rs",
    ];
    nowhere(
        |path| {
            !is_product(path)
                && !path.starts_with("core/tests/")
                && !path.starts_with("examples/virtio_drivers/adapter/")
                && !foreign.contains(&path)
        },
        |text| lines(scan::word(text, "unsafe")),
    );
    let shared = sources().into_iter().filter(|source| source.path.starts_with("core/src/memory/"));
    assert!(
        shared.map(|source| scan::word(&source.text, "unsafe").len()).sum::<usize>() > 0,
        "nothing was looked at"
    );
}

#[test]
fn every_unsafe_block_is_argued_for() {
    nowhere(|_| true, |text| lines(scan::unargued(text)));
}

#[test]
fn product_source_holds_no_tests() {
    let tests =
        |text: &str| lines([scan::code_with(text, "cfg(test"), scan::code_with(text, "mod tests")].concat());
    assert_eq!(tests("#[cfg(test)]\nmod tests {}").len(), 2);
    nowhere(|path| is_product(path) && !path.starts_with("src/"), tests);
}

#[test]
fn nothing_is_left_undone() {
    let undone = |text: &str| {
        let wanted = ["#[ignore", "todo!", "unimplemented!", "dbg!"];
        wanted.iter().flat_map(|what| lines(scan::code_with(text, what))).collect::<Vec<_>>()
    };
    assert_eq!(
        undone("#[ignore]\n#[ignore = \"slow\"]\ntodo!()\nunimplemented!()\ndbg!(x)\n\"dbg!\"").len(),
        5
    );
    nowhere(|_| true, undone);
}

/// The modules of the standard library that reach the world, as far as a file uses them.
fn world(text: &str) -> Vec<String> {
    let worldly = ["time", "fs", "thread", "process", "io", "env", "net"];
    let mut used = scan::uses(text, "std");
    used.retain(|name| worldly.contains(&name.as_str()));
    used
}

#[test]
fn only_the_root_package_reaches_the_world() {
    assert_eq!(
        world("use std::{time::Instant, fmt};\nstd::thread::sleep(x);\nuse std::fs;"),
        ["time", "thread", "fs"]
    );
    // A mapping is made from a file, and the operating system's errors are passed on.
    let allowed = [
        ("core/src/memory/mapped.rs", &["fs", "io"][..]),
        ("core/src/memory/guarded.rs", &["io"]),
        ("core/src/error.rs", &["io"]),
    ];
    let is_below = |path: &str| is_product(path) && !path.starts_with("src/");
    nowhere(|path| is_below(path) && allowed.iter().all(|(file, _)| *file != path), world);
    for (file, modules) in allowed {
        nowhere(
            |path| path == file,
            |text| world(text).into_iter().filter(|name| !modules.contains(&name.as_str())).collect(),
        );
    }
}

#[test]
fn a_fuzz_target_is_only_an_entry_point() {
    nowhere(
        |path| path.starts_with("fuzz/fuzz_targets/"),
        |text| {
            Some(text.lines().count())
                .filter(|count| *count > 15)
                .map(|count| format!("{count} lines"))
                .into_iter()
                .collect()
        },
    );
}

#[test]
fn files_can_be_read_in_one_sitting() {
    nowhere(
        |_| true,
        |text| {
            Some(text.lines().count())
                .filter(|count| *count >= 400)
                .map(|count| format!("{count} lines"))
                .into_iter()
                .collect()
        },
    );
}

#[test]
fn source_is_formatted() {
    let cargo =
        Command::new(env!("CARGO")).current_dir(top()).args(["fmt", "--all", "--", "--check"]).output();
    let output = cargo.expect("cargo fmt can be run");
    let text =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "run `cargo fmt --all`\n{text}");
}
