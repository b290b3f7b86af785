//! Reads values: texts, words, numbers, arrays, hashes, plugins.

use super::read::{Reader, never_closed};
use super::{SyntaxError, Value, ValueKind};

impl Reader<'_> {
    /// The value of a setting or of an element.
    pub(super) fn value(&mut self) -> Result<Value, SyntaxError> {
        self.skip_space();
        let place = self.place();
        let kind = match self.rest().chars().next() {
            Some('"' | '\'') => ValueKind::Text(self.quoted()?),
            Some('[') => self.array()?,
            Some('{') => self.hash()?,
            Some(first) if first.is_ascii_digit() || first == '-' => {
                ValueKind::Number(self.number()?)
            }
            _ => {
                let Some(word) = self.name().map(str::to_owned) else {
                    return Err(self.expected("a value"));
                };
                self.skip_space();
                if self.rest().starts_with('{') {
                    ValueKind::Plugin(self.plugin(place, word)?)
                } else {
                    ValueKind::Word(word)
                }
            }
        };
        Ok(Value { place, kind })
    }

    fn array(&mut self) -> Result<ValueKind, SyntaxError> {
        let opened = self.place();
        self.take("[")?;
        self.descend()?;
        let mut values = Vec::new();
        loop {
            self.skip_space();
            if self.takes("]") {
                self.ascend();
                return Ok(ValueKind::Array(values));
            }
            if self.rest().is_empty() {
                return Err(never_closed(opened, '['));
            }
            values.push(self.value()?);
            self.skip_space();
            if !self.takes(",") && !self.rest().starts_with(']') {
                if self.rest().is_empty() {
                    return Err(never_closed(opened, '['));
                }
                return Err(self.expected("`,` or `]`"));
            }
        }
    }

    /// Entries follow each other with white space; commas between them are taken too.
    fn hash(&mut self) -> Result<ValueKind, SyntaxError> {
        let opened = self.place();
        self.take("{")?;
        self.descend()?;
        let mut entries = Vec::new();
        loop {
            self.skip_space();
            if self.takes("}") {
                self.ascend();
                return Ok(ValueKind::Hash(entries));
            }
            if self.rest().is_empty() {
                return Err(never_closed(opened, '{'));
            }
            let key = self.key()?;
            self.skip_space();
            if !self.takes("=>") {
                return Err(self.expected("`=>` after the key"));
            }
            entries.push((key, self.value()?));
            self.skip_space();
            self.takes(",");
        }
    }

    fn key(&mut self) -> Result<Value, SyntaxError> {
        let place = self.place();
        let kind = if self.rest().starts_with(['"', '\'']) {
            ValueKind::Text(self.quoted()?)
        } else if self.rest().starts_with('[') {
            // A field reference without quotation marks.
            let end = self.rest().find("=>").ok_or_else(|| self.expected("`=>` after the key"))?;
            let key = self.rest().get(..end).unwrap_or_default().trim_end();
            ValueKind::Text(self.advance(key.len()).to_owned())
        } else {
            match self.name() {
                Some(name) => ValueKind::Word(name.to_owned()),
                None => return Err(self.expected("a key or `}`")),
            }
        };
        Ok(Value { place, kind })
    }

    pub(super) fn number(&mut self) -> Result<String, SyntaxError> {
        let rest = self.rest();
        let digits =
            |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let sign = usize::from(rest.starts_with('-'));
        let whole = digits(rest.get(sign..).unwrap_or_default());
        if whole == 0 {
            return Err(self.expected("a number"));
        }
        let mut end = sign + whole;
        if let Some(fraction) = rest.get(end..).and_then(|after| after.strip_prefix('.')) {
            end += 1 + digits(fraction);
        }
        Ok(self.advance(end).to_owned())
    }

    /// A text in single or double quotation marks. A backslash keeps the mark after it from closing
    /// the text, and stays in the text, as where `config.support_escapes` is off.
    pub(super) fn quoted(&mut self) -> Result<String, SyntaxError> {
        let opened = self.place();
        let mark = self.rest().chars().next().unwrap_or('"');
        let mut escaped = false;
        let end = self.rest().char_indices().skip(1).find(|(_, character)| {
            let closes = !escaped && *character == mark;
            escaped = *character == '\\' && !escaped;
            closes
        });
        let Some((end, _)) = end else { return Err(never_closed(opened, mark)) };
        let quoted = self.advance(end + 1);
        Ok(quoted.get(1..end).unwrap_or_default().to_owned())
    }
}
