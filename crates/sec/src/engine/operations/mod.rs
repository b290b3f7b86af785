//! Event correlation operations: what rules remember between events (sec(1), "RULE TYPES" and "EVENT
//! CORRELATION OPERATIONS").

mod group;
mod pair;
mod table;

use std::collections::VecDeque;
use std::sync::Arc;

use super::matching::{Hit, Outcome};
use super::{Fields, State};
use crate::port::{Effect, Input, Output, Port};
use crate::rule::{Continue, Kind, ListId, Rule, RuleFile, RuleSet};
use crate::template::Template;
use crate::text::Text;
use crate::variables::{Bound, Bytes, Scene};
pub(super) use table::{Operation, Operations, Work};

/// A rule where an operation is wanted.
#[derive(Clone, Copy)]
struct At<'a> {
    file: &'a Arc<RuleFile>,
    number: usize,
    rule: &'a Rule,
}

impl State {
    /// Tries a rule on the line.
    pub(super) fn try_rule(
        &mut self,
        file: &Arc<RuleFile>,
        number: usize,
        rule: &Rule,
        context: Option<&Bytes>,
        fields: Fields<'_>,
        port: &mut dyn Port,
    ) -> Outcome {
        let at = At { file, number, rule };
        let when = match &rule.kind {
            Kind::Single { when, .. }
            | Kind::Script { when, .. }
            | Kind::Suppressed { when, .. }
            | Kind::Threshold { when, .. }
            | Kind::Suppress { when }
            | Kind::Jump { when, .. } => when,
            Kind::TwoThresholds(rule) => &rule.when,
            Kind::Pair(pair) => return self.try_pair(at, pair, context, fields, port),
            Kind::Group(group) => return self.try_group(at, group, context, fields, port),
            Kind::Calendar { .. } => return Outcome::No,
        };
        let Some(hit) = self.test(rule, when, context, fields, port) else { return Outcome::No };
        self.count(file, number);
        match &rule.kind {
            Kind::Single { description, action, .. } => {
                let scene = self.scene_of(rule, hit, description);
                self.run(file, number, *action, &scene, port);
            }
            Kind::Script { description, command, .. } => {
                let scene = self.scene_of(rule, hit, description);
                self.start_script(at, command, scene, port);
            }
            Kind::Suppressed { description, action, window, .. } => {
                let scene = self.scene_of(rule, hit, description);
                self.suppress(at, scene, *action, *window, port);
            }
            Kind::Threshold { description, action, window, threshold, .. } => {
                let scene = self.scene_of(rule, hit, description);
                self.threshold(at, scene, *action, *window, *threshold, port);
            }
            Kind::TwoThresholds(two) => {
                let scene = self.scene_of(rule, hit, &two.description);
                self.two_thresholds(at, scene, two, port);
            }
            Kind::Suppress { .. }
            | Kind::Jump { .. }
            | Kind::Pair(_)
            | Kind::Group(_)
            | Kind::Calendar { .. } => {}
        }
        Outcome::Matched(when.next)
    }

    fn scene_of(&self, rule: &Rule, hit: Hit, description: &Template) -> Scene {
        let bound = Arc::new(self.bound(rule, hit));
        let description = description.expand(&*bound);
        self.scene(bound, description)
    }

    fn start_script(
        &mut self,
        at: At<'_>,
        command: &crate::action::CommandTemplate,
        scene: Scene,
        port: &mut dyn Port,
    ) {
        let command = self.command(command, &scene);
        if self.scripts.len() >= self.options.limits.events {
            self.statistics.shed += 1;
            return;
        }
        let id = self.next_script;
        self.next_script += 1;
        let names: Vec<_> = self
            .contexts
            .all_names()
            .iter()
            .map(|name| Arc::new(Text::data(name.to_vec())))
            .collect();
        self.scripts
            .insert(id, super::Script { file: Arc::clone(at.file), rule: at.number, scene });
        port.effect(Effect::Run {
            command: Some(command),
            input: Input::Lines(&names),
            output: Output::Status(id),
        });
    }

