//! Falco: alerts of `json_output`, from its file, its syslog and what it posts.
//!
//! What the rules chose to print is kept under `falco.output_fields.`; `message` is the sentence.

use bergfried_event::{Event, Field, FieldName, Value};

use super::{copy, copy_as_text, get, is_nothing, name, set_level, set_missing, text};
use crate::programs::falco_priority;
use crate::text::{is_ip, port};

/// Names of Falco at the top of its objects, and where they are kept.
const OWN: [(&str, &str); 5] = [
    ("rule", "falco.rule"),
    ("priority", "falco.priority"),
    ("output", "falco.output"),
    ("source", "falco.source"),
    ("uuid", "falco.uuid"),
];

const PROCESS: [(&str, &str); 12] = [
    ("falco.output_fields.proc.name", "process.name"),
    ("falco.output_fields.proc.pid", "process.pid"),
    ("falco.output_fields.proc.cmdline", "process.command_line"),
    ("falco.output_fields.proc.exepath", "process.executable"),
    ("falco.output_fields.proc.cwd", "process.working_directory"),
    ("falco.output_fields.proc.pname", "process.parent.name"),
    ("falco.output_fields.proc.ppid", "process.parent.pid"),
    ("falco.output_fields.proc.pcmdline", "process.parent.command_line"),
    ("falco.output_fields.proc.pexepath", "process.parent.executable"),
    ("falco.output_fields.evt.type", "falco.syscall"),
    ("falco.output_fields.fd.sport", "destination.port"),
    ("falco.output_fields.fd.cport", "source.port"),
];

const TEXTS: [(&str, &str); 26] = [
    ("falco.output_fields.proc.tty", "process.tty"),
    ("falco.output_fields.user.name", "user.name"),
    ("falco.output_fields.ka.user.name", "user.name"),
    ("falco.output_fields.user.uid", "user.id"),
    ("falco.output_fields.user.loginuid", "user.audit.id"),
    ("falco.output_fields.user.loginname", "user.audit.name"),
    ("falco.output_fields.group.name", "group.name"),
    ("falco.output_fields.group.gid", "group.id"),
    ("falco.output_fields.container.name", "container.name"),
    ("falco.output_fields.container.image.repository", "container.image.name"),
    ("falco.output_fields.container.image.tag", "container.image.tag"),
    ("falco.output_fields.k8s.ns.name", "orchestrator.namespace"),
    ("falco.output_fields.ka.target.namespace", "orchestrator.namespace"),
    ("falco.output_fields.k8s.pod.name", "orchestrator.resource.name"),
    ("falco.output_fields.ka.target.name", "orchestrator.resource.name"),
    ("falco.output_fields.k8s.pod.id", "orchestrator.resource.id"),
    ("falco.output_fields.k8s.pod.uid", "orchestrator.resource.id"),
    ("falco.output_fields.ka.target.resource", "orchestrator.resource.type"),
    ("falco.output_fields.ka.uri", "url.path"),
    ("falco.output_fields.ka.response.code", "http.response.status_code"),
    ("falco.output_fields.fs.path.name", "file.path"),
    ("falco.output_fields.fd.cip", "source.ip"),
    ("falco.output_fields.fd.sip", "destination.ip"),
    ("falco.output_fields.fd.sip.name", "destination.domain"),
    ("falco.output_fields.fd.l4proto", "network.transport"),
    ("falco.output_fields.evt.hostname", "host.name"),
];

