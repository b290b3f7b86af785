//! The parameters of a request, read into what they ask for.

use std::ops::Bound;

use bergfried_event::Timestamp;

use super::error::{QueryError, shown, value};
use super::field::{Field, Kind};
use super::filter::{Filter, Names, Statuses};
use super::lucene;
use super::sort::SortKey;
use super::test::{Node, Test, regex, substring};
use super::time;
use crate::settings::Settings;

/// The most items of a page; who asks for more gets so many, and is told that more come.
pub const MAX_PAGE_SIZE: usize = 10_000;
/// The most parameters of a request.
const MAX_PARAMETERS: usize = 1_000;
/// The most expressions among the parameters of one request, each of which has to be compiled.
const MAX_EXPRESSIONS: usize = 64;
/// The most searches of one request, for the same reason.
const MAX_SEARCHES: usize = 4;

/// What a request for a list asks for.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Which alerts.
    pub filter: Filter,
    /// In which order; what is equal in it comes by id.
    pub sort: Vec<SortKey>,
    /// Which page, from 1.
    pub page: i64,
    /// How many items it has.
    pub page_size: usize,
    /// Whether each alert comes with its history.
    pub show_history: bool,
    /// Whether each alert comes with its raw data.
    pub show_raw_data: bool,
    /// What [`top`](super::top) groups by (`event`).
    pub group_by: Field,
}

impl Listing {
    /// Before which item the page begins and ends, counted from 0.
    pub(super) fn ends(&self) -> (usize, usize) {
        let page = usize::try_from(self.page).unwrap_or(0);
        let end = page.saturating_mul(self.page_size);
        (end.saturating_sub(self.page_size), end)
    }
}

/// Reads the parameters of a request; a name may come several times.
///
/// # Errors
/// Where a name is no field and no parameter of a list, or a value is none that it can have.
pub fn listing(
    parameters: &[(String, String)],
    settings: &Settings,
    now: Timestamp,
) -> Result<Listing, QueryError> {
    if parameters.len() > MAX_PARAMETERS {
        return Err(QueryError::TooMany(MAX_PARAMETERS));
    }
    let mut listing = Listing {
        filter: Filter::default(),
        sort: Vec::new(),
        page: 1,
        page_size: settings.default_page_size.clamp(1, MAX_PAGE_SIZE),
        show_history: false,
        show_raw_data: false,
        group_by: Field::Event,
    };
    let mut size = None;
    let mut limit = None;
    let (mut from, mut to) = (Bound::Unbounded, Bound::Unbounded);
    let mut searches = Vec::new();
    let mut default = Field::Text;
    let mut wanted: Vec<Wanted<'_>> = Vec::new();
    for (name, text) in parameters {
        match name.as_str() {
            // What other layers read, and what browsers add against caches.
            "api-key" | "callback" | "token" | "_" => {}
            "sort-by" | "sort" => listing.sort.push(SortKey::read(text)?),
            "group-by" => listing.group_by = group_by(text)?,
            "page" => {
                listing.page = text.parse().map_err(|_| value(name, text, "a page number"))?
            }
            "page-size" => size = Some(page_size(name, text)?),
            "limit" => limit = Some(page_size(name, text)?),
            "show-history" => listing.show_history = truth(text),
            "show-raw-data" => listing.show_raw_data = truth(text),
            "q" => searches.push(text),
            "q.df" => default = default_field(text)?,
            "from-date" => from = Bound::Excluded(date(name, text, now)?),
            "to-date" => to = Bound::Included(date(name, text, now)?),
            _ => Wanted::add(&mut wanted, name, text)?,
        }
    }
    let expressions = wanted.iter().flat_map(|wanted| &wanted.values);
    if expressions.filter(|text| text.starts_with('~')).count() > MAX_EXPRESSIONS {
        return Err(QueryError::TooManyExpressions(MAX_EXPRESSIONS));
    }
    if searches.len() > MAX_SEARCHES {
        return Err(QueryError::TooManySearches(MAX_SEARCHES));
    }
    if let Some(size) = size.or(limit) {
        listing.page_size = size;
    }
    if listing.sort.is_empty() {
        listing.sort.push(SortKey { field: Field::LastReceiveTime, descending: true });
    }
    if (from, to) != (Bound::Unbounded, Bound::Unbounded) {
        listing.filter.heard = Some((from, to));
    }
    for wanted in wanted {
        if let Some(statuses) = wanted.statuses() {
            listing.filter.statuses.push(statuses);
            continue;
        }
        if let Some(names) = wanted.names() {
            listing.filter.names.push(names);
            continue;
        }
        listing.filter.nodes.push(wanted.node(now)?);
    }
    let context = lucene::Context { model: &settings.model, now };
    for text in searches.into_iter().filter(|text| !text.trim().is_empty()) {
        listing.filter.nodes.push(lucene::read(text, &default, &context)?);
    }
    Ok(listing)
}

