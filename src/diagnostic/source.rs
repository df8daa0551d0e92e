//! Places in files. A span carries its file, so whoever holds a value can show where it stood.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::ser::{Serialize, SerializeStruct, Serializer};

/// A file that was read.
#[derive(PartialEq, Eq)]
pub struct SourceText {
    /// Its name, as a person would type it.
    pub name: String,
    /// Its content.
    pub text: String,
}

impl fmt::Debug for SourceText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A piece of a file, by byte offsets.
#[derive(Clone, PartialEq, Eq)]
pub struct Span {
    /// The file.
    pub file: Arc<SourceText>,
    /// Where in it.
    pub range: Range<usize>,
}

impl Span {
    /// A span that stays within the file and on character boundaries.
    pub fn new(file: &Arc<SourceText>, range: Range<usize>) -> Self {
        let text = &file.text;
        let clamp = |mut offset: usize| {
            offset = offset.min(text.len());
            while !text.is_char_boundary(offset) {
                offset -= 1;
            }
            offset
        };
        let start = clamp(range.start);
        Self { file: file.clone(), range: start..clamp(range.end).max(start) }
    }

    /// The first line, counted from 1.
    pub fn line(&self) -> usize {
        self.line_of(self.range.start)
    }

    /// The last line that holds something of it.
    pub fn last_line(&self) -> usize {
        let end = if self.range.is_empty() { self.range.end } else { self.range.end - 1 };
        self.line_of(end)
    }

    fn line_of(&self, offset: usize) -> usize {
        let before = self.file.text.as_bytes().get(..offset).unwrap_or_default();
        before.split(|byte| *byte == b'\n').count()
    }

    /// The column of its start, in characters, counted from 1.
    pub fn column(&self) -> usize {
        let before = self.file.text.get(..self.range.start).unwrap_or_default();
        before.rsplit('\n').next().unwrap_or_default().chars().count() + 1
    }

    /// What to sort by: the file, then the place.
    pub(super) fn order(&self) -> (String, usize, usize) {
        (self.file.name.clone(), self.range.start, self.range.end)
    }
}

/// For programs: the file and its lines.
impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut place = serializer.serialize_struct("Span", 3)?;
        place.serialize_field("file", &self.file.name)?;
        place.serialize_field("line", &self.line())?;
        place.serialize_field("end_line", &self.last_line())?;
        place.end()
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.name, self.line(), self.column())
    }
}
