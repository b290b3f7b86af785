//! From tokens to the tree, by recursive descent.

use bergfried_event::{Field, FieldName, Timestamp, nearest};

use super::lex::{Kind, Lexer, Token};
use super::value::{self, ValueError};
use super::{MAX_DEPTH, SearchError};
use crate::pattern::{Part, Pattern};
use crate::predicate::{Condition, Predicate};

pub(super) struct Parser<'t> {
    lexer: Lexer<'t>,
    now: Timestamp,
    /// Names of fields that events do not have, but what is searched here does.
    also: &'t [&'t str],
    peeked: Option<Token<'t>>,
    depth: usize,
}

impl<'t> Parser<'t> {
    pub(super) fn new(text: &'t str, now: Timestamp, also: &'t [&'t str]) -> Self {
        Parser { lexer: Lexer::new(text), now, also, peeked: None, depth: 0 }
    }

    pub(super) fn read(self) -> Result<Predicate, SearchError> {
        match self.read_to_bar()? {
            (predicate, None) => Ok(predicate),
            (_, Some(offset)) => Err(SearchError {
                offset,
                length: 1,
                message: "steps such as `| top` cannot stand here (a bar to look for stands in \
                          quotation marks)"
                    .to_owned(),
            }),
        }
    }

    /// Reads up to the first bar outside of parentheses; also gives the byte at which that stands.
    pub(super) fn read_to_bar(mut self) -> Result<(Predicate, Option<usize>), SearchError> {
        let predicate = match self.peek()?.kind {
            Kind::End | Kind::Bar => Predicate::Constant(true),
            _ => self.any_of(None)?,
        };
        let token = self.next()?;
        match token.kind {
            Kind::End => Ok((predicate, None)),
            Kind::Bar => Ok((predicate, Some(token.offset))),
            _ => Err(at(&token, "this parenthesis closes nothing")),
        }
    }

    fn peek(&mut self) -> Result<&Token<'t>, SearchError> {
        let token = match self.peeked.take() {
            Some(token) => token,
            None => self.lexer.next()?,
        };
        Ok(self.peeked.insert(token))
    }

