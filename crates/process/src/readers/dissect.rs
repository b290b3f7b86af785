//! Fields between fixed texts, as the `dissect` of Logstash and Beats cuts them.

use super::Pairs;

/// How many fields a mapping may have.
const MAX_FIELDS: usize = 256;

/// What a field of a mapping does with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Use {
    /// `%{name}`
    Field,
    /// `%{}`, and `%{?name}` whose text may be the name of another.
    Skip,
    /// `%{+name}` and `%{+name/2}`: more of a field, in the order of the numbers.
    Append(u32),
    /// `%{*name}`: the name of a field.
    Name,
    /// `%{&name}`: the value of the field that `%{*name}` or `%{?name}` names.
    Value,
}

/// A field and the text that ends it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    name: String,
    usage: Use,
    /// `->`: what ends it may come many times.
    padded: bool,
    /// What comes after it; nothing: the rest is its.
    delimiter: String,
}

/// Why a mapping is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DissectError {
    /// A `%{` without its `}`.
    #[error("column {0}: a %{{ without its }}")]
    Open(usize),
    /// Two fields with nothing between them.
    #[error("column {0}: nothing says where the field before ends")]
    Touching(usize),
    /// A field that needs a name.
    #[error("column {0}: a field without a name")]
    Nameless(usize),
    /// A number that says no order.
    #[error("column {0}: {1} is no place in an order")]
    Order(usize, String),
    /// `%{*name}` without `%{&name}`, or the other way around.
    #[error("{0} names or gives a value to a field, and nothing does the other")]
    Lonely(String),
    /// No fields, or too many.
    #[error("a mapping has 1 to {MAX_FIELDS} fields")]
    Count,
}

/// A mapping: what texts look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dissect {
    /// What comes before the first field.
    start: String,
    parts: Vec<Part>,
}

impl Dissect {
    /// Reads a mapping such as `%{ts} %{+ts} %{host} %{program}[%{pid}]: %{message}`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and where.
    pub fn new(mapping: &str) -> Result<Dissect, DissectError> {
        let mut parts: Vec<Part> = Vec::new();
        let mut start = String::new();
        let mut rest = mapping;
        while let Some(at) = rest.find("%{") {
            let column = mapping.len() - rest.len() + at + 1;
            let before = rest.get(..at).unwrap_or_default();
            match parts.last_mut() {
                None => start = before.to_owned(),
                Some(_) if before.is_empty() => return Err(DissectError::Touching(column)),
                Some(part) => part.delimiter = before.to_owned(),
            }
            let inside = rest.get(at + 2..).unwrap_or_default();
            let Some(end) = inside.find('}') else { return Err(DissectError::Open(column)) };
            let (field, after) = inside.split_at(end);
            parts.push(part(field, column)?);
            rest = after.get(1..).unwrap_or_default();
        }
        if parts.is_empty() || parts.len() > MAX_FIELDS {
            return Err(DissectError::Count);
        }
        if let Some(part) = parts.last_mut() {
            part.delimiter = rest.to_owned();
        }
        for part in &parts {
            let has = |usages: &[Use]| {
                parts.iter().any(|other| other.name == part.name && usages.contains(&other.usage))
            };
            let lonely = match part.usage {
                Use::Name => !has(&[Use::Value]),
                Use::Value => !has(&[Use::Name, Use::Skip]),
                _ => false,
            };
            if lonely {
                return Err(DissectError::Lonely(part.name.clone()));
            }
        }
        Ok(Dissect { start, parts })
    }

