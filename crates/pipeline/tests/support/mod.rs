//! A pipeline over stores in a directory, which two tests start.

use std::path::Path;
use std::sync::Arc;

use bergfried_alert::Settings;
use bergfried_alerting::Alerting;
use bergfried_control::Control;
use bergfried_pipeline::{HostPolicy, Hosts, Parts, Pipeline};
use bergfried_rules::RuleSet;
use bergfried_store::Options;

/// Starts one with these rules, as the hub does, on what the directory holds.
pub(crate) fn start(directory: &Path, options: Options, rules: RuleSet) -> (Pipeline, Alerting) {
    let control = Arc::new(Control::open(&directory.join("control.sqlite")).unwrap());
    let (writer, reader, pending) =
        bergfried_store::open(&directory.join("events"), options).unwrap();
    let alerting = Alerting::start(bergfried_alerting::Parts {
        last_sequence: Some(writer.next_sequence().saturating_sub(1)),
        ..bergfried_alerting::Parts::new(Arc::clone(&control), Settings::default())
    });
    let alerting = alerting.unwrap();
    let pipeline = Pipeline::start(Parts {
        hosts: Arc::new(Hosts::load(Arc::clone(&control), HostPolicy::default()).unwrap()),
        writer,
        reader,
        pending,
        control: Arc::clone(&control),
        chains: Arc::default(),
        rules: Arc::new(rules),
        remembered: directory.join("rules.state"),
        outside: Box::new(bergfried_pipeline::Nothing),
        alerting: alerting.clone(),
    });
    (pipeline.unwrap(), alerting)
}
