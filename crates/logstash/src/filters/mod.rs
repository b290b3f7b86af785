//! Filters as steps of a chain: one file for each group, one line each in [`translate`].

mod change;
mod envelope;
pub(crate) mod grok;
mod readers;
mod tables;

use crate::Work;
use crate::condition::{self, Search};
use crate::names::Message;
use crate::settings::{Settings, text, texts as texts_of};
use crate::syntax::{Arm, Branch, Item, Plugin, Value};
use crate::toml::{Node, Table, texts};

/// The steps for what stands in a section or a branch.
pub(crate) fn steps(items: &[Item], work: &mut Work<'_>) -> Vec<Table> {
    let mut steps = Vec::new();
    for item in items {
        match item {
            Item::Plugin(plugin) => {
                steps.append(&mut filter(plugin, work));
                work.filters += 1;
            }
            Item::Branch(branch) => steps.extend(self::branch(branch, work)),
        }
    }
    steps
}

/// The step for a branch; none where nothing in it could be translated.
fn branch(branch: &Branch, work: &mut Work<'_>) -> Option<Table> {
    arms(&branch.arms, &branch.otherwise, work)
}

fn arms(arms: &[Arm], otherwise: &[Item], work: &mut Work<'_>) -> Option<Table> {
    let (arm, later) = arms.split_first()?;
    let search = condition::search(&arm.condition, arm.place, &work.names, &mut work.told);
    let search = match search {
        Ok(search) => search,
        Err(error) => {
            let message = format!("{}; nothing in this branch is translated", error.message);
            work.told.missing(error.place, message);
            return None;
        }
    };
    let then = steps(&arm.items, work);
    let otherwise = if later.is_empty() {
        steps(otherwise, work)
    } else {
        self::arms(later, otherwise, work).into_iter().collect()
    };
    conditional(search, then, otherwise, work.comment(arm.place, "if"))
}

/// One step that does these where the search holds, and the others where it does not.
fn conditional(
    search: Search,
    mut then: Vec<Table>,
    otherwise: Vec<Table>,
    comment: String,
) -> Option<Table> {
    match (then.len(), otherwise.len()) {
        (0, 0) => None,
        (0, _) => conditional(search.not(), otherwise, Vec::new(), comment),
        // A single step takes the condition itself.
        (1, 0) if then.first().is_some_and(|step| step.get("when").is_none()) => {
            let mut step = then.remove(0);
            step.entries.insert(0, ("when", search.into_text().into()));
            Some(step)
        }
        _ => {
            let mut step = Table { comment: vec![comment], ..Table::default() };
            step.set("when", search.into_text());
            step.children.extend(then.into_iter().map(|table| ("then", table)));
            step.children.extend(otherwise.into_iter().map(|table| ("else", table)));
            Some(step)
        }
    }
}

/// The steps for one filter: mostly one, none where it could not be translated.
fn filter(plugin: &Plugin, work: &mut Work<'_>) -> Vec<Table> {
    let mut settings = Settings::new(plugin, work.variable);
    settings.ignore(&["id", "enable_metric", "periodic_flush", "ecs_compatibility"]);
    let old = old_condition(&mut settings, work);
    let steps = translate(&mut settings, work);
    let Some(mut steps) = steps else {
        let message = format!("filter {} is not translated", plugin.name);
        work.told.missing(plugin.place, message);
        return Vec::new();
    };
    if let Some(last) = steps.last_mut() {
        options(last, &mut settings, work);
    }
    settings.finish(&mut work.told);
    let comment = work.comment(plugin.place, &plugin.name);
    for step in &mut steps {
        step.comment = vec![comment.clone()];
    }
    steps.retain(|step| !step.entries.is_empty());
    match old {
        Some(search) => conditional(search, steps, Vec::new(), comment).into_iter().collect(),
        None => steps,
    }
}

/// The steps that do what the filter does; `None` where nothing here does.
fn translate(settings: &mut Settings<'_>, work: &mut Work<'_>) -> Option<Vec<Table>> {
    Some(match settings.plugin.name.as_str() {
        "grok" => grok::steps(settings, work),
        "mutate" => change::mutate(settings, work),
        "date" => change::date(settings, work),
        "drop" => change::drop(settings, work),
        "json" => readers::json(settings, work),
        "kv" => readers::kv(settings, work),
        "csv" => readers::csv(settings, work),
        "dissect" => readers::dissect(settings, work),
        "cidr" => tables::cidr(settings, work),
        "geoip" => tables::geoip(settings, work),
        "translate" => tables::translate(settings, work),
        "syslog_pri" => envelope::syslog_pri(settings, work),
        _ => return None,
    })
}

