//! An expression, compiled, and what it reads out of texts.

use crate::engine::{Machine, Program, Scratch, Stop};
use crate::error::GrokError;
use crate::patterns::Patterns;
use crate::syntax::{self, Settings};

/// How an expression is compiled and run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether only `%{SYNTAX:semantic}` becomes a field, and `%{SYNTAX}` does not. Default true.
    pub named_captures_only: bool,
    /// Whether what is captured and empty becomes a field. Default false.
    pub keep_empty_captures: bool,
    /// How many steps one text may take before it is given up as too hard. Default 250,000, which
    /// takes up to ten milliseconds or so.
    pub step_limit: u64,
    /// How many parts an expression may have once its patterns are put in. Default 50,000.
    pub max_size: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            named_captures_only: true,
            keep_empty_captures: false,
            step_limit: 250_000,
            max_size: 50_000,
        }
    }
}

/// What came of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It matches.
    Matched,
    /// It does not.
    No,
    /// It would have taken more steps than [`Options::step_limit`].
    TooHard,
}

/// How long an expression may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A time that grows with the text as the text does.
    Linear,
    /// It refers back to what it captured, so only the limit on steps bounds its time.
    Backtracking,
}

impl Engine {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Engine::Linear => "linear",
            Engine::Backtracking => "backtracking",
        }
    }
}

/// What kind of value a field is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// The text as captured.
    Text,
    /// `:int`: see [`crate::integer`].
    Integer,
    /// `:float`: see [`crate::float`].
    Float,
}

impl FieldKind {
    /// Reads a type as written; Logstash passes over those that it does not know.
    pub(crate) fn of(written: Option<&str>) -> FieldKind {
        match written {
            Some("int") => FieldKind::Integer,
            Some("float") => FieldKind::Float,
            _ => FieldKind::Text,
        }
    }
}

/// A field that an expression gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrokField {
    /// Its name; `[a][b]` has become `a.b`.
    pub name: String,
    /// What kind of value it is to have.
    pub kind: FieldKind,
}

/// One expression, compiled. Immutable; many threads may use it, each with [`Captures`] of its own.
#[derive(Debug)]
pub struct Grok {
    program: Program,
    fields: Vec<GrokField>,
    /// For each group that captures: which field it gives.
    groups: Vec<Option<usize>>,
    options: Options,
}

impl Grok {
    /// Compiles an expression.
    ///
    /// # Errors
    ///
    /// What is wrong with it or with a pattern that it uses, and where.
    pub fn new(
        expression: &str,
        patterns: &Patterns,
        options: &Options,
    ) -> Result<Grok, GrokError> {
        let settings = Settings {
            patterns,
            named_captures_only: options.named_captures_only,
            max_size: options.max_size,
        };
        let parsed = syntax::parse(expression, &settings)?;
        let mut fields: Vec<GrokField> = Vec::new();
        let groups = parsed.groups.iter().map(|group| {
            let (name, kind) = group.field.clone()?;
            let field = GrokField { name, kind };
            Some(fields.iter().position(|known| *known == field).unwrap_or_else(|| {
                fields.push(field);
                fields.len() - 1
            }))
        });
        let groups = groups.collect();
        let program = Program::compile(&parsed, options.max_size)?;
        Ok(Grok { program, fields, groups, options: *options })
    }

    /// Reads a text. What it captured is in `captures` if, and only if, it [`Outcome::Matched`].
    pub fn captures(&self, text: &str, captures: &mut Captures) -> Outcome {
        captures.scratch.clear(self.groups.len());
        match Machine::new(&self.program, text, &mut captures.scratch, self.options.step_limit)
            .search()
        {
            Ok(true) => Outcome::Matched,
            Ok(false) => Outcome::No,
            Err(Stop::TooHard) => Outcome::TooHard,
        }
    }

    /// What was captured from `text`: each field that has a value, in the order of the expression; a
    /// field that several groups captured comes once for each.
    pub fn values<'a>(
        &'a self,
        text: &'a str,
        captures: &'a Captures,
    ) -> impl Iterator<Item = (&'a GrokField, &'a str)> {
        self.groups.iter().enumerate().filter_map(move |(group, field)| {
            let field = self.fields.get((*field)?)?;
            let value = text.get(captures.scratch.group(group)?)?;
            (self.options.keep_empty_captures || !value.is_empty()).then_some((field, value))
        })
    }

    /// The fields that the expression may give, each once, in the order of the expression.
    pub fn fields(&self) -> &[GrokField] {
        &self.fields
    }

    /// What bounds its time.
    pub fn engine(&self) -> Engine {
        match self.program.refers_back() {
            true => Engine::Backtracking,
            false => Engine::Linear,
        }
    }
}

/// What a text's match captured, and memory to be used again for the next text.
#[derive(Debug, Default)]
pub struct Captures {
    scratch: Scratch,
}

impl Captures {
    /// Nothing captured yet.
    pub fn new() -> Captures {
        Captures::default()
    }
}

#[cfg(test)]
mod tests;
