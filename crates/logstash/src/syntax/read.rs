//! Reads sections, plugins and branches.

use super::{Arm, Branch, Item, Pipeline, Place, Plugin, Setting, SyntaxError};

/// The longest file, in bytes.
pub const MAX_LENGTH: usize = 4 << 20;
/// The deepest nesting of plugins, branches, values and conditions.
pub const MAX_DEPTH: usize = 48;

/// Reads the text of the file with this number.
///
/// # Errors
/// Where the text is not in Logstash's language, is longer than [`MAX_LENGTH`] or nested deeper than
/// [`MAX_DEPTH`]: the first place that does not fit.
pub fn parse(text: &str, file: usize) -> Result<Pipeline, SyntaxError> {
    let mut reader = Reader::new(text, file);
    if text.len() > MAX_LENGTH {
        return Err(reader.error(format!("the file is longer than {MAX_LENGTH} bytes")));
    }
    reader.pipeline()
}

/// A place in the text, and how deep what is read lies.
pub(super) struct Reader<'t> {
    rest: &'t str,
    place: Place,
    depth: usize,
}

type Result<T, E = SyntaxError> = std::result::Result<T, E>;

impl<'t> Reader<'t> {
    fn new(text: &'t str, file: usize) -> Self {
        let rest = text.strip_prefix('\u{feff}').unwrap_or(text);
        Reader { rest, place: Place { file, line: 1, column: 1 }, depth: 0 }
    }

    fn pipeline(&mut self) -> Result<Pipeline> {
        let mut pipeline = Pipeline::default();
        loop {
            self.skip_space();
            if self.rest.is_empty() {
                return Ok(pipeline);
            }
            let place = self.place;
            let section = match self.name() {
                Some("input") => &mut pipeline.inputs,
                Some("filter") => &mut pipeline.filters,
                Some("output") => &mut pipeline.outputs,
                Some(other) => {
                    let message =
                        format!("expected `input`, `filter` or `output`, found `{other}`");
                    return Err(SyntaxError { place, message });
                }
                None => return Err(self.expected("`input`, `filter` or `output`")),
            };
            self.skip_space();
            section.append(&mut self.items()?);
        }
    }

    /// `{ … }` with plugins and branches in it.
    fn items(&mut self) -> Result<Vec<Item>> {
        let opened = self.place;
        self.take("{")?;
        self.descend()?;
        let mut items = Vec::new();
        loop {
            self.skip_space();
            if self.takes("}") {
                self.depth -= 1;
                return Ok(items);
            }
            if self.rest.is_empty() {
                return Err(never_closed(opened, '{'));
            }
            items.push(if self.takes_word("if") {
                Item::Branch(self.branch()?)
            } else {
                let place = self.place;
                let name = self.plugin_name()?;
                Item::Plugin(self.plugin(place, name)?)
            });
        }
    }

    /// What follows the first `if`.
    fn branch(&mut self) -> Result<Branch> {
        let mut arms = vec![self.arm()?];
        loop {
            self.skip_space();
            if !self.takes_word("else") {
                return Ok(Branch { arms, otherwise: Vec::new() });
            }
            self.skip_space();
            if self.takes_word("if") {
                arms.push(self.arm()?);
            } else {
                return Ok(Branch { arms, otherwise: self.items()? });
            }
        }
    }

    fn arm(&mut self) -> Result<Arm> {
        self.skip_space();
        let place = self.place;
        let condition = self.condition()?;
        self.skip_space();
        Ok(Arm { place, condition, items: self.items()? })
    }

    fn plugin_name(&mut self) -> Result<String> {
        if self.rest.starts_with(['"', '\'']) {
            return self.quoted();
        }
        match self.name() {
            Some("else") => Err(self.expected("a plugin or `if` before `else`")),
            Some(name) => Ok(name.to_owned()),
            None => Err(self.expected("a plugin such as `grok {`, `if` or `}`")),
        }
    }

