//! Which expressions mean the same in Perl and in the linear-time engine.

/// Whether the linear-time engine reads a pattern as Perl does, as far as its text shows. What it
/// refuses (look-around, back-references, `\h` …) shows when it is compiled; this is about what it
/// takes and means otherwise.
pub(crate) fn means_the_same(pattern: &[u8], several_lines: bool) -> bool {
    let mut at = 0;
    let mut class = false;
    // Where the bracket of the class opened: a `]` right after it is a member.
    let mut opened = 0;
    while let Some(byte) = pattern.get(at).copied() {
        let next = pattern.get(at + 1).copied();
        match (byte, next) {
            // `\<` and `\>` are literal in Perl, `\b{…}` is Unicode's, `\v` vertical space; the quick
            // engine does not know `\Z`, and `\z` is the same in both.
            (b'\\', Some(b'<' | b'>' | b'v')) => return false,
            (b'\\', Some(b'b' | b'B')) if pattern.get(at + 2) == Some(&b'{') || class => {
                return false;
            }
            (b'\\', Some(_)) => at += 1,
            (b'[', _) if class => {
                // Only `[:name:]` is not literal in Perl.
                if next != Some(b':') {
                    return false;
                }
                match memchr::memmem::find(pattern.get(at..).unwrap_or_default(), b":]") {
                    Some(length) => at += length + 1,
                    None => return false,
                }
            }
            (b'[', _) => {
                class = true;
                opened = at + 1 + usize::from(next == Some(b'^'));
            }
            (b']', _) if class && at > opened => class = false,
            (b'&' | b'~' | b'-', Some(second)) if class && byte == second => return false,
            (b'+' | b'*' | b'?' | b'}', Some(b'+')) if !class => return false,
            // Before the last line feed, too, in Perl.
            (b'$', _) if !class && several_lines => return false,
            (b'(', Some(b'?')) if !class && flags(pattern.get(at + 2..).unwrap_or_default()) => {
                return false;
            }
            _ => {}
        }
        at += 1;
    }
    true
}

/// The pattern as Perl reads it where it comes out of a variable, as all patterns of rules do:
/// `\Q`, `\E`, `\L`, `\U`, `\l` and `\u` are plain letters there, and what shall come more often than
/// it may, `{3,2}`, never matches.
pub(crate) fn as_perl_reads(pattern: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(pattern.len());
    let mut at = 0;
    while let Some(byte) = pattern.get(at).copied() {
        let rest = pattern.get(at..).unwrap_or_default();
        match (byte, rest.get(1)) {
            (b'\\', Some(letter)) => {
                if !b"QELUlu".contains(letter) {
                    text.push(byte);
                }
                text.push(*letter);
                at += 1;
            }
            (b'{', _) => match backwards(rest) {
                Some(length) => {
                    text.extend_from_slice(b"{1}(?!)");
                    at += length - 1;
                }
                None => text.push(byte),
            },
            _ => text.push(byte),
        }
        at += 1;
    }
    text
}

/// How long the repetition is that a text begins with, if its least is more than its most.
fn backwards(text: &[u8]) -> Option<usize> {
    let end = memchr::memchr(b'}', text)?;
    let (least, most) = std::str::from_utf8(text.get(1..end)?).ok()?.split_once(',')?;
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok());
    let (least, most): (u32, u32) = (number(least)??, number(most)??);
    (least > most).then_some(end + 1)
}

/// Whether a group sets flags that the engines read otherwise: `x`, `u`, `U`, `a`, `l` and more.
fn flags(rest: &[u8]) -> bool {
    let letters =
        rest.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'-').count();
    let ends = rest.get(letters).is_some_and(|byte| b":)".contains(byte));
    ends && rest.iter().take(letters).any(|byte| !b"ims-".contains(byte))
}
