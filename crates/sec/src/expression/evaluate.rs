//! Works out an expression. What cannot be worked out has no value and is told to the scope; the
//! rest goes on.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::IpAddr;

use regex::bytes::{NoExpand, Regex};

use super::Scope;
use super::failure::Failure;
use super::functions::Plain;
use super::number::{Number, Operator};
use super::tree::{Comparison, Node};
use super::value::Value;

/// The longest text that is made.
const LONGEST: usize = 1024 * 1024;

/// How many bytes one evaluation looks at.
const WORK: usize = 32 * 1024 * 1024;

/// What a part costs beside the text that it looks at.
const PART: usize = 16;

pub(super) struct Evaluation<'s> {
    scope: &'s mut dyn Scope,
    now: i64,
    /// What is left to be looked at.
    work: usize,
}

type Result<'e> = std::result::Result<Value<'e>, Failure>;

impl<'s> Evaluation<'s> {
    pub(super) fn new(scope: &'s mut dyn Scope, now: i64) -> Self {
        Self { scope, now, work: WORK }
    }

    /// The value of a part; of one that failed nothing.
    pub(super) fn value<'e>(&mut self, node: &'e Node) -> Value<'e> {
        let value = self.spend(PART).and_then(|()| self.of(node));
        value.unwrap_or_else(|failure| {
            // When all work is done each part fails; one word of it is enough.
            if failure != Failure::TooMuchWork || self.work > 0 {
                self.scope.failed(failure);
            }
            if failure == Failure::TooMuchWork {
                self.work = 0;
            }
            Value::Undefined
        })
    }

    fn spend(&mut self, bytes: usize) -> std::result::Result<(), Failure> {
        self.work = self.work.checked_sub(bytes).ok_or(Failure::TooMuchWork)?;
        Ok(())
    }

    fn bytes<'e>(&mut self, node: &'e Node) -> std::result::Result<Cow<'e, [u8]>, Failure> {
        let bytes = self.value(node).into_bytes();
        self.spend(bytes.len())?;
        Ok(bytes)
    }

    fn truth(&mut self, node: &Node) -> bool {
        self.value(node).is_true()
    }

    fn of<'e>(&mut self, node: &'e Node) -> Result<'e> {
        match node {
            Node::Truth(truth) => Ok(Value::Truth(*truth)),
            Node::Number(number) => Ok(Value::Number(*number)),
            Node::Text(text) => Ok(Value::Bytes(Cow::Borrowed(text))),
            Node::Variable(variable) => {
                let Some(value) = self.scope.variable(variable) else {
                    return Ok(Value::Undefined);
                };
                let bytes = value.into_owned();
                self.spend(bytes.len())?;
                Ok(bytes.into())
            }
            Node::Joined(parts) => self.join(b"", parts),
            Node::Not(one) => Ok((!self.truth(one)).into()),
            Node::Negative(one) => match self.value(one) {
                Value::Undefined => Ok(Value::Undefined),
                value => Ok(value.number().ok_or(Failure::NoNumber)?.negative()?.into()),
            },
            Node::All(parts) => Ok(parts.iter().all(|part| self.truth(part)).into()),
            Node::Any(parts) => Ok(parts.iter().any(|part| self.truth(part)).into()),
            Node::Compare(comparison, two) => {
                let [left, right] = &**two;
                let (left, right) = (self.value(left), self.value(right));
                self.compare(*comparison, left, right)
            }
            Node::Chain(first, rest) => self.chain(first, rest),
            Node::Choice(three) => {
                let [condition, then, otherwise] = &**three;
                Ok(if self.truth(condition) { self.value(then) } else { self.value(otherwise) })
            }
            Node::Plain(plain, arguments) => self.plain(*plain, arguments),
            Node::Matches(text, regex) => Ok(regex.is_match(&self.bytes(text)?).into()),
            Node::Extract(text, regex, group) => {
                let text = self.bytes(text)?;
                let found = regex.captures(&text).and_then(|groups| groups.get(*group));
                Ok(found.map_or(Value::Undefined, |part| part.as_bytes().to_vec().into()))
            }
            Node::Replace(two, regex) => {
                let [text, new] = &**two;
                let (text, new) = (self.bytes(text)?, self.bytes(new)?);
                self.replace(regex, text, &new)
            }
            Node::InNetwork(address, networks) => {
                let text = self.bytes(address)?;
                let address =
                    std::str::from_utf8(&text).ok().and_then(|text| text.parse::<IpAddr>().ok());
                // An IPv4 address in IPv6's clothes is an IPv4 address.
                let address = address.map(|address| address.to_canonical());
                Ok(address
                    .is_some_and(|address| {
                        networks.iter().any(|network| network.contains(&address))
                    })
                    .into())
            }
            Node::Lookup(key, column) => {
                let key = self.bytes(key)?;
                Ok(column
                    .get(&*key)
                    .map_or(Value::Undefined, |value| Value::Bytes(Cow::Borrowed(value))))
            }
            Node::Json(text, path) => {
                let text = self.bytes(text)?;
                path.find(&text)
            }
            Node::Field(name) => Ok(self.scope.field(name).map_or(Value::Undefined, Value::from)),
            Node::Exists(name) => {
                let name = self.bytes(name)?;
                Ok(self.scope.exists(&name).into())
            }
            Node::Distinct(two, seconds) => {
                let [name, value] = &**two;
                let name = self.bytes(name)?;
                let value = match self.value(value) {
                    Value::Undefined => return Ok(Value::Undefined),
                    value => value.into_bytes(),
                };
                let count = self.scope.sets().distinct(&name, &value, *seconds, self.now);
                Ok(i64::try_from(count).unwrap_or(i64::MAX).into())
            }
            Node::Count(name, seconds) => {
                let name = self.bytes(name)?;
                let count = self.scope.sets().count(&name, *seconds, self.now);
                Ok(i64::try_from(count).unwrap_or(i64::MAX).into())
            }
            Node::Time => Ok(self.now.into()),
            Node::Hour => {
                Ok(self.civil().map_or(Value::Undefined, |time| i64::from(time.hour()).into()))
            }
            Node::Minute => {
                Ok(self.civil().map_or(Value::Undefined, |time| i64::from(time.minute()).into()))
            }
            Node::Weekday => Ok(self.civil().map_or(Value::Undefined, |time| {
                i64::from(time.weekday().to_sunday_zero_offset()).into()
            })),
        }
    }

    fn civil(&self) -> Option<jiff::civil::DateTime> {
        let moment = jiff::Timestamp::from_second(self.now).ok()?;
        Some(self.scope.time_zone().to_datetime(moment))
    }

    /// Numbers where both look like numbers, else texts. What has no value is the same as an empty
    /// text, and neither less nor greater than anything.
    fn compare(
        &mut self,
        comparison: Comparison,
        left: Value<'_>,
        right: Value<'_>,
    ) -> Result<'static> {
        let nothing = left == Value::Undefined || right == Value::Undefined;
        let order = match (left.number(), right.number()) {
            (Some(left), Some(right)) => left.compare(right),
            _ => {
                let (left, right) = (left.into_bytes(), right.into_bytes());
                self.spend(left.len().min(right.len()))?;
                left.cmp(&right)
            }
        };
        Ok(Value::Truth(match comparison {
            Comparison::Equal => order == Ordering::Equal,
            Comparison::Unequal => order != Ordering::Equal,
            _ if nothing => false,
            Comparison::Less => order == Ordering::Less,
            Comparison::LessOrEqual => order != Ordering::Greater,
            Comparison::Greater => order == Ordering::Greater,
            Comparison::GreaterOrEqual => order != Ordering::Less,
        }))
    }

    fn chain<'e>(&mut self, first: &'e Node, rest: &'e [(Operator, Node)]) -> Result<'e> {
        let Some(mut number) = self.number(first)? else { return Ok(Value::Undefined) };
        for (operator, node) in rest {
            let Some(next) = self.number(node)? else { return Ok(Value::Undefined) };
            number = number.apply(*operator, next)?;
        }
        Ok(number.into())
    }

    /// The number that a part is; of nothing there is none.
    fn number(&mut self, node: &Node) -> std::result::Result<Option<Number>, Failure> {
        match self.value(node) {
            Value::Undefined => Ok(None),
            value => value.number().map(Some).ok_or(Failure::NoNumber),
        }
    }

    fn plain<'e>(&mut self, plain: Plain, arguments: &'e [Node]) -> Result<'e> {
        let (one, rest) = match arguments.split_first() {
            Some(found) => found,
            None => return Ok(Value::Undefined),
        };
        match plain {
            Plain::Defined => Ok((self.value(one) != Value::Undefined).into()),
            Plain::Absolute | Plain::Ceiling | Plain::Floor | Plain::Round => {
                let Some(number) = self.number(one)? else { return Ok(Value::Undefined) };
                Ok(match plain {
                    Plain::Absolute => number.absolute()?,
                    Plain::Ceiling => number.to_whole(false),
                    Plain::Floor => number.to_whole(true),
                    _ => {
                        let digits = rest
                            .first()
                            .map_or(Ok(Some(Number::Integer(0))), |node| self.number(node))?;
                        let Some(digits) = digits.and_then(Number::to_integer) else {
                            return Ok(Value::Undefined);
                        };
                        number.round(u8::try_from(digits.clamp(0, 15)).unwrap_or(0))?
                    }
                }
                .into())
            }
            Plain::Min | Plain::Max => self.extreme(plain == Plain::Max, arguments),
            Plain::Number => {
                let text = self.bytes(one)?;
                Ok(Number::read(text.trim_ascii()).map_or(Value::Undefined, Value::from))
            }
            Plain::Join => {
                let separator = self.bytes(one)?;
                self.join(&separator, rest)
            }
            Plain::Length => Ok(i64::try_from(self.bytes(one)?.len()).unwrap_or(i64::MAX).into()),
            Plain::Lower => Ok(self.bytes(one)?.to_ascii_lowercase().into()),
            Plain::Upper => Ok(self.bytes(one)?.to_ascii_uppercase().into()),
            Plain::Trim => Ok(self.bytes(one)?.trim_ascii().to_vec().into()),
            Plain::Substring => self.substring(one, rest),
            Plain::Split => self.split(one, rest),
            Plain::Contains | Plain::Starts | Plain::Ends | Plain::Same | Plain::Index => {
                let Some(part) = rest.first() else { return Ok(Value::Undefined) };
                let (text, part) = (self.bytes(one)?, self.bytes(part)?);
                Ok(match plain {
                    Plain::Starts => text.starts_with(&part).into(),
                    Plain::Ends => text.ends_with(&part).into(),
                    Plain::Same => (text == part).into(),
                    Plain::Contains => memchr::memmem::find(&text, &part).is_some().into(),
                    _ => memchr::memmem::find(&text, &part)
                        .map_or(-1, |at| i64::try_from(at).unwrap_or(i64::MAX))
                        .into(),
                })
            }
        }
    }

    fn extreme<'e>(&mut self, greatest: bool, arguments: &'e [Node]) -> Result<'e> {
        let mut best: Option<Number> = None;
        for node in arguments {
            // What has no value takes no part.
            let Some(number) = self.number(node)? else { continue };
            let wanted = if greatest { Ordering::Greater } else { Ordering::Less };
            if best.is_none_or(|best| number.compare(best) == wanted) {
                best = Some(number);
            }
        }
        Ok(best.map_or(Value::Undefined, Value::from))
    }

    fn join<'e>(&mut self, separator: &[u8], parts: &'e [Node]) -> Result<'e> {
        let mut text = Vec::new();
        for (number, part) in parts.iter().enumerate() {
            let part = self.bytes(part)?;
            let between: &[u8] = if number > 0 { separator } else { b"" };
            if text.len() + between.len() + part.len() > LONGEST {
                return Err(Failure::TooLong);
            }
            text.extend_from_slice(between);
            text.extend_from_slice(&part);
        }
        Ok(text.into())
    }

    fn substring<'e>(&mut self, text: &'e Node, rest: &'e [Node]) -> Result<'e> {
        let text = self.bytes(text)?;
        let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
        let from = match rest.first() {
            Some(node) => self.number(node)?.and_then(Number::to_integer),
            None => Some(0),
        };
        let wanted = match rest.get(1) {
            Some(node) => self.number(node)?.and_then(Number::to_integer),
            None => Some(length),
        };
        let (Some(from), Some(wanted)) = (from, wanted) else { return Ok(Value::Undefined) };
        // From the end where negative; outside the text there is nothing.
        let start = if from < 0 { from.saturating_add(length) } else { from };
        let end = start.saturating_add(wanted.max(0)).clamp(0, length);
        let start = start.clamp(0, end);
        let part = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        let part = part.and_then(|(start, end)| text.get(start..end));
        Ok(part.unwrap_or_default().to_vec().into())
    }

    fn split<'e>(&mut self, text: &'e Node, rest: &'e [Node]) -> Result<'e> {
        let [separator, number] = rest else { return Ok(Value::Undefined) };
        let (text, separator) = (self.bytes(text)?, self.bytes(separator)?);
        let Some(number) = self.number(number)?.and_then(Number::to_integer) else {
            return Ok(Value::Undefined);
        };
        let index = usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX);
        let Some(index) = index.checked_sub(1) else { return Ok(Value::Undefined) };
        let part = if separator.is_empty() {
            // Nothing splits at nothing.
            (index == 0).then_some(&*text)
        } else if number < 0 {
            let mut ends: Vec<usize> = memchr::memmem::find_iter(&text, &separator[..]).collect();
            ends.push(text.len());
            ends.len().checked_sub(index + 1).and_then(|at| {
                let start = at
                    .checked_sub(1)
                    .and_then(|before| ends.get(before))
                    .map_or(0, |end| end + separator.len());
                text.get(start..*ends.get(at)?)
            })
        } else {
            let mut ends = memchr::memmem::find_iter(&text, &separator[..]).chain([text.len()]);
            match index.checked_sub(1) {
                None => ends.next().and_then(|end| text.get(..end)),
                Some(before) => ends
                    .nth(before)
                    .and_then(|start| text.get(start + separator.len()..ends.next()?)),
            }
        };
        Ok(part.map_or(Value::Undefined, |part| part.to_vec().into()))
    }

    fn replace<'e>(&mut self, regex: &Regex, text: Cow<'e, [u8]>, new: &[u8]) -> Result<'e> {
        // How often it is found bounds what the text grows by before any is made.
        let found = if new.is_empty() { 0 } else { regex.find_iter(&text).count() };
        if found.saturating_mul(new.len()).saturating_add(text.len()) > LONGEST {
            return Err(Failure::TooLong);
        }
        Ok(regex.replace_all(&text, NoExpand(new)).into_owned().into())
    }
}
