//! Writes one flat JSON object after another into the same buffer.

/// A JSON object under construction.
#[derive(Debug, Default)]
pub(super) struct Object {
    bytes: Vec<u8>,
    untagged: bool,
}

impl Object {
    /// Leaves the log source out of every object.
    pub(super) fn leave_untagged(&mut self) {
        self.untagged = true;
    }

    pub(super) fn begin(&mut self) {
        self.bytes.clear();
        self.bytes.push(b'{');
    }

    pub(super) fn end(&mut self) -> &[u8] {
        self.bytes.push(b'}');
        &self.bytes
    }

    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        self.string(value);
    }

    pub(super) fn number(&mut self, key: &str, value: u64) {
        self.key(key);
        self.bytes.extend_from_slice(value.to_string().as_bytes());
    }

    /// Where the event comes from, in Sigma's words.
    pub(super) fn log_source(&mut self, product: &str, category: &str, service: &str) {
        if self.untagged {
            return;
        }
        self.key("logsource");
        let before = self.bytes.len();
        self.bytes.push(b'{');
        for (key, word) in [("product", product), ("category", category), ("service", service)] {
            if !word.is_empty() {
                if self.bytes.len() > before + 1 {
                    self.bytes.push(b',');
                }
                self.string(key);
                self.bytes.push(b':');
                self.string(word);
            }
        }
        self.bytes.push(b'}');
    }

    fn key(&mut self, key: &str) {
        if self.bytes.len() > 1 {
            self.bytes.push(b',');
        }
        self.string(key);
        self.bytes.push(b':');
    }

    fn string(&mut self, text: &str) {
        self.bytes.push(b'"');
        for byte in text.bytes() {
            match byte {
                b'"' => self.bytes.extend_from_slice(b"\\\""),
                b'\\' => self.bytes.extend_from_slice(b"\\\\"),
                b'\n' => self.bytes.extend_from_slice(b"\\n"),
                b'\r' => self.bytes.extend_from_slice(b"\\r"),
                b'\t' => self.bytes.extend_from_slice(b"\\t"),
                0..0x20 => self.bytes.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
                _ => self.bytes.push(byte),
            }
        }
        self.bytes.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_a_json_reader_reads() {
        let mut object = Object::default();
        object.begin();
        object.text("path", "C:\\Windows\t\"x\"\u{1}ä\n");
        object.number("n", 7);
        object.log_source("windows", "", "sysmon");
        let json: serde_json::Value = serde_json::from_slice(object.end()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "path": "C:\\Windows\t\"x\"\u{1}ä\n",
                "n": 7,
                "logsource": {"product": "windows", "service": "sysmon"},
            })
        );
    }
}
