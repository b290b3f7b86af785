//! Mistakes in a configuration: where they are, and what is wrong in words of the file's language.

use bergfried_event::nearest;

/// A configuration that cannot be used: the file, and line and column where they are known.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {message}")]
pub struct ConfigError {
    /// `file` or `file:line:column`.
    pub place: String,
    /// What is wrong and what was expected.
    pub message: String,
}

/// The message in words of the file's language; about a word that is not known with the known one that
/// it may be a slip of.
pub(super) fn with_nearest(message: &str) -> String {
    let message = &message
        .replace("expected a sequence", "expected a list in brackets")
        .replace("expected a map", "expected a table");
    let mut words = message.split('`').skip(1).step_by(2);
    let is_about_a_word = message.starts_with("unknown ");
    let near = words.next().filter(|_| is_about_a_word).and_then(|word| nearest(word, words));
    match near {
        Some(near) => format!("{message}; is `{near}` meant?"),
        None => message.clone(),
    }
}

/// Where the key stands that a message about an input or a channel names after its own name, or its
/// table: serde knows no place within the list.
pub(super) fn place_in_list(message: &str, text: &str) -> Option<usize> {
    let channel = message.strip_prefix("cannot use notification channel `");
    let (list, rest) = match channel {
        Some(rest) => ("notify", rest),
        None => ("input", message.strip_prefix("cannot use input `")?),
    };
    let mut words = rest.split('`').step_by(2);
    let name = words.next()?;
    let document = toml::de::DeTable::parse(text).ok()?;
    let inputs = document.get_ref().get(list)?.get_ref().as_array()?;
    let is_it = |input: &toml::Spanned<toml::de::DeValue<'_>>| {
        let named = input.get_ref().get("name").and_then(|name| name.get_ref().as_str());
        named.is_some_and(|named| named.escape_debug().to_string() == name)
    };
    let index = inputs.iter().position(is_it)?;
    let entries = inputs.get(index)?.get_ref().as_table()?;
    let key = words.find(|word| entries.iter().any(|(key, _)| key.get_ref() == word));
    Some(offset_in(list, index, key, text))
}

/// Where a key of an array's table stands, or the table where the key is not there.
pub(crate) fn offset_in(array: &str, index: usize, key: Option<&str>, text: &str) -> usize {
    let Ok(document) = toml::de::DeTable::parse(text) else { return 0 };
    let array = document.get_ref().get(array).and_then(|value| value.get_ref().as_array());
    let Some(table) = array.and_then(|array| array.get(index)) else { return 0 };
    let entries = table.get_ref().as_table();
    let at_key = entries.zip(key).and_then(|(entries, wanted)| {
        entries.iter().find(|(key, _)| key.get_ref() == wanted).map(|(key, _)| key.span().start)
    });
    at_key.unwrap_or(table.span().start)
}

/// `name:line:column` of a byte of the text.
pub(crate) fn place(name: &str, text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|character| *character != '\n').count() + 1;
    format!("{name}:{line}:{column}")
}
