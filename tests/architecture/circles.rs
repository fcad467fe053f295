//! No two modules import each other.

use crate::{Source, scan, sources};
use std::collections::{BTreeMap, BTreeSet};

/// The source folders of our packages.
const ROOTS: [&str; 4] = ["src/", "core/src/", "model/src/", "sim-device/src/"];

/// Pairs of core that may import each other: an error carries a value, and the call that makes the value returns the error; a
/// memory is laid out, and a layout is checked against memory.
const ALLOWED: [(&str, &str); 6] = [
    ("core/src/error", "core/src/index"),
    ("core/src/error", "core/src/region"),
    ("core/src/layout", "core/src/memory"),
    ("core/src/memory", "core/src/region"),
    ("core/src/memory", "core/src/rings"),
    ("core/src/memory/raw", "core/src/memory/unchecked"),
];

/// The path of a module from the root of its package.
type Module = Vec<String>;

/// The modules of one package, each with its code.
struct Package(BTreeMap<Module, String>);

impl Package {
    fn new(sources: &[Source], root: &str) -> Self {
        let files = sources.iter().filter_map(|source| Some((source.path.strip_prefix(root)?, &source.text)));
        let modules = files.map(|(path, text)| {
            let mut names: Module = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
            names.pop_if(|last| ["lib", "main", "mod"].contains(&last.as_str()));
            (names, scan::code(text))
        });
        let mut package = Self(BTreeMap::new());
        // `src/lib.rs` and `src/main.rs` are both the root.
        modules.for_each(|(names, code)| package.0.entry(names).or_default().push_str(&code));
        package
    }

    /// The module that a path in the code of `from` refers to; `None` for paths into other packages.
    fn target(&self, from: &Module, path: &[String]) -> Option<Module> {
        let (mut at, mut rest) = match path.first()?.as_str() {
            "crate" => (Module::new(), &path[1..]),
            "self" => (from.clone(), &path[1..]),
            "super" => (from.clone(), path),
            child if self.0.contains_key(&joined(from, child)) => (from.clone(), path),
            _ => return None,
        };
        while let [first, more @ ..] = rest {
            if first == "super" {
                at.pop();
            } else if self.0.contains_key(&joined(&at, first)) {
                at.push(first.clone());
            } else {
                return Some(self.exported(&at, first).unwrap_or(at));
            }
            rest = more;
        }
        Some(at)
    }

    /// The module of an item that `from` re-exports from one of its children.
    fn exported(&self, from: &Module, item: &str) -> Option<Module> {
        let code = self.0.get(from)?;
        let exports = paths(code).into_iter().filter(|path| path.last().is_some_and(|last| last == item));
        let children = exports.filter(|path| self.0.contains_key(&joined(from, &path[0])));
        children.filter_map(|path| self.target(from, &path)).find(|target| target != from)
    }

    /// By module: the modules that it imports from, without its parents and children.
    fn imports(&self) -> BTreeMap<&Module, BTreeSet<Module>> {
        let of = |from: &Module, code: &str| {
            let targets = paths(code).into_iter().filter_map(|path| self.target(from, &path));
            targets.filter(|to| !to.starts_with(from) && !from.starts_with(to)).collect()
        };
        self.0.iter().map(|(from, code)| (from, of(from, code))).collect()
    }

    /// Pairs of modules with the same parent that import each other, directly or from modules inside them.
    fn circles(&self) -> Vec<(String, String)> {
        let mut imports = BTreeSet::new();
        for (from, targets) in self.imports() {
            for to in targets {
                let common = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
                imports.insert((from[..=common].join("/"), to[..=common].join("/")));
            }
        }
        let both = imports.iter().filter(|(one, other)| one < other);
        both.filter(|(one, other)| imports.contains(&(other.clone(), one.clone()))).cloned().collect()
    }
}

fn joined(module: &Module, child: &str) -> Module {
    module.iter().map(String::as_str).chain([child]).map(str::to_owned).collect()
}