    /// The living operation that an event belongs to; one whose window is over ends first.
    fn living(&mut self, at: At<'_>, key: &[u8], port: &mut dyn Port) -> Option<usize> {
        let place = self.operations.find(at.file, at.number, key)?;
        if self.operations.get(place).and_then(Operation::due).is_some_and(|due| due <= self.now) {
            self.end_window(place, port);
        }
        self.operations.find(at.file, at.number, key)
    }

    /// Starts an operation, unless there are too many.
    fn start(&mut self, at: At<'_>, scene: Scene, length: i64, work: Work) -> Option<usize> {
        if self.operations.len() >= self.options.limits.operations {
            self.statistics.shed += 1;
            return None;
        }
        Some(self.operations.add(Operation {
            file: Arc::clone(at.file),
            rule: at.number,
            key: Arc::from(scene.description.bytes()),
            created: self.now,
            window: self.now,
            length,
            scene,
            work,
            serial: 0,
        }))
    }

    fn suppress(
        &mut self,
        at: At<'_>,
        scene: Scene,
        action: ListId,
        window: i64,
        port: &mut dyn Port,
    ) {
        if self.living(at, scene.description.bytes(), port).is_some() {
            return;
        }
        self.start(at, scene.clone(), window, Work::Suppress);
        self.run(at.file, at.number, action, &scene, port);
    }

    fn threshold(
        &mut self,
        at: At<'_>,
        scene: Scene,
        action: ListId,
        window: i64,
        threshold: u64,
        port: &mut dyn Port,
    ) {
        let found = self.living(at, scene.description.bytes(), port);
        let started = || Work::Threshold { times: VecDeque::new(), fired: false };
        let Some(place) = found.or_else(|| self.start(at, scene, window, started())) else {
            return;
        };
        let (now, most) = (self.now, self.options.limits.times);
        let Some(operation) = self.operations.get_mut(place) else { return };
        let Work::Threshold { times, fired } = &mut operation.work else { return };
        if *fired {
            return;
        }
        remember(times, now, most, &mut self.statistics.shed);
        if times.len() as u64 >= threshold {
            *fired = true;
            let scene = operation.scene.clone();
            self.run(at.file, at.number, action, &scene, port);
        }
    }

    fn two_thresholds(
        &mut self,
        at: At<'_>,
        scene: Scene,
        rule: &crate::rule::TwoThresholds,
        port: &mut dyn Port,
    ) {
        let found = self.living(at, scene.description.bytes(), port);
        let started = || Work::TwoThresholds { times: VecDeque::new(), second: false };
        let Some(place) = found.or_else(|| self.start(at, scene, rule.window, started())) else {
            return;
        };
        let (now, most) = (self.now, self.options.limits.times);
        let Some(operation) = self.operations.get_mut(place) else { return };
        let Work::TwoThresholds { times, second } = &mut operation.work else { return };
        remember(times, now, most, &mut self.statistics.shed);
        if *second {
            if times.len() as u64 > rule.threshold2 {
                times.pop_front();
                operation.window = times.front().copied().unwrap_or(now);
                self.operations.time(place);
            }
        } else if times.len() as u64 >= rule.threshold {
            *second = true;
            times.clear();
            operation.window = now;
            operation.length = rule.window2;
            let scene = operation.scene.clone();
            self.operations.time(place);
            self.run(at.file, at.number, rule.action, &scene, port);
        }
    }

    pub(super) fn expire_operations(&mut self, port: &mut dyn Port) {
        while let Some((place, serial)) = self.operations.timers.pop(self.now) {
            if self.operations.serial(place) != Some(serial) {
                continue;
            }
            match self.operations.get(place).and_then(Operation::due) {
                Some(due) if due <= self.now => self.end_window(place, port),
                Some(due) => self.operations.timers.add(due, place, serial),
                None => {}
            }
        }
    }

