//! The modifiers that change a value before it is looked for (Sigma modifiers appendix,
//! "Encoding modifiers" and `windash`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bergfried_query::Part;
use rsigma_ir::IrEncoding;

/// The dashes that Windows programs take for one another.
const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];
/// The most forms that one value may take.
const MAX_FORMS: usize = 625;

/// The forms of a value after the encodings, in the order that they apply; any one may match.
pub(super) fn forms(encodings: &[IrEncoding], value: &str) -> Result<Vec<Vec<Part>>, String> {
    if encodings == [IrEncoding::Windash] {
        // The intermediate form gives wildcards of such a value as text.
        let dashed = dashed(value)?;
        return Ok(dashed.iter().map(|form| wildcards(form)).collect());
    }
    let mut forms = vec![value.as_bytes().to_vec()];
    for encoding in encodings {
        forms = forms
            .iter()
            .map(|bytes| apply(*encoding, bytes))
            .collect::<Result<Vec<_>, _>>()?
            .concat();
    }
    let literal = |bytes: Vec<u8>| {
        let text = String::from_utf8(bytes);
        let text = text.map_err(|_| "the encoded value is no text, add base64".to_owned())?;
        Ok(vec![Part::Literal(text)])
    };
    forms.into_iter().map(literal).collect()
}

fn apply(encoding: IrEncoding, bytes: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let text = || std::str::from_utf8(bytes).map_err(|_| "cannot encode twice".to_owned());
    let units = |to_bytes: fn(u16) -> [u8; 2]| -> Result<Vec<u8>, String> {
        Ok(text()?.encode_utf16().flat_map(to_bytes).collect())
    };
    Ok(match encoding {
        IrEncoding::Wide => vec![units(u16::to_le_bytes)?],
        IrEncoding::Utf16Be => vec![units(u16::to_be_bytes)?],
        IrEncoding::Utf16 => {
            vec![[vec![0xff, 0xfe], units(u16::to_le_bytes)?].concat()]
        }
        IrEncoding::Base64 => vec![STANDARD.encode(bytes).into_bytes()],
        IrEncoding::Base64Offset => base64_at_offsets(bytes),
        IrEncoding::Windash => dashed(text()?)?.into_iter().map(String::into_bytes).collect(),
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

/// The value with each dash that opens a parameter in every form.
fn dashed(value: &str) -> Result<Vec<String>, String> {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let mut forms = vec![String::new()];
    let mut before = None;
    let mut characters = value.chars().peekable();
    while let Some(character) = characters.next() {
        let opens = matches!(character, '-' | '/')
            && !before.is_some_and(is_word)
            && characters.peek().copied().is_some_and(is_word);
        before = Some(character);
        if opens {
            let with = |form: &String| DASHES.map(|dash| format!("{form}{dash}"));
            forms = forms.iter().flat_map(with).collect();
            if forms.len() > MAX_FORMS {
                return Err("too many dashes for `windash`, expected at most 4".to_owned());
            }
        } else {
            forms.iter_mut().for_each(|form| form.push(character));
        }
    }
    Ok(forms)
}

fn wildcards(text: &str) -> Vec<Part> {
    bergfried_query::Pattern::with_wildcards(text, true).parts().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(encodings: &[IrEncoding], value: &str) -> Vec<String> {
        let text = |parts: Vec<Part>| match parts.as_slice() {
            [Part::Literal(text)] => text.clone(),
            other => format!("{other:?}"),
        };
        forms(encodings, value).unwrap().into_iter().map(text).collect()
    }

    #[test]
    fn encodings_follow_the_specification() {
        assert_eq!(texts(&[IrEncoding::Base64], "foo"), ["Zm9v"]);
        assert_eq!(texts(&[IrEncoding::Wide, IrEncoding::Base64], "ab"), ["YQBiAA=="]);
        assert_eq!(
            texts(&[IrEncoding::Base64Offset], "http://"),
            ["aHR0cDovL", "h0dHA6Ly", "odHRwOi8v"]
        );
        assert_eq!(texts(&[IrEncoding::Wide], "ab"), ["a\0b\0"]);
        assert!(forms(&[IrEncoding::Utf16], "ab").is_err());
    }

    #[test]
    fn base64_is_found_at_every_offset() {
        let forms = texts(&[IrEncoding::Base64Offset], "secret");
        for before in ["", "a", "bc", "def"] {
            let whole = STANDARD.encode(format!("{before}secret-and-more"));
            assert!(forms.iter().any(|form| whole.contains(form.as_str())), "{whole} {forms:?}");
        }
    }

    #[test]
    fn only_dashes_that_open_a_parameter_vary() {
        assert_eq!(texts(&[IrEncoding::Windash], " -f a-b").len(), 5);
        assert!(texts(&[IrEncoding::Windash], " -f a-b").contains(&" /f a-b".to_owned()));
        assert_eq!(texts(&[IrEncoding::Windash], "-a -b").len(), 25);
        assert!(forms(&[IrEncoding::Windash], "-a -b -c -d -e").is_err());
    }
}
