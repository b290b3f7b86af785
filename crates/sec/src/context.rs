//! Context expressions (sec(1), "CONTEXTS AND CONTEXT EXPRESSIONS").

use std::collections::VecDeque;

use crate::port::Code;
use crate::read::{Compiler, unmasked};
use crate::template::{Rounds, Template};

/// The context of a rule.
#[derive(Debug)]
pub(crate) struct Guard {
    pub expression: Expression,
    /// In brackets: asked before the pattern.
    pub first: bool,
}

/// What is asked.
#[derive(Debug)]
pub(crate) enum Expression {
    Not(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    /// Whether a context is there.
    Context(Template),
    /// `varset`: whether the match cache has an entry.
    Cached(Template),
    /// `arguments -> code`.
    Call(Vec<Template>, Code),
    /// `entries :> code`.
    CallEntries(Vec<Template>, Code),
    /// `expr( … )`.
    Holds(Box<crate::expression::Expression>),
    /// `= program`.
    Program(Template),
}

/// How deep parentheses may be.
const DEPTH: usize = 64;

impl Guard {
    /// Reads the value of a `context` field; nothing asks nothing.
    pub(crate) fn read(
        text: &[u8],
        rounds: Rounds,
        compiler: &mut Compiler<'_, '_>,
    ) -> Result<Option<Self>, String> {
        let trimmed = text.trim_ascii();
        let (inner, first) =
            match trimmed.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")) {
                Some(inner) => (inner, true),
                None => (trimmed, false),
            };
        // Before the pattern there are no match variables yet.
        let rounds = if first { Rounds::NONE } else { rounds };
        if inner.trim_ascii().is_empty() {
            return Ok(None);
        }
        let mut parser = Parser { tokens: tokens(inner)?, rounds, compiler };
        let expression = parser.any(0)?;
        match parser.tokens.pop_front() {
            None => Ok(Some(Self { expression, first })),
            Some(token) => Err(format!("cannot read the context expression at {token}")),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Not,
    And,
    Or,
    Open,
    Close,
    /// Text up to the next operator; parentheses in it are balanced.
    Operand(Vec<u8>),
}

impl std::fmt::Display for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Not => formatter.write_str("`!`"),
            Self::And => formatter.write_str("`&&`"),
            Self::Or => formatter.write_str("`||`"),
            Self::Open => formatter.write_str("`(`"),
            Self::Close => formatter.write_str("`)`"),
            Self::Operand(text) => write!(formatter, "`{}`", String::from_utf8_lossy(text)),
        }
    }
}

/// Cuts an expression at its operators. A parenthesis at the beginning of an operand groups, unless
/// what follows it makes it a part of the operand: code, or the arguments of code.
fn tokens(text: &[u8]) -> Result<VecDeque<Token>, String> {
    let mut tokens = VecDeque::new();
    let mut operand: Vec<u8> = Vec::new();
    let mut at = 0;
    fn end(operand: &mut Vec<u8>, tokens: &mut VecDeque<Token>) {
        let text = operand.trim_ascii().to_vec();
        operand.clear();
        if !text.is_empty() {
            tokens.push_back(Token::Operand(text));
        }
    }
    while let Some(byte) = text.get(at).copied() {
        let rest = text.get(at..).unwrap_or_default();
        let fresh = operand.trim_ascii().is_empty();
        match byte {
            b'\\' if rest.get(1).is_some_and(|next| b"()".contains(next)) => {
                operand.extend_from_slice(rest.get(..2).unwrap_or_default());
                at += 1;
            }
            b'!' if fresh => {
                operand.clear();
                tokens.push_back(Token::Not);
            }
            b'&' if rest.starts_with(b"&&") => {
                end(&mut operand, &mut tokens);
                tokens.push_back(Token::And);
                at += 1;
            }
            b'|' if rest.starts_with(b"||") => {
                end(&mut operand, &mut tokens);
                tokens.push_back(Token::Or);
                at += 1;
            }
            b'(' => {
                let length = balanced(rest).ok_or("its parentheses are not balanced")?;
                let after = rest.get(length..).unwrap_or_default().trim_ascii_start();
                let arguments = after.starts_with(b"->") || after.starts_with(b":>");
                if fresh && !arguments {
                    operand.clear();
                    tokens.push_back(Token::Open);
                } else {
                    operand.extend_from_slice(rest.get(..length).unwrap_or_default());
                    at += length - 1;
                }
            }
            b')' => {
                end(&mut operand, &mut tokens);
                tokens.push_back(Token::Close);
            }
            other => operand.push(other),
        }
        at += 1;
    }
    end(&mut operand, &mut tokens);
    Ok(tokens)
}

