//! A line meets the rules.

use std::sync::Arc;

use super::{Engine, Fields};
use crate::pattern::Candidates;
use crate::port::Port;
use crate::rule::{Condition, Continue, Kind, Rule, RuleFile};
use crate::template::Template;
use crate::variables::{Bytes, Match};

/// How many jumps may be within each other.
const JUMPS: usize = 64;

/// What came of a rule.
pub(super) enum Outcome {
    No,
    Matched(Continue),
}

/// A match, and its variables where the pattern sets any.
pub(super) type Hit = Option<Arc<Match>>;

impl Engine {
    pub(super) fn show(
        &mut self,
        line: &[u8],
        source: Option<&[u8]>,
        context: Option<Vec<u8>>,
        fields: Fields<'_>,
        now: i64,
        port: &mut dyn Port,
    ) {
        let state = &mut self.state;
        state.now = now;
        state.statistics.lines += 1;
        state.cache.clear();
        if state.buffers.push(line, source) {
            state.statistics.shed += 1;
        }
        let internal = context.map(|name| -> Bytes { Arc::from(name) });
        if let Some(name) = &internal {
            state.contexts.internal.push(Arc::clone(name));
        }
        let rules = Arc::clone(&self.rules);
        let mut walk = Walk { engine: self, context: internal.clone(), fields, above: Vec::new() };
        for file in &rules.files {
            if file.all_input && !walk.file(file, port) {
                break;
            }
        }
        if let Some(name) = &internal {
            self.state.contexts.internal.retain(|known| !Arc::ptr_eq(known, name));
        }
    }
}

/// One line on its way through the files.
struct Walk<'e, 'f> {
    engine: &'e mut Engine,
    /// The internal context of the line.
    context: Option<Bytes>,
    fields: Fields<'f>,
    /// The sets of files that jumps led here through.
    above: Vec<String>,
}

impl Walk<'_, '_> {
    /// Tries a file's rules; `false` where matching ends altogether.
    fn file(&mut self, file: &Arc<RuleFile>, port: &mut dyn Port) -> bool {
        let mut candidates = self.engine.spare.pop().unwrap_or_default();
        let goes_on = self.rules(file, &mut candidates, port);
        self.engine.spare.push(candidates);
        goes_on
    }

    fn rules(
        &mut self,
        file: &Arc<RuleFile>,
        candidates: &mut Candidates,
        port: &mut dyn Port,
    ) -> bool {
        let count = file.rules.len();
        let mut rewrites = self.engine.state.buffers.rewrites;
        file.index.candidates(self.engine.state.buffers.last(), candidates);
        let mut number = 0;
        while let Some(found) = candidates.from(number, count) {
            number = found + 1;
            let Some(rule) = file.rules.get(found) else { break };
            let next = match &rule.kind {
                Kind::Jump { when, sets } => match self.test(rule, when, port) {
                    None => continue,
                    Some(hit) => {
                        self.engine.state.count(file, found);
                        if !self.jump(file, rule, sets, hit, port) {
                            return false;
                        }
                        when.next
                    }
                },
                _ => match self.engine.state.try_rule(
                    file,
                    found,
                    rule,
                    self.context.as_ref(),
                    self.fields,
                    port,
                ) {
                    Outcome::No => continue,
                    Outcome::Matched(next) => next,
                },
            };
            match next {
                Continue::Next => {}
                Continue::GoTo(target) => number = target,
                Continue::Stop => return true,
                Continue::End => return false,
            }
            if self.engine.state.buffers.rewrites != rewrites {
                // What the line was has no say any more.
                rewrites = self.engine.state.buffers.rewrites;
                file.index.candidates(self.engine.state.buffers.last(), candidates);
            }
        }
        true
    }

    fn test(&mut self, rule: &Rule, when: &Condition, port: &mut dyn Port) -> Option<Hit> {
        self.engine.state.test(rule, when, self.context.as_ref(), self.fields, port)
    }

    fn jump(
        &mut self,
        file: &Arc<RuleFile>,
        rule: &Rule,
        sets: &[Template],
        hit: Hit,
        port: &mut dyn Port,
    ) -> bool {
        let bound = self.engine.state.bound(rule, hit);
        let rules = Arc::clone(&self.engine.rules);
        let mut goes_on = true;
        for set in sets {
            let name = set.expand(&bound);
            let name = String::from_utf8_lossy(name.bytes()).into_owned();
            let Some(files) = self.engine.sets.get(name.as_str()).cloned() else {
                port.log(3, &|| {
                    format!(
                        "{}:{}: there is no set of files `{name}` to jump to",
                        file.name(),
                        rule.line
                    )
                });
                continue;
            };
            // As with sec it is the set that is not tried again, not a file that is in several.
            if self.above.contains(&name) || self.above.len() >= JUMPS {
                port.log(3, &|| {
                    format!(
                        "{}:{}: the jump would lead back to the set `{name}` that it came from",
                        file.name(),
                        rule.line
                    )
                });
                continue;
            }
            self.above.push(name);
            for target in files {
                let Some(other) = rules.files.get(target) else { continue };
                goes_on = self.file(other, port);
                if !goes_on {
                    break;
                }
            }
            self.above.pop();
            if !goes_on {
                break;
            }
        }
        goes_on
    }
}
