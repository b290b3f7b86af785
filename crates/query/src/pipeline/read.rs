//! From the tokens behind the first bar to steps.

use bergfried_event::{FieldName, nearest};

use super::lex::{Kind, Token, tokens};
use super::{
    DEFAULT_ROWS, FUNCTIONS, Figure, MAX_FIELDS, MAX_FIGURES, MAX_KEYS, MAX_ROWS, MAX_STEPS, STEPS,
    SortKey, Step,
};
use crate::search::{SearchError, duration, field_at};

/// Reads the steps of `text`, the first of which stands behind the bar at this byte.
pub(super) fn steps(text: &str, bar: usize) -> Result<Vec<Step>, SearchError> {
    let tokens = tokens(text, bar)?;
    let mut reader = Reader { tokens: &tokens, at: 0, columns: None };
    let mut steps: Vec<Step> = Vec::new();
    while reader.take(&Kind::Bar) {
        if steps.len() == MAX_STEPS {
            return Err(reader.error(format!("more than {MAX_STEPS} steps")));
        }
        let place = reader.at;
        let step = reader.step()?;
        if step.counts() && !steps.is_empty() {
            reader.at = place;
            return Err(reader.error(format!(
                "`{}` counts all that the search finds, so it must be the first step, and the only \
                 one that counts",
                step.name()
            )));
        }
        if let Some(columns) = step.columns() {
            reader.columns = Some(columns);
        }
        steps.push(step);
    }
    match reader.token().kind {
        Kind::End => Ok(steps),
        _ => Err(reader.expected("`|` or the end")),
    }
}

struct Reader<'r, 't> {
    tokens: &'r [Token<'t>],
    at: usize,
    /// The columns of the table so far; none while it is made of events.
    columns: Option<Vec<String>>,
}

impl<'r, 't> Reader<'r, 't> {
    /// The token that comes next; the last one is the end, and stays.
    fn token(&self) -> &'r Token<'t> {
        static END: Token<'static> = Token { kind: Kind::End, offset: 0, length: 0 };
        self.tokens.get(self.at).or_else(|| self.tokens.last()).unwrap_or(&END)
    }

    fn advance(&mut self) -> &'r Token<'t> {
        let token = self.token();
        self.at += 1;
        token
    }

    fn take(&mut self, kind: &Kind<'_>) -> bool {
        let there = self.token().kind == *kind;
        self.at += usize::from(there);
        there
    }

    fn take_by(&mut self) -> bool {
        self.take(&Kind::Word("by"))
    }

    /// An error at the token that comes next.
    fn error(&self, message: impl Into<String>) -> SearchError {
        let token = self.token();
        SearchError { offset: token.offset, length: token.length, message: message.into() }
    }

    fn expected(&self, what: &str) -> SearchError {
        self.error(format!("expected {what}, found {}", self.token().kind.shown()))
    }

    fn step(&mut self) -> Result<Step, SearchError> {
        let Kind::Word(word) = self.token().kind else {
            return Err(self.expected(&format!("a step ({})", names())));
        };
        if !STEPS.iter().any(|(name, _)| *name == word) {
            let hint = match nearest(word, STEPS.iter().map(|(name, _)| *name)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("expected {}", names()),
            };
            return Err(self.error(format!("unknown step `{}`, {hint}", word.escape_debug())));
        }
        self.advance();
        Ok(match word {
            "top" => {
                let (limit, fields) = self.ranked()?;
                Step::Top { limit, fields }
            }
            "rare" => {
                let (limit, fields) = self.ranked()?;
                Step::Rare { limit, fields }
            }
            "count" => Step::Count { by: self.keys()? },
            "timechart" => self.timechart()?,
            "stats" => self.stats()?,
            "fields" => Step::Fields(self.listed(MAX_FIELDS, Reader::column)?),
            "sort" => Step::Sort(self.listed(MAX_FIELDS, Reader::sort_key)?),
            _ => Step::Head(self.number()?.unwrap_or(DEFAULT_ROWS)),
        })
    }

    /// `[N] FIELD, …`
    fn ranked(&mut self) -> Result<(usize, Vec<FieldName<'static>>), SearchError> {
        let limit = self.number()?.unwrap_or(DEFAULT_ROWS);
        Ok((limit, self.listed(MAX_KEYS, Reader::field)?))
    }

