//! Contexts (sec(1), "CONTEXTS AND CONTEXT EXPRESSIONS"): names, a lifetime, a store of lines, a list
//! that runs at the end.

use std::collections::VecDeque;
use std::sync::Arc;

use foldhash::HashMap;

use super::State;
use super::timers::Timers;
use crate::port::Port;
use crate::rule::{ListId, RuleFile};
use crate::text::Shared;
use crate::variables::{Bytes, Scene};

/// The name that a context has within its own list.
const THIS: &[u8] = b"_THIS";

/// How many contexts may end within each other's lists.
const DEPTH: usize = 64;

/// What runs when a context ends.
#[derive(Clone)]
pub(super) struct Ending {
    pub file: Arc<RuleFile>,
    pub rule: usize,
    pub list: ListId,
    pub scene: Scene,
}

pub(super) struct Context {
    pub names: Vec<Bytes>,
    pub created: i64,
    /// Seconds; 0 is for ever.
    pub lifetime: i64,
    pub ending: Option<Ending>,
    pub store: VecDeque<Shared>,
    serial: u64,
    is_ending: bool,
}

impl Context {
    /// The first second in which it is not there any more.
    const fn due(&self) -> Option<i64> {
        if self.lifetime == 0 {
            None
        } else {
            Some(self.created.saturating_add(self.lifetime).saturating_add(1))
        }
    }
}

#[derive(Default)]
pub(super) struct Contexts {
    names: HashMap<Bytes, usize>,
    places: Vec<Option<Context>>,
    free: Vec<usize>,
    timers: Timers,
    serial: u64,
    /// Lines in all stores.
    pub lines: usize,
    /// Names that exist while a line is looked at.
    pub internal: Vec<Bytes>,
    /// Contexts whose lists run now, innermost last.
    ending: Vec<usize>,
}

impl Contexts {
    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub(super) fn next_due(&self) -> Option<i64> {
        self.timers.next_due()
    }

    /// The place of a context by one of its names.
    pub(super) fn find(&self, name: &[u8]) -> Option<usize> {
        if name == THIS && !self.ending.is_empty() {
            return self.ending.last().copied();
        }
        self.names.get(name).copied()
    }

    pub(super) fn get(&self, place: usize) -> Option<&Context> {
        self.places.get(place)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, place: usize) -> Option<&mut Context> {
        self.places.get_mut(place)?.as_mut()
    }

    /// Whether a name is of an internal context, which rules cannot change.
    pub(super) fn is_internal(&self, name: &[u8]) -> bool {
        self.internal.iter().any(|known| **known == *name)
    }

    /// Makes a context that is not there yet.
    pub(super) fn make(
        &mut self,
        name: &[u8],
        created: i64,
        lifetime: i64,
        ending: Option<Ending>,
    ) -> usize {
        self.serial += 1;
        let name: Bytes = Arc::from(name);
        let context = Context {
            names: vec![Arc::clone(&name)],
            created,
            lifetime,
            ending,
            store: VecDeque::new(),
            serial: self.serial,
            is_ending: false,
        };
        let place = match self.free.pop() {
            Some(place) => place,
            None => {
                self.places.push(None);
                self.places.len() - 1
            }
        };
        if let Some(at) = self.places.get_mut(place) {
            *at = Some(context);
        }
        self.names.insert(name, place);
        self.time(place);
        place
    }

    /// Notes when a context ends, after its times changed.
    pub(super) fn time(&mut self, place: usize) {
        if let Some((due, serial)) =
            self.get(place).and_then(|context| Some((context.due()?, context.serial)))
        {
            self.timers.add(due, place, serial);
        }
        if self.timers.is_stale(self.len()) {
            self.timers.clear();
            for (place, context) in self.places.iter().enumerate() {
                if let Some((due, serial)) =
                    context.as_ref().and_then(|context| Some((context.due()?, context.serial)))
                {
                    self.timers.add(due, place, serial);
                }
            }
        }
    }

    /// Removes a context with all its names, unless its list runs.
    pub(super) fn remove(&mut self, place: usize) {
        if self.get(place).is_none_or(|context| context.is_ending) {
            return;
        }
        let Some(context) = self.places.get_mut(place).and_then(Option::take) else { return };
        self.lines -= context.store.len();
        for name in &context.names {
            self.names.remove(name);
        }
        self.free.push(place);
    }

    /// Gives a context one more name, unless that is taken.
    pub(super) fn alias(&mut self, place: usize, alias: &[u8]) -> bool {
        if self.names.contains_key(alias) {
            return false;
        }
        let name: Bytes = Arc::from(alias);
        if let Some(context) = self.get_mut(place) {
            context.names.push(Arc::clone(&name));
            self.names.insert(name, place);
        }
        true
    }

    /// Takes a name away; the last one takes the context with it.
    pub(super) fn unalias(&mut self, name: &[u8]) {
        let Some(place) = self.names.get(name).copied() else { return };
        let Some(context) = self.get_mut(place) else { return };
        if context.names.len() <= 1 {
            self.remove(place);
            return;
        }
        context.names.retain(|known| **known != *name);
        self.names.remove(name);
    }

    /// All contexts, in no order.
    pub(super) fn all(&self) -> impl Iterator<Item = &Context> {
        self.places.iter().flatten()
    }

    /// All names of living and internal contexts.
    pub(super) fn all_names(&self) -> Vec<Bytes> {
        self.internal.iter().chain(self.names.keys()).cloned().collect()
    }
}

impl State {
    /// Whether a context is there now; one whose time is over ends at this.
    pub(super) fn context_exists(&mut self, name: &[u8], port: &mut dyn Port) -> bool {
        if self.contexts.is_internal(name) {
            return true;
        }
        let Some(place) = self.contexts.find(name) else { return false };
        let over =
            self.contexts.get(place).and_then(Context::due).is_some_and(|due| due <= self.now);
        if over {
            self.end_context(place, port);
        }
        self.contexts.find(name).is_some()
    }

    /// Runs a context's list and removes it.
    pub(super) fn end_context(&mut self, place: usize, port: &mut dyn Port) {
        if self.contexts.ending.len() >= DEPTH {
            port.log(2, &|| format!("more than {DEPTH} contexts end in each other's lists"));
            self.statistics.shed += 1;
            self.contexts.remove(place);
            return;
        }
        let Some(context) = self.contexts.get_mut(place).filter(|context| !context.is_ending)
        else {
            return;
        };
        context.is_ending = true;
        if let Some(Ending { file, rule, list, scene }) = context.ending.clone() {
            self.contexts.ending.push(place);
            self.run(&file, rule, list, &scene, port);
            self.contexts.ending.pop();
        }
        if let Some(context) = self.contexts.get_mut(place) {
            context.is_ending = false;
        }
        self.contexts.remove(place);
    }

    /// Ends a context whose times were changed so that it is over.
    pub(super) fn end_if_over(&mut self, place: usize, port: &mut dyn Port) {
        if self.contexts.get(place).and_then(Context::due).is_some_and(|due| due <= self.now) {
            self.end_context(place, port);
        }
    }

    pub(super) fn expire_contexts(&mut self, port: &mut dyn Port) {
        while let Some((place, serial)) = self.contexts.timers.pop(self.now) {
            let Some(context) = self.contexts.get(place).filter(|context| context.serial == serial)
            else {
                continue;
            };
            match context.due() {
                Some(due) if due <= self.now => self.end_context(place, port),
                Some(due) => self.contexts.timers.add(due, place, serial),
                None => {}
            }
        }
    }
}
