//! The YAML documents of a rule file, and where in the file a key or a word of them stands.

use yaml_serde::Value;

/// A place in a rule file: line and column in characters, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// One YAML document of a file.
#[derive(Clone, Debug)]
pub(crate) struct Document<'t> {
    pub(crate) text: &'t str,
    /// How many lines of the file stand before it.
    lines_before: usize,
    /// The documents of the file whose keys it has beside its own, the nearest first.
    inherited: Vec<Document<'t>>,
}

/// Cuts a file at its document markers (`---` at the start of a line; YAML 1.2, section 9.1.2).
///
/// Documents of white space and comments alone are left out.
pub(crate) fn split(text: &str) -> Vec<Document<'_>> {
    // A byte order mark stands before the first word of files from some editors.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut documents = Vec::new();
    let (mut start, mut lines_before, mut offset) = (0, 0, 0);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let content = line.trim_end();
        if content == "---" || content.starts_with("--- ") || content == "..." {
            documents.push((start, offset, lines_before));
            start = offset + line.len();
            lines_before = index + 1;
        }
        offset += line.len();
    }
    documents.push((start, offset, lines_before));
    documents
        .into_iter()
        .filter_map(|(start, end, lines_before)| {
            let text = text.get(start..end)?;
            let blank =
                |line: &str| line.trim_start().is_empty() || line.trim_start().starts_with('#');
            (!text.lines().all(blank)).then_some(Document {
                text,
                lines_before,
                inherited: Vec::new(),
            })
        })
        .collect()
}

impl<'t> Document<'t> {
    /// The same, with the keys of others beside its own.
    pub(crate) fn inheriting(mut self, others: impl IntoIterator<Item = Document<'t>>) -> Self {
        for mut other in others {
            let further = std::mem::take(&mut other.inherited);
            self.inherited.push(other);
            self.inherited.extend(further);
        }
        self
    }

    /// The first line that says something.
    pub(crate) fn start(&self) -> Place {
        let says = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
        let before = self.text.lines().take_while(|line| !says(line)).count();
        self.place(before, 0)
    }

    /// Where the reader of YAML stopped; of a key that is there twice, the second.
    pub(crate) fn failure(&self, error: &yaml_serde::Error) -> Place {
        let Some(at) = error.location() else { return self.start() };
        let said = error.to_string();
        let key = said.split_once("duplicate entry with key \"").map(|(_, rest)| rest);
        let key = key.and_then(|rest| Some(rest.rsplit_once('"')?.0));
        key.and_then(|key| self.second(key, at.line().saturating_sub(1)))
            .unwrap_or(Place { line: self.lines_before + at.line(), column: at.column() })
    }

    /// Where a key stands for the second time in one mapping, from a line on.
    fn second(&self, key: &str, from: usize) -> Option<Place> {
        let lines = self.text.lines().enumerate().skip(from);
        let mut found = lines.filter_map(|(line, text)| Some((line, key_at(text, key)?)));
        let (_, column) = found.next()?;
        let (line, _) = found.find(|(_, other)| *other == column)?;
        Some(self.place(line, column))
    }

    /// The first character that may not stand in YAML as it is (YAML 1.2, section 5.1).
    pub(crate) fn unprintable(&self) -> Option<(Place, char)> {
        let allowed = |character: char| match character {
            '\t' | '\n' | '\r' | '\u{85}' | '\u{feff}' => true,
            '\u{fffd}'..='\u{ffff}' => false,
            other => !other.is_control(),
        };
        self.text.lines().enumerate().find_map(|(line, text)| {
            let (byte, character) = text.char_indices().find(|(_, c)| !allowed(*c))?;
            Some((self.place(line, byte), character))
        })
    }

    /// The most brackets that are open at any place, those in texts included.
    pub(crate) fn open_brackets(&self) -> usize {
        let (mut open, mut most) = (0_usize, 0);
        for byte in self.text.bytes() {
            match byte {
                b'[' | b'{' => open += 1,
                b']' | b'}' => open = open.saturating_sub(1),
                _ => {}
            }
            most = open.max(most);
        }
        most
    }

    /// Where the last key of a path of nested keys stands; the deepest one that was found.
    pub(crate) fn key(&self, path: &[&str]) -> Place {
        let (document, found) = self.holder(path);
        found.map_or_else(|| self.start(), |(line, column)| document.place(line, column))
    }

    /// Where a word stands in the value of the last key of a path; else the key itself.
    pub(crate) fn word(&self, path: &[&str], word: &str) -> Place {
        let (document, found) = self.holder(path);
        let Some((line, column)) = found else { return self.start() };
        let after_key = path.last().map_or(0, |key| column + key.len());
        document.word_from(line, after_key, word).unwrap_or_else(|| document.place(line, column))
    }