/// How long the parenthesised text is that a text begins with.
fn balanced(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut masked = false;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'\\' if !masked => {
                masked = true;
                continue;
            }
            b'(' if !masked => depth += 1,
            b')' if !masked => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        masked = false;
    }
    None
}

/// Whether a word has no parenthesis of its own.
fn is_name(word: &[u8]) -> bool {
    let masked = |at: usize| at > 0 && word.get(at - 1) == Some(&b'\\');
    word.iter().enumerate().all(|(at, byte)| !b"()".contains(byte) || masked(at))
}

struct Parser<'p, 'a, 'b> {
    tokens: VecDeque<Token>,
    rounds: Rounds,
    compiler: &'p mut Compiler<'a, 'b>,
}

impl Parser<'_, '_, '_> {
    fn any(&mut self, depth: usize) -> Result<Expression, String> {
        if depth > DEPTH {
            return Err(format!("more than {DEPTH} parentheses within each other"));
        }
        let mut left = self.all(depth)?;
        while self.tokens.front() == Some(&Token::Or) {
            self.tokens.pop_front();
            left = Expression::Or(Box::new(left), Box::new(self.all(depth)?));
        }
        Ok(left)
    }

    fn all(&mut self, depth: usize) -> Result<Expression, String> {
        let mut left = self.one(depth)?;
        while self.tokens.front() == Some(&Token::And) {
            self.tokens.pop_front();
            left = Expression::And(Box::new(left), Box::new(self.one(depth)?));
        }
        Ok(left)
    }

    fn one(&mut self, depth: usize) -> Result<Expression, String> {
        if depth > DEPTH {
            return Err(format!("more than {DEPTH} operators within each other"));
        }
        match self.tokens.pop_front() {
            Some(Token::Not) => Ok(Expression::Not(Box::new(self.one(depth + 1)?))),
            Some(Token::Open) => {
                let inner = self.any(depth + 1)?;
                match self.tokens.pop_front() {
                    Some(Token::Close) => Ok(inner),
                    _ => Err("a parenthesis is not closed".to_owned()),
                }
            }
            Some(Token::Operand(text)) => self.operand(&text),
            Some(token) => Err(format!("a context name is missing before {token}")),
            None => Err("a context name is missing at the end".to_owned()),
        }
    }

    fn operand(&mut self, text: &[u8]) -> Result<Expression, String> {
        if let Some(inner) = text.strip_prefix(b"expr").map(<[u8]>::trim_ascii_start)
            && balanced(inner) == Some(inner.len())
        {
            // Its backslashes are its own, as of regular expressions.
            return Ok(Expression::Holds(Box::new(self.compiler.expression(inner)?)));
        }
        if let Some(program) = text.strip_prefix(b"=") {
            let program = crate::read::without_parentheses(program.trim_ascii());
            self.compiler.program(&unmasked(program))?;
            return Ok(Expression::Program(Template::new(&unmasked(program), self.rounds)));
        }
        // The code may hold the other sign: the first counts.
        let call = memchr::memmem::find(text, b"->");
        let call_entries = memchr::memmem::find(text, b":>");
        if let Some(at) = call.into_iter().chain(call_entries).min() {
            let (arguments, code) = text.split_at(at);
            let arguments = crate::read::without_parentheses(arguments.trim_ascii());
            let arguments: Vec<Template> = arguments
                .split(u8::is_ascii_whitespace)
                .filter(|word| !word.is_empty())
                .map(|word| Template::new(&unmasked(word), self.rounds))
                .collect();
            let code = code.get(2..).unwrap_or_default().trim_ascii();
            let code = crate::read::without_parentheses(code);
            let code = self.compiler.function(&unmasked(code), &unmasked(text))?;
            return Ok(if Some(at) == call_entries {
                Expression::CallEntries(arguments, code)
            } else {
                Expression::Call(arguments, code)
            });
        }
        let words: Vec<&[u8]> =
            text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            [b"varset", entry] => {
                Ok(Expression::Cached(Template::new(&unmasked(entry), self.rounds)))
            }
            [name] if is_name(name) => {
                Ok(Expression::Context(Template::new(&unmasked(name), self.rounds)))
            }
            _ => Err(format!("`{}` is no context name", String::from_utf8_lossy(text))),
        }
    }
}
