//! Rules that cannot be wrong.

use std::sync::Arc;

use crate::action::ActionList;
use crate::calendar::Moments;
use crate::context::Guard;
use crate::pattern::{GroupPattern, Pattern, Second};
use crate::template::Template;

/// Names an action list of a file.
pub(crate) type ListId = usize;

/// One file's rules.
#[derive(Debug)]
pub struct RuleFile {
    pub(crate) name: Arc<str>,
    /// A number that differs for files that differ: whether a state belongs to these rules.
    pub(crate) fingerprint: u64,
    pub(crate) rules: Vec<Rule>,
    pub(crate) lists: Vec<ActionList>,
    /// The sets of files that it joins.
    pub(crate) sets: Vec<Box<str>>,
    /// Whether it sees all input, or only what rules jump with.
    pub(crate) all_input: bool,
    /// Labels that no rule jumps to, with their lines.
    pub(crate) idle_labels: Vec<(usize, Box<str>)>,
    pub(crate) index: crate::pattern::Index,
}

impl RuleFile {
    /// Its name, as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its rules in order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The most lines that a pattern looks at.
    pub fn lines(&self) -> usize {
        self.rules.iter().flat_map(Rule::conditions).map(|one| one.lines()).max().unwrap_or(1)
    }

    pub(crate) fn list(&self, id: ListId) -> &ActionList {
        static EMPTY: ActionList = ActionList { actions: Vec::new() };
        self.lists.get(id).unwrap_or(&EMPTY)
    }
}

/// Files in the order in which their rules are tried.
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    /// The files.
    pub files: Vec<Arc<RuleFile>>,
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// The line that it begins on, from 1.
    pub line: usize,
    /// The text of `desc`, or nothing.
    pub description: String,
    pub(crate) kind: Kind,
    /// Names of cache entries in texts that outlive the match.
    pub(crate) cache_entries: Vec<Box<str>>,
    /// Names of fields of the event that its texts name.
    pub(crate) fields: Vec<Box<str>>,
}

/// Where matching goes on after a rule matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Continue {
    /// With the next rule.
    Next,
    /// With this rule of the file.
    GoTo(usize),
    /// Not in this file.
    Stop,
    /// Nowhere.
    End,
}

/// What an event must be like.
#[derive(Debug)]
pub(crate) struct Condition {
    pub pattern: Pattern,
    pub context: Option<Guard>,
    pub next: Continue,
}

/// The same for the second event of a pair.
#[derive(Debug)]
pub(crate) struct SecondCondition {
    pub pattern: Second,
    pub context: Option<Guard>,
    pub next: Continue,
}

/// One of the events of a group.
#[derive(Debug)]
pub(crate) struct Member {
    pub when: Condition,
    pub count: Option<ListId>,
    pub threshold: u64,
    pub token: Option<Template>,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Single {
        when: Condition,
        description: Template,
        action: ListId,
    },
    Script {
        when: Condition,
        description: Template,
        command: crate::action::CommandTemplate,
        action: ListId,
        action2: Option<ListId>,
    },
    Suppressed {
        when: Condition,
        description: Template,
        action: ListId,
        window: i64,
    },
    Pair(Box<Pair>),
    Threshold {
        when: Condition,
        description: Template,
        action: ListId,
        action2: Option<ListId>,
        window: i64,
        threshold: u64,
    },
    TwoThresholds(Box<TwoThresholds>),
    Group(Box<Group>),
    Suppress {
        when: Condition,
    },
    Calendar {
        moments: Moments,
        context: Option<Guard>,
        description: Template,
        action: ListId,
    },
    Jump {
        when: Condition,
        sets: Vec<Template>,
    },
}

#[derive(Debug)]
pub(crate) struct Pair {
    pub when: Condition,
    pub description: Template,
    pub action: ListId,
    pub second: SecondCondition,
    pub description2: Template,
    pub action2: ListId,
    /// Seconds; 0 is for ever.
    pub window: i64,
    /// `PairWithWindow`: the first action runs where the second event does not come.
    pub late: bool,
}

