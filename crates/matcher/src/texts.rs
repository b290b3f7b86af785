//! The texts of an event's values in lower case, made at most once for each.

use std::fmt::Write as _;
use std::ops::Range;

use bergfried_event::Value;
use bergfried_query::fold;

/// What is kept between events of the memory for their texts.
const KEPT_BYTES: usize = 1 << 20;

/// Texts in lower case, by the position of their value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    text: String,
    /// Where in `text` each text is.
    places: Vec<Range<usize>>,
    /// For each position the event that it was made for, and the range of its places.
    made: Vec<(u32, Range<usize>)>,
}

impl Texts {
    /// Forgets the texts of the event before.
    pub(crate) fn clear(&mut self, positions: usize) {
        self.text.clear();
        self.text.shrink_to(KEPT_BYTES);
        self.places.clear();
        if self.made.len() < positions {
            self.made.resize(positions, (0, 0..0));
        }
    }

    /// Forgets for which events anything was made.
    pub(crate) fn forget(&mut self) {
        self.made.clear();
    }

    /// The texts of a value: one, or those of a list; null has none.
    pub(crate) fn of(
        &mut self,
        epoch: u32,
        position: usize,
        value: &Value<'_>,
    ) -> impl Iterator<Item = &str> {
        let places = match self.made.get(position) {
            Some((made, places)) if *made == epoch => places.clone(),
            _ => {
                let first = self.places.len();
                self.add(value);
                let places = first..self.places.len();
                if let Some(made) = self.made.get_mut(position) {
                    *made = (epoch, places.clone());
                }
                places
            }
        };
        let places = self.places.get(places).unwrap_or_default();
        places.iter().filter_map(|place| self.text.get(place.clone()))
    }

    fn add(&mut self, value: &Value<'_>) {
        let start = self.text.len();
        match value {
            Value::Null => return,
            Value::List(values) => {
                for value in values {
                    self.add(value);
                }
                return;
            }
            Value::Text(text) if text.is_ascii() => {
                self.text.push_str(text);
                if let Some(added) = self.text.get_mut(start..) {
                    added.make_ascii_lowercase();
                }
            }
            Value::Text(text) => self.text.push_str(&fold(text)),
            Value::Bool(truth) => self.text.push_str(if *truth { "true" } else { "false" }),
            Value::Int(_) | Value::Float(_) => self.add_number(value),
        }
        self.places.push(start..self.text.len());
    }

    fn add_number(&mut self, value: &Value<'_>) {
        let start = self.text.len();
        let written = match value {
            Value::Int(number) => write!(self.text, "{number}"),
            Value::Float(number) => write!(self.text, "{number}"),
            _ => Ok(()),
        };
        // Writing to memory cannot fail; numbers such as NaN and 1E9 have letters.
        if written.is_ok()
            && let Some(added) = self.text.get_mut(start..)
        {
            added.make_ascii_lowercase();
        }
    }
}
