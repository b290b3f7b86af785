//! Regular expressions as rules write them, in PCRE's syntax, into that of the `regex` crate
//! (Sigma modifiers appendix 2.1, "Regular Expression").
//!
//! Both know the metacharacters of the specification. What PCRE takes for a plain character and the
//! crate for something else is escaped; what the crate cannot do in linear time is refused by name.

/// An expression that means something else or nothing here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// The character of the expression at which it stands, from 0.
    pub(super) at: usize,
    pub(super) what: &'static str,
}

/// The expression in the syntax of the `regex` crate.
///
/// # Errors
/// Where it uses what only a back-tracking matcher can do.
pub(super) fn translate(pattern: &str) -> Result<String, Refused> {
    let mut reader = Reader { characters: pattern.chars().collect(), at: 0, out: String::new() };
    while let Some(character) = reader.next() {
        match character {
            '\\' => reader.escape(false)?,
            '[' => reader.class()?,
            '(' => reader.group()?,
            '{' => reader.brace()?,
            '*' | '+' | '?' => {
                reader.out.push(character);
                reader.after_quantifier()?;
            }
            other => reader.out.push(other),
        }
    }
    Ok(reader.out)
}

struct Reader {
    characters: Vec<char>,
    at: usize,
    out: String,
}

impl Reader {
    fn next(&mut self) -> Option<char> {
        let character = self.characters.get(self.at).copied();
        self.at += 1;
        character
    }

    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn rest(&self) -> &[char] {
        self.characters.get(self.at..).unwrap_or_default()
    }

    fn follows(&self, text: &str) -> bool {
        text.chars().eq(self.rest().iter().copied().take(text.len()))
    }

    fn refuse(&self, back: usize, what: &'static str) -> Refused {
        Refused { at: self.at.saturating_sub(back), what }
    }

    /// A plain character: escaped where it would mean something.
    fn plain(&mut self, character: char) {
        if character.is_ascii_punctuation() && !matches!(character, '<' | '>') {
            self.out.push('\\');
        }
        self.out.push(character);
    }

    /// What follows a backslash.
    fn escape(&mut self, in_class: bool) -> Result<(), Refused> {
        let Some(character) = self.next() else {
            self.out.push('\\');
            return Ok(());
        };
        match character {
            'h' => self.out.push_str(if in_class { r"\t " } else { r"[\t ]" }),
            'R' if !in_class => self.out.push_str(r"(?:\r\n|[\n\x0b\x0c\r])"),
            'Z' if !in_class => self.out.push_str(r"(?:\n?\z)"),
            'e' => self.out.push_str(r"\x1b"),
            '0' => self.out.push_str(r"\x00"),
            'b' if in_class => self.out.push_str(r"\x08"),
            'Q' => self.quoted(),
            'E' => {}
            '1'..='9' | 'k' | 'g' => return Err(self.refuse(2, "a back-reference")),
            'K' | 'G' | 'X' | 'C' => {
                return Err(self.refuse(2, "an escape that only PCRE's matcher knows"));
            }
            other if other.is_ascii_alphanumeric() => {
                self.out.push('\\');
                self.out.push(other);
            }
            // "A backslash followed by a non-alphanumeric character takes away any special meaning."
            other => self.plain(other),
        }
        Ok(())
    }

    /// `\Q…\E`: plain characters all.
    fn quoted(&mut self) {
        while self.at < self.characters.len() && !self.follows(r"\E") {
            if let Some(character) = self.next() {
                self.plain(character);
            }
        }
    }

    /// What follows `[`: inside, only `]`, `\`, `^` at the start, ranges and `[:name:]` mean
    /// something.
    fn class(&mut self) -> Result<(), Refused> {
        self.out.push('[');
        if self.peek() == Some('^') {
            self.at += 1;
            self.out.push('^');
        }
        let mut first = true;
        while let Some(character) = self.next() {
            match character {
                ']' if !first => {
                    self.out.push(']');
                    return Ok(());
                }
                '\\' => self.escape(true)?,
                '[' if self.peek() == Some(':') => self.named_class(),
                '[' | ']' | '&' | '~' | '^' => self.plain(character),
                '-' if self.out.ends_with('-') => self.plain('-'),
                other => self.out.push(other),
            }
            first = false;
        }
        Ok(())
    }

