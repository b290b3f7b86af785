//! Lines into fields, fields into drafts of rules.

use super::Log;

/// A rule as it is written.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// The line that it begins on.
    pub line: usize,
    pub fields: Vec<Field>,
    /// Labels in front of it or within it, with their lines.
    pub labels: Vec<(usize, Vec<u8>)>,
}

#[derive(Debug)]
pub(super) struct Field {
    pub keyword: String,
    pub value: Vec<u8>,
    pub line: usize,
}

/// Reads the drafts of a file; the last one may hold labels alone.
pub(super) fn read(text: &[u8], log: &mut Log<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let mut draft = Draft::default();
    let mut labels: Vec<(usize, Vec<u8>)> = Vec::new();
    // Where the lines begin that belong together; labels and wrong lines among them.
    let mut begin = None;
    let mut lines = text.split(|byte| *byte == b'\n').enumerate();
    while let Some((at, line)) = lines.next() {
        let number = at + 1;
        let mut joined = line.to_vec();
        loop {
            let end = joined.trim_ascii_end().len();
            if joined.get(..end).is_none_or(|text| !text.ends_with(b"\\")) {
                break;
            }
            joined.truncate(end - 1);
            match lines.next() {
                Some((_, next)) => joined.extend_from_slice(next),
                None => break,
            }
        }
        let line = joined.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            finish(&mut draft, &mut labels, &mut drafts);
            begin = None;
            continue;
        }
        let begin = *begin.get_or_insert(number);
        let Some((keyword, value)) = field(line) else {
            log.error(number, "the line is no keyword=value");
            continue;
        };
        match keyword.as_str() {
            "rem" => {}
            "label" => labels.push((number, value)),
            _ => {
                if draft.fields.is_empty() {
                    draft.line = begin;
                }
                if let Some(known) = draft.fields.iter_mut().find(|known| known.keyword == keyword)
                {
                    log.warning(
                        number,
                        format!("`{keyword}` is said twice in a rule, the last one counts"),
                    );
                    known.value = value;
                } else {
                    draft.fields.push(Field { keyword, value, line: number });
                }
            }
        }
    }
    finish(&mut draft, &mut labels, &mut drafts);
    if !labels.is_empty() {
        drafts.push(Draft { labels, ..Draft::default() });
    }
    drafts
}

fn finish(draft: &mut Draft, labels: &mut Vec<(usize, Vec<u8>)>, drafts: &mut Vec<Draft>) {
    if !draft.fields.is_empty() {
        draft.labels = std::mem::take(labels);
        drafts.push(std::mem::take(draft));
    }
}

fn field(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let at = memchr::memchr(b'=', line)?;
    let (keyword, value) = line.split_at(at);
    let keyword = keyword.trim_ascii();
    let good = !keyword.is_empty() && keyword.iter().all(u8::is_ascii_alphanumeric);
    let value = value.get(1..).unwrap_or_default().trim_ascii();
    (good && !value.is_empty())
        .then(|| (String::from_utf8_lossy(keyword).into_owned(), value.to_vec()))
}
