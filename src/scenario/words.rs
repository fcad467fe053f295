//! Splits text into lines and words that know their position.

use std::fmt::Display;
use std::str::FromStr;
use strum::VariantArray;

/// A syntax error: its position, what was expected, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: expected {expected}, found {found}")]
pub struct ParseError {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub found: String,
}

/// One line, and whether a line break ends it.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) number: usize,
    pub(super) text: &'a str,
    pub(super) complete: bool,
}

impl<'a> Line<'a> {
    pub(super) fn new(number: usize, line: &'a str) -> Self {
        let text = line.strip_suffix('\n').unwrap_or(line);
        let complete = text.len() < line.len();
        Self { number, text: text.strip_suffix('\r').unwrap_or(text), complete }
    }

    pub(super) fn error(&self, column: usize, expected: impl Into<String>, found: &str) -> ParseError {
        let found = match found {
            "" if self.complete => "the end of the line".to_owned(),
            "" => "the end of the file".to_owned(),
            // Quoted and shortened, because the file may contain anything.
            found => format!("{:?}", found.chars().take(60).collect::<String>()),
        };
        ParseError { line: self.number, column, expected: expected.into(), found }
    }
}

/// A word and the column where it begins.
#[derive(Clone, Copy)]
pub(super) struct Word<'a> {
    line: Line<'a>,
    column: usize,
    pub(super) text: &'a str,
}

impl<'a> Word<'a> {
    pub(super) fn error(&self, expected: impl Into<String>) -> ParseError {
        let mut error = self.line.error(self.column, expected, self.text);
        if self.text.is_empty() {
            "nothing".clone_into(&mut error.found);
        }
        error
    }

    /// The same position with another text.
    pub(super) const fn with_text(&self, text: &'a str) -> Self {
        Self { text, ..*self }
    }

    /// The rest of the word after `length` characters of one byte each.
    pub(super) fn from(&self, length: usize) -> Self {
        Self { text: &self.text[length..], column: self.column + length, ..*self }
    }

    pub(super) fn number<T: TryFrom<u64>>(&self, least: u64, most: u64) -> Result<T, ParseError> {
        let parsed = match self.text.strip_prefix("0x") {
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                u64::from_str_radix(digits, 16)
            }
            _ if self.text.bytes().all(|byte| byte.is_ascii_digit()) => self.text.parse(),
            _ => return Err(self.error(format!("a number from {least} to {most}"))),
        };
        let in_range = parsed.ok().filter(|number| (least..=most).contains(number));
        in_range
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| self.error(format!("a number from {least} to {most}")))
    }

    /// Parses the text name of an enum's variant.
    pub(super) fn name<T: FromStr + VariantArray + Copy + Into<&'static str>>(
        &self,
        what: &str,
    ) -> Result<T, ParseError> {
        let names = || T::VARIANTS.iter().map(|variant| (*variant).into().to_owned());
        self.text.parse().map_err(|_| self.error(crate::names::expected(what, names(), self.text)))
    }
}

/// "one of a, b, c".
pub(super) fn one_of(names: impl Iterator<Item = impl Display>) -> String {
    let names: Vec<String> = names.map(|name| name.to_string()).collect();
    format!("one of {}", names.join(", "))
}

/// Iterates over the words of a line.
pub(super) struct Words<'a> {
    line: Line<'a>,
    /// The offset in bytes of the text that is not read yet.
    at: usize,
}

impl<'a> Words<'a> {
    pub(super) const fn new(line: Line<'a>) -> Self {
        Self { line, at: 0 }
    }

    pub(super) fn next(&mut self) -> Option<Word<'a>> {
        let rest = &self.line.text[self.at..];
        let start = self.at + (rest.len() - rest.trim_start().len());
        let length =
            self.line.text[start..].find(char::is_whitespace).unwrap_or(self.line.text.len() - start);
        self.at = start + length;
        let column = self.line.text[..start].chars().count() + 1;
        let word = Word { line: self.line, column, text: &self.line.text[start..self.at] };
        (length > 0).then_some(word)
    }

    pub(super) fn expect(&mut self, expected: &str) -> Result<Word<'a>, ParseError> {
        self.next().ok_or_else(|| self.line.error(self.line.text.chars().count() + 1, expected, ""))
    }

    pub(super) fn end(&mut self) -> Result<(), ParseError> {
        self.next().map_or(Ok(()), |word| Err(word.error("the end of the line")))
    }
}
