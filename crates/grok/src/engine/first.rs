//! Which bytes a part of an expression can begin with.

use crate::syntax::Node;

/// A set of bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Bytes([bool; 256]);

impl Default for Bytes {
    fn default() -> Bytes {
        Bytes([false; 256])
    }
}

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries((0..=u8::MAX).filter(|byte| self.contains(*byte))).finish()
    }
}

impl Bytes {
    #[inline]
    pub(super) fn contains(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte)).copied().unwrap_or(false)
    }

    /// Adds all from `low` to `high`, both included; none where `low` is higher.
    pub(super) fn insert(&mut self, low: u8, high: u8) {
        for place in self.0.iter_mut().take(usize::from(high) + 1).skip(usize::from(low)) {
            *place = true;
        }
    }

    fn add(&mut self, other: &Bytes) {
        for (place, more) in self.0.iter_mut().zip(other.0) {
            *place |= more;
        }
    }

    pub(super) fn overlaps(&self, other: &Bytes) -> bool {
        self.0.iter().zip(other.0).any(|(one, other)| *one && other)
    }

    pub(super) fn only(&self) -> Option<u8> {
        let mut members = (0..=u8::MAX).filter(|byte| self.contains(*byte));
        members.next().filter(|_| members.next().is_none())
    }
}

/// The bytes that a part can begin with, and whether it can do without any.
#[derive(Clone, Debug, Default)]
pub(super) struct First {
    pub(super) bytes: Bytes,
    /// Whether it can match nothing.
    pub(super) empty: bool,
    /// The text that it begins with for certain.
    pub(super) text: Option<Box<str>>,
}

impl First {
    /// Of nothing at all: whatever comes next is fine.
    pub(super) fn nothing() -> First {
        First { bytes: Bytes::default(), empty: true, text: None }
    }

    /// Of this and then `next`.
    pub(super) fn then(mut self, next: &First) -> First {
        if self.empty {
            if self.bytes == Bytes::default() {
                self.text.clone_from(&next.text);
            }
            self.bytes.add(&next.bytes);
            self.empty = next.empty;
        }
        self
    }

    /// Of this or `other`.
    pub(super) fn or(mut self, other: &First) -> First {
        self.bytes.add(&other.bytes);
        self.empty |= other.empty;
        self.text = self.text.filter(|text| other.text.as_ref() == Some(text));
        self
    }

    /// Of a part. Assertions are passed over: they only take ways away.
    pub(super) fn of(node: &Node) -> First {
        match node {
            Node::Empty | Node::Look { .. } | Node::Assert(_) => First::nothing(),
            Node::Literal(text) => {
                let mut first = First::default();
                match text.bytes().next() {
                    Some(byte) => {
                        first.bytes.insert(byte, byte);
                        first.text = Some(text.as_str().into());
                    }
                    None => first.empty = true,
                }
                first
            }
            Node::Class(class) => {
                let mut first = First::default();
                for range in class.iter() {
                    first.bytes.insert(lead(range.start()), lead(range.end()));
                }
                first
            }
            Node::Concat(nodes) => {
                let mut first = First::nothing();
                for node in nodes {
                    if !first.empty {
                        break;
                    }
                    first = first.then(&First::of(node));
                }
                first
            }
            Node::Alternate(nodes) => nodes
                .iter()
                .map(First::of)
                .reduce(|first, more| first.or(&more))
                .unwrap_or_default(),
            Node::Repeat { max: Some(0), .. } => First::nothing(),
            Node::Repeat { node, min, .. } => {
                let mut first = First::of(node);
                if *min == 0 {
                    first.empty = true;
                    first.text = None;
                }
                first
            }
            Node::Group { node, .. } | Node::Atomic(node) => First::of(node),
            Node::Backreference { .. } => {
                let mut first = First::nothing();
                first.bytes.insert(0, u8::MAX);
                first
            }
        }
    }
}

/// The first byte of a character.
pub(super) fn lead(character: char) -> u8 {
    let mut buffer = [0; 4];
    character.encode_utf8(&mut buffer).bytes().next().unwrap_or(0)
}
