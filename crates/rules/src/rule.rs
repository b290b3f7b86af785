//! A loaded rule: what it is called, what it means, and how it decides.

use bergfried_event::{FieldName, Severity};
use bergfried_query::Predicate;

use crate::class::Class;
use crate::logsource::LogSource;
use crate::shape::Shape;

/// One loaded rule.
#[derive(Clone, Debug)]
pub struct Rule {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) title: String,
    pub(crate) level: Severity,
    pub(crate) description: String,
    pub(crate) author: String,
    pub(crate) references: Vec<String>,
    pub(crate) falsepositives: Vec<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) fields: Vec<String>,
    pub(crate) techniques: Vec<String>,
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) silent: bool,
    /// How its alerts are to look, where it says so.
    pub(crate) shape: Option<Box<Shape>>,
    pub(crate) class: Class,
    pub(crate) body: Body,
}

/// How a rule decides.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Detection(Detection),
    Correlation(Correlation),
}

/// A condition over one event.
#[derive(Clone, Debug)]
pub(crate) struct Detection {
    pub(crate) logsource: LogSource,
    pub(crate) predicate: Predicate,
    pub(crate) first_seen: Option<FirstSeen>,
}

/// A field by every name that an event may carry it under; the first that has a value counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AnyName(pub(crate) Vec<FieldName<'static>>);

/// Turns a detection into "never seen before" (see `rules/README.md`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FirstSeen {
    pub(crate) group_by: Vec<AnyName>,
    pub(crate) baseline: AnyName,
    /// Microseconds.
    pub(crate) learning: i64,
}

/// A condition over several matches of other rules.
#[derive(Clone, Debug)]
pub(crate) struct Correlation {
    pub(crate) kind: CorrelationKind,
    /// One for each referenced rule, in the order of the reference.
    pub(crate) steps: Vec<Step>,
    /// The names that findings show for the group's values.
    pub(crate) group_names: Vec<String>,
    /// Microseconds.
    pub(crate) timespan: i64,
    pub(crate) threshold: Threshold,
}

/// A referenced rule, with the fields of its events that the correlation looks at.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) rule: usize,
    pub(crate) group_by: Vec<AnyName>,
    pub(crate) values: Vec<AnyName>,
}

/// The correlation types of Sigma 2.1, and the median, which pySigma adds as a type of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum CorrelationKind {
    EventCount,
    ValueCount,
    Temporal,
    TemporalOrdered,
    ValueSum,
    ValueAverage,
    /// The value below which so many percent of the values lie.
    ValuePercentile(f64),
    /// How many percent of the events have the value of this one.
    ValueShare,
}

impl CorrelationKind {
    /// Whether a match of a running episode below matters: these ask for what there is at a time,
    /// while the other types take each episode once.
    pub(crate) fn asks_for_presence(self) -> bool {
        matches!(self, CorrelationKind::Temporal | CorrelationKind::TemporalOrdered)
    }

    /// Whether the value of a field is taken as a number.
    pub(crate) fn is_numeric(self) -> bool {
        use CorrelationKind as K;
        matches!(self, K::ValueSum | K::ValueAverage | K::ValuePercentile(_))
    }

    /// Whether more events can only raise what is compared (a sum of what is below zero apart).
    fn grows(self) -> bool {
        use CorrelationKind as K;
        !matches!(self, K::ValueAverage | K::ValuePercentile(_) | K::ValueShare)
    }
}

impl Correlation {
    /// Whether a condition that holds goes on holding when events are added to the window.
    pub(crate) fn is_monotone(&self) -> bool {
        self.kind.grows() && self.threshold.is_lower_bound()
    }
}

/// Bounds that a count or another measure must meet, all of them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Threshold(pub(crate) Vec<(bergfried_query::Comparison, f64)>);

