//! This engine, as the hub runs it: events read by the parser, gates learnt from events before.

use std::collections::BTreeMap;
use std::sync::Arc;

use bergfried_bench::memory;
use bergfried_event::{Event, Finding, SourceKind, Timestamp};
use bergfried_parse::{Context, parse};
use bergfried_rules::{Engine, Limits, RuleSet, Source};
use jiff::tz::TimeZone;

use crate::run::{Clock, Measured, Plan, Rates, Subject, lines, rates};

struct Bergfried {
    engine: Engine,
    findings: Vec<Finding>,
    context: Context<'static>,
}

pub(crate) fn measure(files: &[(String, String)], plan: &Plan) -> anyhow::Result<Measured> {
    let clock = Clock::start();
    let sources =
        files.iter().map(|(file, text)| Source { file: file.clone(), text: text.clone() });
    let rules = Arc::new(RuleSet::load(sources).0);
    let engine = Engine::new(Arc::clone(&rules), Limits::default());
    let load_seconds = clock.seconds();
    let (load_peak_mib, resident_mib) = memory()?;
    drop(engine);
    let kinds = plan.kinds.iter().map(|kind| {
        let lines = lines(plan, *kind)?;
        let mut subject = Bergfried {
            engine: Engine::new(Arc::clone(&rules), Limits::default()),
            findings: Vec::new(),
            context: Context {
                received: Timestamp::from_seconds(1_795_262_400),
                host: "bench",
                time_zone: TimeZone::UTC,
                year: None,
            },
        };
        rates(&mut subject, plan, *kind, &lines, "trained")
    });
    let kinds = kinds.collect::<anyhow::Result<Vec<Rates>>>()?;
    let rules = rules.rules().iter();
    let rules = rules.map(|rule| (rule.id().to_owned(), rule.title().to_owned())).collect();
    Ok(Measured { rules, load_seconds, load_peak_mib, resident_mib, kinds })
}

impl Subject for Bergfried {
    type Event<'l> = Event<'l>;

    fn decode<'l>(&self, line: &'l str) -> anyhow::Result<Event<'l>> {
        Ok(parse(SourceKind::Json, line, &self.context))
    }

    fn detect(&mut self, event: &Event<'_>) -> usize {
        self.engine.detections(event).len()
    }

    fn state(&mut self, event: &Event<'_>) -> usize {
        self.findings.clear();
        self.engine.observe(event, 0, &mut self.findings);
        self.findings.len()
    }

    fn count(&mut self, event: &Event<'_>, matches: &mut BTreeMap<String, u64>) {
        // Where a job is due, the hub runs it beside.
        self.engine.train();
        let hits = self.engine.detections(event).to_vec();
        for rule in hits.iter().filter_map(|hit| self.engine.rules().rules().get(*hit)) {
            *matches.entry(rule.id().to_owned()).or_default() += 1;
        }
    }
}
