//! A simple scanner of Rust source: separates code from comments and strings, and finds words in the code.

/// The code of a file: comments and the contents of string and character literals become blanks. Lines stay lines.
pub fn code(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    let mut last = ' ';
    while at < characters.len() {
        let end = match characters[at] {
            '/' if characters.get(at + 1) == Some(&'/') => find(&characters, at, |rest| rest[0] == '\n'),
            '/' if characters.get(at + 1) == Some(&'*') => block_comment(&characters, at),
            'r' if !is_word(last) || last == 'b' => raw_string(&characters, at).unwrap_or(at),
            '"' => quoted(&characters, at, '"'),
            '\'' if is_character(&characters[at..]) => quoted(&characters, at, '\''),
            _ => at,
        };
        last = characters[at];
        if end == at {
            code.push(characters[at]);
            at += 1;
        } else {
            code.extend(characters[at..end].iter().map(|skipped| if *skipped == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn find(characters: &[char], from: usize, here: impl Fn(&[char]) -> bool) -> usize {
    (from..characters.len()).find(|at| here(&characters[*at..])).unwrap_or(characters.len())
}

fn block_comment(characters: &[char], start: usize) -> usize {
    let (mut depth, mut at) = (0, start);
    while at < characters.len() {
        match characters[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] if depth == 1 => return at + 2,
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    at
}

fn raw_string(characters: &[char], start: usize) -> Option<usize> {
    let hashes = characters[start + 1..].iter().take_while(|character| **character == '#').count();
    let open = start + 1 + hashes;
    (characters.get(open) == Some(&'"')).then(|| {
        let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
        (find(characters, open + 1, |rest| rest.starts_with(&close)) + close.len()).min(characters.len())
    })
}

fn quoted(characters: &[char], start: usize, quote: char) -> usize {
    let mut at = start + 1;
    while at < characters.len() && characters[at] != quote {
        at += if characters[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(characters.len())
}

/// Whether a character literal begins here, and not a lifetime.
fn is_character(rest: &[char]) -> bool {
    matches!(rest, ['\'', '\\', ..] | ['\'', _, '\'', ..])
}

/// The words of the code, each with its line number, from 1.
pub fn words(code: &str) -> Vec<(usize, &str)> {
    code.lines()
        .enumerate()
        .flat_map(|(number, line)| {
            line.split(|character| !is_word(character))
                .filter(|word| !word.is_empty())
                .map(move |word| (number + 1, word))
        })
        .collect()
}

/// The line numbers, from 1, whose code contains this word.
pub fn word(text: &str, wanted: &str) -> Vec<usize> {
    words(&code(text)).into_iter().filter(|(_, word)| *word == wanted).map(|(line, _)| line).collect()
}

/// The line numbers, from 1, whose code contains this text. Blanks in both are ignored.
pub fn code_with(text: &str, wanted: &str) -> Vec<usize> {
    let plain = |line: &str| line.chars().filter(|character| !character.is_whitespace()).collect::<String>();
    let (code, wanted) = (code(text), plain(wanted));
    code.lines()
        .enumerate()
        .filter(|(_, line)| plain(line).contains(&wanted))
        .map(|(line, _)| line + 1)
        .collect()
}

/// The line numbers, from 1, of `unsafe` blocks and implementations without a SAFETY comment right above their statement.
pub fn without_safety_comment(text: &str) -> Vec<usize> {
    let lines: Vec<&str> = text.lines().collect();
    let code = code(text);
    let code: Vec<&str> = code.lines().collect();
    let starts = word(text, "unsafe").into_iter().filter(|line| {
        let rest = code[line - 1].split("unsafe").nth(1).unwrap_or_default().trim_start();
        rest.is_empty() || rest.starts_with('{') || rest.starts_with("impl")
    });
    starts.filter(|line| !has_safety_comment(&lines, line - 1)).collect()
}

fn has_safety_comment(lines: &[&str], block: usize) -> bool {
    // The comment may be above the statement that contains the block: at most a few lines of code above.
    let above = lines[..block].iter().rev().take(8);
    let mut statement = 0;
    for line in above {
        match line.trim().strip_prefix("//") {
            Some(comment) if comment.trim().starts_with("SAFETY:") => return true,
            Some(_) => {}
            None => {
                statement += 1;
                let line = line.trim();
                if line.is_empty() || line.ends_with([';', '{', '}']) || statement > 4 {
                    return false;
                }
            }
        }
    }
    false
}

/// The names that a file uses of a crate, from `use` trees and from paths in code.
pub fn uses(text: &str, of: &str) -> Vec<String> {
    let code = code(text);
    let start = format!("{of}::");
    let mut found = Vec::new();
    for (at, _) in code.match_indices(&start) {
        if code[..at].ends_with(is_word) {
            continue;
        }
        let rest = &code[at + start.len()..];
        if let Some(tree) = rest.strip_prefix('{') {
            let end = closing(tree);
            found.extend(branches(&tree[..end]));
        } else {
            found.push(first_name(rest));
        }
    }
    found
}

/// The position of the brace that closes the open one.
fn closing(tree: &str) -> usize {
    let mut depth = 1;
    for (at, character) in tree.char_indices() {
        depth += i32::from(character == '{') - i32::from(character == '}');
        if depth == 0 {
            return at;
        }
    }
    tree.len()
}

/// The first name of each branch of a `use` tree.
fn branches(tree: &str) -> Vec<String> {
    let (mut depth, mut start, mut found) = (0, 0, Vec::new());
    for (at, character) in tree.char_indices().chain([(tree.len(), ',')]) {
        depth += i32::from(character == '{') - i32::from(character == '}');
        if character == ',' && depth == 0 {
            found.push(first_name(&tree[start..at]));
            start = at + 1;
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

fn first_name(path: &str) -> String {
    let path = path.trim_start();
    if path.starts_with('*') {
        "*".to_owned()
    } else {
        path.chars().take_while(|one| is_word(*one)).collect()
    }
}

#[test]
fn code_is_separated_from_comments_and_strings() {
    let text = "a /* b /* c */ d */ e // f\n\"g \\\" h\" i r#\"j \" k\"# 'l' '\\'' m: &'n str b\"o\" br\"p\"";
    let code = code(text);
    let seen: Vec<&str> = words(&code).into_iter().map(|(_, word)| word).collect();
    assert_eq!(seen, ["a", "e", "i", "m", "n", "str", "b", "b"]);
    assert_eq!((code.chars().count(), code.lines().count()), (text.chars().count(), 2));
}

#[test]
fn whole_words_are_found_with_their_lines() {
    let text = "unsafe {}\n#![forbid(unsafe_code)]\n// unsafe\nlet x = \"unsafe\";\n/* unsafe\nunsafe */ unsafe fn f() {}";
    assert_eq!(word(text, "unsafe"), [1, 6]);
    assert_eq!(
        code_with("#[cfg(test)]\n# [ cfg( test ) ]\n// #[cfg(test)]\nmod  tests {", "#[cfg(test)]"),
        [1, 2]
    );
    assert_eq!(code_with("mod  tests {\nmod testing;", "mod tests"), [1]);
}

#[test]
fn a_missing_safety_comment_is_found() {
    assert_eq!(without_safety_comment("fn f() {\n    unsafe { g() }\n}"), [2]);
    assert_eq!(
        without_safety_comment("// SAFETY: fine.\nunsafe impl Send for A {}\nunsafe impl Sync for A {}"),
        [3]
    );
    assert_eq!(without_safety_comment("// A comment.\nunsafe { g() }"), [2]);
    assert!(
        without_safety_comment("// SAFETY: fine, in\n// two lines.\nlet a =\n    unsafe { g() };").is_empty()
    );
    assert_eq!(
        without_safety_comment("// SAFETY: of another.\nunsafe { g() };\nlet a = 1;\nunsafe { g() }"),
        [4]
    );
    assert!(
        without_safety_comment("/// # Safety\npub unsafe fn f() {}\n").is_empty(),
        "a function states a contract of its own"
    );
}

#[test]
fn used_names_are_found() {
    let text =
        "use a::{B, c::{D, E}, F as G,};\nuse a::H;\nlet x = a::I::new();\nuse a::*;\n// a::J\nuse ba::K;";
    assert_eq!(uses(text, "a"), ["B", "c", "F", "H", "I", "*"]);
}