    /// The names that the mapping itself gives to fields, each once.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for part in &self.parts {
            if matches!(part.usage, Use::Field | Use::Append(_)) && !names.contains(&&*part.name) {
                names.push(&part.name);
            }
        }
        names
    }

    /// Adds the fields of a text; none and false where it does not look as the mapping says.
    pub fn read<'t>(&self, text: &'t str, pairs: &mut Pairs<'t>) -> bool {
        let Some(values) = self.cut(text) else { return false };
        let found = |usages: &[Use], name: &str| {
            self.parts
                .iter()
                .zip(&values)
                .find(|(part, _)| part.name == name && usages.contains(&part.usage))
                .map(|(_, value)| *value)
        };
        let mut appended: Vec<&str> = Vec::new();
        for (part, value) in self.parts.iter().zip(&values) {
            match part.usage {
                Use::Skip | Use::Name => {}
                Use::Value => {
                    let name = found(&[Use::Name, Use::Skip], &part.name).unwrap_or_default();
                    if !name.is_empty() {
                        pairs.push(name, *value);
                    }
                }
                Use::Field | Use::Append(_) => {
                    if appended.contains(&&*part.name) {
                        continue;
                    }
                    if self.is_appended(&part.name) {
                        appended.push(&part.name);
                        pairs.push(part.name.clone(), self.appended(&part.name, &values));
                    } else {
                        pairs.push(part.name.clone(), *value);
                    }
                }
            }
        }
        true
    }

    fn is_appended(&self, name: &str) -> bool {
        self.parts.iter().any(|part| part.name == name && matches!(part.usage, Use::Append(_)))
    }

    /// All texts of a field, each with what stood before it.
    fn appended(&self, name: &str, values: &[&str]) -> String {
        let mut before = self.start.as_str();
        let mut texts = Vec::new();
        for (part, value) in self.parts.iter().zip(values) {
            let order = match part.usage {
                Use::Field => Some(0),
                Use::Append(order) => Some(order),
                _ => None,
            };
            if let Some(order) = order.filter(|_| part.name == name) {
                texts.push((order, before, *value));
            }
            before = &part.delimiter;
        }
        texts.sort_by_key(|(order, ..)| *order);
        let mut whole = String::new();
        for (index, (_, before, value)) in texts.into_iter().enumerate() {
            if index > 0 {
                whole.push_str(before);
            }
            whole.push_str(value);
        }
        whole
    }

    /// The text of each part.
    fn cut<'t>(&self, text: &'t str) -> Option<Vec<&'t str>> {
        let mut rest = text.strip_prefix(self.start.as_str())?;
        let mut values = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            if part.delimiter.is_empty() {
                values.push(rest);
                rest = "";
                continue;
            }
            let end = rest.find(&part.delimiter)?;
            values.push(rest.get(..end)?);
            rest = rest.get(end + part.delimiter.len()..)?;
            if part.padded {
                rest = rest.trim_start_matches(part.delimiter.as_str());
            }
        }
        Some(values)
    }
}

/// Reads what stands in `%{…}`.
fn part(field: &str, column: usize) -> Result<Part, DissectError> {
    let (field, padded) = match field.strip_suffix("->") {
        Some(field) => (field, true),
        None => (field, false),
    };
    let (usage, name) = match field.as_bytes().first() {
        Some(b'?') => (Use::Skip, field.get(1..)),
        Some(b'*') => (Use::Name, field.get(1..)),
        Some(b'&') => (Use::Value, field.get(1..)),
        Some(b'+') => (Use::Append(0), field.get(1..)),
        Some(_) => (Use::Field, Some(field)),
        None => (Use::Skip, Some("")),
    };
    let mut name = name.unwrap_or_default();
    let mut usage = usage;
    if let Use::Append(_) = usage
        && let Some((first, order)) = name.rsplit_once('/')
    {
        let order = order.parse().map_err(|_| DissectError::Order(column, order.to_owned()))?;
        (usage, name) = (Use::Append(order), first);
    }
    let name = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(path) => path.replace("][", "."),
        None => name.to_owned(),
    };
    if name.is_empty() && usage != Use::Skip {
        return Err(DissectError::Nameless(column));
    }
    Ok(Part { name, usage, padded, delimiter: String::new() })
}
