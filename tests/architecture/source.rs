//! What source files must not contain, and where `unsafe` is allowed.

use crate::{nowhere, scan, sources, top};
use std::process::Command;

fn lines(numbers: Vec<usize>) -> Vec<String> {
    numbers.into_iter().map(|number| format!("line {number}")).collect()
}

/// Whether this is shipped source, and not a test, a benchmark or an example.
fn is_product(path: &str) -> bool {
    ["src/", "core/src/", "model/src/", "sim-device/src/"].iter().any(|folder| path.starts_with(folder))
}

#[test]
fn unsafe_is_only_in_the_listed_files() {
    nowhere(
        |path| is_product(path) && !path.starts_with("core/src/memory/"),
        |text| lines(scan::word(text, "unsafe")),
    );
    // Tests of the root package, the device and the model use memory through its trait, and so do other examples. These
    // files need unsafe code: adapters of foreign queues, whose calls are unsafe, whose rings are at raw addresses, or which
    // borrow a slice of shared memory; the start of a child process that the kernel must kill with its parent; waiting for
    // foreign eventfds; rust-vmm's access to the watched memory.
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
        "core/src/memory/ contains no unsafe code: the scanner does not work"
    );
}

#[test]
fn every_unsafe_block_has_a_safety_comment() {
    nowhere(|_| true, |text| lines(scan::without_safety_comment(text)));
}

#[test]
fn product_source_contains_no_tests() {
    let tests =
        |text: &str| lines([scan::code_with(text, "cfg(test"), scan::code_with(text, "mod tests")].concat());
    assert_eq!(tests("#[cfg(test)]\nmod tests {}").len(), 2);
    nowhere(|path| is_product(path) && !path.starts_with("src/"), tests);
}

#[test]
fn no_test_is_ignored_and_no_code_is_unfinished() {
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

/// The modules for access to the operating system that a file uses of the standard library.
fn system_modules(text: &str) -> Vec<String> {
    let system = ["time", "fs", "thread", "process", "io", "env", "net"];
    let mut used = scan::uses(text, "std");
    used.retain(|name| system.contains(&name.as_str()));
    used
}

#[test]
fn only_the_root_package_uses_the_operating_system() {
    assert_eq!(
        system_modules("use std::{time::Instant, fmt};\nstd::thread::sleep(x);\nuse std::fs;"),
        ["time", "thread", "fs"]
    );
    // A mapping is made from a file, and errors of the operating system are returned to the caller.
    let allowed = [
        ("core/src/memory/mapped.rs", &["fs", "io"][..]),
        ("core/src/memory/guarded.rs", &["io"]),
        ("core/src/error.rs", &["io"]),
    ];
    let is_below = |path: &str| is_product(path) && !path.starts_with("src/");
    nowhere(|path| is_below(path) && allowed.iter().all(|(file, _)| *file != path), system_modules);
    for (file, modules) in allowed {
        nowhere(
            |path| path == file,
            |text| {
                system_modules(text).into_iter().filter(|name| !modules.contains(&name.as_str())).collect()
            },
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
fn files_have_fewer_than_400_lines() {
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