    /// `[:alpha:]` inside of a class, or a plain `[`.
    fn named_class(&mut self) {
        let name: String = self.rest().iter().skip(1).take_while(|c| **c != ':').collect();
        let word = name.strip_prefix('^').unwrap_or(&name);
        let named = !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase());
        if named && self.rest().get(name.chars().count() + 2) == Some(&']') {
            self.out.push_str(&format!("[:{name}:]"));
            self.at += name.chars().count() + 3;
        } else {
            self.plain('[');
        }
    }

    /// What follows `(`.
    fn group(&mut self) -> Result<(), Refused> {
        for (opening, what) in [
            ("?=", "look-ahead"),
            ("?!", "look-ahead"),
            ("?<=", "look-behind"),
            ("?<!", "look-behind"),
            ("?>", "an atomic group"),
            ("?|", "a group that counts anew"),
            ("?(", "a conditional group"),
            ("?R", "recursion"),
            ("?&", "recursion"),
            ("?P>", "recursion"),
            ("?P=", "a back-reference"),
            ("?0", "recursion"),
            ("?1", "recursion"),
            ("*", "a verb of PCRE"),
        ] {
            if self.follows(opening) {
                return Err(self.refuse(1, what));
            }
        }
        if self.follows("?#") {
            while self.next().is_some_and(|character| character != ')') {}
            return Ok(());
        }
        if self.follows("?'") {
            self.at += 2;
            let name: String = self.rest().iter().take_while(|c| **c != '\'').collect();
            self.at += name.chars().count() + 1;
            self.out.push_str(&format!("(?<{name}>"));
            return Ok(());
        }
        self.out.push('(');
        if self.peek() == Some('?') {
            // The question mark of a group is no quantifier.
            self.at += 1;
            self.out.push('?');
        }
        Ok(())
    }

    /// What follows `{`: a quantifier, or a plain character.
    fn brace(&mut self) -> Result<(), Refused> {
        let inner: String = self.rest().iter().take_while(|c| **c != '}').collect();
        let (low, high) = inner.split_once(',').unwrap_or((&inner, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let closed = self.rest().len() > inner.chars().count();
        if !closed || low.is_empty() || !digits(low) || !digits(high) {
            self.plain('{');
            return Ok(());
        }
        self.out.push_str(&format!("{{{inner}}}"));
        self.at += inner.len() + 1;
        self.after_quantifier()
    }

    fn after_quantifier(&mut self) -> Result<(), Refused> {
        match self.peek() {
            Some('?') => {
                self.at += 1;
                self.out.push('?');
                Ok(())
            }
            Some('+') => Err(self.refuse(0, "a possessive quantifier")),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use bergfried_query::{Classes, TextRegex};

    use super::*;

    #[test]
    fn plain_characters_stay_plain() {
        for (pattern, text, expected) in [
            (r"a\/b\-c\_d\#e\'f\ g", "a/b-c_d#e'f g", true),
            (r#"\"x\" \<y\> \é"#, "\"x\" <y> é", true),
            (r"\%TEMP\%\@\!\=\:\;\,\~\`", "%TEMP%@!=:;,~`", true),
            (r"^[[\]]$", "[", true),
            (r"^[]a]+$", "]a", true),
            (r"^[^]]$", "a", true),
            (r"^[a&&b]+$", "a&b", true),
            (r"^[a~~b]+$", "a~b", true),
            (r"^[a-c--]+$", "a-c", true),
            (r"^[\w.-]+$", "a-b.c", true),
            (r"^[\s\S]$", "\n", true),
            (r"^[[:alpha:]_]+$", "ab_", true),
            (r"^[[:x]$", ":", true),
            (r"${env:x}", "${env:x}", false),
            (r"\${env:x}", "${env:x}", true),
            (r"^{a}$", "{a}", true),
            (r"^a{,2}$", "a{,2}", true),
            (r"^a{2}$", "aa", true),
            (r"^a{2,}?b$", "aaab", true),
            (r"^a\Q.*+\Eb$", "a.*+b", true),
            (r"^a(?#word)b$", "ab", true),
            (r"^(?'n'a)(?<m>b)(?P<o>c)(?:d)(?i:E)$", "abcde", true),
            (r"^\h+\R$", " \t\r\n", true),
            (r"a\Z", "a\n", true),
            (r"\x41\0\e", "A\0\u{1b}", true),
            (r"^[\b]$", "\u{8}", true),
            (r"(?i)^ABC", "abcd", true),
            (r"a.b", "a\nb", false),
            (r"^(?s)a.b", "a\nb", true),
        ] {
            let translated = translate(pattern).unwrap();
            let regex = TextRegex::with_classes(&translated, Classes::Ascii).unwrap();
            assert_eq!(regex.is_match(text), expected, "{pattern} as {translated} over {text:?}");
        }
    }

    #[test]
    fn what_is_not_linear_is_refused_by_name_and_place() {
        for (pattern, at, what) in [
            ("ab(?=c)", 2, "look-ahead"),
            ("(?<!a)b", 0, "look-behind"),
            (r"(a)\1", 3, "a back-reference"),
            ("é(?>a)", 1, "an atomic group"),
            ("a++", 2, "a possessive quantifier"),
            ("a{2}+", 4, "a possessive quantifier"),
            (r"a\Kb", 1, "an escape that only PCRE's matcher knows"),
            ("(?R)", 0, "recursion"),
            ("(*ACCEPT)", 0, "a verb of PCRE"),
        ] {
            assert_eq!(translate(pattern), Err(Refused { at, what }), "{pattern}");
        }
    }

    proptest::proptest! {
        /// Whatever stands in a rule gives an expression or an error, and never a hang or a panic.
        #[test]
        fn any_text_is_translated_or_refused(pattern in r"[\\\[\](){}?*+^$.|a-c0-9:#,QEékP<>'=!&~-]{0,24}") {
            if let Ok(translated) = translate(&pattern) {
                let _ = TextRegex::with_classes(&translated, Classes::Ascii);
            }
        }
    }
}
