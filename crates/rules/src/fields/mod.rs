//! Names of fields in rules, and the fields of events that they mean, by one table.
//!
//! What a name means depends on the rule's log source: Windows events keep the names of their log,
//! others are known by their ECS names. The table is data (`rules/fields.yml`); a person may lay
//! another over it.

mod read;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use bergfried_event::{Field, FieldName, nearest};

use crate::diagnostic::Diagnostic;
use crate::logsource::LogSource;

static BUILTIN: LazyLock<Arc<Table>> = LazyLock::new(|| {
    Arc::new(read::table(include_str!("../../../../rules/fields.yml")).unwrap_or_default())
});

/// Which fields of events the names in rules mean. Cheap to copy.
#[derive(Clone, Debug)]
pub struct Fields(Arc<Table>);

#[derive(Clone, Debug, Default)]
struct Table {
    /// The longest first.
    prefixes: Vec<String>,
    spellings: BTreeMap<String, String>,
    originals: Vec<String>,
    names: BTreeMap<String, Vec<String>>,
    sources: Vec<SourceNames>,
    /// Other names that logs use, by product (`any`: whatever the product).
    known: BTreeMap<String, Vec<String>>,
}

/// Names that mean something of their own in one log source.
#[derive(Clone, Debug)]
struct SourceNames {
    logsource: LogSource,
    names: BTreeMap<String, Vec<String>>,
}

impl Default for Fields {
    /// The table of this repository.
    fn default() -> Self {
        Fields(Arc::clone(&BUILTIN))
    }
}

impl Fields {
    /// The built-in table with that of a file (YAML, as `rules/fields.yml`) laid over it: what the
    /// file names wins.
    ///
    /// # Errors
    /// Says where the file cannot be read and why.
    pub fn read(file: &str, text: &str) -> Result<Fields, Diagnostic> {
        let mut table = read::table(text).map_err(|error| error.diagnostic(file))?;
        table.extend(&BUILTIN);
        Ok(Fields(Arc::new(table)))
    }

    /// The names of one rule.
    pub(crate) fn of<'f>(&'f self, logsource: &'f LogSource) -> Names<'f> {
        Names { table: &self.0, logsource }
    }
}

impl Table {
    /// Adds what another table says of names that this one does not know.
    fn extend(&mut self, other: &Table) {
        self.prefixes.extend(other.prefixes.iter().cloned());
        self.prefixes.sort_by_key(|prefix| std::cmp::Reverse(prefix.len()));
        self.originals.extend(other.originals.iter().cloned());
        self.sources.extend(other.sources.iter().cloned());
        for (name, spelling) in &other.spellings {
            self.spellings.entry(name.clone()).or_insert_with(|| spelling.clone());
        }
        for (product, names) in &other.known {
            self.known.entry(product.clone()).or_default().extend(names.iter().cloned());
        }
        for (name, fields) in &other.names {
            self.names.entry(name.clone()).or_insert_with(|| fields.clone());
        }
    }
}

/// What names mean in the rules of one log source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names<'f> {
    table: &'f Table,
    logsource: &'f LogSource,
}

impl<'f> Names<'f> {
    /// The fields that a rule means by this name: at least one; an event is asked for each.
    pub(crate) fn fields(self, name: &str) -> Vec<FieldName<'static>> {
        let name = self.plain(name);
        let own = self.mapped(name);
        let mut fields = Vec::new();
        // JSON that no parser here knows keeps the names that it came with.
        let itself = own.is_none_or(|own| !own.is_whole).then_some(name);
        let named = own.into_iter().flat_map(|own| own.fields.iter().map(String::as_str));
        for field in named.chain(itself).flat_map(either) {
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        fields
    }

    /// Where no event carries a field of this name: the nearest name that some event may carry.
    ///
    /// `None` where the name is known, or so unlike all known ones that it is some program's own.
    pub(crate) fn misspelt(self, name: &str) -> Option<&'f str> {
        let plain = self.plain(name);
        if Field::from_name(plain).is_some() || self.known().any(|known| known == plain) {
            return None;
        }
        let fields = self.table.names.values().chain(self.of_sources().map(|(_, fields)| fields));
        let mut everywhere = self.table.known.values().chain(fields).flatten();
        if everywhere.any(|known| known == plain) {
            return None;
        }
        nearest(plain, Field::ALL.iter().map(|field| field.name()).chain(self.known()))
    }

    /// The names that rules of this log source use.
    fn known(self) -> impl Iterator<Item = &'f str> {
        let product = self.logsource.product.as_deref().unwrap_or_default();
        let lists = ["any", product].into_iter().filter_map(|key| self.table.known.get(key));
        let own = self.of_sources().map(|(name, _)| name);
        lists.flatten().chain(self.table.names.keys()).chain(own).map(String::as_str)
    }

    fn of_sources(self) -> impl Iterator<Item = (&'f String, &'f Vec<String>)> {
        let within = move |source: &&SourceNames| self.logsource.is_within(&source.logsource);
        self.table.sources.iter().filter(within).flat_map(|source| &source.names)
    }

    /// The name in its usual spelling, without what a shipper writes before it.
    fn plain<'n>(&'n self, name: &'n str) -> &'n str {
        if let Some(spelling) = self.table.spellings.get(name) {
            return spelling;
        }
        let stripped =
            self.table.prefixes.iter().find_map(|prefix| name.strip_prefix(prefix.as_str()));
        stripped.filter(|rest| !rest.is_empty()).unwrap_or(name)
    }

    fn mapped(&self, name: &str) -> Option<Mapped<'f>> {
        let mut sources = self.table.sources.iter();
        let own = sources.find_map(|source| {
            source.names.get(name).filter(|_| self.logsource.is_within(&source.logsource))
        });
        let product = self.logsource.product.as_ref();
        let original = product.is_some_and(|product| self.table.originals.contains(product));
        let general = || self.table.names.get(name).filter(|_| !original);
        own.map(|fields| Mapped { fields, is_whole: true })
            .or_else(|| general().map(|fields| Mapped { fields, is_whole: false }))
    }
}