#[derive(Debug)]
pub(crate) struct TwoThresholds {
    pub when: Condition,
    pub description: Template,
    pub action: ListId,
    pub window: i64,
    pub threshold: u64,
    pub description2: Template,
    pub action2: ListId,
    pub window2: i64,
    pub threshold2: u64,
}

#[derive(Debug)]
pub(crate) struct Group {
    pub members: Vec<Member>,
    pub texts: GroupTexts,
    /// The texts of an operation that an event starts whose pattern sets no variables, where others
    /// do: `$1` stays as it is written.
    pub plain: Option<GroupTexts>,
    pub again: bool,
    pub pattern: Option<GroupPattern>,
    pub window: i64,
}

/// What a group says and does.
#[derive(Debug)]
pub(crate) struct GroupTexts {
    pub description: Template,
    pub action: ListId,
    pub init: Option<ListId>,
    pub end: Option<ListId>,
    pub slide: Option<ListId>,
}

impl Group {
    /// The texts of an operation that was started by an event whose pattern sets variables, or not.
    pub(crate) fn texts(&self, variables: bool) -> &GroupTexts {
        self.plain.as_ref().filter(|_| !variables).unwrap_or(&self.texts)
    }
}

impl GroupTexts {
    /// Its action lists.
    pub(crate) fn lists(&self) -> impl Iterator<Item = ListId> {
        [Some(self.action), self.init, self.end, self.slide].into_iter().flatten()
    }
}

impl Rule {
    /// What kind of rule it is, in SEC's words.
    pub const fn kind(&self) -> &'static str {
        match &self.kind {
            Kind::Single { .. } => "Single",
            Kind::Script { .. } => "SingleWithScript",
            Kind::Suppressed { .. } => "SingleWithSuppress",
            Kind::Pair(pair) if pair.late => "PairWithWindow",
            Kind::Pair(_) => "Pair",
            Kind::Threshold { .. } => "SingleWithThreshold",
            Kind::TwoThresholds(_) => "SingleWith2Thresholds",
            Kind::Group(_) => "EventGroup",
            Kind::Suppress { .. } => "Suppress",
            Kind::Calendar { .. } => "Calendar",
            Kind::Jump { .. } => "Jump",
        }
    }

    /// Its patterns but a pair's second.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = &Pattern> {
        let (one, many): (Option<&Condition>, &[Member]) = match &self.kind {
            Kind::Single { when, .. }
            | Kind::Script { when, .. }
            | Kind::Suppressed { when, .. }
            | Kind::Threshold { when, .. }
            | Kind::Suppress { when }
            | Kind::Jump { when, .. } => (Some(when), &[]),
            Kind::Pair(pair) => (Some(&pair.when), &[]),
            Kind::TwoThresholds(rule) => (Some(&rule.when), &[]),
            Kind::Group(group) => (None, &group.members),
            Kind::Calendar { .. } => (None, &[]),
        };
        one.into_iter().chain(many.iter().map(|member| &member.when)).map(|when| &when.pattern)
    }

    /// Its action lists, but those within them.
    pub(crate) fn lists(&self) -> Vec<ListId> {
        match &self.kind {
            Kind::Single { action, .. }
            | Kind::Suppressed { action, .. }
            | Kind::Calendar { action, .. } => vec![*action],
            Kind::Script { action, action2, .. } | Kind::Threshold { action, action2, .. } => {
                std::iter::once(*action).chain(*action2).collect()
            }
            Kind::TwoThresholds(rule) => vec![rule.action, rule.action2],
            Kind::Pair(pair) => vec![pair.action, pair.action2],
            Kind::Group(group) => {
                let counts = group.members.iter().filter_map(|member| member.count);
                group.texts.lists().chain(counts).collect()
            }
            Kind::Suppress { .. } | Kind::Jump { .. } => Vec::new(),
        }
    }

    /// The second pattern of a pair.
    pub(crate) fn second(&self) -> Option<&Second> {
        match &self.kind {
            Kind::Pair(pair) => Some(&pair.second.pattern),
            _ => None,
        }
    }
}
