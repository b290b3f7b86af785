//! From text to a tree.

use super::super::error::{QueryError, shown};
use super::super::field::Field;
use super::super::test::Node;
use super::Context;
use super::cursor::{Cursor, Glyph};
use super::term::{self, Ends};

/// The deepest nesting of brackets.
const MAX_DEPTH: usize = 20;
/// The most words, phrases, regexes and ranges.
const MAX_TERMS: usize = 64;
/// The most negations of one term.
const MAX_SIGNS: usize = 8;

pub(super) fn query(
    text: &str,
    default: &Field,
    context: &Context<'_>,
) -> Result<Node, QueryError> {
    let mut parser = Parser { cursor: Cursor::new(text), context, depth: 0, terms: 0 };
    let node = parser.either(default)?;
    if parser.cursor.is_at_end() { Ok(node) } else { Err(parser.cursor.error("unexpected `)`")) }
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    context: &'a Context<'a>,
    depth: usize,
    terms: usize,
}

/// How a clause counts beside its neighbours.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Occurs {
    Should,
    Must,
    MustNot,
}

impl Parser<'_> {
    /// `a OR b`
    fn either(&mut self, field: &Field) -> Result<Node, QueryError> {
        let mut nodes = vec![self.beside(field)?];
        while self.cursor.take_operator("OR") || self.cursor.take_operator("||") {
            nodes.push(self.beside(field)?);
        }
        Ok(only_or(nodes, Node::Any))
    }

    /// `a b`
    fn beside(&mut self, field: &Field) -> Result<Node, QueryError> {
        let (mut should, mut must, mut must_not) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            let (occurs, node) = self.both(field)?;
            match occurs {
                Occurs::Should => should.push(node),
                Occurs::Must => must.push(node),
                Occurs::MustNot => must_not.push(node.not()),
            }
            self.cursor.skip_space();
            let or = self.cursor.sees("OR") || self.cursor.sees("||");
            if or || matches!(self.cursor.peek(), None | Some(')')) {
                break;
            }
        }
        if must.is_empty() && !should.is_empty() {
            must.push(only_or(should, Node::Any));
        }
        must.append(&mut must_not);
        Ok(only_or(must, Node::All))
    }

    /// `a AND b`
    fn both(&mut self, field: &Field) -> Result<(Occurs, Node), QueryError> {
        let (occurs, first) = self.signed(field)?;
        self.cursor.skip_space();
        if !(self.cursor.sees("AND") || self.cursor.sees("&&")) {
            return Ok((occurs, first));
        }
        let holds = |occurs, node: Node| if occurs == Occurs::MustNot { node.not() } else { node };
        let mut nodes = vec![holds(occurs, first)];
        while self.cursor.take_operator("AND") || self.cursor.take_operator("&&") {
            let (occurs, node) = self.signed(field)?;
            nodes.push(holds(occurs, node));
            self.cursor.skip_space();
        }
        Ok((Occurs::Should, Node::All(nodes)))
    }

    /// `NOT a`, `!a`, `-a`, `+a`
    fn signed(&mut self, field: &Field) -> Result<(Occurs, Node), QueryError> {
        let mut occurs = Occurs::Should;
        for _ in 0..MAX_SIGNS {
            self.cursor.skip_space();
            occurs = if self.cursor.take_operator("NOT")
                || self.cursor.take("!")
                || self.cursor.take("-")
            {
                if occurs == Occurs::MustNot { Occurs::Must } else { Occurs::MustNot }
            } else if self.cursor.take("+") {
                if occurs == Occurs::MustNot { Occurs::MustNot } else { Occurs::Must }
            } else {
                return Ok((occurs, self.clause(field)?));
            };
        }
        Err(self.cursor.error("too many signs before one term"))
    }

    /// A group or a term, with its field or without.
    fn clause(&mut self, default: &Field) -> Result<Node, QueryError> {
        if matches!(self.cursor.peek(), Some('(' | '"' | '/' | '[' | '{' | '>' | '<')) {
            return self.value(default);
        }
        for operator in ["AND", "OR", "&&", "||"] {
            if self.cursor.sees(operator) {
                return Err(self.cursor.error(&format!("expected a term before `{operator}`")));
            }
        }
        let word = self.cursor.word(":");
        if word.0.is_empty() {
            let what = match self.cursor.peek() {
                Some(next) => format!("expected a term, not `{}`", next.escape_debug()),
                None => "expected a term".to_owned(),
            };
            return Err(self.cursor.error(&what));
        }
        if !self.cursor.take(":") {
            self.count()?;
            let node = term::word(default, &word, self.context)?;
            return self.weighed(node);
        }
        let name = word.text();
        if name == "_exists_" {
            let named = self.cursor.word("");
            self.count()?;
            return term::exists(&named.text())
                .ok_or_else(|| self.cursor.error("expected a field"));
        }
        if word.0 == [Glyph::Many] && self.cursor.take("*") {
            return Ok(Node::All(Vec::new()));
        }
        let field = Field::named(&name)
            .ok_or_else(|| QueryError::Search(format!("Unknown field `{}`.", shown(&name))))?;
        self.value(&field)
    }

    /// What is asked of a field.
    fn value(&mut self, field: &Field) -> Result<Node, QueryError> {
        let node = match self.cursor.peek() {
            Some('(') => {
                self.cursor.take("(");
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    let what = format!("brackets are nested deeper than {MAX_DEPTH}");
                    return Err(self.cursor.error(&what));
                }
                let node = self.either(field)?;
                self.depth -= 1;
                if !self.cursor.take(")") {
                    return Err(self.cursor.error("expected `)`"));
                }
                node
            }
            Some('"') => {
                self.cursor.take("\"");
                let phrase = self.cursor.until('"', false)?;
                self.count()?;
                term::phrase(field, &phrase, self.context)?
            }
            Some('/') => {
                self.cursor.take("/");
                let pattern = self.cursor.until('/', true)?;
                self.count()?;
                term::regular(field, &pattern)?
            }
            Some('[' | '{') => {
                let ends = self.range()?;
                self.count()?;
                term::range(field, ends, self.context)?
            }
            Some('>' | '<') => {
                let ends = self.comparison()?;
                self.count()?;
                term::range(field, ends, self.context)?
            }
            _ => {
                let word = self.cursor.word("");
                if word.0.is_empty() {
                    return Err(self.cursor.error("expected a value"));
                }
                self.count()?;
                term::word(field, &word, self.context)?
            }
        };
        self.weighed(node)
    }

    /// `[a TO b}`
    fn range(&mut self) -> Result<Ends, QueryError> {
        let low_included = self.cursor.take("[");
        if !low_included {
            self.cursor.take("{");
        }
        let low = self.end()?;
        self.cursor.skip_space();
        if !self.cursor.take_operator("TO") {
            return Err(self.cursor.error("expected `TO`"));
        }
        let high = self.end()?;
        self.cursor.skip_space();
        let high_included = self.cursor.take("]");
        if !high_included && !self.cursor.take("}") {
            return Err(self.cursor.error("expected `]` or `}`"));
        }
        Ok(Ends { low, low_included, high, high_included })
    }

    /// `>=a`
    fn comparison(&mut self) -> Result<Ends, QueryError> {
        let above = self.cursor.take(">");
        if !above {
            self.cursor.take("<");
        }
        let included = self.cursor.take("=");
        let end = self.end()?;
        let (low, high) = if above { (end, None) } else { (None, end) };
        Ok(Ends { low, low_included: included, high, high_included: included })
    }

    /// One end of a range; none where it is open.
    fn end(&mut self) -> Result<Option<String>, QueryError> {
        self.cursor.skip_space();
        if self.cursor.take("\"") {
            return self.cursor.until('"', false).map(Some);
        }
        let word = self.cursor.word("");
        match word.0.as_slice() {
            [] => Err(self.cursor.error("expected a value")),
            [Glyph::Many] => Ok(None),
            _ => Ok(Some(word.text())),
        }
    }

    /// Goes past a boost, and refuses a distance.
    fn weighed(&mut self, node: Node) -> Result<Node, QueryError> {
        if self.cursor.peek() == Some('~') {
            return Err(self.cursor.error("a distance (`~`) is not supported"));
        }
        if self.cursor.take("^") {
            let weight = self.cursor.word("").text();
            if weight.parse::<f64>().is_err() {
                return Err(self.cursor.error("expected a number after `^`"));
            }
        }
        Ok(node)
    }

    fn count(&mut self) -> Result<(), QueryError> {
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(self.cursor.error(&format!("more than {MAX_TERMS} terms")));
        }
        Ok(())
    }
}

/// The only one, or all of them together.
fn only_or(mut nodes: Vec<Node>, together: impl Fn(Vec<Node>) -> Node) -> Node {
    match (nodes.pop(), nodes.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            nodes.extend(last);
            together(nodes)
        }
    }
}
