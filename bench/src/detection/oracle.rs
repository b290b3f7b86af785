//! rsigma-eval, as its documentation says to run it: one compiled set, rules of other log sources
//! pruned by its extractor, no detail beyond the default. Its bloom filter pays on some rule sets and
//! events only, so both ways are measured and the faster one counts.

use std::collections::BTreeMap;

use bergfried_bench::events::Kind;
use bergfried_bench::memory;
use rsigma_eval::{Engine, JsonEvent, LogSourceExtractor};
use rsigma_parser::{LogSource, parse_sigma_yaml};
use serde_json::Value;

use crate::run::{Clock, Measured, Plan, Rates, Subject, lines, rates};

struct Oracle {
    engine: Engine,
}

pub(crate) fn measure(files: &[(String, String)], plan: &Plan) -> anyhow::Result<Measured> {
    let clock = Clock::start();
    let mut subject = Oracle { engine: load(files, false) };
    let load_seconds = clock.seconds();
    let (load_peak_mib, resident_mib) = memory()?;
    let mut with_bloom = Oracle { engine: load(files, true) };
    let kinds = plan.kinds.iter().map(|kind| {
        let lines = lines(plan, *kind)?;
        let product = if *kind == Kind::Linux { "linux" } else { "windows" };
        subject.engine.set_logsource_extractor(Some(extractor(product)));
        with_bloom.engine.set_logsource_extractor(Some(extractor(product)));
        let plain = rates(&mut subject, plan, *kind, &lines, "log-source extractor")?;
        let bloom =
            rates(&mut with_bloom, plan, *kind, &lines, "log-source extractor, bloom filter")?;
        anyhow::Ok(if bloom.both > plain.both { bloom } else { plain })
    });
    let kinds = kinds.collect::<anyhow::Result<Vec<Rates>>>()?;
    let rules = subject
        .engine
        .rules()
        .iter()
        .map(|rule| (id(rule.id.as_ref(), &rule.title), rule.title.clone()));
    Ok(Measured { rules: rules.collect(), load_seconds, load_peak_mib, resident_mib, kinds })
}

fn load(files: &[(String, String)], bloom: bool) -> Engine {
    let mut engine = Engine::new();
    engine.set_bloom_prefilter(bloom);
    let rules: Vec<_> = files
        .iter()
        .filter_map(|(_, text)| parse_sigma_yaml(text).ok())
        .flat_map(|collection| collection.rules)
        .collect();
    // What it refuses shows as a rule that it does not have.
    engine.add_rules(&rules);
    engine
}

/// Reads the log source that the events name; those that name none are of this product.
fn extractor(product: &str) -> LogSourceExtractor {
    let defaults = LogSource { product: Some(product.to_owned()), ..LogSource::default() };
    LogSourceExtractor::new().with_defaults(defaults).with_field_names(
        "logsource.product",
        "logsource.service",
        "logsource.category",
    )
}

fn id(id: Option<&String>, title: &str) -> String {
    id.map_or_else(|| title.to_owned(), Clone::clone)
}

impl Subject for Oracle {
    type Event<'l> = Value;

    fn decode(&self, line: &str) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(line)?)
    }

    fn detect(&mut self, event: &Value) -> usize {
        self.engine.evaluate(&JsonEvent::borrow(event)).len()
    }

    /// It makes what people read with every match.
    fn state(&mut self, event: &Value) -> usize {
        self.detect(event)
    }

    fn count(&mut self, event: &Value, matches: &mut BTreeMap<String, u64>) {
        for result in self.engine.evaluate(&JsonEvent::borrow(event)) {
            let id = id(result.header.rule_id.as_ref(), &result.header.rule_title);
            *matches.entry(id).or_default() += 1;
        }
    }
}
