//! Which expressions mean the same in Perl and in the linear-time engine.

/// The names that `[:name:]` may have.
const NAMES_OF_CLASSES: [&[u8]; 14] = [
    b"alnum", b"alpha", b"ascii", b"blank", b"cntrl", b"digit", b"graph", b"lower", b"print",
    b"punct", b"space", b"upper", b"word", b"xdigit",
];

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
                // Only `[:name:]` is not literal in Perl, and of unknown names a set of its own here.
                match name_of_class(pattern.get(at..).unwrap_or_default()) {
                    Some(length) => at += length - 1,
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

/// How long the `[:name:]` is that a text begins with, if it is one of Perl's.
fn name_of_class(text: &[u8]) -> Option<usize> {
    let length = memchr::memmem::find(text, b":]")?;
    let name = text.strip_prefix(b"[:")?.get(..length.checked_sub(2)?)?;
    let name = name.strip_prefix(b"^").unwrap_or(name);
    NAMES_OF_CLASSES.contains(&name).then_some(length + 2)
}

/// Whether a group sets flags that the engines read otherwise: `x`, `u`, `U`, `a`, `l` and more.
fn flags(rest: &[u8]) -> bool {
    let letters =
        rest.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'-').count();
    let ends = rest.get(letters).is_some_and(|byte| b":)".contains(byte));
    ends && rest.iter().take(letters).any(|byte| !b"ims-".contains(byte))
}
