//! What to write where something else stands, mostly Perl.

use super::super::functions::FUNCTIONS;
use super::super::mistake::Mistake;
use super::Parser;

impl Parser<'_, '_> {
    /// What stands where an operator should.
    pub(super) fn leftover(&mut self) -> Mistake {
        let word = self.next_word();
        let message = match word {
            "eq" => {
                "`eq` is Perl: write ==, or same(text, text) to compare letter by letter".to_owned()
            }
            "ne" => "`ne` is Perl: write !=, or not same(text, text)".to_owned(),
            "lt" | "gt" | "le" | "ge" => format!("`{word}` is Perl: write <, >, <= or >="),
            "x" | "xor" => format!("there is no operator `{word}`"),
            _ => match self.rest().as_bytes() {
                [b'.', ..] => {
                    "texts are put together by join(\"\", text, text) or within double quotes"
                        .to_owned()
                }
                [b'?', ..] => "a choice is written if(condition, then, else)".to_owned(),
                [b'-', b'>', ..] => "code in Perl does not belong into an expression".to_owned(),
                [b'*', b'*', ..] => "there is no operator `**`".to_owned(),
                [b')', ..] => "a `)` has no `(`".to_owned(),
                _ => "an operator is missing".to_owned(),
            },
        };
        self.mistake(self.at, message)
    }
}

/// What is wrong with a word that is no function.
pub(super) fn unknown(word: &str, called: bool) -> String {
    let instead = match word {
        "lc" => Some("lower"),
        "uc" => Some("upper"),
        "substr" => Some("substring"),
        "int" => Some("floor"),
        _ => bergfried_event::nearest(word, FUNCTIONS.iter().map(|function| function.name)),
    };
    match (called, instead) {
        (true, Some(name)) => format!("there is no function `{word}`; perhaps `{name}` is meant"),
        (true, None) => format!("there is no function `{word}`"),
        (false, _) => format!(
            "the word `{word}` means nothing here: a text stands in quotes, a context in exists(…)"
        ),
    }
}
