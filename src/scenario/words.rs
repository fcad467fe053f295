//! Lines and words of a text, which know where they stand.

use super::ParseError;
use std::fmt::Display;
use std::str::FromStr;
use strum::VariantArray;

/// One line, and whether it was ended.
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
            "" => "the end".to_owned(),
            // Quoted and cut, since the file may be anything.
            found => format!("{:?}", found.chars().take(60).collect::<String>()),
        };
        ParseError { line: self.number, column, expected: expected.into(), found }
    }
}

/// A word and where it begins.
#[derive(Clone, Copy)]
pub(super) struct Word<'a> {
    line: Line<'a>,
    column: usize,
    pub(super) text: &'a str,
}

impl<'a> Word<'a> {
    pub(super) fn error(&self, expected: impl Into<String>) -> ParseError {
        self.line.error(self.column, expected, self.text)
    }

    /// Another part of the same line, beginning where this one does.
    pub(super) const fn with_text(&self, text: &'a str) -> Self {
        Self { text, ..*self }
    }

    /// The part of the word behind `length` characters of one byte each.
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

    /// A name among those of an enum.
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

/// The words of a line that are still to be read.
pub(super) struct Words<'a> {
    line: Line<'a>,
    /// Where in the line the rest begins, in bytes.
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