/// The paths in code: one for each item of a `use`, and those that start with `crate`, `self` or `super`.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for word in ["use", "crate", "self", "super"] {
        for (at, _) in code.match_indices(word) {
            let (before, rest) = (&code[..at], &code[at + word.len()..]);
            if before.ends_with(|last: char| last.is_alphanumeric() || last == '_' || last == ':') {
                continue;
            }
            if word == "use" && rest.starts_with(char::is_whitespace) {
                let end = rest.find(';').unwrap_or(rest.len());
                branches(&[], &rest[..end], &mut paths);
            } else if word != "use" && rest.starts_with("::") {
                let path = |one: char| one.is_alphanumeric() || one == '_' || one == ':';
                let end = rest.find(|one| !path(one)).unwrap_or(rest.len());
                branches(&[], &code[at..at + word.len() + end], &mut paths);
            }
        }
    }
    paths
}

/// Adds the paths of a `use` tree, each prefixed with `start`.
fn branches(start: &[String], tree: &str, paths: &mut Vec<Vec<String>>) {
    let (mut depth, mut from) = (0, 0);
    for (at, character) in tree.char_indices().chain([(tree.len(), ',')]) {
        depth += i32::from(character == '{') - i32::from(character == '}');
        if character == ',' && depth == 0 {
            let branch = tree[from..at].trim();
            from = at + 1;
            let (path, inner) = match branch.split_once('{') {
                Some((path, inner)) => (path, inner.strip_suffix('}')),
                None => (branch.split(" as ").next().unwrap_or_default(), None),
            };
            let names = path.split("::").map(str::trim).filter(|name| !name.is_empty());
            let path: Vec<String> = start.iter().cloned().chain(names.map(str::to_owned)).collect();
            match inner {
                Some(inner) => branches(&path, inner, paths),
                None if path.is_empty() => {}
                None => paths.push(path),
            }
        }
    }
}

#[test]
fn no_modules_import_each_other() {
    let sources = sources();
    let mut found = Vec::new();
    for root in ROOTS {
        let circles = Package::new(&sources, root).circles();
        found.extend(
            circles.into_iter().map(|(one, other)| (format!("{root}{one}"), format!("{root}{other}"))),
        );
    }
    for (one, other) in ALLOWED {
        let pair = (one.to_owned(), other.to_owned());
        assert!(found.contains(&pair), "{one} and {other} import each other no longer: strike the pair off");
    }
    found.retain(|(one, other)| !ALLOWED.contains(&(one.as_str(), other.as_str())));
    let text: Vec<String> = found.iter().map(|(one, other)| format!("{one} and {other}")).collect();
    assert!(text.is_empty(), "these modules import each other:\n{}", text.join("\n"));
}

/// Makes a package of these files.
fn package(files: &[(&str, &str)]) -> Package {
    let source = |(path, text): &(&str, &str)| Source { path: (*path).to_owned(), text: (*text).to_owned() };
    Package::new(&files.iter().map(source).collect::<Vec<_>>(), "src/")
}

#[test]
fn circles_are_found() {
    let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
    let direct = package(&[
        ("src/lib.rs", "mod a; mod b;"),
        ("src/a.rs", "use crate::{b::B as C, x};"),
        ("src/b.rs", "fn f() { super::a::g() }"),
    ]);
    assert_eq!(direct.circles(), [pair("a", "b")]);
    let inside = package(&[
        ("src/a.rs", "use crate::b::B;"),
        ("src/b/mod.rs", "mod d;"),
        ("src/b/d.rs", "use super::super::{a::{self, A}};"),
    ]);
    assert_eq!(inside.circles(), [pair("a", "b")]);
    let through_parent = package(&[
        ("src/p.rs", "mod a; mod b; pub use a::A; pub use b::{B};"),
        ("src/p/a.rs", "use super::B;"),
        ("src/p/b.rs", "use crate::p::A;"),
    ]);
    assert_eq!(through_parent.circles(), [pair("p/a", "p/b")]);
    let none = package(&[
        ("src/p.rs", "mod a; pub use a::A; pub struct P;"),
        ("src/p/a.rs", "use super::P; // crate::b"),
        ("src/b.rs", "use crate::p::{A, P};"),
    ]);
    assert!(none.circles().is_empty());
}