pub(super) fn complete(event: &mut Event<'_>, has_time: bool) -> bool {
    let Some(code) = text(event, "priority").and_then(falco_priority) else { return false };
    let is_falco = text(event, "rule").is_some()
        && (text(event, "output").is_some()
            || get(event, "output_fields").is_some()
            || event.fields().iter().any(|(name, _)| name.as_str().starts_with("output_fields.")));
    if !is_falco {
        return false;
    }
    rename(event);
    event.set(Field::EventModule, "falco");
    event.set(Field::EventCategory, "intrusion_detection");
    event.set(Field::EventType, "info");
    set_level(event, code);
    let rule = text(event, "falco.rule").unwrap_or_default().to_owned();
    // What Falco says of itself is no alert.
    let is_own =
        text(event, "falco.source") == Some("internal") || rule.starts_with("Falco internal: ");
    event.set(Field::EventKind, if is_own { "event" } else { "alert" });
    event.set(Field::EventAction, if is_own { "status" } else { "alert" });
    event.set(Field::EventReason, rule.clone());
    event.set(Field::RuleName, rule);
    if let Some(output) = get(event, "falco.output") {
        let output = output.clone();
        event.set(Field::Message, output);
    }
    copy(event, &PROCESS);
    copy_as_text(event, &TEXTS);
    if get(event, "falco.output_fields.k8s.pod.name").is_some_and(|pod| !is_nothing(pod)) {
        set_missing(event, "orchestrator.resource.type", "pod");
    }
    // `host` stands for a process outside of containers.
    if let Some(id) = get(event, "falco.output_fields.container.id")
        && id.as_str() != Some("host")
    {
        let id = id.clone();
        set_missing(event, "container.id", id);
    }
    read_descriptor(event);
    read_tags(event);
    if !has_time {
        super::set_created(event, "falco.output_fields.evt.time");
    }
    true
}

/// Puts Falco's own names under `falco.`.
fn rename(event: &mut Event<'_>) {
    let fields = event.fields().iter().map(|(known, value)| {
        let FieldName::Other(known) = known else { return (known.clone(), value.clone()) };
        let renamed = match OWN.iter().find(|(own, _)| own == known) {
            Some((_, renamed)) => name(renamed),
            None if known.starts_with("output_fields") => {
                FieldName::Other(format!("falco.{known}").into())
            }
            None => FieldName::Other(known.clone()),
        };
        (renamed, value.clone())
    });
    let fields = fields.collect();
    let original = event.original_text().clone();
    *event = Event::with_fields(event.created(), original, fields, event.dropped_fields());
}

/// `fd.name` is a path, or `192.0.2.1:4711->198.51.100.2:443`.
fn read_descriptor(event: &mut Event<'_>) {
    let Some(descriptor) = text(event, "falco.output_fields.fd.name") else { return };
    if descriptor.starts_with('/') {
        let path = descriptor.to_owned();
        set_missing(event, "file.path", path);
        return;
    }
    let Some((source, destination)) = descriptor.split_once("->") else { return };
    let parts = |text: &str| {
        let (address, number) = text.rsplit_once(':')?;
        let address = address.trim_start_matches('[').trim_end_matches(']');
        is_ip(address).then(|| (address.to_owned(), port(number)))
    };
    let (source, destination) = (parts(source), parts(destination));
    for (peer, address_field, port_field) in
        [(source, "source.ip", "source.port"), (destination, "destination.ip", "destination.port")]
    {
        let Some((address, port)) = peer else { continue };
        set_missing(event, address_field, address);
        if let Some(port) = port {
            set_missing(event, port_field, port);
        }
    }
}

/// Techniques of ATT&CK among the tags: `T1059`, `T1059.004`.
fn read_tags(event: &mut Event<'_>) {
    let Some(Value::List(tags)) = event.get(Field::Tags) else { return };
    let is_technique = |tag: &&Value<'_>| {
        tag.as_str().and_then(|tag| tag.strip_prefix('T')).is_some_and(|number| {
            number.len() >= 4 && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        })
    };
    let found: Vec<String> =
        tags.iter().filter(is_technique).filter_map(Value::as_str).map(str::to_owned).collect();
    if !found.is_empty() {
        let found: Vec<Value<'_>> = found.into_iter().map(Value::from).collect();
        set_missing(event, "threat.technique.id", Value::List(found));
    }
}
