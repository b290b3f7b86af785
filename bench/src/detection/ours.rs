//! This engine, as the hub runs it.

use std::collections::BTreeMap;
use std::sync::Arc;

use bergfried_event::{Event, FieldName, Finding, Timestamp, Value};
use bergfried_rules::{Engine, Limits, RuleSet, Source};

use crate::run::{Clock, Measured, Plan, Rates, Subject, lines, memory, rates};

struct Bergfried {
    engine: Engine,
    findings: Vec<Finding>,
}

pub(crate) fn measure(files: &[(String, String)], plan: &Plan) -> anyhow::Result<Measured> {
    let clock = Clock::start();
    let sources =
        files.iter().map(|(file, text)| Source { file: file.clone(), text: text.clone() });
    let (rules, _) = RuleSet::load(sources);
    let mut subject =
        Bergfried { engine: Engine::new(Arc::new(rules), Limits::default()), findings: Vec::new() };
    let load_seconds = clock.seconds();
    let (load_peak_mib, resident_mib) = memory()?;
    let kinds = plan.kinds.iter().map(|kind| {
        let lines = lines(plan, *kind)?;
        rates(&mut subject, plan, *kind, &lines, "default")
    });
    let kinds = kinds.collect::<anyhow::Result<Vec<Rates>>>()?;
    let rules = subject.engine.rules().rules().iter();
    let rules = rules.map(|rule| (rule.id().to_owned(), rule.title().to_owned())).collect();
    Ok(Measured { rules, load_seconds, load_peak_mib, resident_mib, kinds })
}

impl Subject for Bergfried {
    type Event<'l> = Event<'l>;

    fn decode<'l>(&self, line: &'l str) -> anyhow::Result<Event<'l>> {
        let json: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line)?;
        let mut event = Event::new(Timestamp::from_seconds(0), line);
        for (key, value) in json {
            match value {
                serde_json::Value::Object(inner) => {
                    for (name, value) in inner {
                        let name = FieldName::new(format!("{key}.{name}"));
                        event.push_named(name, Value::from(value));
                    }
                }
                value => event.push_named(FieldName::new(key), Value::from(value)),
            }
        }
        Ok(event)
    }

    fn detect(&mut self, event: &Event<'_>) -> usize {
        self.findings.clear();
        self.engine.observe(event, 0, &mut self.findings);
        self.findings.len()
    }

    fn count(&mut self, event: &Event<'_>, matches: &mut BTreeMap<String, u64>) {
        self.findings.clear();
        self.engine.observe(event, 0, &mut self.findings);
        for finding in &self.findings {
            *matches.entry(finding.rule_id.clone()).or_default() += 1;
        }
    }
}
