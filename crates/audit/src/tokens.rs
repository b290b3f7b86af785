//! The fields of a record: `name=value`, with the quotes, blanks and habits of those who write them.

/// One field as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    /// Empty for a word without `=`.
    pub(crate) name: &'a str,
    /// Without its quotes.
    pub(crate) value: &'a str,
    pub(crate) quote: Quote,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quote {
    /// As it is, or as hexadecimal digits.
    None,
    /// `"…"`: text as it is.
    Double,
    /// `'…'`: fields of a program's own.
    Single,
    /// A quote that does not end.
    Torn,
}

impl Token<'_> {
    /// Whether the value says that there is none.
    pub(crate) fn says_nothing(&self) -> bool {
        self.quote != Quote::Double && matches!(self.value, "" | "?" | "(null)")
            || self.value.is_empty()
    }
}

/// The names that auditd adds in its enriched format (auditd.conf(5)), behind 0x1D. Tools print the
/// record without that mark, so they are known by their spelling too; longer ones first.
const ENRICHED: [&str; 16] = [
    "SYSCALL", "FSUID", "FSGID", "OAUID", "SADDR", "ARCH", "AUID", "EUID", "SUID", "EGID", "SGID",
    "OUID", "OGID", "UID", "GID", "ID",
];

/// The longest value in braces, in bytes: `{ saddr_fam=local path=… }` with a path of 108 bytes.
const LONGEST_BRACED: usize = 1_024;

/// Goes through the fields of a record, or of a program's message inside it.
#[derive(Clone, Debug)]
pub(crate) struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(text: &'a str) -> Tokens<'a> {
        Tokens { rest: text }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let text = self.rest.trim_start_matches([' ', '\u{1d}', ',']);
        if text.is_empty() {
            return None;
        }
        let end = memchr::memchr3(b' ', b'=', 0x1d, text.as_bytes()).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let Some(value) = rest.strip_prefix('=') else {
            self.rest = rest;
            return Some(Token { name: "", value: name, quote: Quote::None });
        };
        let name = name.trim_start_matches('(');
        let (value, quote, rest) = match value.as_bytes().first() {
            Some(b'"') => quoted(value),
            Some(b'\'') => message(value),
            Some(b'{') => braced(value),
            _ => plain(value),
        };
        self.rest = rest;
        Some(Token { name, value, quote })
    }
}

type Value<'a> = (&'a str, Quote, &'a str);

fn quoted(value: &str) -> Value<'_> {
    let inner = value.get(1..).unwrap_or_default();
    match memchr::memchr(b'"', inner.as_bytes()) {
        Some(end) => (
            inner.get(..end).unwrap_or_default(),
            Quote::Double,
            inner.get(end + 1..).unwrap_or_default(),
        ),
        None => (inner, Quote::Torn, ""),
    }
}

/// A program's message reaches to the last quote of the record, whatever it says; what auditd added
/// follows the last mark, for the message may hold one, too.
fn message(value: &str) -> Value<'_> {
    let inner = value.get(1..).unwrap_or_default();
    let tail = memchr::memrchr(0x1d, inner.as_bytes()).unwrap_or(inner.len());
    let (own, enriched) = inner.split_at(tail);
    match memchr::memrchr(b'\'', own.as_bytes()) {
        // Without the mark, the names that auditd added stand behind the quote.
        Some(end) if tail == inner.len() => (
            inner.get(..end).unwrap_or_default(),
            Quote::Single,
            inner.get(end + 1..).unwrap_or_default(),
        ),
        Some(end) => (own.get(..end).unwrap_or_default(), Quote::Single, enriched),
        None => (own, Quote::Torn, enriched),
    }
}

