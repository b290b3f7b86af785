//! Reads conditions: comparisons, and what joins them.
//!
//! `and` and `nand` bind stronger than `xor`, which binds stronger than `or`; equal ones are read
//! from the left.

use super::read::{Reader, never_closed};
use super::{Condition, Operand, OperandKind, Operator, SyntaxError};

type Result<T> = std::result::Result<T, SyntaxError>;

impl Reader<'_> {
    pub(super) fn condition(&mut self) -> Result<Condition> {
        self.descend()?;
        let mut any = vec![self.exclusive()?];
        while self.takes_join("or") {
            any.push(self.exclusive()?);
        }
        self.ascend();
        Ok(joined(any, Condition::Or))
    }

    /// Each `xor` makes the tree one deeper.
    fn exclusive(&mut self) -> Result<Condition> {
        let mut left = self.all()?;
        let mut joins = 0;
        while self.takes_join("xor") {
            self.descend()?;
            joins += 1;
            left = Condition::Xor(Box::new(left), Box::new(self.all()?));
        }
        for _ in 0..joins {
            self.ascend();
        }
        Ok(left)
    }

    /// Each `nand` makes the tree one deeper.
    fn all(&mut self) -> Result<Condition> {
        let mut all = vec![self.expression()?];
        let mut joins = 0;
        loop {
            if self.takes_join("and") {
                all.push(self.expression()?);
            } else if self.takes_join("nand") {
                self.descend()?;
                joins += 1;
                let left = joined(all, Condition::And);
                let both = Condition::And(vec![left, self.expression()?]);
                all = vec![Condition::Not(Box::new(both))];
            } else {
                break;
            }
        }
        for _ in 0..joins {
            self.ascend();
        }
        Ok(joined(all, Condition::And))
    }

    fn takes_join(&mut self, word: &str) -> bool {
        self.skip_space();
        self.takes_word(word)
    }

    fn expression(&mut self) -> Result<Condition> {
        self.skip_space();
        if self.rest().starts_with('!') && !self.rest().starts_with("!=") {
            self.take("!")?;
            self.descend()?;
            let inner = self.expression()?;
            self.ascend();
            return Ok(Condition::Not(Box::new(inner)));
        }
        let opened = self.place();
        if self.takes("(") {
            let inner = self.condition()?;
            self.skip_space();
            if self.rest().is_empty() {
                return Err(never_closed(opened, '('));
            }
            self.take(")")?;
            return Ok(inner);
        }
        let left = self.operand()?;
        let Some(operator) = self.operator()? else { return Ok(Condition::Truth(left)) };
        self.skip_space();
        let mut right = self.operand()?;
        if matches!(operator, Operator::Matches | Operator::DoesNotMatch)
            && let OperandKind::Text(text) = right.kind
        {
            right.kind = OperandKind::Regex(text);
        }
        Ok(Condition::Compare(left, operator, right))
    }

    fn operator(&mut self) -> Result<Option<Operator>> {
        const SIGNS: [(&str, Operator); 8] = [
            ("==", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("=~", Operator::Matches),
            ("!~", Operator::DoesNotMatch),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        self.skip_space();
        if let Some((_, operator)) = SIGNS.iter().find(|(sign, _)| self.takes(sign)) {
            return Ok(Some(*operator));
        }
        if self.takes_word("in") {
            return Ok(Some(Operator::In));
        }
        if self.takes_word("not") {
            self.skip_space();
            if self.takes_word("in") {
                return Ok(Some(Operator::NotIn));
            }
            return Err(self.expected("`in` after `not`"));
        }
        Ok(None)
    }

    fn operand(&mut self) -> Result<Operand> {
        self.skip_space();
        let place = self.place();
        let kind = match self.rest().chars().next() {
            Some('"' | '\'') => OperandKind::Text(self.quoted()?),
            Some('/') => OperandKind::Regex(self.regex()?),
            Some('[') => match self.field() {
                Some(names) => OperandKind::Field(names),
                None => self.operands()?,
            },
            Some(first) if first.is_ascii_digit() || first == '-' => {
                OperandKind::Number(self.number()?)
            }
            _ => match self.name() {
                Some(word) => OperandKind::Text(word.to_owned()),
                None => return Err(self.expected("a field such as `[type]`, a text or a number")),
            },
        };
        Ok(Operand { place, kind })
    }

    /// `[a][b]`; nothing is read where it is an array.
    fn field(&mut self) -> Option<Vec<String>> {
        let mut names = Vec::new();
        let mut rest = self.rest();
        while let Some(after) = rest.strip_prefix('[') {
            let (name, after) = after.split_once(']')?;
            let plain = !name.is_empty() && !name.contains([',', '[', '"', '\'', '\n']);
            if !plain || name.trim().parse::<f64>().is_ok() && names.is_empty() {
                return None;
            }
            names.push(name.trim().to_owned());
            rest = after;
        }
        let length = self.rest().len() - rest.len();
        self.advance(length);
        Some(names)
    }

    fn operands(&mut self) -> Result<OperandKind> {
        let opened = self.place();
        self.take("[")?;
        self.descend()?;
        let mut operands = Vec::new();
        loop {
            self.skip_space();
            if self.takes("]") {
                self.ascend();
                return Ok(OperandKind::Array(operands));
            }
            if self.rest().is_empty() {
                return Err(never_closed(opened, '['));
            }
            operands.push(self.operand()?);
            self.skip_space();
            if !self.takes(",") && !self.rest().starts_with(']') {
                return Err(self.expected("`,` or `]`"));
            }
        }
    }

    /// `/expression/`; a backslash keeps the slash after it from closing it.
    fn regex(&mut self) -> Result<String> {
        let opened = self.place();
        let mut escaped = false;
        let end = self.rest().char_indices().skip(1).find(|(_, character)| {
            let closes = !escaped && *character == '/';
            escaped = *character == '\\' && !escaped;
            closes
        });
        let Some((end, _)) = end else { return Err(never_closed(opened, '/')) };
        let expression = self.advance(end + 1);
        Ok(expression.get(1..end).unwrap_or_default().replace("\\/", "/"))
    }
}

fn joined(mut some: Vec<Condition>, join: fn(Vec<Condition>) -> Condition) -> Condition {
    match some.len() {
        1 => some.remove(0),
        _ => join(some),
    }
}
