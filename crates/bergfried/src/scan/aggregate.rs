//! Findings about the same thing become one row.

use std::collections::HashMap;

use bergfried_event::{Finding, Severity};

/// The most rows that are kept; findings past that are counted only.
const MAX_ROWS: usize = 100_000;

#[derive(PartialEq, Eq, Hash)]
struct Key {
    rule: String,
    host: Option<String>,
    user: Option<String>,
    source: Option<String>,
    group: Vec<(String, String)>,
}

/// Folds findings of the same rule, host, user, source and group as they come.
pub(super) struct Findings {
    rows: HashMap<Key, Finding>,
    least: Severity,
    worst: Option<Severity>,
    left_out: u64,
}

/// The rows, worst first, and how many findings found no room.
pub(super) struct Sorted {
    pub(super) rows: Vec<Finding>,
    pub(super) left_out: u64,
}

impl Findings {
    pub(super) fn new(least: Severity) -> Self {
        Findings { rows: HashMap::new(), least, worst: None, left_out: 0 }
    }

    /// Moves the findings in.
    pub(super) fn take(&mut self, findings: &mut Vec<Finding>) {
        for finding in findings.drain(..) {
            self.worst = self.worst.max(Some(finding.severity));
            if finding.severity >= self.least {
                self.fold(finding);
            }
        }
    }

    /// A grouped finding is about its group; the user of its last event is no part of that.
    fn fold(&mut self, finding: Finding) {
        let grouped = !finding.group.is_empty();
        let key = Key {
            rule: finding.rule_id.clone(),
            host: finding.host.clone().filter(|_| !grouped),
            user: finding.user.clone().filter(|_| !grouped),
            source: finding.source.clone().filter(|_| !grouped),
            group: finding.group.clone(),
        };
        let full = self.rows.len() >= MAX_ROWS;
        match self.rows.entry(key) {
            std::collections::hash_map::Entry::Occupied(mut row) => row.get_mut().absorb(finding),
            std::collections::hash_map::Entry::Vacant(_) if full => self.left_out += 1,
            std::collections::hash_map::Entry::Vacant(slot) => {
                slot.insert(finding);
            }
        }
    }

    /// The severity of the worst finding, also of those that are not printed.
    pub(super) fn worst(&self) -> Option<Severity> {
        self.worst
    }

    /// Worst first, then by first time, rule and group, so that the order is always the same.
    pub(super) fn into_sorted(self) -> Sorted {
        let mut rows: Vec<Finding> = self.rows.into_values().collect();
        rows.sort_by(|a, b| {
            b.severity
                .cmp(&a.severity)
                .then_with(|| a.first_seen.cmp(&b.first_seen))
                .then_with(|| a.rule_name.cmp(&b.rule_name))
                .then_with(|| a.group.cmp(&b.group))
                .then_with(|| (&a.host, &a.source, &a.user).cmp(&(&b.host, &b.source, &b.user)))
        });
        Sorted { rows, left_out: self.left_out }
    }
}