fn braced(value: &str) -> Value<'_> {
    // An address is short; text full of opening braces would be searched to its end for each.
    let near = value.as_bytes().get(..LONGEST_BRACED.min(value.len())).unwrap_or_default();
    match memchr::memchr(b'}', near) {
        Some(end) => (
            value.get(1..end).unwrap_or_default().trim(),
            Quote::None,
            value.get(end + 1..).unwrap_or_default(),
        ),
        None => plain(value),
    }
}

fn plain(value: &str) -> Value<'_> {
    let end = memchr::memchr2(b' ', 0x1d, value.as_bytes()).unwrap_or(value.len());
    let mut end = end;
    let word = value.get(..end).unwrap_or_default();
    if let Some(sign) = memchr::memchr(b'=', word.as_bytes()) {
        let before = word.get(..sign).unwrap_or_default();
        if let Some(name) = ENRICHED.iter().find(|name| before.ends_with(**name)) {
            end = before.len() - name.len();
        }
    }
    let (word, rest) = value.split_at(end);
    (word.trim_end_matches(','), Quote::None, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<(&str, &str, Quote)> {
        Tokens::new(text).map(|token| (token.name, token.value, token.quote)).collect()
    }

    #[test]
    fn fields_are_told_apart() {
        use Quote::{Double, None, Single, Torn};
        for (text, expected) in [
            (
                "pid=1 comm=\"a b\" exe=2F62",
                &[("pid", "1", None), ("comm", "a b", Double), ("exe", "2F62", None)][..],
            ),
            (
                "key=\"k\"ARCH=x86_64 AUID=\"me\"",
                &[("key", "k", Double), ("ARCH", "x86_64", None), ("AUID", "me", Double)],
            ),
            ("key=(null)\u{1d}ARCH=x86_64", &[("key", "(null)", None), ("ARCH", "x86_64", None)]),
            ("key=(null)ARCH=x86_64", &[("key", "(null)", None), ("ARCH", "x86_64", None)]),
            ("cap_frootid=0OUID=\"root\"", &[("cap_frootid", "0", None), ("OUID", "root", Double)]),
            (
                "saddr=0200SADDR={ saddr_fam=inet laddr=1.2.3.4 lport=22 }",
                &[
                    ("saddr", "0200", None),
                    ("SADDR", "saddr_fam=inet laddr=1.2.3.4 lport=22", None),
                ],
            ),
            (
                "msg='op=x acct=\"it's' res=success'",
                &[("msg", "op=x acct=\"it's' res=success", Single)],
            ),
            (
                "msg='op=x res=1'\u{1d}UID=\"r'\"",
                &[("msg", "op=x res=1", Single), ("UID", "r'", Double)],
            ),
            (
                "msg='op=x res=1'UID=\"root\"",
                &[("msg", "op=x res=1", Single), ("UID", "root", Double)],
            ),
            (
                "msg='op=x\u{1d}AUID=\"root\" res=1'\u{1d}AUID=\"eve\"",
                &[("msg", "op=x\u{1d}AUID=\"root\" res=1", Single), ("AUID", "eve", Double)],
            ),
            ("a={ b={ c=d", &[("a", "{", None), ("b", "{", None), ("c", "d", None)]),
            ("msg='op=x", &[("msg", "op=x", Torn)]),
            ("comm=\"torn", &[("comm", "torn", Torn)]),
            (
                "(hostname=a, addr=1.2.3.4, res=success)",
                &[("hostname", "a", None), ("addr", "1.2.3.4", None), ("res", "success)", None)],
            ),
            (
                "avc:  denied  { read }",
                &[
                    ("", "avc:", None),
                    ("", "denied", None),
                    ("", "{", None),
                    ("", "read", None),
                    ("", "}", None),
                ],
            ),
            ("a= b=", &[("a", "", None), ("b", "", None)]),
            ("url=x=y z", &[("url", "x=y", None), ("", "z", None)]),
            ("=x", &[("", "x", None)]),
            ("  ", &[]),
        ] {
            assert_eq!(tokens(text), expected, "{text}");
        }
    }
}