impl Threshold {
    pub(crate) fn holds(&self, measure: f64) -> bool {
        use bergfried_query::Comparison as C;
        self.0.iter().all(|(comparison, bound)| match comparison {
            C::Equal => measure == *bound,
            C::NotEqual => measure != *bound,
            C::Less => measure < *bound,
            C::LessOrEqual => measure <= *bound,
            C::Greater => measure > *bound,
            C::GreaterOrEqual => measure >= *bound,
        })
    }

    fn is_lower_bound(&self) -> bool {
        use bergfried_query::Comparison as C;
        self.0.iter().all(|(comparison, _)| matches!(comparison, C::Greater | C::GreaterOrEqual))
    }

    /// The count past which the answer cannot change any more.
    pub(crate) fn saturation(&self) -> usize {
        let highest = self.0.iter().map(|(_, bound)| *bound).fold(0.0, f64::max);
        // Counts have a highest bound; a cast from a float saturates.
        (highest as usize).saturating_add(1)
    }
}

/// Whether a rule looks at one event or at several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RuleKind {
    /// A condition over one event.
    Detection,
    /// A combination that was never seen before.
    FirstSeen,
    /// A Sigma correlation of other rules' matches.
    Correlation,
}

impl Rule {
    /// The rule's id: a UUID, or the name or title of a rule that gives none.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name by which correlations may refer to it.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// How bad a match is; medium where the rule does not say.
    pub fn level(&self) -> Severity {
        self.level
    }

    /// What it detects; empty where the rule does not say.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Who wrote it; empty where the rule does not say.
    pub fn author(&self) -> &str {
        &self.author
    }

    /// Where to read more.
    pub fn references(&self) -> &[String] {
        &self.references
    }

    /// Whether the rule can fire here, and if not, why.
    pub fn class(&self) -> &Class {
        &self.class
    }

    /// When a match means nothing.
    pub fn falsepositives(&self) -> &[String] {
        &self.falsepositives
    }

    /// Tags as written, such as `attack.t1110.001`.
    pub fn tags(&self) -> &[String] {
        &self.tags
    }

    /// Fields worth showing with a match, as the rule or a pipeline lists them.
    pub fn fields(&self) -> &[String] {
        &self.fields
    }

    /// MITRE ATT&CK technique ids from the tags, such as `T1110.001`.
    pub fn techniques(&self) -> &[String] {
        &self.techniques
    }

    /// MITRE ATT&CK tactics from the tags, such as `credential-access`.
    pub fn tactics(&self) -> impl Iterator<Item = &str> {
        self.tags
            .iter()
            .filter_map(|tag| tag.strip_prefix("attack."))
            .filter(|tag| !tag.bytes().any(|byte| byte.is_ascii_digit()))
    }

    /// The file that it came from.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The line on which its document starts, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Whether it looks at one event or at several.
    pub fn kind(&self) -> RuleKind {
        match &self.body {
            Body::Detection(Detection { first_seen: None, .. }) => RuleKind::Detection,
            Body::Detection(_) => RuleKind::FirstSeen,
            Body::Correlation(_) => RuleKind::Correlation,
        }
    }

    /// Whether it only serves correlations and states no findings of its own (Sigma 2.1,
    /// "Generate").
    pub fn is_silent(&self) -> bool {
        self.silent
    }

    /// The log source of a detection as `product/category/service`, `*` where any will do.
    pub fn logsource(&self) -> Option<String> {
        match &self.body {
            Body::Detection(detection) => Some(detection.logsource.to_string()),
            Body::Correlation(_) => None,
        }
    }

    /// The condition over one event, where the rule is a detection.
    pub fn predicate(&self) -> Option<&Predicate> {
        match &self.body {
            Body::Detection(detection) => Some(&detection.predicate),
            Body::Correlation(_) => None,
        }
    }
}

/// ATT&CK technique ids among Sigma tags (Sigma tags appendix, "attack").
pub(crate) fn techniques(tags: &[String]) -> Vec<String> {
    tags.iter()
        .filter_map(|tag| tag.strip_prefix("attack.t"))
        .filter(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
        .map(|rest| format!("T{rest}"))
        .collect()
}
