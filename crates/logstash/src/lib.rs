//! Reads pipeline files of Logstash and writes them as inputs, chains and outputs of this program.
//!
//! [`translate`] gives the text of a hub's configuration and, line by line, what it could not do or
//! does in another way. Nothing here does I/O or reads a clock or the environment.

mod condition;
mod diagnostic;
mod filters;
mod inputs;
mod names;
mod outputs;
mod settings;
mod survey;
pub mod syntax;
mod toml;

pub use diagnostic::{Diagnostic, Loss};
pub use settings::{Directory, Variable};

use condition::Search;
use diagnostic::Told;
use names::{Message, Names};
use syntax::{Pipeline, Place, SyntaxError};
use toml::{Node, Table};

/// One file of a pipeline.
#[derive(Clone, Copy, Debug)]
pub struct Source<'t> {
    /// Its name, for comments.
    pub name: &'t str,
    /// Its text.
    pub text: &'t str,
}

/// A pipeline as a configuration of the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translation {
    /// The `[[input]]`, `[[chain]]` and `[[output]]` tables.
    pub toml: String,
    /// What could not be done or is done in another way, in the order of the files.
    pub diagnostics: Vec<Diagnostic>,
    /// How many plugins the sections `input`, `filter` and `output` have.
    pub plugins: [usize; 3],
}

impl Translation {
    /// How many diagnostics say so much.
    pub fn count(&self, loss: Loss) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.loss == loss).count()
    }
}

/// Translates the files of one pipeline, read together in this order.
///
/// `variable` gives what `${NAME}` stands for, `directory` the files of directories of patterns.
///
/// # Errors
/// Where a file is not in Logstash's language; [`Place::file`] says which.
pub fn translate(
    sources: &[Source<'_>],
    variable: Variable<'_>,
    directory: Directory<'_>,
) -> Result<Translation, SyntaxError> {
    let mut pipeline = Pipeline::default();
    for (file, source) in sources.iter().enumerate() {
        pipeline.append(syntax::parse(source.text, file)?);
    }
    let mut work = Work {
        sources,
        variable,
        directory,
        names: survey::survey(&pipeline),
        told: Told::default(),
        inputs: 0,
        filters: 0,
        outputs: 0,
    };
    let inputs = inputs::translate(&pipeline.inputs, &mut work);
    let which = (!inputs.open).then(|| Search::any_word("input.name", &inputs.names));
    let mut steps = Vec::new();
    if work.names.message == Message::Copied {
        steps.push(line_to_message());
    }
    steps.extend(inputs.codecs);
    steps.append(&mut filters::steps(&pipeline.filters, &mut work));
    let outputs = outputs::translate(&pipeline.outputs, which.as_ref(), &mut work);

    let mut out = heading(sources);
    for input in &inputs.tables {
        input.write("input", &mut out);
    }
    if !steps.is_empty() {
        let mut chain = Table::default();
        chain.set("name", "logstash");
        chain.set_some("when", which.map(Search::into_text));
        chain.children = steps.into_iter().map(|step| ("step", step)).collect();
        chain.write("chain", &mut out);
    }
    for output in &outputs {
        output.write("output", &mut out);
    }
    let plugins = [work.inputs, work.filters, work.outputs];
    Ok(Translation { toml: out, diagnostics: work.told.sorted(), plugins })
}

fn heading(sources: &[Source<'_>]) -> String {
    let mut heading = String::from("# Translated from Logstash by `bergfried import logstash`:\n");
    for source in sources {
        let name: String =
            source.name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        heading.push_str("#   ");
        heading.push_str(&name);
        heading.push('\n');
    }
    heading
}

/// The step that gives `message` what it holds in Logstash before the first filter.
fn line_to_message() -> Table {
    let mut step = Table {
        comment: vec![
            "Filters write to `message`, which is the received line at first.".to_owned(),
        ],
        ..Table::default()
    };
    let copied = vec![("event.original".to_owned(), Node::from("message"))];
    step.set("mutate", Node::Table(vec![("copy".to_owned(), Node::Table(copied))]));
    step
}

/// What a translation works with.
struct Work<'w> {
    sources: &'w [Source<'w>],
    variable: Variable<'w>,
    directory: Directory<'w>,
    names: Names,
    told: Told,
    inputs: usize,
    filters: usize,
    outputs: usize,
}

impl Work<'_> {
    /// Where something came from, for a comment.
    fn comment(&self, place: Place, what: &str) -> String {
        let name = self.sources.get(place.file).map_or("", |source| source.name);
        format!("{name}:{}: {what}", place.line)
    }
}

#[cfg(test)]
mod tests;
