//! What is wrong with an expression, and where.

/// What is wrong with an expression, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}, at character {}{}", .at + 1, place(.near))]
pub struct Mistake {
    /// Where in the text, in bytes from 0.
    pub at: usize,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What the text goes on with there; empty at its end.
    pub near: String,
}

/// How much of the text is shown.
const SHOWN: usize = 24;

impl Mistake {
    pub(super) fn new(text: &str, at: usize, message: impl Into<String>) -> Self {
        let rest = text.get(at..).unwrap_or_default();
        Self { at, message: message.into(), near: rest.chars().take(SHOWN).collect() }
    }
}

fn place(text: &str) -> String {
    if text.is_empty() {
        " (the end)".to_owned()
    } else {
        {
            let shown = text.chars().map(|c| if c.is_control() { ' ' } else { c });
            format!(" near `{}`", shown.collect::<String>())
        }
    }
}
