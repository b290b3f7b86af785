//! Which of many literals a text starts or ends with: a few look-ups, however many there are.

use std::collections::HashMap;

use foldhash::fast::FixedState;

/// Which end of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Start,
    Finish,
}

/// The widths that are looked up: a literal by the widest that it fills.
const WIDTHS: [usize; 4] = [8, 4, 2, 1];

/// Finds the literals that a text starts or ends with.
#[derive(Debug)]
pub(crate) struct Ends {
    end: End,
    /// By width, those alone that a literal fills.
    widths: Vec<(usize, Table)>,
}

/// The literals, each with its key, by what they start or end with.
type Table = HashMap<u64, Vec<(u32, Box<[u8]>)>, FixedState>;

impl Ends {
    /// A finder of these literals, each with the key to say when it is there; empty ones are never
    /// found.
    pub(crate) fn new<'k>(
        end: End,
        keys: impl IntoIterator<Item = (u32, &'k str)>,
    ) -> Option<Self> {
        let mut widths = WIDTHS.map(|width| (width, Table::default())).to_vec();
        for (key, literal) in keys {
            let literal = literal.as_bytes();
            let fitting = widths.iter_mut().find(|(width, _)| *width <= literal.len());
            let Some((width, table)) = fitting else { continue };
            if let Some(window) = window(end, literal, *width) {
                table.entry(window).or_default().push((key, literal.into()));
            }
        }
        widths.retain(|(_, table)| !table.is_empty());
        (!widths.is_empty()).then_some(Ends { end, widths })
    }

    /// Calls `found` with the key of each literal that is there.
    pub(crate) fn find(&self, text: &[u8], mut found: impl FnMut(u32)) {
        for (width, table) in &self.widths {
            let Some(window) = window(self.end, text, *width) else { continue };
            for (key, literal) in table.get(&window).map_or(&[][..], Vec::as_slice) {
                let there = match self.end {
                    End::Start => text.starts_with(literal),
                    End::Finish => text.ends_with(literal),
                };
                if there {
                    found(*key);
                }
            }
        }
    }

    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        let tables = self.widths.iter().map(|(_, table)| {
            let literals = table.values().flatten().map(|(_, literal)| 24 + literal.len());
            table.capacity() * 33 + literals.sum::<usize>()
        });
        tables.sum()
    }
}

fn window(end: End, text: &[u8], width: usize) -> Option<u64> {
    let bytes = match end {
        End::Start => text.get(..width),
        End::Finish => text.get(text.len().checked_sub(width)?..),
    }?;
    // Whole words at once where they are wide enough.
    match bytes.first_chunk::<8>() {
        Some(eight) => Some(u64::from_le_bytes(*eight)),
        None => match bytes.first_chunk::<4>() {
            Some(four) => Some(u64::from(u32::from_le_bytes(*four))),
            None => Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))),
        },
    }
}