    /// A number of rows, where one stands here.
    fn number(&mut self) -> Result<Option<usize>, SearchError> {
        let Kind::Word(word) = self.token().kind else { return Ok(None) };
        if !word.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(None);
        }
        match word.parse() {
            Ok(number) if (1..=MAX_ROWS).contains(&number) => {
                self.advance();
                Ok(Some(number))
            }
            _ => Err(self.error(format!("expected a number of rows, 1 to {MAX_ROWS}"))),
        }
    }

    /// `by FIELD, …`, where it stands here.
    fn keys(&mut self) -> Result<Vec<FieldName<'static>>, SearchError> {
        if self.take_by() {
            return self.listed(MAX_KEYS, Reader::field);
        }
        match self.token().kind {
            Kind::Bar | Kind::End => Ok(Vec::new()),
            _ => Err(self.expected("`by` and fields, `|` or the end")),
        }
    }

    fn timechart(&mut self) -> Result<Step, SearchError> {
        let what = "the width of a bucket such as 1m, 1h or 1d";
        let span = match self.token().kind {
            Kind::Word(word) => duration(word).filter(|span| *span > 0),
            _ => None,
        };
        let Some(span) = span else { return Err(self.expected(what)) };
        self.advance();
        let place = self.at;
        let mut by = self.keys()?;
        if by.len() > 1 {
            self.at = place + 1;
            return Err(self.error("a timechart is by one field, `count by` takes more"));
        }
        Ok(Step::Timechart { span, by: by.pop() })
    }

    fn stats(&mut self) -> Result<Step, SearchError> {
        let figures = self.listed(MAX_FIGURES, Reader::figure)?;
        Ok(Step::Stats { figures, by: self.keys()? })
    }

    /// One or more, with commas between them; none twice.
    fn listed<T: PartialEq>(
        &mut self,
        most: usize,
        one: fn(&mut Self) -> Result<T, SearchError>,
    ) -> Result<Vec<T>, SearchError> {
        let mut listed = Vec::new();
        loop {
            let place = self.at;
            let next = one(self)?;
            let after = std::mem::replace(&mut self.at, place);
            if listed.contains(&next) {
                return Err(self.error("this is named twice"));
            }
            if listed.len() == most {
                return Err(self.error(format!("more than {most} of these")));
            }
            self.at = after;
            listed.push(next);
            if !self.take(&Kind::Comma) {
                return Ok(listed);
            }
        }
    }

    fn field(&mut self) -> Result<FieldName<'static>, SearchError> {
        let token = self.token();
        let field = match &token.kind {
            Kind::Quoted(name) => FieldName::new(name.clone()),
            Kind::Word(name) if *name != "by" => field_at(token.offset, name, &[])?,
            _ => return Err(self.expected("the name of a field, such as source.ip")),
        };
        self.advance();
        Ok(field)
    }

    fn figure(&mut self) -> Result<Figure, SearchError> {
        let Kind::Word(function) = self.token().kind else {
            return Err(self.expected(&format!("count, {} of a field", FUNCTIONS.join(", "))));
        };
        if function == "count" {
            self.advance();
            return Ok(Figure::Count);
        }
        if !FUNCTIONS.contains(&function) {
            let known = FUNCTIONS.iter().copied().chain(["count"]);
            let hint = match nearest(function, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("expected count, {}", FUNCTIONS.join(", ")),
            };
            let message = format!("unknown function `{}`, {hint}", function.escape_debug());
            return Err(self.error(message));
        }
        self.advance();
        if !self.take(&Kind::Open) {
            return Err(self.expected(&format!("a field, such as {function}(user.name)")));
        }
        let field = self.field()?;
        if !self.take(&Kind::Close) {
            return Err(self.expected("`)`"));
        }
        Ok(match function {
            "distinct" => Figure::Distinct(field),
            "sum" => Figure::Sum(field),
            "avg" => Figure::Avg(field),
            "min" => Figure::Min(field),
            "max" => Figure::Max(field),
            percentile => {
                let hundredths = percentile.trim_start_matches('p').parse().unwrap_or(50);
                Figure::Percentile(field, hundredths)
            }
        })
    }

    fn sort_key(&mut self) -> Result<SortKey, SearchError> {
        let descending = self.take(&Kind::Minus);
        let column = self.column()?;
        // As other languages say it.
        let ascends = self.take(&Kind::Word("asc"));
        let descends = !ascends && self.take(&Kind::Word("desc"));
        Ok(SortKey { column, descending: descending != descends })
    }

    /// A column of the table so far, or a field of events.
    fn column(&mut self) -> Result<String, SearchError> {
        let place = self.at;
        let (named, quoted) = match &self.token().kind {
            Kind::Quoted(name) => (name.clone(), true),
            Kind::Word(name) => ((*name).to_owned(), false),
            _ => return Err(self.expected("the name of a column")),
        };
        let Some(columns) = self.columns.clone() else {
            return self.field().map(|field| field.as_str().to_owned());
        };
        self.advance();
        // A column goes by its own name first: `time` is a timechart's, and also short for a field.
        let mut candidates = vec![named.clone(), FieldName::new(named.clone()).as_str().to_owned()];
        if !quoted && self.token().kind == Kind::Open {
            let opened = std::mem::replace(&mut self.at, place);
            match self.figure() {
                Ok(figure) => candidates = vec![figure.to_string()],
                Err(error) => {
                    self.at = opened;
                    return Err(error);
                }
            }
        }
        if let Some(found) = candidates.iter().find(|name| columns.contains(name)) {
            return Ok(found.clone());
        }
        self.at = place;
        let hint = match nearest(&named, columns.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the table has {}", columns.join(", ")),
        };
        let candidate = candidates.first().map_or("", String::as_str);
        Err(self.error(format!("there is no column `{}`, {hint}", candidate.escape_debug())))
    }
}

fn names() -> String {
    STEPS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}
