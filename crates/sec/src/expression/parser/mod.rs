//! The grammar of expressions, from the weakest operator to the strongest:
//!
//! ```text
//! any     = all { ("or" | "||") all }
//! all     = negated { ("and" | "&&") negated }
//! negated = "not" negated | compare
//! compare = sum [ ("==" | "!=" | "<" | "<=" | ">" | ">=") sum ]
//! sum     = product { ("+" | "-") product }
//! product = unary { ("*" | "/" | "%") unary }
//! unary   = ("-" | "!") unary | one
//! one     = number | text | variable | "true" | "false" | name "(" [ any { "," any } ] ")" | "(" any ")"
//! ```

mod advice;
mod texts;

use super::functions::Function;
use super::mistake::Mistake;
use super::number::{Number, Operator};
use super::tables::Tables;
use super::tree::{Comparison, Node};
use super::variable::variable;

/// The longest text of an expression.
const LONGEST: usize = 16 * 1024;

/// How deep parentheses and signs may stand in each other.
const DEPTH: usize = 32;

/// The most parts of an expression.
const PARTS: usize = 2000;

pub(super) struct Parser<'p, 't> {
    text: &'p str,
    at: usize,
    depth: usize,
    parts: usize,
    tables: &'p mut Tables<'t>,
}

type Parsed = Result<Node, Mistake>;

impl<'p, 't> Parser<'p, 't> {
    /// Reads a whole text.
    pub(super) fn read(text: &'p str, tables: &'p mut Tables<'t>) -> Parsed {
        if text.len() > LONGEST {
            return Err(Mistake::new(
                text,
                LONGEST,
                format!("the expression is longer than {LONGEST} characters"),
            ));
        }
        let mut parser = Self { text, at: 0, depth: 0, parts: 0, tables };
        let node = parser.any()?;
        if parser.rest().is_empty() { Ok(node) } else { Err(parser.leftover()) }
    }

