//! A set of rules: loaded whole, bound to one another, then never changed.

mod binder;
mod bound;
mod only;
mod search;

use std::sync::Arc;

use bergfried_event::Event;
use bergfried_matcher::{Entry, Labels, Matcher, Statistics};
use bergfried_policy::Judge;
use bergfried_query::Predicate;

use self::binder::Binder;
use crate::class::{Class, classify};
use crate::diagnostic::{Diagnostic, Source};
use crate::fields::Fields;
use crate::lists::Lists;
use crate::logsource::{LogSources, Teller, Told};
use crate::rule::{Body, Rule};
use crate::sec::Sets;
use crate::sigma::{self, Documents, Pipeline, Pipelines};

/// The most rules in one set; what comes after is an error.
const MAX_RULES: usize = 100_000;

/// How rules are read; by default with the tables of this repository.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Which events carry which log sources.
    pub log_sources: LogSources,
    /// What the names of fields mean.
    pub fields: Fields,
    /// The values of placeholders that no pipeline fills.
    pub lists: Lists,
    /// How rules are changed before they are compiled.
    pub pipelines: Vec<Pipeline>,
    /// Whether to say also what is sound but could be better, for people who check their rules.
    pub lint: bool,
}

/// Loaded rules, in the order of their sources.
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<Rule>,
    teller: Arc<Teller>,
    /// Knows the detections by the indices of their rules.
    matcher: Arc<Matcher>,
    judge: Arc<Judge>,
    /// For each rule: the correlations that refer to it and the step that it is there.
    referrers: Vec<Vec<(usize, usize)>>,
    /// Rule files of SEC that run beside them.
    sec: Arc<Sets>,
}

impl Default for RuleSet {
    fn default() -> Self {
        RuleSet::index(Vec::new(), &Options::default())
    }
}

impl RuleSet {
    /// Loads every rule that can be loaded, and says what is wrong with the others.
    pub fn load(sources: impl IntoIterator<Item = Source>) -> (RuleSet, Vec<Diagnostic>) {
        RuleSet::load_with(sources, &Options::default())
    }

    /// As [`RuleSet::load`], by other tables.
    pub fn load_with(
        sources: impl IntoIterator<Item = Source>,
        options: &Options,
    ) -> (RuleSet, Vec<Diagnostic>) {
        let mut diagnostics = Vec::new();
        let mut documents = Documents::default();
        let pipelines = Pipelines::new(&options.pipelines, &options.lists);
        for source in sources {
            sigma::read(&source, options, &pipelines, &mut documents, &mut diagnostics);
        }
        let mut binder = Binder::new(documents.rules, MAX_RULES, &mut diagnostics);
        binder.refuse_dangling();
        binder.transform(&pipelines);
        for filter in &documents.filters {
            binder.apply(filter, options, &pipelines);
        }
        let rules = RuleSet::index(binder.bind(&options.fields), options);
        if options.lint {
            rules.lint(&mut diagnostics);
        }
        diagnostics.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
        (rules, diagnostics)
    }

    fn index(mut rules: Vec<Rule>, options: &Options) -> RuleSet {
        let sources = &options.log_sources;
        let logsources = rules.iter().filter_map(|rule| match &rule.body {
            Body::Detection(detection) => Some(&detection.logsource),
            Body::Correlation(_) => None,
        });
        let teller = Arc::new(Teller::new(sources, logsources));
        let referrers = index_referrers(&rules);
        classify(&mut rules, &referrers, sources, &teller);
        let matcher = Arc::new(matcher(&rules, &teller, &Statistics::default()));
        let judge = Arc::clone(options.lists.judge());
        RuleSet { rules, teller, matcher, judge, referrers, sec: Arc::default() }
    }

    /// The same with these rule files of SEC beside them.
    #[must_use]
    pub fn with_sec(self, sec: Arc<Sets>) -> RuleSet {
        RuleSet { sec, ..self }
    }

    /// The rule files of SEC that run beside the rules.
    pub fn sec(&self) -> &Arc<Sets> {
        &self.sec
    }

    /// The matcher of the detections, by the indices of their rules, which has seen no event yet.
    pub(crate) fn matcher(&self) -> &Arc<Matcher> {
        &self.matcher
    }

    /// A matcher of the detections that knows these events.
    pub(crate) fn trained(&self, samples: &Statistics) -> Matcher {
        matcher(&self.rules, &self.teller, samples)
    }

    /// Says of an event where it reaches, by the lists that the rules were read with: sets
    /// `destination.unlisted`, `network_policy.*` and `url.domain`.
    ///
    /// To be called once for each event, before an engine is shown it; the event is kept with what it
    /// says.
    pub fn judge(&self, event: &mut Event<'_>) {
        self.judge.apply(event);
    }

    /// The rules, detections and correlations.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rule of this id.
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// The longest time that a correlation or a baseline looks back, in microseconds.
    ///
    /// An engine that observed so much history knows all that a running one would.
    pub fn longest_window(&self) -> i64 {
        let window = |rule: &Rule| match &rule.body {
            Body::Correlation(correlation) => correlation.timespan,
            Body::Detection(detection) => {
                detection.first_seen.as_ref().map_or(0, |first_seen| first_seen.learning)
            }
        };
        self.rules.iter().map(window).max().unwrap_or(0)
    }

    /// The words of log sources that the event has, among those that the rules ask for.
    pub(crate) fn labels(&self, event: &Event<'_>, told: &mut Told) -> Labels {
        self.teller.of(event, told)
    }

    pub(crate) fn teller(&self) -> &Teller {
        &self.teller
    }

    /// The correlations that refer to a rule, each with the step that the rule is there.
    pub(crate) fn referrers(&self, rule: usize) -> &[(usize, usize)] {
        self.referrers.get(rule).map_or(&[], Vec::as_slice)
    }
}

/// For each rule the correlations that refer to it, and the step that it is there.
fn index_referrers(rules: &[Rule]) -> Vec<Vec<(usize, usize)>> {
    let mut referrers = vec![Vec::new(); rules.len()];
    for (index, rule) in rules.iter().enumerate() {
        if let Body::Correlation(correlation) = &rule.body {
            for (position, step) in correlation.steps.iter().enumerate() {
                if let Some(referrers) = referrers.get_mut(step.rule) {
                    referrers.push((index, position));
                }
            }
        }
    }
    referrers
}

fn matcher(rules: &[Rule], teller: &Teller, statistics: &Statistics) -> Matcher {
    static NEVER: Predicate = Predicate::Constant(false);
    let entry = |(rule, asks)| match (Rule::predicate(rule), asks) {
        (Some(predicate), Some(asks)) => Entry { predicate, asks },
        _ => Entry { predicate: &NEVER, asks: Labels::default() },
    };
    let asks = rules.iter().map(|rule| match &rule.body {
        Body::Detection(_) if matches!(rule.class, Class::Unsupported(_)) => None,
        Body::Detection(detection) => teller.asked(&detection.logsource),
        Body::Correlation(_) => None,
    });
    let entries: Vec<Entry<'_>> = rules.iter().zip(asks).map(entry).collect();
    Matcher::new(&entries, statistics)
}
