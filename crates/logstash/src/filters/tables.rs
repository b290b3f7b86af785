//! `cidr`, `geoip` and `translate`: what a field's value says in another table.

use super::{named_texts, source, tag_on_failure};
use crate::Work;
use crate::settings::Settings;
use crate::toml::{Node, Table, list};

/// A step for each address that is looked at; Logstash wants one of them to lie in a network.
pub(super) fn cidr(settings: &mut Settings<'_>, work: &mut Work<'_>) -> Vec<Table> {
    let networks = settings.texts("network", &mut work.told);
    if let Some(setting) = settings.take("network_path") {
        let message = "`network_path` is not translated: write the networks into `networks`, or a \
                       table with `match = \"network\"` for a lookup step";
        work.told.missing(setting.place, message);
    }
    settings.ignore(&["refresh_interval", "separator"]);
    let mut fields = Vec::new();
    for address in settings.texts("address", &mut work.told) {
        match address.strip_prefix("%{").and_then(|rest| rest.strip_suffix('}')) {
            Some(field) if !field.contains("%{") => fields.push(work.names.read(field)),
            _ => work.told.missing(settings.place(), format!("`{address}` is no field")),
        }
    }
    if networks.is_empty() || fields.is_empty() {
        work.told.missing(settings.place(), "cidr has no field or no network to compare");
        return Vec::new();
    }
    if networks.iter().any(|network| network.contains("%{")) {
        work.told.missing(settings.place(), "networks that stand in fields are not translated");
    }
    let networks: Vec<String> = networks.into_iter().filter(|one| !one.contains("%{")).collect();
    let mut step = Table::default();
    let cidr = vec![
        ("field".to_owned(), crate::toml::texts(fields)),
        ("networks".to_owned(), list(networks)),
    ];
    step.set("cidr", Node::Table(cidr));
    tag_on_failure(&mut step, settings, work);
    vec![step]
}

pub(super) fn geoip(settings: &mut Settings<'_>, work: &mut Work<'_>) -> Vec<Table> {
    let field = source("source", settings, work);
    let mut geoip = vec![("field".to_owned(), Node::from(field.clone()))];
    match settings.text("database", &mut work.told) {
        Some(database) => geoip.push(("database".to_owned(), database.into())),
        None => {
            geoip.push(("database".to_owned(), "/var/lib/GeoIP/GeoLite2-City.mmdb".into()));
            let message = "Logstash downloads a database, here you name one (MaxMind's format); \
                           /var/lib/GeoIP/GeoLite2-City.mmdb is put in its place";
            work.told.differs(settings.place(), message);
        }
    }
    let target = settings.text("target", &mut work.told);
    let target = work.names.write(target.as_deref().unwrap_or("geoip"));
    // Below `source.geo` and `source.as` ECS has what is put below `source` here.
    let target =
        target.strip_suffix(".geo").or_else(|| target.strip_suffix(".as")).unwrap_or(&target);
    geoip.push(("target".to_owned(), target.into()));
    let message = format!(
        "what is found is named as in ECS: {target}.geo.country_iso_code, {target}.geo.city_name, \
         {target}.geo.location, {target}.as.number"
    );
    work.told.differs(settings.place(), message);
    if let Some(setting) = settings.take("fields") {
        work.told.differs(setting.place, "every field that the database has is added");
    }
    settings.ignore(&["default_database_type", "cache_size", "lru_cache_size"]);
    let mut step = Table::default();
    step.set("geoip", Node::Table(geoip));
    tag_on_failure(&mut step, settings, work);
    vec![step]
}

pub(super) fn translate(settings: &mut Settings<'_>, work: &mut Work<'_>) -> Vec<Table> {
    let old = settings.text("field", &mut work.told);
    let field = settings.text("source", &mut work.told).or(old);
    let old = settings.text("destination", &mut work.told);
    let target = settings.text("target", &mut work.told).or(old);
    let Some(field) = field else {
        work.told.missing(settings.place(), "translate has no `source`");
        return Vec::new();
    };
    let target = work.names.write(target.as_deref().unwrap_or("translation"));
    let mut lookup = vec![("field".to_owned(), Node::from(work.names.read(&field)))];
    let entries = named_texts("dictionary", settings, work);
    if let Some(setting) = settings.take("dictionary_path") {
        let path = crate::settings::text(&setting.value, work.variable, &mut work.told);
        let path = path.unwrap_or_default();
        if path.ends_with(".csv") {
            lookup.push(("file".to_owned(), path.into()));
            lookup.push(("columns".to_owned(), list(["key".to_owned(), "value".to_owned()])));
            lookup.push(("key".to_owned(), "key".into()));
            lookup.push((
                "fields".to_owned(),
                Node::Table(vec![("value".to_owned(), target.as_str().into())]),
            ));
        } else {
            let message = format!("the dictionary `{path}` must become a CSV file with a header");
            work.told.missing(setting.place, message);
            return Vec::new();
        }
    } else {
        let entries = entries.into_iter().map(|(key, value)| (key, value.into())).collect();
        lookup.push(("entries".to_owned(), Node::Table(entries)));
        lookup.push(("target".to_owned(), target.as_str().into()));
    }
    if let Some(fallback) = settings.text("fallback", &mut work.told) {
        let fallback = work.names.text(&fallback);
        if fallback.contains("%{") {
            work.told.missing(settings.place(), "a `fallback` made of fields is not translated");
        } else {
            let default = Node::Table(vec![(target, fallback.into())]);
            lookup.push(("default".to_owned(), default));
        }
    }
    if settings.truth("override", &mut work.told) == Some(false) {
        lookup.push(("overwrite".to_owned(), false.into()));
    }
    for (name, expected) in [("exact", true), ("regex", false)] {
        if settings.truth(name, &mut work.told) == Some(!expected) {
            work.told
                .missing(settings.place(), format!("`{name} => {}` is not translated", !expected));
        }
    }
    settings.ignore(&["refresh_interval", "refresh_behaviour", "yaml_dictionary_code_point_limit"]);
    let mut step = Table::default();
    step.set("lookup", Node::Table(lookup));
    vec![step]
}
