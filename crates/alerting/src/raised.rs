//! How many alerts were raised of late, by rule: counted where they are, because alerts that are over
//! soon go.

use std::collections::BTreeMap;

use bergfried_alert::Alert;
use bergfried_control::BookRaised;
use bergfried_event::Timestamp;

/// The spans of time that are counted by themselves.
const SPAN: i64 = 600 * Timestamp::SECOND;
/// Spans older than this are forgotten.
const KEPT: i64 = 2 * Timestamp::DAY + SPAN;
/// The most rules of one span that are told apart; the alerts of the others count as nobody's.
const MAX_RULES: usize = 2_048;

/// Numbers of alerts that were raised, by the start of a span of time and the rule.
#[derive(Clone, Debug, Default)]
pub(crate) struct Raised(BTreeMap<Timestamp, BTreeMap<Box<str>, u64>>);

impl Raised {
    /// One alert more.
    pub(crate) fn count(&mut self, alert: &Alert, now: Timestamp) {
        let rule = alert.evidence.as_deref().map_or("", |evidence| evidence.rule_id.as_str());
        self.add(now.floor_to(SPAN), rule, 1);
    }

    /// Adds what was counted elsewhere.
    pub(crate) fn absorb(&mut self, more: &[BookRaised]) {
        for BookRaised { at, rule, count } in more {
            self.add(*at, rule, *count);
        }
    }

    /// Forgets what is older than this.
    pub(crate) fn forget_before(&mut self, time: Timestamp) {
        self.0 = self.0.split_off(&time);
    }

    /// As rows.
    pub(crate) fn rows(&self) -> Vec<BookRaised> {
        let spans = self.0.iter();
        let rows = spans.flat_map(|(at, rules)| rules.iter().map(move |rule| (*at, rule)));
        rows.map(|(at, (rule, count))| BookRaised { at, rule: rule.to_string(), count: *count })
            .collect()
    }

    /// How many were raised by each rule in the day that ends so many days before `now`; an empty
    /// name: by no rule of this hub.
    pub(crate) fn in_day(&self, days_before: u8, now: Timestamp) -> BTreeMap<&str, u64> {
        let end = now.plus_micros(-i64::from(days_before) * Timestamp::DAY);
        let start = end.plus_micros(-Timestamp::DAY);
        let mut found = BTreeMap::new();
        // A span counts for the day in which it begins.
        let spans = self.0.iter().filter(|(at, _)| **at > start && **at <= end);
        for (rule, count) in spans.flat_map(|(_, rules)| rules) {
            *found.entry(&**rule).or_default() += count;
        }
        found
    }

    fn add(&mut self, at: Timestamp, rule: &str, more: u64) {
        let rules = self.0.entry(at).or_default();
        let is_known = rules.len() < MAX_RULES || rules.contains_key(rule);
        let rule = if is_known { rule } else { "" };
        let count = rules.entry(rule.into()).or_default();
        *count = count.saturating_add(more);
    }
}

/// Before which time nothing is kept.
pub(crate) fn oldest(now: Timestamp) -> Timestamp {
    now.plus_micros(-KEPT).floor_to(SPAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_day_has_its_alerts_and_old_ones_go() {
        let minute = 60 * Timestamp::SECOND;
        let now = Timestamp::from_seconds(1_800_000_000);
        let at = |minutes: i64| now.plus_micros(-minutes * minute).floor_to(SPAN);
        let row = |minutes, rule: &str, count| BookRaised {
            at: at(minutes),
            rule: rule.to_owned(),
            count,
        };
        let mut raised = Raised::default();
        raised.absorb(&[row(0, "a", 1), row(5, "b", 2), row(1_430, "a", 4)]);
        raised.absorb(&[row(0, "a", 8), row(1_450, "", 16), row(2_870, "b", 32)]);
        raised.absorb(&[row(2_900, "b", 64)]);
        assert_eq!(raised.in_day(0, now), [("a", 13), ("b", 2)].into());
        assert_eq!(raised.in_day(1, now), [("", 16), ("b", 32)].into());
        let later = now.plus_micros(Timestamp::DAY);
        assert_eq!(raised.in_day(1, later), [("a", 13), ("b", 2)].into());
        raised.forget_before(oldest(later));
        assert_eq!(raised.rows().iter().map(|row| row.count).sum::<u64>(), 31);
    }

    #[test]
    fn too_many_rules_count_as_nobodys() {
        let now = Timestamp::from_seconds(1_800_000_000);
        let mut raised = Raised::default();
        for number in 0..MAX_RULES + 10 {
            raised.add(now, &format!("rule {number}"), 1);
        }
        assert_eq!(raised.rows().len(), MAX_RULES + 1);
        assert_eq!(raised.in_day(0, now).get(""), Some(&10));
    }
}
