//! The functions of expressions, in one list; docs/correlate.md has them all.

use std::collections::VecDeque;
use std::net::IpAddr;

use ipnet::IpNet;
use regex::bytes::{Regex, RegexBuilder};

use super::json::Path;
use super::mistake::Mistake;
use super::number::Number;
use super::tables::{Tables, Wanted};
use super::tree::Node;

/// One function.
#[derive(Debug)]
pub(super) struct Function {
    pub name: &'static str,
    /// How it is written.
    pub usage: &'static str,
    /// How many arguments it takes.
    pub least: usize,
    pub most: usize,
    make: Make,
}

#[derive(Debug)]
enum Make {
    Plain(Plain),
    Special(fn(&mut Arguments<'_, '_>) -> Result<Node, Mistake>),
}

/// A function of nothing but the values of its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plain {
    Absolute,
    Ceiling,
    Contains,
    Defined,
    Ends,
    Floor,
    Index,
    Join,
    Length,
    Lower,
    Max,
    Min,
    Number,
    Round,
    Same,
    Split,
    Starts,
    Substring,
    Trim,
    Upper,
}

/// The most arguments of any function.
const MANY: usize = 64;

const fn plain(
    name: &'static str,
    usage: &'static str,
    least: usize,
    most: usize,
    plain: Plain,
) -> Function {
    Function { name, usage, least, most, make: Make::Plain(plain) }
}

const fn special(
    name: &'static str,
    usage: &'static str,
    least: usize,
    most: usize,
    make: fn(&mut Arguments<'_, '_>) -> Result<Node, Mistake>,
) -> Function {
    Function { name, usage, least, most, make: Make::Special(make) }
}

/// All functions, by name.
pub(super) const FUNCTIONS: &[Function] = &[
    plain("abs", "abs(number)", 1, 1, Plain::Absolute),
    plain("ceil", "ceil(number)", 1, 1, Plain::Ceiling),
    plain("contains", "contains(text, part)", 2, 2, Plain::Contains),
    special("count", "count(name, seconds)", 2, 2, count),
    plain("defined", "defined(value)", 1, 1, Plain::Defined),
    special("distinct", "distinct(name, value, seconds)", 3, 3, distinct),
    plain("ends", "ends(text, part)", 2, 2, Plain::Ends),
    special("exists", "exists(CONTEXT)", 1, 1, |arguments| {
        Ok(Node::Exists(Box::new(arguments.next()?)))
    }),
    special("extract", "extract(text, 'regex' [, group])", 2, 3, extract),
    special("field", "field('name')", 1, 1, field),
    plain("floor", "floor(number)", 1, 1, Plain::Floor),
    special("hour", "hour()", 0, 0, |_| Ok(Node::Hour)),
    special("if", "if(condition, then, else)", 3, 3, choice),
    special("in_network", "in_network(address, 'network', …)", 2, MANY, in_network),
    plain("index", "index(text, part)", 2, 2, Plain::Index),
    plain("join", "join(separator, text, …)", 2, MANY, Plain::Join),
    special("json", "json(text, 'path')", 2, 2, json),
    plain("length", "length(text)", 1, 1, Plain::Length),
    special("lookup", "lookup('file', key [, column])", 2, 3, lookup),
    plain("lower", "lower(text)", 1, 1, Plain::Lower),
    special("matches", "matches(text, 'regex')", 2, 2, matches),
    plain("max", "max(number, …)", 1, MANY, Plain::Max),
    plain("min", "min(number, …)", 1, MANY, Plain::Min),
    special("minute", "minute()", 0, 0, |_| Ok(Node::Minute)),
    plain("number", "number(text)", 1, 1, Plain::Number),
    special("replace", "replace(text, 'regex', new)", 3, 3, replace),
    plain("round", "round(number [, digits])", 1, 2, Plain::Round),
    plain("same", "same(text, text)", 2, 2, Plain::Same),
    plain("split", "split(text, separator, number)", 3, 3, Plain::Split),
    plain("starts", "starts(text, part)", 2, 2, Plain::Starts),
    plain("substring", "substring(text, from [, length])", 2, 3, Plain::Substring),
    special("time", "time()", 0, 0, |_| Ok(Node::Time)),
    plain("trim", "trim(text)", 1, 1, Plain::Trim),
    plain("upper", "upper(text)", 1, 1, Plain::Upper),
    special("weekday", "weekday()", 0, 0, |_| Ok(Node::Weekday)),
];

impl Function {
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        FUNCTIONS.iter().find(|function| function.name == name)
    }

    /// The call of it with arguments, each with its place in the text.
    pub(super) fn call(
        &self,
        text: &str,
        at: usize,
        list: Vec<(usize, Node)>,
        tables: &mut Tables<'_>,
    ) -> Result<Node, Mistake> {
        if list.len() < self.least || list.len() > self.most {
            let message = format!("{} arguments are given to {}", list.len(), self.usage);
            return Err(Mistake::new(text, at, message));
        }
        match self.make {
            Make::Plain(plain) => {
                Ok(Node::Plain(plain, list.into_iter().map(|(_, node)| node).collect()))
            }
            Make::Special(make) => {
                make(&mut Arguments { usage: self.usage, text, at, list: list.into(), tables })
            }
        }
    }
}

/// The arguments of a call, taken from left to right.
struct Arguments<'a, 't> {
    usage: &'static str,
    text: &'a str,
    at: usize,
    list: VecDeque<(usize, Node)>,
    tables: &'a mut Tables<'t>,
}

impl Arguments<'_, '_> {
    fn mistake(&self, message: impl Into<String>) -> Mistake {
        Mistake::new(self.text, self.at, message)
    }