    /// What follows the name of a plugin.
    pub(super) fn plugin(&mut self, place: Place, name: String) -> Result<Plugin> {
        self.skip_space();
        let opened = self.place;
        if !self.takes("{") {
            return Err(self.expected(&format!("`{{` after the plugin `{name}`")));
        }
        self.descend()?;
        let mut settings = Vec::new();
        loop {
            self.skip_space();
            if self.takes("}") {
                self.depth -= 1;
                return Ok(Plugin { place, name, settings });
            }
            if self.rest.is_empty() {
                return Err(never_closed(opened, '{'));
            }
            let place = self.place;
            let name = if self.rest.starts_with(['"', '\'']) {
                self.quoted()?
            } else {
                match self.name() {
                    Some(name) => name.to_owned(),
                    None => return Err(self.expected("a setting or `}`")),
                }
            };
            self.skip_space();
            if !self.takes("=>") {
                return Err(self.expected(&format!("`=>` after the setting `{name}`")));
            }
            let value = self.value()?;
            settings.push(Setting { place, name, value });
        }
    }

    /// Goes one level down; every way back up takes one off `depth`.
    pub(super) fn descend(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(format!("nested deeper than {MAX_DEPTH}")));
        }
        Ok(())
    }

    pub(super) fn ascend(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    pub(super) fn rest(&self) -> &'t str {
        self.rest
    }

    /// Skips white space and comments.
    pub(super) fn skip_space(&mut self) {
        loop {
            let blank = self.rest.len() - self.rest.trim_start().len();
            self.advance(blank);
            if !self.rest.starts_with('#') {
                return;
            }
            self.advance(self.rest.find('\n').unwrap_or(self.rest.len()));
        }
    }

    /// Goes past so many bytes, which end at a character's end, and gives them.
    pub(super) fn advance(&mut self, bytes: usize) -> &'t str {
        let (passed, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        match passed.rfind('\n') {
            Some(last) => {
                self.place.line += passed.matches('\n').count();
                let after = passed.get(last + 1..).unwrap_or_default();
                self.place.column = after.chars().count() + 1;
            }
            None => self.place.column += passed.chars().count(),
        }
        self.rest = rest;
        passed
    }

    /// Goes past this text where it comes next.
    pub(super) fn takes(&mut self, text: &str) -> bool {
        let next = self.rest.starts_with(text);
        if next {
            self.advance(text.len());
        }
        next
    }

    /// Goes past this word where it comes next as a whole word.
    pub(super) fn takes_word(&mut self, word: &str) -> bool {
        let whole = self.rest.strip_prefix(word).is_some_and(|after| !after.starts_with(is_name));
        whole && self.takes(word)
    }

    pub(super) fn take(&mut self, text: &str) -> Result<()> {
        if self.takes(text) { Ok(()) } else { Err(self.expected(&format!("`{text}`"))) }
    }

    /// A run of letters, digits, `_` and `-`.
    pub(super) fn name(&mut self) -> Option<&'t str> {
        let end = self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len());
        (end > 0).then(|| self.advance(end))
    }

    pub(super) fn error(&self, message: String) -> SyntaxError {
        SyntaxError { place: self.place, message }
    }

    /// An error that says what stands here instead of what was expected.
    pub(super) fn expected(&self, what: &str) -> SyntaxError {
        let line = self.rest.lines().next().unwrap_or_default().trim_end();
        let shown = |c: char| if c.is_control() { '·' } else { c };
        let found: String = line.chars().take(24).map(shown).collect();
        let message = if self.rest.is_empty() {
            format!("expected {what}, the file ends here")
        } else if line.starts_with("{%") {
            format!("expected {what}, found `{found}`: a template's line is no part of a pipeline")
        } else {
            format!("expected {what}, found `{found}`")
        };
        self.error(message)
    }
}

fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-')
}

pub(super) fn never_closed(opened: Place, mark: char) -> SyntaxError {
    SyntaxError { place: opened, message: format!("this `{mark}` is never closed") }
}
