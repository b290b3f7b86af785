//! What a step can do: one file for each kind, one line each in [`KINDS`].

use std::borrow::Cow;

use bergfried_event::Event;

use crate::compile::Compile;
use crate::config::StepFile;
use crate::scene::Scene;

pub(crate) mod cef;
pub(crate) mod cidr;
pub(crate) mod csv;
pub(crate) mod date;
pub(crate) mod dissect;
pub(crate) mod drop;
pub(crate) mod geoip;
pub(crate) mod grok;
pub(crate) mod json;
pub(crate) mod kv;
pub(crate) mod logfmt;
pub(crate) mod lookup;
pub(crate) mod mutate;
mod networks;
mod pairs;
pub(crate) mod parse;

/// A kind of action.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The key in a step.
    pub key: &'static str,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// A step as one could write it.
    pub example: &'static str,
    /// The word added to `tags` where it fails and the step does not say another.
    pub failure_tag: Option<&'static str>,
    /// Whether a step has it.
    pub(crate) is_set: fn(&StepFile) -> bool,
    /// The action of a step that has it; where it has mistakes, they are told and there is none.
    pub(crate) compile: fn(&StepFile, &mut Compile<'_>) -> Option<Box<dyn Action>>,
    /// The files that it reads.
    pub(crate) files: fn(&StepFile) -> Vec<String>,
}

/// Every kind of action.
pub const KINDS: &[Kind] = &[
    grok::KIND,
    dissect::KIND,
    kv::KIND,
    json::KIND,
    csv::KIND,
    cef::KIND,
    logfmt::KIND,
    parse::KIND,
    date::KIND,
    mutate::KIND,
    drop::KIND,
    geoip::KIND,
    cidr::KIND,
    lookup::KIND,
];

/// No files.
pub(crate) fn no_files(_step: &StepFile) -> Vec<String> {
    Vec::new()
}

/// What a step does to an event.
pub(crate) trait Action: Send + Sync {
    /// Does it. What is set may borrow from the action.
    fn run<'e>(&'e self, event: &mut Event<'e>, scene: &mut Scene<'_>) -> Outcome;

    /// Its patterns as written, in the order of [`Scene::patterns`], and how each is run.
    fn patterns(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// What became of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was done.
    Done,
    /// The field that it reads is not there.
    Missing,
    /// It could not be done.
    Failed(Cow<'static, str>),
    /// A pattern took more steps than it may.
    TooHard(Cow<'static, str>),
    /// The event is to be let go.
    Drop,
}

#[cfg(test)]
pub(crate) mod tests;

#[cfg(test)]
mod reference;
