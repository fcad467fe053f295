//! Checks the rules of ARCHITECTURE.md: which crates may use which, and what the source must not contain.

mod circles;
mod dependencies;
mod scan;
mod source;

use std::path::{Path, PathBuf};

/// A source file: its path from the root of the repository, and its text.
struct Source {
    path: String,
    text: String,
}

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file of the repository, of any package.
fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    let mut folders = vec![top().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder can be listed") {
            let path: PathBuf = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
            if path.is_dir() {
                // Build output and hidden folders contain no source.
                if name != "target" && !name.starts_with('.') {
                    folders.push(path);
                }
            } else if name.ends_with(".rs") {
                let text = std::fs::read_to_string(&path).expect("source is text");
                let path = path.strip_prefix(top()).expect("below the top").display().to_string();
                sources.push(Source { path, text });
            }
        }
    }
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    let all = [
        "src/lib.rs",
        "core/src/lib.rs",
        "model/src/lib.rs",
        "sim-device/src/lib.rs",
        "tests/architecture/main.rs",
    ];
    for path in all {
        assert!(sources.iter().any(|source| source.path == path), "{path} was not found");
    }
    sources
}

/// Fails if `find` finds something in one of the files that `here` selects.
#[track_caller]
fn nowhere(here: impl Fn(&str) -> bool, find: impl Fn(&str) -> Vec<String>) {
    let sources = sources();
    let chosen: Vec<&Source> = sources.iter().filter(|source| here(&source.path)).collect();
    assert!(!chosen.is_empty(), "no file was selected");
    let found: Vec<String> = chosen
        .iter()
        .flat_map(|source| find(&source.text).into_iter().map(|what| format!("{}: {what}", source.path)))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}
