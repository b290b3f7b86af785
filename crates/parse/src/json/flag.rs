//! What did not fit into an event, as words in `log.flags`.

use bergfried_event::Value;

/// One thing that was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Flag {
    /// The text ended inside the object.
    Cut = 1,
    /// Something was nested deeper than is kept.
    TooDeep = 2,
    /// There were more fields or values than are kept.
    TooMany = 4,
    /// A text was longer than is kept.
    TooLong = 8,
    /// The text is not well formed; what stands behind the fault was not read.
    Broken = 16,
}

const WORDS: [(Flag, &str); 5] = [
    (Flag::Cut, "truncated"),
    (Flag::TooDeep, "too_deep"),
    (Flag::TooMany, "too_many_fields"),
    (Flag::TooLong, "too_long_value"),
    (Flag::Broken, "malformed"),
];

/// A set of flags.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flags(u8);

impl Flags {
    pub(crate) fn raise(&mut self, flag: Flag) {
        self.0 |= flag as u8;
    }

    /// The words of the flags: one as text, several as a list.
    pub(crate) fn value(self) -> Option<Value<'static>> {
        if self.0 == 0 {
            return None;
        }
        let words = WORDS.iter().filter(|(flag, _)| self.0 & *flag as u8 != 0);
        let mut words: Vec<Value<'static>> = words.map(|(_, word)| Value::from(*word)).collect();
        if words.len() == 1 { words.pop() } else { Some(Value::List(words)) }
    }
}
