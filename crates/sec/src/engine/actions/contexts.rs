//! Actions on contexts.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{At, number};
use crate::action::{Action, Place};
use crate::engine::State;
use crate::engine::contexts::Ending;
use crate::port::Port;
use crate::rule::ListId;
use crate::text::Text;

impl State {
    pub(super) fn act_on_context(&mut self, at: At<'_>, action: &Action, port: &mut dyn Port) {
        match action {
            Action::Create { name, lifetime, list } => {
                let name = self.bytes(at, name);
                let lifetime = match lifetime {
                    Some(lifetime) => match self.seconds(at, lifetime, "lifetime", port) {
                        Some(lifetime) => lifetime,
                        None => return,
                    },
                    None => 0,
                };
                self.create_context(at, &name, lifetime, *list, port);
            }
            Action::Set { name, lifetime, list } => {
                let name = self.bytes(at, name);
                let lifetime = match self.bytes(at, lifetime).as_slice() {
                    b"-" => None,
                    text => match number(text) {
                        Some(lifetime) => Some(lifetime),
                        None => {
                            port.log(3, &|| {
                                format!("{}: a lifetime is a number or -", at.file.name())
                            });
                            return;
                        }
                    },
                };
                let ending = list.map(|list| self.ending(at, list));
                let now = self.now;
                let Some(place) = self.changeable(&name, port) else { return };
                if let Some(context) = self.contexts.get_mut(place) {
                    if let Some(lifetime) = lifetime {
                        context.created = now;
                        context.lifetime = lifetime;
                    }
                    if ending.is_some() {
                        context.ending = ending;
                    }
                }
                self.contexts.time(place);
            }
            Action::Delete(name) => {
                let name = self.bytes(at, name);
                if let Some(place) = self.changeable(&name, port) {
                    self.contexts.remove(place);
                }
            }
            Action::Obsolete(name) => {
                let name = self.bytes(at, name);
                if let Some(place) = self.changeable(&name, port) {
                    self.end_context(place, port);
                }
            }
            Action::Alias { name, alias } => {
                let (name, alias) = (self.bytes(at, name), self.bytes(at, alias));
                if self.contexts.is_internal(&alias) {
                    return;
                }
                if let Some(place) = self.changeable(&name, port) {
                    self.contexts.alias(place, &alias);
                }
            }
            Action::Unalias(name) => {
                let name = self.bytes(at, name);
                if self.changeable(&name, port).is_some() {
                    self.contexts.unalias(&name);
                }
            }
            Action::Add { name, text, place } => {
                let name = self.bytes(at, name);
                let text = self.fill(at, text);
                self.store(&name, &text, *place, port);
            }
            Action::Copy { name, variable } => {
                let name = self.bytes(at, name);
                if let Some(text) = self.stored(&name) {
                    self.set(variable, text);
                }
            }
            Action::Empty { name, variable } => {
                let name = self.bytes(at, name);
                if let (Some(variable), Some(text)) = (variable, self.stored(&name)) {
                    self.set(variable, text);
                }
                self.take_store(&name);
            }
            Action::Pop { name, variable } | Action::Shift { name, variable } => {
                let name = self.bytes(at, name);
                let Some(context) =
                    self.contexts.find(&name).and_then(|place| self.contexts.get_mut(place))
                else {
                    return;
                };
                let line = if matches!(action, Action::Pop { .. }) {
                    context.store.pop_back()
                } else {
                    context.store.pop_front()
                };
                self.contexts.lines -= usize::from(line.is_some());
                self.set(variable, line.map(|line| Text::clone(&line)).unwrap_or_default());
            }
            Action::Exists { variable, name } => {
                let name = self.bytes(at, name);
                let known = self.contexts.is_internal(&name) || self.contexts.find(&name).is_some();
                self.set_number(variable, u8::from(known));
            }
            Action::Size { variable, name } => {
                let name = self.bytes(at, name);
                match self.contexts.find(&name).and_then(|place| self.contexts.get(place)) {
                    Some(context) => self.set_number(variable, context.store.len()),
                    None if self.contexts.is_internal(&name) => self.set_number(variable, 0),
                    None => self.variables.unset(variable),
                }
            }
            Action::Aliases { variable, name } => {
                let name = self.bytes(at, name);
                if let Some(context) =
                    self.contexts.find(&name).and_then(|place| self.contexts.get(place))
                {
                    let names: Vec<&[u8]> = context.names.iter().map(|name| &**name).collect();
                    self.set(variable, Text::data(names.join(&b'\n')));
                }
            }
            Action::Lifetime { variable, name } | Action::Created { variable, name } => {
                let name = self.bytes(at, name);
                if let Some(context) =
                    self.contexts.find(&name).and_then(|place| self.contexts.get(place))
                {
                    let value = if matches!(action, Action::Created { .. }) {
                        context.created
                    } else {
                        context.lifetime
                    };
                    self.set_number(variable, value);
                }
            }
            Action::SetLifetime { name, lifetime } => {
                let name = self.bytes(at, name);
                let lifetime = match lifetime {
                    Some(lifetime) => match self.seconds(at, lifetime, "lifetime", port) {
                        Some(lifetime) => lifetime,
                        None => return,
                    },
                    None => 0,
                };
                if let Some(place) = self.changeable(&name, port) {
                    if let Some(context) = self.contexts.get_mut(place) {
                        context.lifetime = lifetime;
                    }
                    self.contexts.time(place);
                    self.end_if_over(place, port);
                }
            }
            Action::SetCreated { time, name } => {
                let name = self.bytes(at, name);
                let Some(time) = self.seconds(at, time, "time", port) else { return };
                let now = self.now;
                if let Some(place) = self.changeable(&name, port) {
                    if let Some(context) = self
                        .contexts
                        .get_mut(place)
                        .filter(|context| (context.created..=now).contains(&time))
                    {
                        context.created = time;
                    }
                    self.contexts.time(place);
                    self.end_if_over(place, port);
                }
            }
            _ => {}
        }
    }

