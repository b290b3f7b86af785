//! EventGroup.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{At, Work};
use crate::engine::matching::{Hit, Outcome};
use crate::engine::{Fields, State};
use crate::pattern::{GroupPattern, Test};
use crate::port::{Answer, Argument, Port, Question};
use crate::rule::Group;
use crate::variables::Bytes;

impl State {
    pub(super) fn try_group(
        &mut self,
        at: At<'_>,
        group: &Group,
        context: Option<&Bytes>,
        fields: Fields<'_>,
        port: &mut dyn Port,
    ) -> Outcome {
        for (number, member) in group.members.iter().enumerate() {
            if let Some(hit) = self.test(at.rule, &member.when, context, fields, port) {
                self.count(at.file, at.number);
                self.member_of_group(at, group, number, hit, port);
                return Outcome::Matched(member.when.next);
            }
        }
        Outcome::No
    }

    fn member_of_group(
        &mut self,
        at: At<'_>,
        group: &Group,
        number: usize,
        hit: Hit,
        port: &mut dyn Port,
    ) {
        let texts = group.texts(hit.is_some());
        let scene = self.scene_of(at.rule, hit, &texts.description);
        let place = match self.living(at, scene.description.bytes(), port) {
            Some(place) => place,
            None => {
                let counts = vec![0; group.members.len()].into();
                let work = Work::Group { events: VecDeque::new(), counts, fired: false };
                let Some(place) = self.start(at, scene.clone(), group.window, work) else { return };
                if let Some(init) = texts.init {
                    self.run(at.file, at.number, init, &scene, port);
                }
                place
            }
        };
        let Some(serial) = self.operations.serial(place) else { return };
        let member = group.members.get(number);
        let token = match (&group.pattern, member.and_then(|member| member.token.as_ref())) {
            (None, _) => None,
            (Some(_), Some(token)) => Some(Arc::from(token.expand(&*scene.bound).into_bytes())),
            (Some(_), None) => Some(Arc::from((number + 1).to_string().into_bytes())),
        };
        let (now, most) = (self.now, self.options.limits.times);
        if let Some(operation) = self.operations.get_mut(place)
            && let Work::Group { events, counts, fired } = &mut operation.work
            && (!*fired || group.again)
        {
            if events.len() >= most
                && let Some((_, oldest, _)) = events.pop_front()
                && let Some(count) = counts.get_mut(oldest as usize)
            {
                *count -= 1;
                self.statistics.shed += 1;
            }
            events.push_back((now, u32::try_from(number).unwrap_or(u32::MAX), token));
            if let Some(count) = counts.get_mut(number) {
                *count += 1;
            }
        }
        if let Some(count) = member.and_then(|member| member.count) {
            self.run(at.file, at.number, count, &scene, port);
        }
        // What just ran may have ended the operation.
        if self.operations.serial(place) != Some(serial) {
            return;
        }
        let Some(operation) = self.operations.get_mut(place) else { return };
        let Work::Group { events, counts, fired } = &mut operation.work else { return };
        let reached = group
            .members
            .iter()
            .zip(counts.iter())
            .all(|(member, count)| *count >= member.threshold);
        if !reached || (*fired && !group.again) {
            return;
        }
        let tokens = group.pattern.as_ref().map(|pattern| {
            let tokens: Vec<Vec<u8>> = events
                .iter()
                .filter_map(|(.., token)| token.as_deref().map(<[u8]>::to_vec))
                .collect();
            (pattern, tokens)
        });
        if let Some((pattern, tokens)) = tokens
            && !group_matches(pattern, tokens, port)
        {
            return;
        }
        if let Some(operation) = self.operations.get_mut(place)
            && let Work::Group { fired, .. } = &mut operation.work
        {
            *fired = true;
            let scene = operation.scene.clone();
            let action = group.texts(scene.bound.found.is_some()).action;
            self.run(at.file, at.number, action, &scene, port);
        }
    }
}

/// Whether the tokens of a group, with blanks between them, are as its pattern wants them.
fn group_matches(pattern: &GroupPattern, tokens: Vec<Vec<u8>>, port: &mut dyn Port) -> bool {
    let text = tokens.join(&b' ');
    let found = match &pattern.test {
        Test::Regex { regex, .. } => regex.is_match(&text).unwrap_or(pattern.negated),
        Test::Substring { finder, .. } => finder.find(&text).is_some(),
        Test::Perl { code, .. } => {
            let arguments = vec![Argument::Bytes(text), Argument::List(tokens)];
            match port.perl(Question::Call { code: *code, arguments, scalar: true }).answer {
                Answer::Values(values) => {
                    matches!(values.last(), Some(Some(value)) if !value.is_empty() && value != b"0")
                }
                Answer::Named(_) | Answer::Function(_) => true,
                Answer::Failed(error) => {
                    port.log(3, &|| format!("code of a group's pattern failed: {error}"));
                    pattern.negated
                }
            }
        }
        Test::Cached(_) | Test::Truth(_) | Test::Expression(_) => false,
    };
    found != pattern.negated
}
