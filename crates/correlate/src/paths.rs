//! Names of files from the patterns that people write, as a shell's and Perl's `glob` expand them.

use std::env;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

/// How many patterns braces make of one at most.
const ALTERNATIVES: usize = 4_096;

/// Whether what a pattern stands for can change.
pub(crate) fn is_pattern(text: &[u8]) -> bool {
    text.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
}

/// The names that a pattern stands for: blanks part patterns, braces are alternatives, `~` is the
/// home directory. What has no wildcard is its own name, whether there is such a file or not.
pub(crate) fn expand(pattern: &[u8]) -> Vec<Vec<u8>> {
    let mut names = Vec::new();
    for word in pattern.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
        let mut alternatives = Vec::new();
        braces(word, &mut alternatives);
        for one in alternatives {
            let one = at_home(one);
            if is_pattern(&one) {
                names.extend(matching(&one));
            } else {
                names.push(one);
            }
        }
    }
    names
}

/// Each alternative of the first braces that hold a comma, and so on in what follows.
fn braces(word: &[u8], found: &mut Vec<Vec<u8>>) {
    if found.len() >= ALTERNATIVES {
        return;
    }
    let Some((open, commas, close)) = first_braces(word) else {
        return found.push(word.to_vec());
    };
    let mut from = open + 1;
    for to in commas.into_iter().chain([close]) {
        let mut one = word.get(..open).unwrap_or_default().to_vec();
        one.extend_from_slice(word.get(from..to).unwrap_or_default());
        one.extend_from_slice(word.get(close + 1..).unwrap_or_default());
        braces(&one, found);
        from = to + 1;
    }
}

fn first_braces(word: &[u8]) -> Option<(usize, Vec<usize>, usize)> {
    let open = memchr::memchr(b'{', word)?;
    let (mut depth, mut commas) = (0_usize, Vec::new());
    for (at, byte) in word.iter().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return (!commas.is_empty()).then_some((open, commas, at)),
            b'}' => depth -= 1,
            b',' if depth == 1 => commas.push(at),
            _ => {}
        }
    }
    None
}

fn at_home(name: Vec<u8>) -> Vec<u8> {
    match (name.as_slice(), env::var_os("HOME")) {
        ([b'~'] | [b'~', b'/', ..], Some(home)) => {
            let mut path = home.into_vec();
            path.extend_from_slice(name.get(1..).unwrap_or_default());
            path
        }
        _ => name,
    }
}

/// The files that there are, by name.
fn matching(pattern: &[u8]) -> Vec<Vec<u8>> {
    let options = glob::MatchOptions {
        require_literal_separator: true,
        require_literal_leading_dot: true,
        ..glob::MatchOptions::new()
    };
    let Ok(text) = std::str::from_utf8(pattern) else { return Vec::new() };
    let Ok(paths) = glob::glob_with(text, options) else { return vec![pattern.to_vec()] };
    let mut names: Vec<_> =
        paths.filter_map(Result::ok).map(|path| path.as_os_str().as_bytes().to_vec()).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_in_order_and_literal_ones_need_not_be_there() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name).into_os_string().into_vec();
        for name in ["b.log", "a.log", ".hidden.log", "c.txt"] {
            std::fs::write(directory.path().join(name), "").unwrap();
        }
        assert_eq!(expand(&at("*.log")), [at("a.log"), at("b.log")]);
        assert_eq!(expand(&at("*.none")), Vec::<Vec<u8>>::new());
        assert_eq!(expand(&at("none")), [at("none")]);
        assert_eq!(expand(&at("{c,x}.txt")), [at("c.txt"), at("x.txt")]);
        assert_eq!(expand(&at("{b,a}.l?g")), [at("b.log"), at("a.log")]);
        let two = [at("c.txt"), b" - ".to_vec()].concat();
        assert_eq!(expand(&two), [at("c.txt"), b"-".to_vec()]);
    }

    #[test]
    fn braces_may_nest_and_their_number_is_bounded() {
        let mut found = Vec::new();
        braces(b"a{b,c{d,e}}f{g}", &mut found);
        assert_eq!(found, [&b"abf{g}"[..], b"acdf{g}", b"acef{g}"]);
        found.clear();
        braces("{a,b}".repeat(40).as_bytes(), &mut found);
        assert_eq!(found.len(), ALTERNATIVES);
    }
}
