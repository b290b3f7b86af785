//! Inputs as `[[input]]` tables; what comes over HTTP or from agents needs none.

use std::collections::BTreeSet;

use crate::Work;
use crate::settings::{Settings, text};
use crate::survey::each_plugin;
use crate::syntax::{Item, Plugin, Value, ValueKind};
use crate::toml::{Node, Table, list};

/// The inputs of a pipeline.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    pub(crate) tables: Vec<Table>,
    /// Their names.
    pub(crate) names: Vec<String>,
    /// Steps that read what an input's codec says, before all filters.
    pub(crate) codecs: Vec<Table>,
    /// Whether events come in another way too, so that the chain is for those of any input.
    pub(crate) open: bool,
}

/// An input before it has a name.
struct Listener {
    table: Table,
    /// The word that its name is made of.
    word: String,
    codec: Option<(&'static str, Vec<String>)>,
}

pub(crate) fn translate(items: &[Item], work: &mut Work<'_>) -> Inputs {
    let mut plugins = Vec::new();
    each_plugin(items, &mut |plugin| plugins.push(plugin));
    let mut inputs = Inputs::default();
    let mut listeners: Vec<Listener> = Vec::new();
    for plugin in plugins {
        work.inputs += 1;
        match listener(plugin, work) {
            Some(one) => match listeners.iter_mut().find(|other| other.takes(&one)) {
                Some(other) => other.join(one),
                None => listeners.push(one),
            },
            None => {
                inputs.open = true;
                let message = "what comes this way has no name that the chain could ask for: chain and \
                               outputs are for the events of every input, narrow them with `when`";
                work.told.note(plugin.place, message);
            }
        }
    }
    inputs.open |= listeners.is_empty();
    let mut taken = BTreeSet::new();
    for mut listener in listeners {
        let name = unused(&listener.word, &mut taken);
        listener.table.entries.insert(0, ("name", name.as_str().into()));
        if let Some((codec, comment)) = listener.codec {
            let mut step = Table { comment, ..Table::default() };
            step.set("when", format!("input.name:{name}"));
            let field = Node::from("event.original");
            step.set(codec, Node::Table(vec![("field".to_owned(), field)]));
            inputs.codecs.push(step);
        }
        inputs.tables.push(listener.table);
        inputs.names.push(name);
    }
    inputs
}

/// The word, with a number behind it where it is taken.
fn unused(word: &str, taken: &mut BTreeSet<String>) -> String {
    let mut name = word.to_owned();
    let mut number = 2;
    while !taken.insert(name.clone()) {
        name = format!("{word}-{number}");
        number += 1;
    }
    name
}

impl Listener {
    /// Whether the other differs in its addresses alone, of another transport.
    fn takes(&self, other: &Listener) -> bool {
        const ADDRESSES: [&str; 5] = ["udp", "tcp", "tls", "relp", "relp_tls"];
        let rest = |table: &Table| {
            let rest = table.entries.iter().filter(|(key, _)| !ADDRESSES.contains(key));
            rest.cloned().collect::<Vec<_>>()
        };
        let clash = ADDRESSES
            .iter()
            .any(|key| self.table.get(key).is_some() && other.table.get(key).is_some());
        let codec = |listener: &Listener| listener.codec.as_ref().map(|(codec, _)| *codec);
        !clash && rest(&self.table) == rest(&other.table) && codec(self) == codec(other)
    }

