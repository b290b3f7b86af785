//! A line after its envelope is off, whatever the envelope was, and the event it makes.

use std::borrow::Cow;

use bergfried_event::{Event, Field, FieldName, Timestamp};

use crate::audit;
use crate::programs;
use crate::syslog::{FACILITIES, SEVERITIES, mnemonic};
use crate::{Context, push_host, windows_xml};

/// What the envelope of a line says, and the message in it.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    pub(crate) created: Timestamp,
    pub(crate) host: Option<Cow<'a, str>>,
    pub(crate) program: Option<Cow<'a, str>>,
    pub(crate) pid: Option<i64>,
    pub(crate) facility: Option<u8>,
    pub(crate) severity: Option<u8>,
    /// True where the envelope holds facility and severity as one number, as `<PRI>` does.
    pub(crate) has_priority: bool,
    /// A PAM module named in the tag, as in `su(pam_unix)[8060]:`.
    pub(crate) pam_module: Option<&'a str>,
    pub(crate) message: Cow<'a, str>,
}

impl<'a> Line<'a> {
    /// A line of which only the message is known.
    pub(crate) fn bare(message: impl Into<Cow<'a, str>>, created: Timestamp) -> Self {
        Line {
            created,
            host: None,
            program: None,
            pid: None,
            facility: None,
            severity: None,
            has_priority: false,
            pam_module: None,
            message: message.into(),
        }
    }

    /// The event: the envelope's fields, then those that the program's parser finds.
    pub(crate) fn into_event(mut self, original: &'a str, context: &Context<'_>) -> Event<'a> {
        let mut event = Event::new(self.created, original);
        self.push_priority(&mut event);
        push_host(&mut event, self.host.take(), context);
        if let Some(program) = &self.program {
            // A borrowed name costs nothing to clone.
            event.push(Field::ProcessName, program.clone());
        }
        if let Some(pid) = self.pid {
            event.push(Field::ProcessPid, pid);
        }
        self.push_mnemonic(&mut event);
        let program = self.program.as_deref();
        let message =
            audit::of_syslog(program, &self.message, self.created).unwrap_or(self.message);
        match message {
            Cow::Borrowed(message) => {
                event.push(Field::Message, message);
                // Sysmon for Linux writes its events to syslog, as XML.
                match windows_xml::read(message, context) {
                    Some(found) => take_over(&mut event, found, context),
                    None => programs::read(program, self.pam_module, message, &mut event),
                }
            }
            Cow::Owned(message) => {
                // What the program's parser borrows from an owned message must be copied.
                let found = windows_xml::read(&message, context).unwrap_or_else(|| {
                    let mut found = Event::new(context.received, "");
                    programs::read(program, self.pam_module, &message, &mut found);
                    found
                });
                take_over(&mut event, found.into_owned(), context);
                if event.get(Field::Message).is_none() {
                    event.push(Field::Message, message);
                }
            }
        }
        event
    }

    /// Cisco's name of the message is its code.
    fn push_mnemonic(&self, event: &mut Event<'a>) {
        let in_program = self.program.as_deref().and_then(mnemonic);
        let Some((code, severity)) = in_program.or_else(|| mnemonic(&self.message)) else { return };
        event.push(Field::EventCode, code.to_owned());
        if self.severity.is_none()
            && let Some(name) = SEVERITIES.get(usize::from(severity))
        {
            event.push(Field::SyslogSeverity, *name);
        }
    }

    fn push_priority(&self, event: &mut Event<'a>) {
        let facility = self.facility.and_then(|code| FACILITIES.get(usize::from(code)));
        let severity = self.severity.and_then(|code| SEVERITIES.get(usize::from(code)));
        if let Some(name) = facility {
            event.push(Field::SyslogFacility, *name);
        }
        if let Some(name) = severity {
            event.push(Field::SyslogSeverity, *name);
        }
        if let (true, Some(facility), Some(severity)) =
            (self.has_priority, self.facility, self.severity)
        {
            event.push(Field::SyslogPriority, i64::from(facility) * 8 + i64::from(severity));
        }
    }
}

/// Sets what was found in the message, and when it happened where the message says so.
fn take_over<'a>(event: &mut Event<'a>, found: Event<'a>, context: &Context<'_>) {
    if found.created() != context.received {
        event.set_created(found.created());
    }
    for (name, value) in found.fields() {
        event.set_named(name.clone(), value.clone());
    }
}

/// Sets a field that only its source knows.
pub(crate) fn set_other<'a>(event: &mut Event<'a>, name: &'a str, value: &'a str) {
    event.set_named(FieldName::Other(Cow::Borrowed(name)), value);
}