    /// The next one; mistakes are about it from now on.
    fn next(&mut self) -> Result<Node, Mistake> {
        let Some((at, node)) = self.list.pop_front() else {
            return Err(self.mistake(format!("an argument is missing: {}", self.usage)));
        };
        self.at = at;
        Ok(node)
    }

    /// The next one, a text that is the same always.
    fn constant(&mut self, what: &str) -> Result<String, Mistake> {
        let node = self.next()?;
        match node.constant().map(std::str::from_utf8) {
            Some(Ok(text)) => Ok(text.to_owned()),
            _ => Err(self
                .mistake(format!("{what} is a text in quotes without variables: {}", self.usage))),
        }
    }

    /// The next one, a whole number that is the same always.
    fn integer(&mut self, what: &str, low: i64, high: i64) -> Result<i64, Mistake> {
        match self.next()? {
            Node::Number(Number::Integer(number)) if (low..=high).contains(&number) => Ok(number),
            _ => {
                Err(self
                    .mistake(format!("{what} is a number from {low} to {high}: {}", self.usage)))
            }
        }
    }

    /// How long something is remembered; a year and a day at most.
    fn seconds(&mut self) -> Result<i64, Mistake> {
        self.integer("the time in seconds", 1, 31_622_400)
    }

    fn regex(&mut self) -> Result<Regex, Mistake> {
        let pattern = self.constant("a regular expression")?;
        // Bytes as everywhere in SEC; linear in the text; a bound for what a pattern may take.
        let regex = RegexBuilder::new(&pattern)
            .unicode(false)
            .size_limit(1 << 20)
            .dfa_size_limit(1 << 20)
            .nest_limit(64)
            .build();
        regex.map_err(|error| {
            // Its last line says what is wrong, the others draw the place.
            let error = error.to_string();
            let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
            self.mistake(format!("cannot use the regular expression `{pattern}`: {reason}"))
        })
    }
}

fn choice(arguments: &mut Arguments<'_, '_>) -> Result<Node, Mistake> {
    Ok(Node::Choice(Box::new([arguments.next()?, arguments.next()?, arguments.next()?])))
}

fn matches(arguments: &mut Arguments<'_, '_>) -> Result<Node, Mistake> {
    Ok(Node::Matches(Box::new(arguments.next()?), arguments.regex()?))
}

fn extract(arguments: &mut Arguments<'_, '_>) -> Result<Node, Mistake> {
    let text = Box::new(arguments.next()?);
    let regex = arguments.regex()?;
    let last = regex.captures_len().saturating_sub(1);
    let group = if arguments.list.is_empty() {
        // What is in the first parentheses, or all of it where there are none.
        last.min(1)
    } else {
        let high = i64::try_from(last).unwrap_or(i64::MAX);
        usize::try_from(arguments.integer("the number of the group", 0, high)?).unwrap_or(0)
    };
    Ok(Node::Extract(text, regex, group))
}

fn replace(arguments: &mut Arguments<'_, '_>) -> Result<Node, Mistake> {
    let text = arguments.next()?;
    let regex = arguments.regex()?;
    Ok(Node::Replace(Box::new([text, arguments.next()?]), regex))
}

fn in_network(arguments: &mut Arguments<'_, '_>) -> Result<Node, Mistake> {
    let address = Box::new(arguments.next()?);
    let mut networks = Vec::new();
    while !arguments.list.is_empty() {
        let text = arguments.constant("a network")?;
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        networks.push(network.map_err(|_| {
            arguments.mistake(format!(
                "`{text}` is no network: write 10.0.0.0/8, 2001:db8::/32 or one address"
            ))
        })?);
    }
    Ok(Node::InNetwork(address, networks.into()))
}

fn lookup(arguments: &mut Arguments<'_, '_>) -> Result<Node, Mistake> {
    let file = arguments.constant("the name of a table's file")?;
    let file_at = arguments.at;
    let key = Box::new(arguments.next()?);
    let wanted = match arguments.list.pop_front() {
        None => Wanted::Number(2),
        Some((_, Node::Number(Number::Integer(number @ 1..=1024)))) => {
            Wanted::Number(usize::try_from(number).unwrap_or(2))
        }
        Some((at, node)) => match node.constant().map(std::str::from_utf8) {
            Some(Ok(name)) => Wanted::Named(name.to_owned()),
            _ => {
                arguments.at = at;
                return Err(arguments
                    .mistake("a column is its name in quotes, or its number from 1 to 1024"));
            }
        },
    };
    let column = arguments.tables.column(&file, wanted);
    let column = column.map_err(|message| Mistake::new(arguments.text, file_at, message))?;
    Ok(Node::Lookup(key, column))
}

fn json(arguments: &mut Arguments<'_, '_>) -> Result<Node, Mistake> {
    let text = Box::new(arguments.next()?);
    let path = arguments.constant("a path")?;
    let path = Path::read(&path).map_err(|message| arguments.mistake(message))?;
    Ok(Node::Json(text, path))
}

fn field(arguments: &mut Arguments<'_, '_>) -> Result<Node, Mistake> {
    Ok(Node::Field(arguments.constant("the name of a field")?.into()))
}

fn distinct(arguments: &mut Arguments<'_, '_>) -> Result<Node, Mistake> {
    let two = Box::new([arguments.next()?, arguments.next()?]);
    Ok(Node::Distinct(two, arguments.seconds()?))
}

fn count(arguments: &mut Arguments<'_, '_>) -> Result<Node, Mistake> {
    let name = Box::new(arguments.next()?);
    Ok(Node::Count(name, arguments.seconds()?))
}
