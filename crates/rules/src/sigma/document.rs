//! The YAML documents of a rule file, and where in the file a key or a word of them stands.

use yaml_serde::Value;

/// A place in a rule file: line and column in characters, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// One YAML document of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Document<'t> {
    pub(crate) text: &'t str,
    /// How many lines of the file stand before it.
    lines_before: usize,
}

/// Cuts a file at its document markers (`---` at the start of a line; YAML 1.2, section 9.1.2).
///
/// Documents of white space and comments alone are left out.
pub(crate) fn split(text: &str) -> Vec<Document<'_>> {
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
            (!text.lines().all(blank)).then_some(Document { text, lines_before })
        })
        .collect()
}

impl Document<'_> {
    /// The first line that says something.
    pub(crate) fn start(&self) -> Place {
        let says = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
        let before = self.text.lines().take_while(|line| !says(line)).count();
        self.place(before, 0)
    }

    /// Where the reader of YAML stopped.
    pub(crate) fn failure(&self, error: &yaml_serde::Error) -> Place {
        match error.location() {
            Some(at) => Place { line: self.lines_before + at.line(), column: at.column() },
            None => self.start(),
        }
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

    /// Whether some line starts with this key, not indented.
    pub(crate) fn has_key(&self, key: &str) -> bool {
        self.text.lines().any(|line| key_at(line, key) == Some(0))
    }

    /// Where the last key of a path of nested keys stands; the deepest one that was found.
    pub(crate) fn key(&self, path: &[&str]) -> Place {
        self.find(path).map_or_else(|| self.start(), |(line, column)| self.place(line, column))
    }

    /// Where a word stands in the value of the last key of a path; else the key itself.
    pub(crate) fn word(&self, path: &[&str], word: &str) -> Place {
        let Some((line, column)) = self.find(path) else { return self.start() };
        let after_key = path.last().map_or(0, |key| column + key.len());
        for (index, text) in self.text.lines().enumerate().skip(line) {
            let from = if index == line { after_key } else { 0 };
            if let Some(at) = text.get(from..).and_then(|rest| rest.find(word)) {
                return self.place(index, from + at);
            }
        }
        self.place(line, column)
    }

    /// Line and byte of the deepest key of the path that is there.
    fn find(&self, path: &[&str]) -> Option<(usize, usize)> {
        let mut found = None;
        let mut from = 0;
        for key in path {
            let mut lines = self.text.lines().enumerate().skip(from);
            let Some(next) = lines.find_map(|(index, line)| Some((index, key_at(line, key)?)))
            else {
                break;
            };
            from = next.0 + 1;
            found = Some(next);
        }
        found
    }

    fn place(&self, line: usize, byte: usize) -> Place {
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
        let (first, second) = (documents[0], documents[1]);
        assert_eq!(first.start(), Place { line: 3, column: 1 });
        assert_eq!(second.start(), Place { line: 12, column: 1 });
        assert_eq!(first.key(&["detection", "y|bad"]), Place { line: 7, column: 8 });
        assert_eq!(first.key(&["detection", "absent"]), Place { line: 4, column: 1 });
        assert_eq!(
            first.word(&["detection", "condition"], "nothing"),
            Place { line: 8, column: 28 }
        );
    }
}