/// What a table says of a name.
#[derive(Clone, Copy)]
struct Mapped<'f> {
    fields: &'f [String],
    /// Whether the name itself is only meant where it is one of the fields.
    is_whole: bool,
}

/// The field of a name. Short names of the search language (`action`) are also names that logs use.
fn either(name: &str) -> Vec<FieldName<'static>> {
    let own = || FieldName::Other(name.to_owned().into());
    match Field::from_name(name) {
        Some(field) if field.name() == name => vec![field.into()],
        Some(field) => vec![field.into(), own()],
        None => vec![own()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logsource(product: Option<&str>, service: Option<&str>) -> LogSource {
        LogSource {
            product: product.map(str::to_owned),
            category: None,
            service: service.map(str::to_owned),
        }
    }

    #[test]
    fn names_map_onto_ecs_but_for_windows() {
        let fields = Fields::default();
        let (linux, windows) = (logsource(Some("linux"), None), logsource(Some("windows"), None));
        for (name, in_linux, in_windows) in [
            ("CommandLine", "process.command_line", "CommandLine"),
            ("SourceIp", "source.ip", "SourceIp"),
            ("user.name", "user.name", "user.name"),
            ("winlog.event_data.ParentImage", "process.parent.executable", "ParentImage"),
            ("Event.System.EventID", "event.code", "EventID"),
            ("winlog.channel", "Channel", "Channel"),
            ("winlog.", "winlog.", "winlog."),
            ("own.thing", "own.thing", "own.thing"),
        ] {
            assert_eq!(fields.of(&linux).fields(name)[0].as_str(), in_linux);
            assert_eq!(fields.of(&windows).fields(name)[0].as_str(), in_windows);
        }
    }

    #[test]
    fn a_log_source_may_spell_a_name_in_several_ways() {
        let fields = Fields::default();
        let defender = logsource(Some("windows"), Some("windefend"));
        let names = |source: &LogSource| fields.of(source).fields("NewValue");
        assert_eq!(names(&defender).len(), 3);
        assert_eq!(names(&defender)[0].as_str(), "New Value");
        assert_eq!(names(&logsource(Some("windows"), Some("security"))).len(), 1);
    }

    #[test]
    fn a_short_name_of_searches_is_also_one_of_logs() {
        let github = logsource(Some("github"), None);
        let names = Fields::default();
        let found = names.of(&github).fields("action");
        assert_eq!(found, [Field::EventAction.into(), FieldName::Other("action".into())]);
    }

    #[test]
    fn slips_of_the_hand_are_told_from_own_fields() {
        let fields = Fields::default();
        let linux = logsource(Some("linux"), None);
        let names = fields.of(&linux);
        assert_eq!(names.misspelt("sorce.ip"), Some("source.ip"));
        assert_eq!(names.misspelt("CommandLin"), Some("CommandLine"));
        assert_eq!(names.misspelt("source.ip"), None);
        assert_eq!(names.misspelt("zeek.conn.history"), None);
    }

    #[test]
    fn a_persons_table_wins() {
        let text = "names: {Image: own.path}\noriginals: [solaris]\n";
        let fields = Fields::read("f.yml", text).unwrap();
        let (linux, solaris) = (logsource(Some("linux"), None), logsource(Some("solaris"), None));
        assert_eq!(fields.of(&linux).fields("Image")[0].as_str(), "own.path");
        assert_eq!(fields.of(&linux).fields("CommandLine")[0].as_str(), "process.command_line");
        assert_eq!(fields.of(&solaris).fields("Image")[0].as_str(), "Image");
    }

    #[test]
    fn a_table_that_cannot_be_read_is_placed() {
        for (text, expected) in [
            ("nmes: {a: b}\n", "f.yml:1:1: cannot read the table of fields: "),
            ("names:\n  a: []\n", "f.yml:1:1: `a` must mean at least one field"),
            ("names: [", "f.yml:"),
        ] {
            let said = Fields::read("f.yml", text).unwrap_err().to_string();
            assert!(said.starts_with(expected), "{said}");
        }
    }
}