    fn ending(&self, at: At<'_>, list: ListId) -> Ending {
        Ending { file: Arc::clone(at.file), rule: at.rule, list, scene: at.scene.clone() }
    }

    /// The place of a context that rules may change.
    fn changeable(&self, name: &[u8], port: &mut dyn Port) -> Option<usize> {
        if self.contexts.is_internal(name) {
            port.log(3, &|| {
                format!(
                    "`{}` is an internal context and cannot be changed",
                    String::from_utf8_lossy(name)
                )
            });
            return None;
        }
        self.contexts.find(name)
    }

    fn create_context(
        &mut self,
        at: At<'_>,
        name: &[u8],
        lifetime: i64,
        list: Option<ListId>,
        port: &mut dyn Port,
    ) {
        let ending = list.map(|list| self.ending(at, list));
        if self.contexts.is_internal(name) {
            port.log(3, &|| {
                format!("a context cannot be named `{}`", String::from_utf8_lossy(name))
            });
            return;
        }
        let now = self.now;
        match self.contexts.find(name) {
            Some(place) => {
                self.take_store(name);
                if let Some(context) = self.contexts.get_mut(place) {
                    context.created = now;
                    context.lifetime = lifetime;
                    context.ending = ending;
                }
                self.contexts.time(place);
            }
            None if self.contexts.len() >= self.options.limits.contexts => {
                self.statistics.shed += 1
            }
            None => {
                self.contexts.make(name, now, lifetime, ending);
            }
        }
    }

    fn store(&mut self, name: &[u8], text: &Text, place: Place, port: &mut dyn Port) {
        if self.contexts.is_internal(name) {
            port.log(3, &|| {
                format!(
                    "`{}` is an internal context and cannot be changed",
                    String::from_utf8_lossy(name)
                )
            });
            return;
        }
        let lines = text.lines();
        let found = match self.contexts.find(name) {
            Some(found) => found,
            None if self.contexts.len() >= self.options.limits.contexts => {
                self.statistics.shed += 1;
                return;
            }
            None => self.contexts.make(name, self.now, 0, None),
        };
        let held = self
            .contexts
            .get(found)
            .map_or(0, |context| if place == Place::Instead { 0 } else { context.store.len() });
        let most = self.options.event_store_size;
        if (most > 0 && held + lines.len() > most)
            || self.contexts.lines + lines.len() > self.options.limits.store_lines
        {
            self.statistics.shed += lines.len() as u64;
            port.log(3, &|| {
                format!("the store of context `{}` is full", String::from_utf8_lossy(name))
            });
            return;
        }
        if place == Place::Instead {
            self.take_store(name);
        }
        self.contexts.lines += lines.len();
        let Some(context) = self.contexts.get_mut(found) else { return };
        let lines = lines.into_iter().map(Arc::new);
        match place {
            Place::End | Place::Instead => context.store.extend(lines),
            Place::Start => lines.rev().for_each(|line| context.store.push_front(line)),
        }
    }

    fn take_store(&mut self, name: &[u8]) {
        let Some(context) = self.contexts.find(name).and_then(|place| self.contexts.get_mut(place))
        else {
            return;
        };
        let store: VecDeque<_> = std::mem::take(&mut context.store);
        self.contexts.lines -= store.len();
    }

    /// The lines of a store with line feeds between them.
    fn stored(&self, name: &[u8]) -> Option<Text> {
        let context = self.contexts.get(self.contexts.find(name)?)?;
        let mut text = Text::new();
        for (at, line) in context.store.iter().enumerate() {
            if at > 0 {
                text.push_trusted(b"\n");
            }
            text.push_text(line);
        }
        Some(text)
    }
}
