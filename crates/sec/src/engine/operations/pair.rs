//! Pair and PairWithWindow.

use std::sync::Arc;

use super::{At, Operation, Work, matched};
use crate::engine::asking::{add_fields, with_fields};
use crate::engine::matching::{Hit, Outcome};
use crate::engine::{Fields, State};
use crate::pattern::{Pattern, Second};
use crate::port::Port;
use crate::rule::Pair;
use crate::variables::{Bound, Bytes};

impl State {
    pub(super) fn try_pair(
        &mut self,
        at: At<'_>,
        pair: &Pair,
        context: Option<&Bytes>,
        fields: Fields<'_>,
        port: &mut dyn Port,
    ) -> Outcome {
        if let Some(hit) = self.test(at.rule, &pair.when, context, fields, port) {
            self.count(at.file, at.number);
            self.first_of_pair(at, pair, hit, port);
            return Outcome::Matched(pair.when.next);
        }
        let Some(places) = self.operations.of_rule(at.file, at.number) else { return Outcome::No };
        let places: Vec<usize> = places.values().copied().collect();
        if let Some(guard) = pair.second.context.as_ref().filter(|guard| guard.first)
            && !self.holds(guard, &with_fields(at.rule, fields), port)
        {
            return Outcome::No;
        }
        // A pattern that is the same for all is looked for once.
        let fixed = match &pair.second.pattern {
            Second::Fixed(pattern) => match self.find(pattern, context, fields, port) {
                Some(hit) => Some(hit),
                None => return Outcome::No,
            },
            Second::Made { .. } => None,
        };
        let mut next = None;
        for place in places {
            if self.second_of_pair(at, pair, place, fixed.clone(), context, fields, port) {
                next = Some(pair.second.next);
            }
        }
        if next.is_some() {
            self.count(at.file, at.number);
        }
        matched(next)
    }

    fn first_of_pair(&mut self, at: At<'_>, pair: &Pair, hit: Hit, port: &mut dyn Port) {
        let scene = self.scene_of(at.rule, hit, &pair.description);
        if self.living(at, scene.description.bytes(), port).is_some() {
            return;
        }
        let second = match pair.second.pattern.made(&*scene.bound) {
            None => None,
            Some(Ok(pattern)) => Some(Box::new(pattern)),
            Some(Err(error)) => {
                port.log(3, &|| {
                    format!("{}:{}: no operation is started: {error}", at.file.name(), at.rule.line)
                });
                return;
            }
        };
        self.start(at, scene.clone(), pair.window, Work::Pair { second });
        if !pair.late {
            self.run(at.file, at.number, pair.action, &scene, port);
        }
    }

    /// Shows a line to one operation; whether it was what that waited for.
    #[expect(
        clippy::too_many_arguments,
        reason = "one operation, one line, and what surrounds both"
    )]
    fn second_of_pair(
        &mut self,
        at: At<'_>,
        pair: &Pair,
        place: usize,
        fixed: Option<Hit>,
        context: Option<&Bytes>,
        fields: Fields<'_>,
        port: &mut dyn Port,
    ) -> bool {
        let Some(operation) = self.operations.get_mut(place) else { return false };
        let (serial, scene) = (operation.serial, operation.scene.clone());
        let hit = match fixed {
            Some(hit) => hit,
            None => {
                let Work::Pair { second } = &mut operation.work else { return false };
                let Some(pattern) = second.take() else { return false };
                let found = self.find(&pattern, context, fields, port);
                self.give_back(place, serial, pattern);
                let Some(hit) = found else { return false };
                hit
            }
        };
        let mut hit = hit;
        if let (Some(found), Some(fields)) = (&mut hit, fields) {
            add_fields(found, &at.rule.fields, fields);
        }
        let bound = match hit {
            Some(hit) => {
                let cached = self.bound(at.rule, None).cached;
                Bound { found: Some(hit), first: scene.bound.found.clone(), cached }
            }
            // Texts are those of the first match, and so are entries of its cache.
            None => Bound { first: None, ..Bound::clone(&scene.bound) },
        };
        if let Some(guard) = pair.second.context.as_ref().filter(|guard| !guard.first)
            && !self.holds(guard, &bound, port)
        {
            return false;
        }
        let over =
            self.operations.get(place).and_then(Operation::due).is_some_and(|due| due <= self.now);
        if over && !pair.late {
            self.operations.remove_this(place, serial);
            return false;
        }
        let description = pair.description2.expand(&bound);
        let scene = self.scene(Arc::new(bound), description);
        self.run(at.file, at.number, pair.action2, &scene, port);
        self.operations.remove_this(place, serial);
        true
    }

    fn give_back(&mut self, place: usize, serial: u64, pattern: Box<Pattern>) {
        if let Some(Operation { work: Work::Pair { second }, .. }) =
            self.operations.get_mut(place).filter(|operation| operation.serial == serial)
        {
            *second = Some(pattern);
        }
    }
}
