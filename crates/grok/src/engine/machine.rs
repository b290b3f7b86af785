//! Follows the instructions over a text.

use std::ops::Range;

use super::memo::Memo;
use super::program::{CharacterSet, Follow, Instruction, Program, Run};
use crate::syntax::{Assertion, Kind};

/// How many steps a text may take before it is remembered where it failed, one more for each byte.
const EASY_STEPS: u64 = 2_000;
/// How many bytes that are looked at one by one count as a step, and that are searched through.
const BYTES_A_STEP: usize = 16;
const SEARCHED_A_STEP: usize = 64;
/// A slot that is not set.
const UNSET: u32 = u32::MAX;

/// Why a search ended without an answer.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It took too many steps.
    TooHard,
}

/// What a search needs, kept to be used again.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Where each group starts and ends.
    slots: Vec<u32>,
    registers: Vec<u32>,
    stack: Vec<Frame>,
    memo: Memo,
}

impl Scratch {
    /// Forgets what was captured and makes room for so many groups.
    pub(crate) fn clear(&mut self, groups: usize) {
        self.slots.clear();
        self.slots.resize(groups * 2, UNSET);
        self.stack.clear();
        self.memo.clear();
    }

    /// Where a group's text is.
    pub(crate) fn group(&self, group: usize) -> Option<Range<usize>> {
        match (self.slots.get(group * 2)?, self.slots.get(group * 2 + 1)?) {
            (&UNSET, _) | (_, &UNSET) => None,
            (start, end) => Some(*start as usize..*end as usize),
        }
    }
}

/// What to go back to.
#[derive(Clone, Copy, Debug)]
struct Frame {
    what: Back,
    /// The place in the text.
    place: u32,
    /// How many choices were pending.
    height: u32,
}

#[derive(Clone, Copy, Debug)]
enum Back {
    /// The way of this number of the switch at `at`.
    Way { at: u32, way: u32 },
    /// Fewer characters of the run at `at`, at least up to `low`.
    Fewer { at: u32, low: u32 },
    /// One more character of the run at `at`, which has `count` already.
    More { at: u32, count: u32 },
    /// A slot as it was.
    Slot { slot: u32, old: u32 },
    /// A register as it was.
    Register { register: u32, old: u32 },
}

/// A program over a text.
pub(crate) struct Machine<'m> {
    program: &'m Program,
    text: &'m str,
    bytes: &'m [u8],
    scratch: &'m mut Scratch,
    steps: u64,
    /// From how many steps on it is remembered what failed; the limit once it is.
    patience: u64,
    limit: u64,
}

/// What a step says.
enum Step {
    /// On at this instruction and place.
    On(usize, usize),
    /// This way does not match.
    Fail,
}

