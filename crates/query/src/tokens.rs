//! Words of a text: maximal runs of letters and digits, in lower case.
//!
//! The store's token filters and the search language's words cut text at the same places, so that a
//! filter can never lose what a word would find.

/// The byte ranges of the words of `text`.
pub fn ranges(text: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut characters = text.char_indices().peekable();
    std::iter::from_fn(move || {
        let (start, _) = characters.find(|(_, character)| is_word(*character))?;
        let mut end = text.len();
        while let Some((at, character)) = characters.peek() {
            if !is_word(*character) {
                end = *at;
                break;
            }
            characters.next();
        }
        Some((start, end))
    })
}

/// Whether the character belongs to a word.
pub fn is_word(character: char) -> bool {
    character.is_alphanumeric()
}

/// The words of `text` as they stand (not lower-cased).
pub fn words(text: &str) -> impl Iterator<Item = &str> + '_ {
    ranges(text).filter_map(|(start, end)| text.get(start..end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_at_anything_but_letters_and_digits() {
        let found: Vec<&str> = words("Failed password for größe from 10.0.0.1 port_22!").collect();
        assert_eq!(
            found,
            ["Failed", "password", "for", "größe", "from", "10", "0", "0", "1", "port", "22"]
        );
        assert_eq!(words("").count() + words(" .-").count(), 0);
    }
}