    /// The window of an operation is over: it slides, or the operation ends.
    fn end_window(&mut self, place: usize, port: &mut dyn Port) {
        let now = self.now;
        let Some(operation) = self.operations.get_mut(place) else { return };
        let (file, number, serial, length) =
            (Arc::clone(&operation.file), operation.rule, operation.serial, operation.length);
        let Some(rule) = file.rules.get(number) else { return };
        let slid = match &mut operation.work {
            Work::Suppress | Work::Pair { .. } => None,
            Work::Threshold { fired: true, .. } | Work::TwoThresholds { second: true, .. } => None,
            Work::Threshold { times, .. } | Work::TwoThresholds { times, .. } => {
                times.retain(|time| now - *time <= length);
                times.front().copied()
            }
            Work::Group { events, counts, fired } => {
                let again = matches!(&rule.kind, Kind::Group(group) if group.again);
                if *fired && !again {
                    None
                } else {
                    while let Some((_, member, _)) =
                        events.front().filter(|(time, ..)| now - *time > length)
                    {
                        if let Some(count) = counts.get_mut(*member as usize) {
                            *count -= 1;
                        }
                        events.pop_front();
                    }
                    events.front().map(|(time, ..)| *time)
                }
            }
        };
        if let Some(window) = slid {
            operation.window = window;
            let scene = operation.scene.clone();
            self.operations.time(place);
            if let Kind::Group(group) = &rule.kind
                && let Some(slide) = group.texts(scene.bound.found.is_some()).slide
            {
                self.run(&file, number, slide, &scene, port);
            }
            return;
        }
        let scene = operation.scene.clone();
        let last = match (&rule.kind, &operation.work) {
            (Kind::Pair(pair), _) if pair.late => Some(pair.action),
            (Kind::Threshold { action2, .. }, Work::Threshold { fired: true, .. }) => *action2,
            (Kind::Group(group), _) => group.texts(scene.bound.found.is_some()).end,
            (Kind::TwoThresholds(two), Work::TwoThresholds { second: true, .. }) => {
                let description = two.description2.expand(&*scene.bound);
                let scene = self.scene(Arc::clone(&scene.bound), description);
                self.run(&file, number, two.action2, &scene, port);
                None
            }
            _ => None,
        };
        if let Some(list) = last {
            self.run(&file, number, list, &scene, port);
        }
        self.operations.remove_this(place, serial);
    }

    /// Runs the calendar's rules whose minute it is.
    pub(super) fn run_calendar(&mut self, rules: &RuleSet, port: &mut dyn Port) {
        if !rules
            .files
            .iter()
            .flat_map(|file| &file.rules)
            .any(|rule| matches!(rule.kind, Kind::Calendar { .. }))
        {
            return;
        }
        let minute = self.now.div_euclid(60);
        let Ok(time) = jiff::Timestamp::from_second(self.now) else { return };
        let time = time.to_zoned(self.options.time_zone.clone()).datetime();
        for file in &rules.files {
            for (number, rule) in file.rules.iter().enumerate() {
                let Kind::Calendar { moments, context, description, action } = &rule.kind else {
                    continue;
                };
                let key = (file.fingerprint, number);
                if self.calendar.get(&key) == Some(&minute) || !moments.contains(time) {
                    continue;
                }
                let bound = Bound::default();
                if let Some(guard) = context
                    && !self.holds(guard, &bound, port)
                {
                    continue;
                }
                self.calendar.insert(key, minute);
                self.count(file, number);
                let description = description.expand(&bound);
                let scene = self.scene(Arc::new(bound), description);
                self.run(file, number, *action, &scene, port);
            }
        }
    }

    pub(super) fn release_events(&mut self) {
        for event in self.delayed.take(self.now) {
            self.wait(event.line, event.context);
        }
    }
}

/// Adds a time; the oldest goes where there are too many.
fn remember(times: &mut VecDeque<i64>, now: i64, most: usize, shed: &mut u64) {
    if times.len() >= most {
        times.pop_front();
        *shed += 1;
    }
    times.push_back(now);
}

/// Where matching goes on when several events may have matched.
fn matched(next: Option<Continue>) -> Outcome {
    next.map_or(Outcome::No, Outcome::Matched)
}