impl<'m> Machine<'m> {
    pub(crate) fn new(
        program: &'m Program,
        text: &'m str,
        scratch: &'m mut Scratch,
        limit: u64,
    ) -> Machine<'m> {
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        let easy = EASY_STEPS.saturating_add(length).min(limit / 4);
        scratch.registers.resize(program.registers as usize, UNSET);
        let bytes = text.as_bytes();
        Machine { program, text, bytes, scratch, steps: 0, patience: easy, limit }
    }

    /// Whether the program matches anywhere; the first place counts.
    pub(crate) fn search(&mut self) -> Result<bool, Stop> {
        if u32::try_from(self.bytes.len()).is_err() {
            return Err(Stop::TooHard);
        }
        if let Some(required) = &self.program.required
            && required.find(self.bytes).is_none()
        {
            return Ok(false);
        }
        let mut start = 0;
        loop {
            match &self.program.start {
                Some(first) => {
                    let rest = self.bytes.get(start..).unwrap_or_default();
                    let Some(next) = rest.iter().position(|byte| first.contains(*byte)) else {
                        return Ok(false);
                    };
                    start += next;
                }
                None => {
                    while !self.text.is_char_boundary(start) {
                        start += 1;
                    }
                }
            }
            if self.program.anchored && start > 0 {
                return Ok(false);
            }
            if self.run(0, start, None)?.is_some() {
                return Ok(true);
            }
            start += 1;
            if start > self.bytes.len() || self.program.anchored {
                return Ok(false);
            }
        }
    }

    /// Follows the instructions from `at` to their end; where in the text that is. With `end`, it
    /// must be there.
    fn run(
        &mut self,
        mut at: usize,
        mut place: usize,
        end: Option<usize>,
    ) -> Result<Option<usize>, Stop> {
        let program = self.program;
        let base = self.scratch.stack.len();
        let pending = self.scratch.memo.height();
        loop {
            self.steps += 1;
            let step = match program.instructions.get(at) {
                Some(Instruction::Byte(byte)) => match self.bytes.get(place) == Some(byte) {
                    true => Step::On(at + 1, place + 1),
                    false => Step::Fail,
                },
                Some(Instruction::Literal(text)) => {
                    match self.bytes.get(place..).is_some_and(|rest| rest.starts_with(text)) {
                        true => Step::On(at + 1, place + text.len()),
                        false => Step::Fail,
                    }
                }
                Some(Instruction::Class(class)) => {
                    match program.classes.get(*class as usize).and_then(|set| self.one(set, place))
                    {
                        Some(place) => Step::On(at + 1, place),
                        None => Step::Fail,
                    }
                }
                Some(Instruction::Run(run)) => match program.runs.get(*run as usize) {
                    Some(run) => self.start_run(run, at, place),
                    None => Step::Fail,
                },
                Some(Instruction::Switch { targets, table, choice }) => {
                    self.switch(at, *targets, *table, *choice, place, 0)
                }
                Some(Instruction::Jump(to)) => Step::On(*to as usize, place),
                Some(Instruction::Save(slot)) => {
                    if let Some(value) = self.scratch.slots.get_mut(*slot as usize) {
                        let old = std::mem::replace(value, place as u32);
                        self.push(Back::Slot { slot: *slot, old }, place);
                    }
                    Step::On(at + 1, place)
                }
                Some(Instruction::Mark(register)) => {
                    if let Some(value) = self.scratch.registers.get_mut(*register as usize) {
                        let old = std::mem::replace(value, place as u32);
                        self.push(Back::Register { register: *register, old }, place);
                    }
                    Step::On(at + 1, place)
                }
                Some(Instruction::ExitIfEmpty { register, exit }) => {
                    match self.scratch.registers.get(*register as usize) == Some(&(place as u32)) {
                        true => Step::On(*exit as usize, place),
                        false => Step::On(at + 1, place),
                    }
                }
                Some(Instruction::Assert(assertion)) => match self.holds(*assertion, place) {
                    true => Step::On(at + 1, place),
                    false => Step::Fail,
                },
                Some(Instruction::Next { class, negative }) => {
                    let set = program.classes.get(*class as usize);
                    match set.is_some_and(|set| self.one(set, place).is_some()) != *negative {
                        true => Step::On(at + 1, place),
                        false => Step::Fail,
                    }
                }
                Some(Instruction::Last { class, negative }) => {
                    let set = program.classes.get(*class as usize);
                    let before = set.zip(self.back(place));
                    let found = before.is_some_and(|(set, before)| self.one(set, before).is_some());
                    match found != *negative {
                        true => Step::On(at + 1, place),
                        false => Step::Fail,
                    }
                }
                Some(Instruction::Atomic { end }) => match self.apart(at + 1, place, None)? {
                    Some(place) => Step::On(*end as usize, place),
                    None => Step::Fail,
                },
                Some(Instruction::Ahead { negative, end }) => {
                    self.look(at + 1, place..=place, *negative, *end, place, None)?
                }
                Some(Instruction::Behind { negative, min, max, end }) => {
                    let low = self.back_by(place, *max).unwrap_or(0);
                    match self.back_by(place, *min) {
                        Some(high) => {
                            self.look(at + 1, low..=high, *negative, *end, place, Some(place))?
                        }
                        None if *negative => Step::On(*end as usize, place),
                        None => Step::Fail,
                    }
                }
                Some(Instruction::Backreference { groups, ignore_case }) => {
                    match self.again(groups, *ignore_case, place) {
                        Some(place) => Step::On(at + 1, place),
                        None => Step::Fail,
                    }
                }
                Some(Instruction::Accept) if end.is_none_or(|end| end == place) => {
                    // What is matched on its own may match again from somewhere else.
                    if self.scratch.memo.on() {
                        self.scratch.memo.forget(pending);
                    }
                    return Ok(Some(place));
                }
                Some(Instruction::Accept) | None => Step::Fail,
            };
            (at, place) = match step {
                Step::On(at, place) => (at, place),
                Step::Fail => match self.go_back(base)? {
                    Some(back) => back,
                    None => {
                        if self.scratch.memo.on() {
                            self.scratch.memo.settle(pending);
                        }
                        return Ok(None);
                    }
                },
            };
        }
    }

    fn push(&mut self, what: Back, place: usize) {
        let height = self.scratch.memo.height();
        self.scratch.stack.push(Frame { what, place: place as u32, height });
    }

    /// Goes back to the last choice above `base` and takes its next way.
    fn go_back(&mut self, base: usize) -> Result<Option<(usize, usize)>, Stop> {
        while self.scratch.stack.len() > base {
            let Some(frame) = self.scratch.stack.pop() else { break };
            if self.scratch.memo.on() {
                self.scratch.memo.settle(frame.height);
            }
            let place = frame.place as usize;
            let step = match frame.what {
                Back::Slot { slot, old } => {
                    if let Some(value) = self.scratch.slots.get_mut(slot as usize) {
                        *value = old;
                    }
                    continue;
                }
                Back::Register { register, old } => {
                    if let Some(value) = self.scratch.registers.get_mut(register as usize) {
                        *value = old;
                    }
                    continue;
                }
                Back::Way { at, way } => {
                    self.tire()?;
                    match self.program.instructions.get(at as usize) {
                        Some(Instruction::Switch { targets, table, choice }) => {
                            if way == 1 && self.scratch.memo.on() {
                                self.scratch.memo.fail_first(*choice, frame.place);
                            }
                            self.switch(at as usize, *targets, *table, *choice, place, way)
                        }
                        _ => Step::Fail,
                    }
                }
                Back::Fewer { at, low } => {
                    self.tire()?;
                    match self.run_at(at) {
                        Some(run) => self.fewer(run, at as usize, low as usize, place),
                        None => Step::Fail,
                    }
                }
                Back::More { at, count } => {
                    self.tire()?;
                    match self.run_at(at) {
                        Some(run) => self.more(run, at as usize, place, count),
                        None => Step::Fail,
                    }
                }
            };
            if let Step::On(at, place) = step {
                return Ok(Some((at, place)));
            }
        }
        Ok(None)
    }

    /// Looks whether it took too long, at each time that a way failed.
    fn tire(&mut self) -> Result<(), Stop> {
        if self.steps < self.patience {
            return Ok(());
        }
        if self.steps >= self.limit {
            return Err(Stop::TooHard);
        }
        if !self.program.backreferences && !self.scratch.memo.on() {
            self.scratch.memo.start(self.program.choices, self.bytes.len());
        }
        self.patience = self.limit;
        Ok(())
    }

    fn run_at(&self, at: u32) -> Option<&'m Run> {
        match self.program.instructions.get(at as usize) {
            Some(Instruction::Run(run)) => self.program.runs.get(*run as usize),
            _ => None,
        }
    }

    /// Takes the way of number `way` among those that the next byte leaves.
    #[inline]
    fn switch(
        &mut self,
        at: usize,
        targets: u32,
        table: u32,
        choice: u32,
        place: usize,
        way: u32,
    ) -> Step {
        let byte = self.bytes.get(place).map_or(256, |byte| usize::from(*byte));
        let table = self.program.tables.get(table as usize);
        let list = table.and_then(|table| table.get(byte)).copied().unwrap_or(0);
        let ways = self.program.lists.get(usize::from(list)).map_or(&[][..], |ways| ways);
        let Some(target) = ways.get(way as usize) else { return Step::Fail };
        if ways.len() > 1 {
            if way == 0 && self.scratch.memo.on() && self.scratch.memo.failed(choice, place as u32)
            {
                return Step::Fail;
            }
            if ways.len() > way as usize + 1 {
                self.push(Back::Way { at: at as u32, way: way + 1 }, place);
            }
        }
        match self.program.targets.get(targets as usize + usize::from(*target)) {
            Some(at) => Step::On(*at as usize, place),
            None => Step::Fail,
        }
    }

    /// Where the character at `place` ends, if it is in the set.
    #[inline]
    fn one(&self, set: &CharacterSet, place: usize) -> Option<usize> {
        let byte = *self.bytes.get(place)?;
        if byte < 0x80 {
            return set.bytes.contains(byte).then_some(place + 1);
        }
        let character = self.text.get(place..)?.chars().next()?;
        let found = if set.mixed { set.contains(character) } else { set.bytes.contains(byte) };
        found.then(|| place + character.len_utf8())
    }

    fn start_run(&mut self, run: &'m Run, at: usize, mut place: usize) -> Step {
        let Some(set) = self.program.classes.get(run.class as usize) else { return Step::Fail };
        for _ in 0..run.min {
            match self.one(set, place) {
                Some(next) => place = next,
                None => return Step::Fail,
            }
        }
        if run.kind == Kind::Lazy {
            return match self.skip(run, set, place, run.min) {
                Some((place, count)) => {
                    if run.max == u32::MAX
                        && self.scratch.memo.on()
                        && self.scratch.memo.failed(run.choice, place as u32)
                    {
                        return Step::Fail;
                    }
                    self.push(Back::More { at: at as u32, count }, place);
                    Step::On(at + 1, place)
                }
                None => Step::Fail,
            };
        }
        let low = place;
        if run.kind == Kind::Possessive {
            return Step::On(at + 1, self.span(run, set, low));
        }
        let high = match self.scratch.memo.on() && run.max == u32::MAX {
            true => match self.span_not_failed(run, set, low) {
                Some(high) => high,
                None => return Step::Fail,
            },
            false => self.span(run, set, low),
        };
        self.up_to(run, at, low, high)
    }

    /// How far an unbounded run reaches before it comes to where it failed before: further on it
    /// failed as well.
    fn span_not_failed(&mut self, run: &Run, set: &CharacterSet, low: usize) -> Option<usize> {
        let mut high = low;
        if self.scratch.memo.failed(run.choice, low as u32) {
            return None;
        }
        while let Some(next) = self.one(set, high) {
            if self.scratch.memo.failed(run.choice, next as u32) {
                break;
            }
            high = next;
        }
        self.steps += ((high - low) / BYTES_A_STEP) as u64;
        Some(high)
    }

    /// How far a run reaches from `place`, where it has its least number.
    fn span(&mut self, run: &Run, set: &CharacterSet, place: usize) -> usize {
        let rest = self.bytes.get(place..).unwrap_or_default();
        let mut high = place;
        if run.max == u32::MAX && !set.mixed {
            high += match set.all {
                true => rest.len(),
                false => {
                    rest.iter().position(|byte| !set.bytes.contains(*byte)).unwrap_or(rest.len())
                }
            };
        } else {
            for _ in run.min..run.max {
                match self.one(set, high) {
                    Some(next) => high = next,
                    None => break,
                }
            }
        }
        self.steps += ((high - place) / BYTES_A_STEP) as u64;
        high
    }

    /// The last place from `low` to `high` where what follows can start.
    fn fit(&self, follow: &Follow, low: usize, high: usize) -> Option<usize> {
        let fits = |place: &usize| match follow {
            Follow::Any => self.text.is_char_boundary(*place),
            Follow::One(byte) => self.bytes.get(*place) == Some(byte),
            Follow::Some(bytes) => self.bytes.get(*place).is_some_and(|byte| bytes.contains(*byte)),
            Follow::Literal(text) => {
                self.bytes.get(*place..).is_some_and(|rest| rest.starts_with(text.needle()))
            }
        };
        match follow {
            Follow::One(byte) => {
                let within = self.bytes.get(low..=high).or_else(|| self.bytes.get(low..))?;
                memchr::memrchr(*byte, within).map(|at| low + at)
            }
            _ => (low..=high).rev().find(fits),
        }
    }

    /// Goes on with as many characters of a greedy run as fit, at most up to `high`.
    fn up_to(&mut self, run: &Run, at: usize, low: usize, mut high: usize) -> Step {
        loop {
            let next = self.fit(&run.follow, low, high);
            self.steps += ((high - next.unwrap_or(low)) / BYTES_A_STEP) as u64;
            let Some(next) = next else { return Step::Fail };
            if self.scratch.memo.on()
                && run.max != u32::MAX
                && self.scratch.memo.failed(run.choice, next as u32)
            {
                if next <= low {
                    return Step::Fail;
                }
                high = next - 1;
                continue;
            }
            if next > low {
                self.push(Back::Fewer { at: at as u32, low: low as u32 }, next);
            }
            return Step::On(at + 1, next);
        }
    }

    /// Goes on with fewer characters of a greedy run than `place` has.
    fn fewer(&mut self, run: &Run, at: usize, low: usize, place: usize) -> Step {
        let step = self.up_to(run, at, low, place - 1);
        if self.scratch.memo.on() {
            let lowest = match step {
                Step::On(_, next) => next + 1,
                Step::Fail => low,
            };
            // Where nothing that follows can start, an unbounded run failed as well.
            let lowest = if run.max == u32::MAX { lowest } else { place };
            for place in lowest..=place {
                self.scratch.memo.fail(run.choice, place as u32);
            }
        }
        step
    }

    /// Goes on with one more character of a lazy run.
    fn more(&mut self, run: &'m Run, at: usize, place: usize, count: u32) -> Step {
        let Some(set) = self.program.classes.get(run.class as usize) else { return Step::Fail };
        if self.scratch.memo.on() && run.max == u32::MAX {
            self.scratch.memo.fail_first(run.choice, place as u32);
        }
        if count >= run.max {
            return Step::Fail;
        }
        let Some(next) = self.one(set, place) else { return Step::Fail };
        match self.skip(run, set, next, count + 1) {
            Some((next, count)) => {
                if run.max == u32::MAX
                    && self.scratch.memo.on()
                    && self.scratch.memo.failed(run.choice, next as u32)
                {
                    return Step::Fail;
                }
                self.push(Back::More { at: at as u32, count }, next);
                Step::On(at + 1, next)
            }
            None => Step::Fail,
        }
    }

    /// The first place from `place` on where what follows a lazy run can start.
    fn skip(
        &mut self,
        run: &Run,
        set: &CharacterSet,
        mut place: usize,
        mut count: u32,
    ) -> Option<(usize, u32)> {
        if matches!(run.follow, Follow::Any) {
            return Some((place, count));
        }
        if run.max == u32::MAX && !set.mixed {
            let rest = self.bytes.get(place..)?;
            let (next, cost) = match &run.follow {
                Follow::Any => (Some(0), SEARCHED_A_STEP),
                Follow::One(byte) => (memchr::memchr(*byte, rest), SEARCHED_A_STEP),
                Follow::Literal(text) => (text.find(rest), SEARCHED_A_STEP),
                Follow::Some(bytes) => {
                    (rest.iter().position(|byte| bytes.contains(*byte)), BYTES_A_STEP)
                }
            };
            self.steps += (next.unwrap_or(rest.len()) / cost) as u64;
            let next = next?;
            let between = rest.get(..next)?;
            let taken = set.all || between.iter().all(|byte| set.bytes.contains(*byte));
            return taken.then_some((place + next, count));
        }
        loop {
            if self.fit(&run.follow, place, place).is_some() {
                return Some((place, count));
            }
            if count >= run.max {
                return None;
            }
            place = self.one(set, place)?;
            count += 1;
            self.steps += 1;
        }
    }

    /// Follows the instructions from `at` on their own: once they match, their choices are done.
    fn apart(
        &mut self,
        at: usize,
        place: usize,
        end: Option<usize>,
    ) -> Result<Option<usize>, Stop> {
        let base = self.scratch.stack.len();
        let found = self.run(at, place, end)?;
        // Slots and registers are still to be set back when what led here fails.
        let stack = &mut self.scratch.stack;
        let mut kept = base;
        for index in base..stack.len() {
            if let Some(frame) = stack.get(index).copied()
                && matches!(frame.what, Back::Slot { .. } | Back::Register { .. })
            {
                if let Some(place) = stack.get_mut(kept) {
                    *place = frame;
                }
                kept += 1;
            }
        }
        stack.truncate(kept);
        Ok(found)
    }

    /// Looks whether the instructions from `at` match from one of `starts`.
    fn look(
        &mut self,
        at: usize,
        starts: std::ops::RangeInclusive<usize>,
        negative: bool,
        on: u32,
        place: usize,
        end: Option<usize>,
    ) -> Result<Step, Stop> {
        let base = self.scratch.stack.len();
        let mut found = false;
        for start in starts.rev() {
            if self.text.is_char_boundary(start) && self.apart(at, start, end)?.is_some() {
                found = true;
                break;
            }
        }
        if found && negative {
            // What it captured is forgotten.
            self.go_back(base)?;
        }
        Ok(match found != negative {
            true => Step::On(on as usize, place),
            false => Step::Fail,
        })
    }

    /// The place one character back.
    fn back(&self, place: usize) -> Option<usize> {
        let mut before = place.checked_sub(1)?;
        while !self.text.is_char_boundary(before) {
            before = before.checked_sub(1)?;
        }
        Some(before)
    }

    /// The place so many characters back.
    fn back_by(&self, place: usize, characters: u32) -> Option<usize> {
        (0..characters).try_fold(place, |place, _| self.back(place))
    }

    fn again(&self, groups: &[u32], ignore_case: bool, place: usize) -> Option<usize> {
        let range = groups.iter().rev().find_map(|group| self.scratch.group(*group as usize))?;
        let captured = self.text.get(range)?;
        let rest = self.text.get(place..)?;
        if !ignore_case {
            return rest.starts_with(captured).then(|| place + captured.len());
        }
        let mut characters = rest.chars();
        let mut end = place;
        for expected in captured.chars() {
            let found = characters.next()?;
            if found != expected && !found.to_lowercase().eq(expected.to_lowercase()) {
                return None;
            }
            end += found.len_utf8();
        }
        Some(end)
    }

    fn holds(&self, assertion: Assertion, place: usize) -> bool {
        let length = self.bytes.len();
        let last = || place.checked_sub(1).and_then(|last| self.bytes.get(last));
        match assertion {
            Assertion::LineStart => place == 0 || (last() == Some(&b'\n') && place < length),
            Assertion::LineEnd => place == length || self.bytes.get(place) == Some(&b'\n'),
            Assertion::TextStart => place == 0,
            Assertion::TextEnd => place == length,
            Assertion::TextEndOrLastLine => {
                place == length || (place + 1 == length && self.bytes.get(place) == Some(&b'\n'))
            }
            Assertion::WordBoundary => self.word_before(place) != self.word_at(place),
            Assertion::NoWordBoundary => self.word_before(place) == self.word_at(place),
        }
    }

    #[inline]
    fn word_at(&self, place: usize) -> bool {
        match self.bytes.get(place) {
            None => false,
            Some(byte) if byte.is_ascii() => byte.is_ascii_alphanumeric() || *byte == b'_',
            Some(_) => self.text.get(place..).and_then(|rest| rest.chars().next()).is_some_and(
                |character| regex_syntax::try_is_word_character(character).unwrap_or(false),
            ),
        }
    }

    #[inline]
    fn word_before(&self, place: usize) -> bool {
        match place.checked_sub(1).and_then(|before| self.bytes.get(before)) {
            None => false,
            Some(byte) if byte.is_ascii() => byte.is_ascii_alphanumeric() || *byte == b'_',
            Some(_) => self.back(place).is_some_and(|before| self.word_at(before)),
        }
    }
}

#[cfg(test)]
impl Machine<'_> {
    /// Remembers what failed from the first step on.
    pub(crate) fn remember_at_once(&mut self) {
        if !self.program.backreferences {
            self.scratch.memo.start(self.program.choices.max(1), self.bytes.len());
        }
    }
}