/// One field as asked for, with every value that it came with.
struct Wanted<'a> {
    name: &'a str,
    field: Field,
    negated: bool,
    values: Vec<&'a str>,
}

impl<'a> Wanted<'a> {
    fn add(all: &mut Vec<Wanted<'a>>, name: &'a str, text: &'a str) -> Result<(), QueryError> {
        let plain = name.strip_suffix('!');
        let unknown = || QueryError::UnknownParameter(shown(name));
        let field = Field::named(plain.unwrap_or(name)).ok_or_else(unknown)?;
        let negated = plain.is_some();
        match all.iter_mut().find(|one| one.field == field && one.negated == negated) {
            Some(known) => known.values.push(text),
            None => all.push(Wanted { name, field, negated, values: vec![text] }),
        }
        Ok(())
    }

    /// Whether every value is the whole of what is asked for, as it nearly always is.
    fn is_whole(&self) -> bool {
        self.values.iter().all(|text| !text.starts_with('~'))
    }

    fn statuses(&self) -> Option<Statuses> {
        let is_status = self.field == Field::Status && self.is_whole();
        is_status.then(|| Statuses::named(&self.values, self.negated))
    }

    fn names(&self) -> Option<Names> {
        self.is_whole().then(|| Names::new(&self.field, &self.values, self.negated)).flatten()
    }

    fn node(self, now: Timestamp) -> Result<Node, QueryError> {
        let negated = self.negated;
        let node = match self.field.kind() {
            Kind::Text | Kind::List | Kind::Any => Node::Field(self.field.clone(), self.text()?),
            Kind::Number => self.any("a whole number", |text| {
                let number = text.parse().ok()?;
                Some(Test::Number(Bound::Included(number), Bound::Included(number)))
            })?,
            Kind::Time => self.any(time::EXPECTED, |text| {
                let millis = time::read(text, now)?;
                Some(Test::Time(Bound::Included(millis), Bound::Included(millis)))
            })?,
            Kind::Flag => self.any("true or false", |text| flag(text).map(Test::Flag))?,
        };
        Ok(if negated { node.not() } else { node })
    }

    fn text(self) -> Result<Test, QueryError> {
        let owned = |values: Vec<&str>| values.into_iter().map(str::to_owned).collect();
        if let [only] = self.values.as_slice()
            && let Some(part) = only.strip_prefix('~')
        {
            return substring(self.name, part).map(Test::Found);
        }
        if self.values.iter().any(|text| text.starts_with('~')) {
            let mut pattern = String::new();
            for text in self.values {
                let part = text.strip_prefix('~').unwrap_or(text);
                // Each by itself first, so that none can close the group of another.
                regex(self.name, part)?;
                let or = if pattern.is_empty() { "" } else { "|" };
                pattern.push_str(&format!("{or}(?:{part})"));
            }
            return regex(self.name, &pattern).map(Test::Found);
        }
        if self.field == Field::Id {
            if self.values.contains(&"") {
                return Err(value(self.name, "", "the beginning of an id"));
            }
            return Ok(Test::Prefix(owned(self.values)));
        }
        Ok(Test::Is(owned(self.values)))
    }

    fn any(
        self,
        expected: &'static str,
        read: impl Fn(&str) -> Option<Test>,
    ) -> Result<Node, QueryError> {
        let mut nodes = Vec::with_capacity(self.values.len());
        for text in &self.values {
            let test = read(text).ok_or_else(|| value(self.name, text, expected))?;
            nodes.push(Node::Field(self.field.clone(), test));
        }
        Ok(Node::Any(nodes))
    }
}

fn group_by(text: &str) -> Result<Field, QueryError> {
    let field = Field::named(text);
    let grouping =
        field.filter(|field| matches!(field.kind(), Kind::Text | Kind::List | Kind::Any));
    grouping.ok_or_else(|| QueryError::Group(shown(text)))
}

fn default_field(text: &str) -> Result<Field, QueryError> {
    let unknown = || QueryError::Search(format!("Unknown field `{}`.", shown(text)));
    Field::named(text).ok_or_else(unknown)
}

fn page_size(name: &str, text: &str) -> Result<usize, QueryError> {
    let size = text.parse::<usize>().ok().filter(|size| *size > 0);
    let size = size.ok_or_else(|| value(name, text, "a whole number above 0"))?;
    Ok(size.min(MAX_PAGE_SIZE))
}

fn date(name: &str, text: &str, now: Timestamp) -> Result<i64, QueryError> {
    time::read(text, now).ok_or_else(|| value(name, text, time::EXPECTED))
}

pub(super) fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "1" | "yes" | "y" | "on" => Some(true),
        "false" | "f" | "0" | "no" | "n" | "off" => Some(false),
        _ => None,
    }
}

/// What is not said to be so is not so, as in the original.
fn truth(text: &str) -> bool {
    flag(text) == Some(true)
}