    fn join(&mut self, other: Listener) {
        self.table.comment.extend(other.table.comment);
        for (key, value) in other.table.entries {
            if self.table.get(key).is_none() {
                // After the type.
                self.table.entries.insert(1, (key, value));
            }
        }
    }
}

fn listener(plugin: &Plugin, work: &mut Work<'_>) -> Option<Listener> {
    let mut settings = Settings::new(plugin, work.variable);
    let told = &mut work.told;
    let place = plugin.place;
    let transports = match plugin.name.as_str() {
        "tcp" => &["tcp"][..],
        "udp" => &["udp"],
        "syslog" => &["udp", "tcp"],
        "relp" => &["relp"],
        "beats" | "elastic_agent" => {
            let message = format!(
                "input {} needs no table: give Beats `output.elasticsearch` with this hub's address \
                 in place of `output.logstash`",
                plugin.name
            );
            told.differs(place, message);
            marks(&mut settings, work);
            return None;
        }
        "http" => {
            told.differs(place, "input http needs no table: post lines to the hub's /api/v1/raw");
            marks(&mut settings, work);
            return None;
        }
        "file" => {
            let paths = settings.texts("path", told);
            let options: Vec<String> =
                paths.iter().map(|path| format!("--file '{path}'")).collect();
            let options = options.join(" ");
            let message = format!("input file is read by an agent: bergfried agent {options}");
            told.differs(place, message);
            marks(&mut settings, work);
            return None;
        }
        other => {
            told.missing(place, format!("input {other} is not translated"));
            return None;
        }
    };
    if settings.text("mode", told).is_some_and(|mode| mode != "server") {
        told.missing(
            place,
            "only `mode => server` listens; an input that connects is not translated",
        );
        return None;
    }
    let default = if plugin.name == "syslog" { Some("514".to_owned()) } else { None };
    let Some(port) = settings.text("port", told).or(default) else {
        told.missing(place, format!("input {} has no port", plugin.name));
        return None;
    };
    let host = settings.text("host", told).unwrap_or_else(|| "0.0.0.0".to_owned());
    let address =
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let kind = settings.text("type", told);
    let mut table = Table { comment: vec![work.comment(place, &plugin.name)], ..Table::default() };
    table.set("type", "syslog");
    let secure = secure(&mut settings, work);
    for transport in transports {
        let key = match (*transport, &secure) {
            ("tcp", Some(_)) => "tls",
            ("relp", Some(_)) => "relp_tls",
            (plain, _) => plain,
        };
        table.set(key, list([address.clone()]));
    }
    table.entries.extend(secure.unwrap_or_default());
    table.set_some("time_zone", settings.text("timezone", &mut work.told));
    let tags = settings.texts("tags", &mut work.told);
    if !tags.is_empty() {
        table.set("tags", list(tags));
    }
    fields(&mut table, kind.as_deref(), &mut settings, work);
    let codec = codec(&mut settings, work);
    let word = kind.unwrap_or_else(|| format!("{}-{port}", plugin.name));
    unneeded(&mut settings, work);
    settings.finish(&mut work.told);
    Some(Listener { table, word: name_of(&word), codec })
}

/// Says what the events of an input without a table do not get, and conditions may ask for.
fn marks(settings: &mut Settings<'_>, work: &mut Work<'_>) {
    let plugin = &settings.plugin.name;
    for name in ["type", "tags", "add_field"] {
        for setting in settings.take_all(name) {
            let message = format!("setting `{name}` of {plugin} is not translated");
            work.told.missing(setting.place, message);
        }
    }
    // JSON is read as such wherever it comes from.
    if let Some(("cef", _)) = codec(settings, work) {
        work.told.missing(settings.place(), format!("codec cef of {plugin} is not translated"));
    }
}

/// Fields that every event of an input gets.
fn fields(table: &mut Table, kind: Option<&str>, settings: &mut Settings<'_>, work: &mut Work<'_>) {
    let mut fields: Vec<(String, Node)> = Vec::new();
    if let Some(kind) = kind {
        fields.push(("type".to_owned(), kind.into()));
    }
    for (name, value) in settings.pairs("add_field", &mut work.told) {
        let Some(value) = text(value, work.variable, &mut work.told) else { continue };
        if value.contains("%{") {
            let message = format!("field `{name}` of an input cannot be made of other fields");
            work.told.missing(settings.place(), message);
        } else {
            fields.push((work.names.write(&name), value.into()));
        }
    }
    if !fields.is_empty() {
        table.set("fields", Node::Table(fields));
    }
}

/// A name has letters, digits, `.`, `_` and `-`.
fn name_of(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let name: String = word.chars().map(|c| if plain(c) { c } else { '-' }).take(48).collect();
    if name.is_empty() { "input".to_owned() } else { name }
}

/// The certificate and what is asked of clients, where TLS is on; under the names of today and of
/// before Logstash 8.
fn secure(settings: &mut Settings<'_>, work: &mut Work<'_>) -> Option<Vec<(&'static str, Node)>> {
    let told = &mut work.told;
    let on = settings.truth("ssl_enabled", told);
    let on = settings.truth("ssl_enable", told).or(on) == Some(true);
    let mut file = |names: &[&str], told: &mut crate::diagnostic::Told| {
        let setting = settings.take_any(names)?;
        text(&setting.value, work.variable, told)
    };
    let certificate = file(&["ssl_certificate", "ssl_cert"], told);
    let key = file(&["ssl_key"], told);
    let asked = file(&["ssl_client_authentication"], told);
    let verified = file(&["ssl_verify"], told);
    let mut authorities = settings.texts("ssl_certificate_authorities", told);
    authorities.extend(settings.texts("ssl_cacert", told));
    if let Some(setting) = settings.take("ssl_key_passphrase") {
        told.missing(
            setting.place,
            "keys with a passphrase are not taken: decrypt it (openssl pkey)",
        );
    }
    if let Some(setting) = settings.take_any(&["ssl_supported_protocols", "ssl_cipher_suites"]) {
        told.differs(
            setting.place,
            "TLS 1.2 and 1.3 with their safe cipher suites are spoken, always",
        );
    }
    for name in ["ssl_extra_chain_certs", "ssl_certificate_extra"] {
        if let Some(setting) = settings.take(name) {
            let message =
                format!("put the certificates of `{name}` behind that of the server, in one file");
            told.differs(setting.place, message);
        }
    }
    if !on {
        return None;
    }
    let mut table = Vec::new();
    if certificate.is_none() || key.is_none() {
        told.missing(settings.place(), "TLS needs `ssl_certificate` and `ssl_key`");
    }
    table.extend(certificate.map(|file| ("certificate", Node::from(file))));
    table.extend(key.map(|file| ("key", Node::from(file))));
    let required = match (asked.as_deref(), verified.as_deref()) {
        (Some("required"), _) => "required",
        (Some("optional"), _) => "optional",
        (Some(_), _) | (None, Some("false")) => "none",
        (None, Some("true")) => "required",
        (None, _) => {
            if authorities.is_empty() {
                "none"
            } else {
                let message = "client certificates are required, as Logstash before 8 did; write \
                               client_certificate = \"none\" where they are not";
                told.differs(settings.place(), message);
                "required"
            }
        }
    };
    if required != "none" {
        match authorities.as_slice() {
            [] => {
                let message = "client certificates are asked for, but no authority that signs them is \
                               named";
                told.missing(settings.place(), message);
            }
            [first, rest @ ..] => {
                table.push(("client_ca", first.as_str().into()));
                table.push(("client_certificate", required.into()));
                if !rest.is_empty() {
                    let message = format!("put the authorities into one file, `{first}`");
                    told.missing(settings.place(), message);
                }
            }
        }
    }
    Some(table)
}

/// The step that reads what the codec reads.
fn codec(settings: &mut Settings<'_>, work: &mut Work<'_>) -> Option<(&'static str, Vec<String>)> {
    let setting = settings.take("codec")?;
    let (name, inner) = named(&setting.value);
    if let Some(charset) =
        inner.and_then(|codec| codec.settings.iter().find(|s| s.name == "charset"))
    {
        let text = text(&charset.value, work.variable, &mut work.told).unwrap_or_default();
        if !text.eq_ignore_ascii_case("utf-8") {
            let message = format!("bytes that are no UTF-8 are shown as \\xNN, not read as {text}");
            work.told.differs(charset.place, message);
        }
    }
    let comment = vec![work.comment(setting.place, &format!("codec {name}"))];
    match name.as_str() {
        "json" | "json_lines" => Some(("json", comment)),
        "cef" => Some(("cef", comment)),
        "plain" | "line" | "rubydebug" | "dots" => None,
        other => {
            work.told.missing(setting.place, format!("codec {other} is not translated"));
            None
        }
    }
}

/// The name of a codec, and its settings.
pub(crate) fn named(value: &Value) -> (String, Option<&Plugin>) {
    match &value.kind {
        ValueKind::Plugin(plugin) => (plugin.name.clone(), Some(plugin)),
        ValueKind::Text(word) | ValueKind::Word(word) => (word.clone(), None),
        _ => (String::new(), None),
    }
}

/// Settings that have no counterpart because nothing is to be set.
fn unneeded(settings: &mut Settings<'_>, work: &mut Work<'_>) {
    settings.ignore(&[
        "id",
        "enable_metric",
        "ecs_compatibility",
        "queue_size",
        "workers",
        "receive_buffer_bytes",
        "tcp_keep_alive",
        "dns_reverse_lookup_enabled",
        "use_labels",
        "syslog_field",
        "locale",
        "data_timeout",
    ]);
    if let Some(setting) = settings.take("buffer_size") {
        work.told.note(
            setting.place,
            "messages up to 64 KiB are taken whole; `max_message` allows more",
        );
    }
    if let Some(setting) = settings.take("proxy_protocol")
        && text(&setting.value, work.variable, &mut work.told).as_deref() == Some("true")
    {
        work.told.missing(setting.place, "the PROXY protocol is not spoken");
    }
    if let Some(setting) = settings.take("source_ip_fieldname") {
        work.told.differs(setting.place, "the sender's address is `observer.ip`");
    }
    if let Some(setting) = settings.take("grok_pattern") {
        let message = "messages are read by the hub's own parser, which knows more forms";
        work.told.differs(setting.place, message);
    }
}
