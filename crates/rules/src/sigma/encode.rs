//! The modifiers that change a value before it is looked for (Sigma modifiers appendix 2.1,
//! "Encoding" and `windash`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bergfried_query::{DASHES, Part};

use super::modifiers::Encoding;

/// The most forms that one value may take.
const MAX_FORMS: usize = 625;

/// The forms of a value after the encodings, in the order that they apply; any one may match.
///
/// Encodings give bytes. Where these are no text, each that is none becomes U+FFFD, as it does where
/// a log with such bytes is read.
///
/// # Errors
/// Where a value with wildcards is to be encoded, or has too many forms.
pub(super) fn forms(encodings: &[Encoding], value: &[Part]) -> Result<Vec<Vec<Part>>, String> {
    let Some(last) = encodings.iter().rposition(|encoding| *encoding != Encoding::Dashes) else {
        // Dashes alone need no form for each choice.
        let once = if encodings.is_empty() { value.to_vec() } else { any_dash(value) };
        return Ok(vec![once]);
    };
    let mut forms = vec![literal(value)?.into_bytes()];
    for encoding in encodings {
        let applied = forms.iter().map(|bytes| apply(*encoding, bytes));
        forms = applied.collect::<Result<Vec<_>, _>>()?.concat();
        if forms.len() > MAX_FORMS {
            return Err(format!("the value has more than {MAX_FORMS} forms when it is encoded"));
        }
    }
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let forms = forms.into_iter().map(|bytes| vec![Part::Literal(text(bytes))]);
    // Encoded text has dashes of its own, which vary where `windash` comes last.
    match encodings.get(last + 1..) {
        Some([]) | None => Ok(forms.collect()),
        Some(_) => Ok(forms.map(|form| any_dash(&form)).collect()),
    }
}

/// The text of a value without wildcards.
fn literal(value: &[Part]) -> Result<String, String> {
    let mut text = String::new();
    for part in value {
        match part {
            Part::Literal(literal) => text.push_str(literal),
            _ => {
                let message =
                    "a value with wildcards cannot be encoded, escape them by a backslash";
                return Err(message.to_owned());
            }
        }
    }
    Ok(text)
}

fn apply(encoding: Encoding, bytes: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let text = || {
        std::str::from_utf8(bytes)
            .map_err(|_| "a value that is encoded as UTF-16 can only become base64".to_owned())
    };
    let units = |to_bytes: fn(u16) -> [u8; 2]| -> Result<Vec<u8>, String> {
        Ok(text()?.encode_utf16().flat_map(to_bytes).collect())
    };
    Ok(match encoding {
        Encoding::Utf16Le => vec![units(u16::to_le_bytes)?],
        Encoding::Utf16Be => vec![units(u16::to_be_bytes)?],
        Encoding::Utf16 => vec![[vec![0xff, 0xfe], units(u16::to_le_bytes)?].concat()],
        Encoding::Base64 => vec![STANDARD.encode(bytes).into_bytes()],
        Encoding::Base64Offset => base64_at_offsets(bytes),
        Encoding::Dashes => dashed(text()?)?.into_iter().map(String::into_bytes).collect(),
    })
}

/// What is the same of the value's base64 wherever it stands in a longer one: three alignments, each
/// without the characters that its neighbours have a part in.
fn base64_at_offsets(bytes: &[u8]) -> Vec<Vec<u8>> {
    [(0_usize, 0_usize), (1, 2), (2, 3)]
        .into_iter()
        .map(|(padding, skipped)| {
            let padded = [&vec![0; padding], bytes].concat();
            let kept = (padded.len() * 8) / 6;
            let encoded = STANDARD.encode(&padded);
            encoded.bytes().take(kept).skip(skipped).collect()
        })
        .collect()
}