    fn next(&mut self) -> Result<Token<'t>, SearchError> {
        match self.peeked.take() {
            Some(token) => Ok(token),
            None => self.lexer.next(),
        }
    }

    fn any_of(&mut self, field: Option<&FieldName<'static>>) -> Result<Predicate, SearchError> {
        let first = self.all_of(field)?;
        let mut any = vec![first];
        while self.peek()?.kind == Kind::Or {
            self.next()?;
            any.push(self.all_of(field)?);
        }
        Ok(single_or(any, Predicate::Or))
    }

    fn all_of(&mut self, field: Option<&FieldName<'static>>) -> Result<Predicate, SearchError> {
        let mut all = vec![self.operand(field)?];
        loop {
            match self.peek()?.kind {
                Kind::And => {
                    self.next()?;
                }
                Kind::Or | Kind::Close | Kind::Bar | Kind::End => break,
                _ => {}
            }
            all.push(self.operand(field)?);
        }
        Ok(single_or(all, Predicate::And))
    }

    fn operand(&mut self, field: Option<&FieldName<'static>>) -> Result<Predicate, SearchError> {
        let token = self.next()?;
        match token.kind {
            Kind::Not => {
                self.descend(&token)?;
                let inner = self.operand(field)?;
                self.depth -= 1;
                Ok(Predicate::Not(Box::new(inner)))
            }
            Kind::Open => self.group(&token, field),
            Kind::Field("_exists_") => self.exists(),
            Kind::Field(name) => {
                let name = known_field(&token, name, self.also)?;
                self.value_of(&token, name)
            }
            Kind::QuotedField(ref name) => {
                let name = FieldName::new(name.clone());
                self.value_of(&token, name)
            }
            _ => self.term(token, field),
        }
    }

    fn descend(&mut self, token: &Token<'_>) -> Result<(), SearchError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(at(token, format!("nested deeper than {MAX_DEPTH}")));
        }
        Ok(())
    }

    fn group(
        &mut self,
        open: &Token<'_>,
        field: Option<&FieldName<'static>>,
    ) -> Result<Predicate, SearchError> {
        self.descend(open)?;
        if self.peek()?.kind == Kind::Close {
            return Err(at(open, "expected something between the parentheses"));
        }
        let inner = self.any_of(field)?;
        let close = self.next()?;
        match close.kind {
            Kind::Close => {}
            Kind::Bar => {
                let message =
                    "a step cannot stand inside parentheses, for one or the other write OR";
                return Err(at(&close, message));
            }
            _ => return Err(at(open, "this parenthesis is never closed")),
        }
        self.depth -= 1;
        Ok(inner)
    }

    fn exists(&mut self) -> Result<Predicate, SearchError> {
        let token = self.next()?;
        match token.kind {
            Kind::Word(name) => {
                let name = known_field(&token, name, self.also)?;
                Ok(Predicate::field(name, Condition::Exists))
            }
            Kind::Phrase(ref name) => {
                Ok(Predicate::field(FieldName::new(name.clone()), Condition::Exists))
            }
            _ => Err(at(&token, "expected the name of a field, such as user.name")),
        }
    }

    fn value_of(
        &mut self,
        field: &Token<'_>,
        name: FieldName<'static>,
    ) -> Result<Predicate, SearchError> {
        let token = self.next()?;
        match token.kind {
            Kind::Open => self.group(&token, Some(&name)),
            Kind::End | Kind::Close => Err(at(field, format!("expected a value after `{name}:`"))),
            _ => self.term(token, Some(&name)),
        }
    }

    /// A word, phrase, expression, comparison or range, over the field or else the message.
    fn term(
        &mut self,
        token: Token<'t>,
        field: Option<&FieldName<'static>>,
    ) -> Result<Predicate, SearchError> {
        let name = field.cloned().unwrap_or(FieldName::Known(Field::Message));
        let spoiled = |error: ValueError| at(&token, error.0);
        match token.kind {
            Kind::Word("*") => Ok(Predicate::field(name, Condition::Exists)),
            Kind::Word(word) => value::word(name, word).map_err(spoiled),
            Kind::Phrase(ref text) => {
                let pattern = Pattern::new([Part::Literal(text.clone())], false);
                Ok(value::text(name, pattern))
            }
            Kind::Regex(ref expression) => value::regex(name, expression).map_err(spoiled),
            Kind::Compare(operator, bound) => {
                value::compare(name, operator, bound, self.now).map_err(spoiled)
            }
            Kind::Range { from, to, with_from, with_to } => {
                value::range(name, (from, with_from), (to, with_to), self.now).map_err(spoiled)
            }
            Kind::And | Kind::Or => Err(at(&token, "expected a term before and after it")),
            Kind::End => Err(at(&token, "expected a term, the search ends here")),
            Kind::Bar => Err(at(&token, "expected a term before this bar")),
            Kind::Close => Err(at(&token, "expected a term before this parenthesis")),
            Kind::Open | Kind::Not | Kind::Field(_) | Kind::QuotedField(_) => {
                Err(at(&token, "expected a value"))
            }
        }
    }
}

fn single_or(mut some: Vec<Predicate>, join: fn(Vec<Predicate>) -> Predicate) -> Predicate {
    match some.len() {
        1 => some.remove(0),
        _ => join(some),
    }
}

fn known_field(
    token: &Token<'_>,
    name: &str,
    also: &[&str],
) -> Result<FieldName<'static>, SearchError> {
    field_at(token.offset, name, also)
}

/// The field of this name, which stands at this byte; a name that looks like a slip of a known one
/// is refused.
pub(crate) fn field_at(
    offset: usize,
    name: &str,
    also: &[&str],
) -> Result<FieldName<'static>, SearchError> {
    let found = FieldName::new(name.to_owned());
    if let FieldName::Other(name) = &found
        && !also.contains(&name.as_ref())
    {
        let known = Field::ALL
            .iter()
            .flat_map(|field| std::iter::once(field.name()).chain(field.aliases().iter().copied()));
        if let Some(meant) = nearest(name, known.chain(also.iter().copied())) {
            return Err(SearchError {
                offset,
                length: name.len(),
                message: format!(
                    "unknown field `{name}`, did you mean `{meant}`? \
                     (write \"{name}\": with quotation marks for a field of that very name)"
                ),
            });
        }
    }
    Ok(found)
}

fn at(token: &Token<'_>, message: impl Into<String>) -> SearchError {
    SearchError { offset: token.offset, length: token.length, message: message.into() }
}
