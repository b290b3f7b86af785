//! Lists of users, keys and the like: filtered, sorted and cut into pages as lists of alerts are.

use std::cmp::Ordering;

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::error::Refusal;
use super::reply;
use super::request::Parameters;

/// The most things on a page.
const MAX_PAGE: usize = 10_000;
/// Lists of words that are asked for by the name of one of them too.
const ONE_OF: &[(&str, &str)] = &[("role", "roles"), ("scope", "scopes")];

/// What a request asks for of a list.
pub(super) struct Wish<'a> {
    filters: Vec<Filter>,
    /// Fields, and whether the greatest come first.
    sort: Vec<(&'a str, bool)>,
    page: usize,
    page_size: usize,
}

/// A field, and the values that it must have one of.
struct Filter {
    field: &'static str,
    is_negated: bool,
    values: Vec<Wanted>,
}

enum Wanted {
    Exactly(String),
    /// In lower case.
    Containing(String),
}

impl<'a> Wish<'a> {
    /// Reads the parameters; `fields` are those that can be filtered and sorted by.
    pub(super) fn read(
        parameters: &'a Parameters,
        fields: &'static [&'static str],
        default_page_size: usize,
    ) -> Result<Wish<'a>, Refusal> {
        let mut wish =
            Wish { filters: Vec::new(), sort: Vec::new(), page: 1, page_size: default_page_size };
        for (name, value) in &parameters.0 {
            match name.as_str() {
                "page" => wish.page = number(name, value)?,
                "page-size" | "limit" => wish.page_size = number(name, value)?.min(MAX_PAGE),
                "sort-by" => {
                    let field = value.trim_start_matches('-');
                    if !fields.contains(&field) {
                        let field = field.escape_debug();
                        let message = format!("Sorting by '{field}' field not supported.");
                        return Err(Refusal::invalid(message));
                    }
                    wish.sort.push((field, value.starts_with('-')));
                }
                "api-key" | "callback" | "_" => {}
                _ => wish.add(name, value, fields)?,
            }
        }
        Ok(wish)
    }

    fn add(
        &mut self,
        name: &str,
        value: &str,
        fields: &'static [&'static str],
    ) -> Result<(), Refusal> {
        let (field, is_negated) = match name.strip_suffix('!') {
            Some(field) => (field, true),
            None => (name, false),
        };
        let list = ONE_OF.iter().find(|(one, _)| *one == field).map_or(field, |(_, all)| *all);
        let Some(field) = fields.iter().copied().find(|known| *known == list) else {
            let name = name.escape_debug();
            return Err(Refusal::invalid(format!("Invalid filter parameter: {name}")));
        };
        let wanted = match value.strip_prefix('~') {
            Some(part) => Wanted::Containing(part.to_lowercase()),
            None => Wanted::Exactly(value.to_owned()),
        };
        let same = |filter: &&mut Filter| filter.field == field && filter.is_negated == is_negated;
        match self.filters.iter_mut().find(same) {
            Some(filter) => filter.values.push(wanted),
            None => self.filters.push(Filter { field, is_negated, values: vec![wanted] }),
        }
        Ok(())
    }

    fn takes(&self, item: &Value) -> bool {
        self.filters.iter().all(|filter| {
            let matches = filter.values.iter().any(|value| value.is_in(item.get(filter.field)));
            matches != filter.is_negated
        })
    }

    fn order(&self, left: &Value, right: &Value) -> Ordering {
        for (field, is_reversed) in &self.sort {
            let text = |item: &Value| item.get(field).map(Value::to_string).unwrap_or_default();
            let number = |item: &Value| item.get(field).and_then(Value::as_i64);
            let order = match (number(left), number(right)) {
                (Some(left), Some(right)) => left.cmp(&right),
                _ => text(left).cmp(&text(right)),
            };
            let order = if *is_reversed { order.reverse() } else { order };
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    }

    /// Answers with the page that is asked for.
    pub(super) fn answer<const N: usize>(
        &self,
        key: &'static str,
        items: impl Iterator<Item = Value>,
        more_fields: [(&'static str, Value); N],
    ) -> Result<Response, Refusal> {
        let mut items: Vec<Value> = items.filter(|item| self.takes(item)).collect();
        items.sort_by(|left, right| self.order(left, right));
        let total = items.len();
        let pages = total.div_ceil(self.page_size);
        if self.page > pages.max(1) {
            let message = format!("page out of range: 1-{}", pages.max(1));
            return Err(Refusal::new(StatusCode::RANGE_NOT_SATISFIABLE, message));
        }
        let first = (self.page - 1).saturating_mul(self.page_size);
        let page: Vec<Value> = items.into_iter().skip(first).take(self.page_size).collect();
        let mut fields = vec![
            (key, Value::Array(page)),
            ("page", json!(self.page)),
            ("pageSize", json!(self.page_size)),
            ("pages", json!(pages)),
            ("more", json!(self.page < pages)),
            ("total", json!(total)),
        ];
        if total == 0 {
            fields.push(("message", json!("not found")));
        }
        fields.extend(more_fields);
        Ok(reply::of_fields(fields))
    }
}

impl Wanted {
    fn is_in(&self, value: Option<&Value>) -> bool {
        match value {
            Some(Value::Array(items)) => items.iter().any(|item| self.is_in(Some(item))),
            Some(Value::String(text)) => self.is(text),
            Some(Value::Null) | None => self.is(""),
            Some(other) => self.is(&other.to_string()),
        }
    }

    fn is(&self, text: &str) -> bool {
        match self {
            Wanted::Exactly(wanted) => text == wanted,
            Wanted::Containing(part) => text.to_lowercase().contains(part),
        }
    }
}

fn number(name: &str, value: &str) -> Result<usize, Refusal> {
    match value.parse() {
        Ok(0) if name == "page" => Err(Refusal::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "page out of range: it begins at 1",
        )),
        Ok(number) if number > 0 => Ok(number),
        _ => Err(Refusal::invalid(format!("`{name}` must be a whole number from 1 up"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &[&str] = &["name", "roles", "count", "none"];

    fn ask(query: &str) -> Result<Vec<String>, StatusCode> {
        let pairs = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let parameters = Parameters(pairs);
        let wish = Wish::read(&parameters, FIELDS, 50).map_err(|refusal| refusal.status())?;
        let items = [("b", &["x", "y"][..], 10), ("a", &["y"], 9), ("C", &[], 11)];
        let mut items: Vec<Value> = items
            .iter()
            .map(|(name, roles, count)| json!({"name": name, "roles": roles, "count": count}))
            .filter(|item| wish.takes(item))
            .collect();
        items.sort_by(|left, right| wish.order(left, right));
        Ok(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect())
    }

    #[test]
    fn lists_are_filtered_and_sorted() {
        for (query, expected) in [
            ("", &["b", "a", "C"][..]),
            ("name=a", &["a"]),
            ("name=a&name=b", &["b", "a"]),
            ("name=~c", &["C"]),
            ("name!=a", &["b", "C"]),
            ("roles=y", &["b", "a"]),
            ("roles!=x", &["a", "C"]),
            ("role=y&roles=x", &["b", "a"]),
            ("roles=x&name=a", &[]),
            ("count=9", &["a"]),
            ("none=", &["b", "a", "C"]),
            ("sort-by=name", &["C", "a", "b"]),
            ("sort-by=-count", &["C", "b", "a"]),
            ("sort-by=count&page=1&page-size=2&api-key=x", &["a", "b", "C"]),
        ] {
            assert_eq!(ask(query).unwrap(), expected, "{query}");
        }
    }

    #[test]
    fn mistakes_are_refused() {
        for (query, status) in [
            ("password=x", StatusCode::BAD_REQUEST),
            ("sort-by=password", StatusCode::BAD_REQUEST),
            ("page=0", StatusCode::RANGE_NOT_SATISFIABLE),
            ("page=x", StatusCode::BAD_REQUEST),
            ("page-size=0", StatusCode::BAD_REQUEST),
        ] {
            assert_eq!(ask(query), Err(status), "{query}");
        }
        let parameters = Parameters(vec![("page".to_owned(), "2".to_owned())]);
        let wish = Wish::read(&parameters, FIELDS, 50).unwrap();
        let refused = wish.answer("users", std::iter::empty(), []).unwrap_err();
        assert_eq!(refused.message(), "page out of range: 1-1");
    }
}
