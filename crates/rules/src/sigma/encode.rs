//! The modifiers that change a value before it is looked for (Sigma modifiers appendix 2.1,
//! "Encoding" and `windash`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bergfried_query::{DASHES, Part};

use super::modifiers::Encoding;

/// The most forms that one value may take.
const MAX_FORMS: usize = 625;
const TOO_MANY_DASHES: &str = "too many dashes for `windash` beside an encoding";

/// A value while it is encoded: bytes, with the wildcards between them.
type Form = Vec<Piece>;

#[derive(Clone, Debug)]
enum Piece {
    Bytes(Vec<u8>),
    Wildcard(Part),
}

/// The forms of a value after the encodings, in the order that they apply; any one may match.
///
/// Encodings give bytes. Where these are no text, each that is none becomes U+FFFD, as it does where
/// a log with such bytes is read.
///
/// # Errors
/// Where a value with wildcards is to become base64, or has too many forms.
pub(super) fn forms(encodings: &[Encoding], value: &[Part]) -> Result<Vec<Vec<Part>>, String> {
    if encodings.iter().all(|encoding| *encoding == Encoding::Dashes) {
        // Dashes alone need no form for each choice.
        return Ok(vec![if encodings.is_empty() { value.to_vec() } else { any_dash(value) }]);
    }
    let piece = |part: &Part| match part {
        Part::Literal(text) => Piece::Bytes(text.as_bytes().to_vec()),
        wildcard => Piece::Wildcard(wildcard.clone()),
    };
    let mut forms: Vec<Form> = vec![value.iter().map(piece).collect()];
    for encoding in encodings {
        let applied = forms.iter().map(|form| apply(*encoding, form));
        forms = applied.collect::<Result<Vec<_>, _>>()?.concat();
        if forms.len() > MAX_FORMS {
            return Err(format!("the value has more than {MAX_FORMS} forms when it is encoded"));
        }
    }
    let part = |piece: Piece| match piece {
        Piece::Bytes(bytes) => Part::Literal(String::from_utf8_lossy(&bytes).into_owned()),
        Piece::Wildcard(part) => part,
    };
    Ok(forms.into_iter().map(|form| form.into_iter().map(part).collect()).collect())
}

fn apply(encoding: Encoding, form: &Form) -> Result<Vec<Form>, String> {
    let units = |to_bytes: fn(u16) -> [u8; 2]| {
        each(form, |bytes| Ok(text(bytes)?.encode_utf16().flat_map(to_bytes).collect()))
    };
    let whole = |bytes: Vec<u8>| vec![Piece::Bytes(bytes)];
    Ok(match encoding {
        Encoding::Utf16Le => vec![units(u16::to_le_bytes)?],
        Encoding::Utf16Be => vec![units(u16::to_be_bytes)?],
        Encoding::Utf16 => {
            let mark = Piece::Bytes(vec![0xff, 0xfe]);
            vec![std::iter::once(mark).chain(units(u16::to_le_bytes)?).collect()]
        }
        Encoding::Base64 => vec![whole(STANDARD.encode(literal(form)?).into_bytes())],
        Encoding::Base64Offset => {
            let forms = base64_at_offsets(&literal(form)?);
            if forms.iter().any(Vec::is_empty) {
                return Err("the value is too short for `base64offset`".to_owned());
            }
            forms.into_iter().map(whole).collect()
        }
        Encoding::Dashes => dashed(form)?,
    })
}

fn each(form: &Form, change: impl Fn(&[u8]) -> Result<Vec<u8>, String>) -> Result<Form, String> {
    let changed = form.iter().map(|piece| match piece {
        Piece::Bytes(bytes) => change(bytes).map(Piece::Bytes),
        wildcard => Ok(wildcard.clone()),
    });
    changed.collect()
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes)
        .map_err(|_| "a value that is encoded as UTF-16 can only become base64".to_owned())
}

/// The bytes of a value without wildcards.
fn literal(form: &Form) -> Result<Vec<u8>, String> {
    let mut literal = Vec::new();
    for piece in form {
        let Piece::Bytes(bytes) = piece else {
            let message = "a value with wildcards cannot be base64, escape them by a backslash";
            return Err(message.to_owned());
        };
        literal.extend_from_slice(bytes);
    }
    Ok(literal)
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

/// The value with each dash in every form, for the encodings beside it.
fn dashed(form: &Form) -> Result<Vec<Form>, String> {
    let mut forms = vec![Form::new()];
    for piece in form {
        let grown = match piece {
            Piece::Bytes(bytes) => {
                let choices = dashed_text(text(bytes)?)?;
                let with = |form: &Form| {
                    let form = form.clone();
                    choices.iter().map(move |choice| {
                        let mut form = form.clone();
                        form.push(Piece::Bytes(choice.clone().into_bytes()));
                        form
                    })
                };
                forms.iter().flat_map(with).collect()
            }
            wildcard => {
                forms.iter_mut().for_each(|form| form.push(wildcard.clone()));
                continue;
            }
        };
        forms = grown;
        if forms.len() > MAX_FORMS {
            return Err(TOO_MANY_DASHES.to_owned());
        }
    }
    Ok(forms)
}

fn dashed_text(value: &str) -> Result<Vec<String>, String> {
    let mut forms = vec![String::new()];
    for character in value.chars() {
        if DASHES.contains(&character) {
            let with = |form: &String| DASHES.map(|dash| format!("{form}{dash}"));
            forms = forms.iter().flat_map(with).collect();
            if forms.len() > MAX_FORMS {
                return Err(TOO_MANY_DASHES.to_owned());
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
        let text = |parts: Vec<Part>| match Pattern::new(parts, true).as_literal() {
            Some(text) => text.to_owned(),
            None => panic!("a wildcard in {value}"),
        };
        forms(encodings, &[Part::Literal(value.to_owned())])
            .unwrap()
            .into_iter()
            .map(text)
            .collect()
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
        for short in ["", "a"] {
            assert!(forms(&[Base64Offset], &[Part::Literal(short.to_owned())]).is_err());
        }
        let wide = [Part::Literal("a\0".to_owned()), Part::AnyRun];
        assert_eq!(forms(&[Utf16Le], &wildcard), Ok(vec![wide.to_vec()]));
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
