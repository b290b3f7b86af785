//! What is known of each group.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;

use bergfried_event::Value;

use super::Figure;
use super::dictionary::{Dictionary, Map};
use super::numbers::{Numbers, whole};
use super::source::Source;
use crate::segment::pages::ABSENT;
use crate::text_hash::TextHasher;

/// A figure of every group.
pub(super) enum Figures {
    Count(Vec<u64>),
    Distinct {
        dictionary: Dictionary,
        /// Groups and the numbers of their values.
        pairs: HashSet<(u32, u32), BuildHasherDefault<TextHasher>>,
    },
    /// Sums and means: how many, and their sum.
    Sums {
        sums: Vec<(u64, f64)>,
        mean: bool,
    },
    /// The least, or the greatest.
    Ends {
        ends: Vec<Option<f64>>,
        greatest: bool,
    },
    Percentile {
        groups: Vec<Numbers>,
        share: f64,
        entries: usize,
    },
}

impl Figures {
    pub(super) fn new(figure: &Figure) -> Self {
        match figure {
            Figure::Count => Figures::Count(Vec::new()),
            Figure::Distinct(_) => {
                Figures::Distinct { dictionary: Dictionary::of_texts(), pairs: HashSet::default() }
            }
            Figure::Sum(_) => Figures::Sums { sums: Vec::new(), mean: false },
            Figure::Avg(_) => Figures::Sums { sums: Vec::new(), mean: true },
            Figure::Min(_) => Figures::Ends { ends: Vec::new(), greatest: false },
            Figure::Max(_) => Figures::Ends { ends: Vec::new(), greatest: true },
            Figure::Percentile(_, share) => {
                Figures::Percentile { groups: Vec::new(), share: *share, entries: 0 }
            }
        }
    }

    /// Bytes of memory, near enough.
    pub(super) fn size(&self) -> usize {
        match self {
            Figures::Count(counts) => counts.len() * size_of::<u64>(),
            Figures::Distinct { dictionary, pairs } => dictionary.size() + pairs.len() * 16,
            Figures::Sums { sums, .. } => sums.len() * size_of::<(u64, f64)>(),
            Figures::Ends { ends, .. } => ends.len() * size_of::<Option<f64>>(),
            Figures::Percentile { groups, entries, .. } => {
                groups.len() * size_of::<Numbers>() + entries * 24
            }
        }
    }

    /// Makes room for so many groups.
    pub(super) fn grow(&mut self, groups: usize) {
        match self {
            Figures::Count(counts) => counts.resize(groups, 0),
            Figures::Distinct { .. } => {}
            Figures::Sums { sums, .. } => sums.resize(groups, (0, 0.0)),
            Figures::Ends { ends, .. } => ends.resize(groups, None),
            Figures::Percentile { groups: all, .. } => all.resize_with(groups, Numbers::default),
        }
    }

    /// Counts so many events of one group, unseen; only where nothing but events is counted.
    pub(super) fn count(&mut self, group: u32, events: u64) {
        if let Figures::Count(counts) = self
            && let Some(count) = counts.get_mut(group as usize)
        {
            *count += events;
        }
    }