/// The value with each dash in every form, for an encoding that comes after.
fn dashed(value: &str) -> Result<Vec<String>, String> {
    let mut forms = vec![String::new()];
    for character in value.chars() {
        if DASHES.contains(&character) {
            let with = |form: &String| DASHES.map(|dash| format!("{form}{dash}"));
            forms = forms.iter().flat_map(with).collect();
            if forms.len() > MAX_FORMS {
                return Err("too many dashes for `windash` before an encoding".to_owned());
            }
        } else {
            forms.iter_mut().for_each(|form| form.push(character));
        }
    }
    Ok(forms)
}

/// The value with any dash in place of each: "all possible permutations of the `-`, `/`, …
/// characters".
fn any_dash(value: &[Part]) -> Vec<Part> {
    let mut parts = Vec::new();
    for part in value {
        let Part::Literal(text) = part else {
            parts.push(part.clone());
            continue;
        };
        let mut pieces = text.split(DASHES);
        parts.extend(pieces.next().map(|first| Part::Literal(first.to_owned())));
        for piece in pieces {
            parts.extend([Part::AnyDash, Part::Literal(piece.to_owned())]);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use bergfried_query::Pattern;

    use super::*;

    fn texts(encodings: &[Encoding], value: &str) -> Vec<String> {
        let text = |parts: Vec<Part>| match parts.as_slice() {
            [Part::Literal(text)] => text.clone(),
            other => format!("{other:?}"),
        };
        let value = [Part::Literal(value.to_owned())];
        forms(encodings, &value).unwrap().into_iter().map(text).collect()
    }

    #[test]
    fn encodings_follow_the_specification() {
        use Encoding::{Base64, Base64Offset, Utf16, Utf16Be, Utf16Le};
        for (encodings, value, expected) in [
            (&[Base64][..], "foo", &["Zm9v"][..]),
            (&[Utf16Le, Base64], "ab", &["YQBiAA=="]),
            (&[Base64Offset], "http://", &["aHR0cDovL", "h0dHA6Ly", "odHRwOi8v"]),
            (&[Utf16Le], "cmd", &["c\0m\0d\0"]),
            (&[Utf16Be], "cmd", &["\0c\0m\0d"]),
            (&[Utf16], "cmd", &["\u{fffd}\u{fffd}c\0m\0d\0"]),
            (&[Utf16, Base64], "cmd", &["//5jAG0AZAA="]),
            (&[Utf16Le], "é", &["\u{fffd}\0"]),
            (&[Base64, Utf16Le], "foo", &["Z\0m\x009\0v\0"]),
        ] {
            assert_eq!(texts(encodings, value), expected, "{encodings:?} {value}");
        }
        assert_eq!(texts(&[Encoding::Dashes, Base64], "-a").len(), 5);
        let wildcard = [Part::Literal("a".to_owned()), Part::AnyRun];
        assert!(forms(&[Base64], &wildcard).is_err());
        assert!(forms(&[Utf16, Utf16Le], &[Part::Literal("a".to_owned())]).is_err());
        assert!(forms(&[Encoding::Dashes, Base64], &[Part::Literal("-".repeat(9))]).is_err());
    }

    #[test]
    fn base64_is_found_at_every_offset() {
        let forms = texts(&[Encoding::Base64Offset], "secret");
        for before in ["", "a", "bc", "def"] {
            let whole = STANDARD.encode(format!("{before}secret-and-more"));
            assert!(forms.iter().any(|form| whole.contains(form.as_str())), "{whole} {forms:?}");
        }
    }

    #[test]
    fn every_dash_stands_for_every_other() {
        let value = Pattern::with_wildcards("* -f a-b /c –d", true).parts().to_vec();
        let [form] = &forms(&[Encoding::Dashes], &value).unwrap()[..] else { panic!() };
        let pattern = Pattern::new(form.clone(), false);
        for text in ["x -f a-b /c –d", "x /F a/b -c -d", "x ―f a—b –c /d"] {
            assert!(pattern.matches(text), "{text}");
        }
        assert!(!pattern.matches("x f a-b /c -d"));
    }
}