/// What filters before Logstash 2 had instead of `if`.
fn old_condition(settings: &mut Settings<'_>, work: &mut Work<'_>) -> Option<Search> {
    let mut searches = Vec::new();
    if let Some(kind) = settings.text("type", &mut work.told) {
        searches.push(Search::any_word(&condition::field("type"), &[kind]));
    }
    for tag in settings.texts("tags", &mut work.told) {
        searches.push(Search::any_word("tags", &[tag]));
    }
    for tag in settings.texts("exclude_tags", &mut work.told) {
        searches.push(Search::any_word("tags", &[tag]).not());
    }
    searches.into_iter().reduce(Search::and)
}

/// What every filter can do to an event where it succeeded.
fn options(step: &mut Table, settings: &mut Settings<'_>, work: &mut Work<'_>) {
    let added = settings.pairs("add_field", &mut work.told);
    if !added.is_empty() {
        step.set("add_field", added_fields(&added, work));
    }
    let tags: Vec<String> = settings.texts("add_tag", &mut work.told);
    if !tags.is_empty() {
        step.set("add_tag", texts(tags.iter().map(|tag| work.names.text(tag)).collect()));
    }
    let mut removed = Vec::new();
    for setting in settings.take_all("remove_field") {
        for name in texts_of(&setting.value, work.variable, &mut work.told) {
            if name.contains("%{") {
                let message = format!("`remove_field => {name}` has a name made of fields");
                work.told.missing(setting.place, message);
                continue;
            }
            let plain = crate::names::dotted(&name);
            if plain == "message" && work.names.message != Message::Copied {
                let message = "`message` is kept: the received text stays with every event";
                work.told.differs(setting.place, message);
            } else if plain == "host" && !work.names.written.contains("host") {
                work.told.differs(setting.place, "`host` is kept: it is the sender's address");
            } else if plain != "@version" {
                removed.push(work.names.write(&name));
            }
        }
    }
    if !removed.is_empty() {
        step.set("remove_field", texts(removed));
    }
    let tags: Vec<String> = settings.texts("remove_tag", &mut work.told);
    if !tags.is_empty() {
        step.set("remove_tag", texts(tags));
    }
}

/// Names and texts; a name that comes several times has a list.
pub(crate) fn added_fields(added: &[(String, &Value)], work: &mut Work<'_>) -> Node {
    let mut fields: Vec<(String, Vec<String>)> = Vec::new();
    for (name, value) in added {
        let name = work.names.write(name);
        let values = texts_of(value, work.variable, &mut work.told);
        let values = values.iter().map(|value| work.names.text(value));
        match fields.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => known.extend(values),
            None => fields.push((name, values.collect())),
        }
    }
    Node::Table(fields.into_iter().map(|(name, values)| (name, texts(values))).collect())
}

/// Words for `tag_on_failure`, where the filter says some.
fn tag_on_failure(step: &mut Table, settings: &mut Settings<'_>, work: &mut Work<'_>) {
    let settings = settings.take_all("tag_on_failure");
    if settings.is_empty() {
        return;
    }
    let tags: Vec<String> = settings
        .iter()
        .flat_map(|setting| texts_of(&setting.value, work.variable, &mut work.told))
        .filter(|tag| !tag.is_empty())
        .collect();
    step.set("tag_on_failure", texts(tags));
}

/// Names and the text of each; of several of one name, the last.
fn named_texts(
    name: &str,
    settings: &mut Settings<'_>,
    work: &mut Work<'_>,
) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for (name, value) in settings.pairs(name, &mut work.told) {
        let Some(value) = text(value, work.variable, &mut work.told) else { continue };
        match found.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => found.push((name, value)),
        }
    }
    found
}

/// The field that a filter reads, `message` unless it says another.
fn source(name: &str, settings: &mut Settings<'_>, work: &mut Work<'_>) -> String {
    let field = settings.text(name, &mut work.told);
    work.names.read(field.as_deref().unwrap_or("message"))
}