    /// What is left, from the next character that is no blank.
    fn rest(&mut self) -> &'p str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let trimmed = rest.trim_ascii_start();
        self.at += rest.len() - trimmed.len();
        trimmed
    }

    fn mistake(&self, at: usize, message: impl Into<String>) -> Mistake {
        Mistake::new(self.text, at, message)
    }

    /// Takes a sign if it is next.
    fn sign(&mut self, sign: &str) -> bool {
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len();
        }
        found
    }

    /// Takes a word if it is next, and no longer one is.
    fn word(&mut self, word: &str) -> bool {
        let found = self.next_word() == word;
        if found {
            self.at += word.len();
        }
        found
    }

    fn next_word(&mut self) -> &'p str {
        let rest = self.rest();
        let length =
            rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        rest.get(..length)
            .filter(|word| !word.starts_with(|c: char| c.is_ascii_digit()))
            .unwrap_or_default()
    }

    fn deeper(&mut self, read: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        if self.depth == DEPTH {
            return Err(self.mistake(
                self.at,
                format!("more than {DEPTH} parentheses or signs stand in each other"),
            ));
        }
        self.depth += 1;
        let node = read(self);
        self.depth -= 1;
        node
    }

    fn any(&mut self) -> Parsed {
        let mut parts = vec![self.all()?];
        while self.sign("||") || self.word("or") {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Node::Any))
    }

    fn all(&mut self) -> Parsed {
        let mut parts = vec![self.negated()?];
        while self.sign("&&") || self.word("and") {
            parts.push(self.negated()?);
        }
        Ok(one_or(parts, Node::All))
    }

    fn negated(&mut self) -> Parsed {
        if self.word("not") {
            return Ok(Node::Not(Box::new(self.deeper(Self::negated)?)));
        }
        self.compare()
    }

    fn compare(&mut self) -> Parsed {
        let left = self.sum()?;
        let Some(comparison) = self.comparison()? else { return Ok(left) };
        let right = self.sum()?;
        let at = self.at;
        if self.comparison()?.is_some() {
            return Err(self.mistake(at, "one comparison follows another: join them with `and`"));
        }
        Ok(Node::Compare(comparison, Box::new([left, right])))
    }

    fn comparison(&mut self) -> Result<Option<Comparison>, Mistake> {
        let rest = self.rest();
        for (sign, advice) in [
            ("=~", "`=~` is no operator here: write matches(text, 'regex')"),
            ("!~", "`!~` is no operator here: write not matches(text, 'regex')"),
            ("<=>", "`<=>` is no operator here: write <, == or >"),
        ] {
            if rest.starts_with(sign) {
                return Err(self.mistake(self.at, advice));
            }
        }
        for (sign, comparison) in [
            ("==", Comparison::Equal),
            ("!=", Comparison::Unequal),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ] {
            if self.sign(sign) {
                return Ok(Some(comparison));
            }
        }
        if rest.starts_with('=') {
            return Err(
                self.mistake(self.at, "a single `=` is no operator: a comparison is written ==")
            );
        }
        Ok(None)
    }

    fn sum(&mut self) -> Parsed {
        let first = self.product()?;
        let mut rest = Vec::new();
        loop {
            let operator = match self.rest().as_bytes() {
                [b'+', ..] => Operator::Add,
                [b'-', b'>', ..] | [] => break,
                [b'-', ..] => Operator::Subtract,
                _ => break,
            };
            self.at += 1;
            rest.push((operator, self.product()?));
        }
        Ok(chain(first, rest))
    }

    fn product(&mut self) -> Parsed {
        let first = self.unary()?;
        let mut rest = Vec::new();
        while let Some(operator) = match self.rest().as_bytes().first() {
            Some(b'*') => Some(Operator::Multiply),
            Some(b'/') => Some(Operator::Divide),
            Some(b'%') => Some(Operator::Remainder),
            _ => None,
        } {
            self.at += 1;
            rest.push((operator, self.unary()?));
        }
        Ok(chain(first, rest))
    }

    fn unary(&mut self) -> Parsed {
        if let Some(rest) = self.rest().strip_prefix('-') {
            // The sign of a number belongs to it: the least whole number has no positive twin.
            if rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
                return self.number(1);
            }
            self.at += 1;
            return Ok(Node::Negative(Box::new(self.deeper(Self::unary)?)));
        }
        if self.rest().starts_with('!') && !self.rest().starts_with("!~") {
            self.at += 1;
            return Ok(Node::Not(Box::new(self.deeper(Self::unary)?)));
        }
        self.one()
    }

    fn one(&mut self) -> Parsed {
        self.parts += 1;
        let rest = self.rest();
        if self.parts > PARTS {
            return Err(
                self.mistake(self.at, format!("the expression has more than {PARTS} parts"))
            );
        }
        match rest.as_bytes() {
            [b'(', ..] => {
                self.at += 1;
                let node = self.deeper(Self::any)?;
                self.close()?;
                Ok(node)
            }
            [b'0'..=b'9', ..] | [b'.', b'0'..=b'9', ..] => self.number(0),
            [quote @ (b'\'' | b'"'), ..] => self.text(*quote),
            [b'$' | b'%', ..] => match variable(rest) {
                Some((variable, length)) => {
                    self.at += length;
                    Ok(Node::Variable(variable))
                }
                None => Err(self.mistake(
                    self.at,
                    "this is no variable: $1, $+{name}, $:{entry:name}, %1, %+{name} and %name are",
                )),
            },
            _ => self.named(),
        }
    }

    /// A number that begins with a sign so long.
    fn number(&mut self, sign: usize) -> Parsed {
        self.parts += sign;
        let rest = self.rest();
        let digits = rest.bytes().skip(sign);
        let length = sign
            + digits
                .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_'))
                .count();
        let text = rest.get(..length).unwrap_or_default();
        match Number::read(text.as_bytes()) {
            Some(number) => {
                self.at += length;
                Ok(Node::Number(number))
            }
            None => Err(self.mistake(
                self.at,
                "this is no number: digits with at most one point are; a text stands in quotes",
            )),
        }
    }

    /// A word: `true`, `false`, or a function.
    fn named(&mut self) -> Parsed {
        let at = self.at;
        let word = self.next_word();
        match word {
            "" if self.rest().is_empty() => return Err(self.mistake(at, "a value is missing")),
            "" => {
                return Err(self.mistake(
                    at,
                    "a value is missing: a number, a text in quotes, a variable or a function",
                ));
            }
            "true" | "false" => {
                self.at += word.len();
                return Ok(Node::Truth(word == "true"));
            }
            _ => {}
        }
        self.at += word.len();
        let called = self.rest().starts_with('(');
        let Some(function) = Function::named(word) else {
            return Err(self.mistake(at, advice::unknown(word, called)));
        };
        if !called {
            return Err(self.mistake(
                at,
                format!("the function is called with parentheses: {}", function.usage),
            ));
        }
        self.at += 1;
        let mut list = Vec::new();
        if word == "exists"
            && let Some(name) = self.context_name()
        {
            list.push((at, name));
        } else if !self.rest().starts_with(')') {
            loop {
                self.rest();
                let start = self.at;
                list.push((start, self.deeper(Self::any)?));
                if !self.sign(",") {
                    break;
                }
            }
        }
        self.close()?;
        function.call(self.text, at, list, self.tables)
    }

    fn close(&mut self) -> Result<(), Mistake> {
        if self.sign(")") {
            return Ok(());
        }
        Err(if self.rest().is_empty() {
            self.mistake(self.at, "a `)` is missing")
        } else {
            self.leftover()
        })
    }
}

fn one_or(mut parts: Vec<Node>, make: fn(Box<[Node]>) -> Node) -> Node {
    match parts.pop() {
        Some(node) if parts.is_empty() => node,
        last => make(parts.into_iter().chain(last).collect()),
    }
}

fn chain(first: Node, rest: Vec<(Operator, Node)>) -> Node {
    if rest.is_empty() { first } else { Node::Chain(Box::new(first), rest.into()) }
}