    /// Whether a word stands anywhere in it.
    pub(crate) fn mentions(&self, word: &str) -> bool {
        self.text.contains(word) || self.inherited.iter().any(|other| other.mentions(word))
    }

    /// Where a word stands at a place or after it, within the next lines.
    pub(crate) fn after(&self, place: Place, word: &str) -> Option<Place> {
        const LINES: usize = 64;
        let documents = std::iter::once(self).chain(&self.inherited);
        let document = documents
            .filter(|document| document.lines_before < place.line)
            .max_by_key(|document| document.lines_before)?;
        let line = place.line - document.lines_before - 1;
        let text = document.text.lines().nth(line)?;
        let from = text.char_indices().nth(place.column - 1).map_or(text.len(), |(at, _)| at);
        let found = document.word_from(line, from, word)?;
        (found.line < place.line + LINES).then_some(found)
    }

    fn word_from(&self, line: usize, from: usize, word: &str) -> Option<Place> {
        self.text.lines().enumerate().skip(line).find_map(|(index, text)| {
            let from = if index == line { from } else { 0 };
            let at = text.get(from..)?.find(word)?;
            Some(self.place(index, from + at))
        })
    }

    /// The document, of this and those it inherits from, that has the whole path; else this one with
    /// the deepest key that was found.
    fn holder(&self, path: &[&str]) -> (&Document<'t>, Option<(usize, usize)>) {
        let own = self.find(path);
        if own.is_none_or(|(_, _, depth)| depth < path.len()) {
            for other in &self.inherited {
                if let Some((line, column, depth)) = other.find(path)
                    && depth == path.len()
                {
                    return (other, Some((line, column)));
                }
            }
        }
        (self, own.map(|(line, column, _)| (line, column)))
    }

    /// Line and byte of the deepest key of the path that is there, and how deep it is.
    fn find(&self, path: &[&str]) -> Option<(usize, usize, usize)> {
        let mut found: Option<(usize, usize, usize)> = None;
        let mut from = 0;
        for (depth, key) in path.iter().enumerate() {
            let mut lines = self.text.lines().enumerate().skip(from);
            let Some((line, column)) =
                lines.find_map(|(index, line)| Some((index, key_at(line, key)?)))
            else {
                break;
            };
            from = line + 1;
            found = Some((line, column, depth + 1));
        }
        found
    }

    pub(super) fn place(&self, line: usize, byte: usize) -> Place {
        let text = self.text.lines().nth(line).unwrap_or_default();
        let column = text.char_indices().take_while(|(index, _)| *index < byte).count() + 1;
        Place { line: self.lines_before + line + 1, column }
    }
}

/// The byte at which `key` stands as a key of this line.
fn key_at(line: &str, key: &str) -> Option<usize> {
    let unindented = line.trim_start_matches([' ', '-', '\'', '"', '{']);
    let rest = unindented.strip_prefix(key)?.trim_start_matches(['\'', '"']).trim_start();
    rest.starts_with(':').then(|| line.len() - unindented.len())
}

/// The value under a key of a mapping.
pub(crate) fn get<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    value.as_mapping()?.get(Value::String(key.to_owned()))
}

/// The keys of a mapping that are text.
pub(crate) fn keys(value: &Value) -> impl Iterator<Item = &str> {
    value.as_mapping().into_iter().flatten().filter_map(|(key, _)| key.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# head\n---\ntitle: a\ndetection:\n  selection:\n    - x|re: '1'\n      'y|bad': 2\n  condition: selection and nothing\n--- \n# only a comment\n---\ntitle: b\n";

    #[test]
    fn documents_keep_their_place_in_the_file() {
        let documents = split(TEXT);
        assert_eq!(documents.len(), 2);
        let (first, second) = (&documents[0], &documents[1]);
        assert_eq!(first.start(), Place { line: 3, column: 1 });
        assert_eq!(second.start(), Place { line: 12, column: 1 });
        assert_eq!(first.key(&["detection", "y|bad"]), Place { line: 7, column: 8 });
        assert_eq!(first.key(&["detection", "absent"]), Place { line: 4, column: 1 });
        assert_eq!(
            first.word(&["detection", "condition"], "nothing"),
            Place { line: 8, column: 28 }
        );
        let whole = second.clone().inheriting([first.clone()]);
        assert_eq!(whole.key(&["title"]), Place { line: 12, column: 1 });
        assert_eq!(whole.key(&["detection", "y|bad"]), Place { line: 7, column: 8 });
        assert_eq!(
            whole.after(Place { line: 6, column: 7 }, "bad"),
            Some(Place { line: 7, column: 10 })
        );
    }

    #[test]
    fn a_byte_order_mark_is_no_text() {
        assert_eq!(split("\u{feff}title: a")[0].text, "title: a");
    }
}
