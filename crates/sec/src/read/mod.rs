//! Rule files read (sec(1), "CONFIGURATION FILES"): a wrong line or rule is said and left out, the
//! others run.

mod fields;
mod named;
mod rules;

use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Severity};
use crate::expression::{Expression, Tables, instead_of_perl};
use crate::pattern::Index;
use crate::port::Code;
use crate::rule::RuleFile;

/// How large a rule file may be, in bytes.
const FILE: usize = 16 << 20;

/// A file as it was found.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Its name; a part of what names operations.
    pub name: String,
    /// Its text, whatever its encoding.
    pub text: Vec<u8>,
}

/// Compiles code in Perl.
pub trait PerlCompiler {
    /// Compiles the text of a function; the error is Perl's.
    fn compile(&mut self, source: &str) -> Result<Code, String>;
}

/// How files are read.
pub struct LoadOptions<'a> {
    /// Whether `$+{source.ip}` names a field of a parsed event.
    pub fields: bool,
    /// How many lines buffers hold: a pattern over more is a mistake; 0 is as many as patterns want.
    pub bufsize: usize,
    /// Compiles code in Perl; without one, rules with code are refused.
    pub perl: Option<&'a mut dyn PerlCompiler>,
    /// The text of a lookup table by its name.
    pub tables: &'a dyn Fn(&str) -> Result<String, String>,
}

/// What the texts of rules are made with.
pub(crate) struct Compiler<'a, 'b> {
    pub options: &'a mut LoadOptions<'b>,
    pub tables: Tables<'b>,
}

impl Compiler<'_, '_> {
    /// Reads an expression.
    pub(crate) fn expression(&mut self, source: &[u8]) -> Result<Expression, String> {
        let source = std::str::from_utf8(source).map_err(|_| "an expression is text in UTF-8")?;
        let read = Expression::parse(source, &mut self.tables);
        let expression = read.map_err(|mistake| mistake.to_string())?;
        match expression.fields().first() {
            Some(name) if !self.options.fields => Err(format!(
                "field('{name}') is for rules in the hub, where lines are parsed; here a pattern's group has the value"
            )),
            _ => Ok(expression),
        }
    }

    /// Compiles a function in Perl; `whole` is how the rule calls it, arguments included.
    pub(crate) fn function(&mut self, source: &[u8], whole: &[u8]) -> Result<Code, String> {
        let source = String::from_utf8_lossy(source);
        match &mut self.options.perl {
            Some(perl) => {
                perl.compile(&source).map_err(|error| format!("Perl says: {}", error.trim()))
            }
            None => Err(refusal(&String::from_utf8_lossy(whole))),
        }
    }

    /// Whether a program in Perl may run; it is compiled each time, with values in it.
    pub(crate) fn program(&self, source: &[u8]) -> Result<(), String> {
        match self.options.perl {
            Some(_) => Ok(()),
            None => Err(refusal(&String::from_utf8_lossy(source))),
        }
    }
}

/// Why code is left out, and what to write in its place.
fn refusal(source: &str) -> String {
    format!("code in Perl is not run; {}", instead_of_perl(source))
}

impl RuleFile {
    /// Reads a file.
    pub fn read(source: &SourceFile, options: &mut LoadOptions<'_>) -> (Self, Vec<Diagnostic>) {
        let mut log = Log { file: &source.name, diagnostics: Vec::new() };
        let text = source.text.get(..source.text.len().min(FILE)).unwrap_or_default();
        if text.len() < source.text.len() {
            log.error(
                1,
                format!("the file is larger than {} MiB, the rest is left out", FILE >> 20),
            );
        }
        let drafts = fields::read(text, &mut log);
        let tables = Tables::new(options.tables);
        let mut compiler = Compiler { options, tables };
        let made = rules::make(drafts, &mut compiler, &mut log);
        let mut hasher = foldhash::fast::FixedState::with_seed(0x5ec).build_hasher();
        source.name.hash(&mut hasher);
        source.text.hash(&mut hasher);
        let file = Self {
            name: Arc::from(source.name.as_str()),
            fingerprint: hasher.finish(),
            index: Index::new(&made.rules),
            rules: made.rules,
            lists: made.lists,
            sets: made.sets,
            all_input: made.all_input,
            idle_labels: made.idle_labels,
        };
        let mut diagnostics = log.diagnostics;
        diagnostics.sort_by_key(|one| one.line);
        (file, diagnostics)
    }
}

/// Where mistakes go.
pub(crate) struct Log<'a> {
    file: &'a str,
    diagnostics: Vec<Diagnostic>,
}

impl Log<'_> {
    pub(crate) fn error(&mut self, line: usize, message: impl Into<String>) {
        self.add(line, Severity::Error, message.into());
    }

    pub(crate) fn warning(&mut self, line: usize, message: impl Into<String>) {
        self.add(line, Severity::Warning, message.into());
    }

    fn add(&mut self, line: usize, severity: Severity, message: String) {
        self.diagnostics.push(Diagnostic { file: self.file.to_owned(), line, severity, message });
    }
}

/// A text without the backslashes that mask its parentheses.
pub(crate) fn unmasked(text: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match (byte, text.get(at + 1)) {
            (b'\\', Some(parenthesis @ (b'(' | b')'))) => {
                result.push(*parenthesis);
                at += 1;
            }
            _ => result.push(*byte),
        }
        at += 1;
    }
    result
}

/// A parameter without the parentheses around it.
pub(crate) fn without_parentheses(text: &[u8]) -> &[u8] {
    match text.strip_prefix(b"(").and_then(|rest| rest.strip_suffix(b")")) {
        Some(inner) if !inner.ends_with(b"\\") => inner,
        _ => text,
    }
}
