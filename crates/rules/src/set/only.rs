//! Some rules of a set, to be tried by themselves.

use std::sync::Arc;

use bergfried_matcher::Statistics;
use bergfried_query::Predicate;

use super::{RuleSet, index_referrers, matcher};
use crate::class::Class;
use crate::rule::{Body, Rule};

/// The most detections whose conditions are worth asking the store about.
const MAX_ASKED: usize = 64;

impl RuleSet {
    /// The wanted rules and those that they refer to, in the same order. They state what they state in
    /// this set; a rule that is there only because another refers to it may state something of its own.
    /// Rule files of SEC are left out.
    pub fn only(&self, wanted: impl Fn(&Rule) -> bool) -> RuleSet {
        let mut kept: Vec<bool> = self.rules.iter().map(wanted).collect();
        let mut waiting: Vec<usize> =
            kept.iter().enumerate().filter(|(_, kept)| **kept).map(|(index, _)| index).collect();
        while let Some(index) = waiting.pop() {
            let Some(Body::Correlation(body)) = self.rules.get(index).map(|rule| &rule.body) else {
                continue;
            };
            for step in &body.steps {
                if let Some(kept) = kept.get_mut(step.rule).filter(|kept| !**kept) {
                    *kept = true;
                    waiting.push(step.rule);
                }
            }
        }
        let mut places = Vec::with_capacity(kept.len());
        let mut rules: Vec<Rule> = Vec::new();
        for (rule, kept) in self.rules.iter().zip(&kept) {
            places.push(rules.len());
            if *kept {
                rules.push(rule.clone());
            }
        }
        for rule in &mut rules {
            if let Body::Correlation(body) = &mut rule.body {
                for step in &mut body.steps {
                    step.rule = places.get(step.rule).copied().unwrap_or(usize::MAX);
                }
            }
        }
        let teller = Arc::clone(&self.teller);
        let matcher = Arc::new(matcher(&rules, &teller, &Statistics::default()));
        let judge = Arc::clone(&self.judge);
        let (referrers, sec) = (index_referrers(&rules), Arc::default());
        RuleSet { referrers, rules, teller, matcher, judge, sec }
    }

    /// All rules but these. One of them that another refers to stays for its sake, and says nothing by
    /// itself.
    pub fn without(&self, off: impl Fn(&Rule) -> bool) -> RuleSet {
        let mut rest = self.only(|rule| !off(rule));
        rest.sec = Arc::clone(&self.sec);
        for rule in &mut rest.rules {
            rule.silent |= off(rule);
        }
        rest
    }

    /// A condition that holds for every event that some detection of the set holds over; of very many
    /// detections it holds for all events.
    pub fn any_detection(&self) -> Predicate {
        let detections = self.rules.iter().filter(|rule| {
            matches!(rule.body, Body::Detection(_)) && !matches!(rule.class, Class::Unsupported(_))
        });
        let any: Vec<Predicate> = detections.filter_map(Rule::predicate).cloned().collect();
        if any.len() > MAX_ASKED { Predicate::Constant(true) } else { Predicate::Or(any) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;

    #[test]
    fn a_rule_that_is_left_out_serves_others_in_silence() {
        let rule = |id: &str, user: &str| {
            format!(
                "title: {id}\nid: {id}\nlogsource: {{service: sshd}}\ndetection:\n  \
                 s: {{user.name: {user}}}\n  condition: s\n---\n"
            )
        };
        let many = "title: many\nid: many\ncorrelation:\n  type: event_count\n  rules: [a]\n  \
                    generate: true\n  group-by: [source.ip]\n  timespan: 1h\n  condition: {gte: 3}\n";
        let text = rule("a", "root") + &rule("b", "bob") + many;
        let (all, said) = RuleSet::load([Source { file: "r.yml".to_owned(), text }]);
        assert_eq!(said, Vec::new());
        let told = |off: &[&str]| -> Vec<(String, bool)> {
            let rest = all.without(|rule| off.contains(&rule.id()));
            rest.rules().iter().map(|rule| (rule.id().to_owned(), rule.is_silent())).collect()
        };
        let of = |all: &[(&str, bool)]| -> Vec<(String, bool)> {
            all.iter().map(|(id, silent)| ((*id).to_owned(), *silent)).collect()
        };
        assert_eq!(told(&[]), of(&[("a", false), ("b", false), ("many", false)]));
        assert_eq!(told(&["a", "b"]), of(&[("a", true), ("many", false)]));
        assert_eq!(told(&["many", "a"]), of(&[("b", false)]));
    }
}