    /// Adds rows with their groups.
    pub(super) fn add(
        &mut self,
        pairs: &[(usize, u32)],
        values: &mut Values<'_>,
    ) -> Result<(), &'static str> {
        if let Figures::Count(counts) = self {
            for (_, group) in pairs {
                if let Some(count) = counts.get_mut(*group as usize) {
                    *count += 1;
                }
            }
            return Ok(());
        }
        for (row, group) in pairs {
            let code = values.source.map_or(ABSENT, |source| source.code(*row));
            if code == ABSENT {
                continue;
            }
            if let Figures::Distinct { dictionary, pairs } = self {
                let several = values.texts(code, dictionary)?;
                pairs.extend(several.iter().map(|number| (*group, *number)));
            } else {
                let numbers = values.numbers(code)?;
                numbers.iter().for_each(|number| self.number(*group, *number, 1));
            }
        }
        Ok(())
    }

    fn number(&mut self, group: u32, number: f64, times: u64) {
        let group = group as usize;
        match self {
            Figures::Count(_) | Figures::Distinct { .. } => {}
            Figures::Sums { sums, .. } => {
                if let Some((count, sum)) = sums.get_mut(group) {
                    *count += times;
                    *sum += number;
                }
            }
            Figures::Ends { ends, greatest } => {
                if let Some(end) = ends.get_mut(group) {
                    let better =
                        |old: f64| if *greatest { old.max(number) } else { old.min(number) };
                    *end = Some(end.map_or(number, better));
                }
            }
            Figures::Percentile { groups, entries, .. } => {
                if let Some(numbers) = groups.get_mut(group) {
                    let before = numbers.entries();
                    numbers.add(number, times);
                    *entries = (*entries + numbers.entries()).saturating_sub(before);
                }
            }
        }
    }

    /// Takes in the figures of another, whose groups have these numbers here.
    pub(super) fn join(&mut self, other: Figures, groups: &[u32]) {
        let here = |group: usize| groups.get(group).map_or(usize::MAX, |group| *group as usize);
        match (self, other) {
            (Figures::Count(mine), Figures::Count(theirs)) => {
                for (group, count) in theirs.into_iter().enumerate() {
                    if let Some(mine) = mine.get_mut(here(group)) {
                        *mine += count;
                    }
                }
            }
            (
                Figures::Distinct { dictionary, pairs },
                Figures::Distinct { dictionary: others, pairs: more },
            ) => {
                let values = dictionary.join(&others);
                pairs.extend(more.into_iter().filter_map(|(group, value)| {
                    Some((*groups.get(group as usize)?, *values.get(value as usize)?))
                }));
            }
            (Figures::Sums { sums, .. }, Figures::Sums { sums: more, .. }) => {
                for (group, (count, sum)) in more.into_iter().enumerate() {
                    if let Some(mine) = sums.get_mut(here(group)) {
                        *mine = (mine.0 + count, mine.1 + sum);
                    }
                }
            }
            (mine @ Figures::Ends { .. }, Figures::Ends { ends, .. }) => {
                for (group, end) in groups.iter().zip(ends) {
                    end.into_iter().for_each(|number| mine.number(*group, number, 1));
                }
            }
            (
                Figures::Percentile { groups: mine, entries, .. },
                Figures::Percentile { groups: theirs, .. },
            ) => {
                for (group, numbers) in theirs.into_iter().enumerate() {
                    if let Some(mine) = mine.get_mut(here(group)) {
                        let before = mine.entries();
                        mine.join(numbers);
                        *entries = (*entries + mine.entries()).saturating_sub(before);
                    }
                }
            }
            // Both were made of the same figure.
            _ => {}
        }
    }

    /// The figure of each of so many groups, and whether any of them is not exact.
    pub(super) fn finish(self, groups: usize) -> (Vec<Value<'static>>, bool) {
        let int = |count: u64| Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
        let values: Vec<Value<'static>> = match self {
            Figures::Count(counts) => counts.into_iter().map(int).collect(),
            Figures::Distinct { pairs, .. } => {
                let mut counts = vec![0; groups];
                for (group, _) in pairs {
                    if let Some(count) = counts.get_mut(group as usize) {
                        *count += 1;
                    }
                }
                counts.into_iter().map(int).collect()
            }
            Figures::Sums { sums, mean } => sums
                .into_iter()
                .map(|(count, sum)| match (count, mean) {
                    (0, _) => Value::Null,
                    (_, false) => whole(sum),
                    #[expect(clippy::cast_precision_loss, reason = "a mean is of floating point")]
                    (count, true) => whole(sum / count as f64),
                })
                .collect(),
            Figures::Ends { ends, .. } => {
                ends.into_iter().map(|end| end.map_or(Value::Null, whole)).collect()
            }
            Figures::Percentile { groups, share, .. } => {
                let approximate = groups.iter().any(Numbers::is_approximate);
                let found = groups.iter().map(|numbers| numbers.percentile(share));
                return (
                    found.map(|number| number.map_or(Value::Null, whole)).collect(),
                    approximate,
                );
            }
        };
        (values, false)
    }
}

/// The values of one batch for one figure; those of each code are made once.
pub(super) struct Values<'s> {
    source: Option<&'s Source>,
    texts: Map<u32, Vec<u32>>,
    numbers: Vec<Seen>,
}

/// The numbers of a code, once they were looked at.
#[derive(Clone)]
enum Seen {
    Not,
    One(f64),
    Others(Box<[f64]>),
}

impl<'s> Values<'s> {
    pub(super) fn new(source: Option<&'s Source>) -> Self {
        let codes = source.map_or(0, Source::codes);
        Values { source, texts: Map::default(), numbers: vec![Seen::Not; codes] }
    }

    /// The numbers of a code's texts in the dictionary.
    fn texts(&mut self, code: u32, dictionary: &mut Dictionary) -> Result<&[u32], &'static str> {
        let source = self.source.ok_or("a figure has no field")?;
        match self.texts.entry(code) {
            std::collections::hash_map::Entry::Occupied(known) => Ok(known.into_mut()),
            std::collections::hash_map::Entry::Vacant(place) => {
                let mut found = Vec::new();
                source.values(code as usize, |value| {
                    found.push(value.text(|text| dictionary.text(text)));
                })?;
                Ok(place.insert(found))
            }
        }
    }

    /// The numbers that a code's values are.
    fn numbers(&mut self, code: u32) -> Result<&[f64], &'static str> {
        let source = self.source.ok_or("a figure has no field")?;
        let place = self.numbers.get_mut(code as usize).ok_or("a code has no text")?;
        if matches!(place, Seen::Not) {
            let (mut first, mut others) = (None, Vec::new());
            source.values(code as usize, |value| match (first, value.number()) {
                (None, number) => first = number,
                (Some(_), number) => others.extend(number),
            })?;
            *place = match first {
                Some(number) if others.is_empty() => Seen::One(number),
                first => Seen::Others(first.into_iter().chain(others).collect()),
            };
        }
        Ok(match place {
            Seen::Not => &[],
            Seen::One(number) => std::slice::from_ref(number),
            Seen::Others(numbers) => numbers,
        })
    }
}
