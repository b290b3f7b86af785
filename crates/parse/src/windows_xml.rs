//! Events of Windows as XML: what `wevtutil qe /f:xml` and the Event Viewer write, one `<Event>` each.
//!
//! The fields are those that the same event has as JSON. Nothing is expanded or fetched (see the module
//! `xml`). Depth, number and length of fields are bounded as for JSON.

use std::borrow::Cow;

use bergfried_event::{Event, Value};

use crate::Context;
use crate::json::{Fields, Flag, MAX_DEPTH, MAX_NAME, attribute_name, finish, is_named_by};
use crate::xml::{Fault, Reader, Tag, Token, attributes, content};

/// Whether the text begins as an event of Windows does.
pub(crate) fn is_event(text: &str) -> bool {
    let rest = text.strip_prefix("<Event");
    rest.is_some_and(|rest| rest.starts_with([' ', '>', '\t', '\r', '\n']))
}

/// Reads one `<Event>`; nothing where the text is no such element. One that ends in the middle, or is
/// not well formed behind its `System`, gives what came before, flagged.
pub(crate) fn read<'a>(text: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    if !is_event(text) {
        return None;
    }
    let mut fields = Fields::new(context);
    let mut reader = Reader::new(text);
    let mut has_system = false;
    match event(&mut reader, &mut fields, &mut has_system) {
        Ok(()) if reader.is_at_end() => {}
        Ok(()) => fields.raise(Flag::Broken),
        Err(Fault::Cut) if !fields.is_empty() => fields.raise(Flag::Cut),
        Err(Fault::Broken) if has_system => fields.raise(Flag::Broken),
        Err(_) => return None,
    }
    Some(finish(fields, text))
}

fn event<'a>(
    reader: &mut Reader<'a>,
    fields: &mut Fields<'a, '_>,
    has_system: &mut bool,
) -> Result<(), Fault> {
    let Token::Start(root) = reader.next()? else { return Err(Fault::Broken) };
    if root.name != "Event" || root.closed {
        return Err(Fault::Broken);
    }
    loop {
        let tag = match reader.next()? {
            Token::End => return Ok(()),
            Token::Text(_) => continue,
            Token::Start(tag) => tag,
        };
        if tag.closed {
            continue;
        }
        match tag.name {
            "System" => {
                system(reader, fields)?;
                *has_system = true;
            }
            "EventData" => named(reader, fields)?,
            "UserData" => user_data(reader, fields)?,
            // The texts that the Event Viewer shows, in the language of its host.
            "RenderingInfo" => rendering(reader, fields)?,
            _ => reader.skip()?,
        }
    }
}

/// The elements of `System`: attributes, and perhaps a text.
fn system<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a, '_>) -> Result<(), Fault> {
    fields.windows = true;
    loop {
        let tag = match reader.next()? {
            Token::End => return Ok(()),
            Token::Text(_) => continue,
            Token::Start(tag) => tag,
        };
        for attribute in attributes(tag.attributes) {
            let (attribute, value) = attribute?;
            if attribute.starts_with("xmlns") {
                continue;
            }
            let Some(name) = attribute_name(tag.name, attribute) else {
                fields.drop_one(Flag::TooLong);
                continue;
            };
            if let Some(value) = fields.admit(Value::Text(value)) {
                fields.add_element(name, value);
            }
        }
        if !tag.closed {
            let text = content(reader)?;
            if let Some(value) = fields.admit(Value::Text(text)) {
                fields.add_element(Cow::Borrowed(tag.name), value);
            }
        }
    }
}

/// `UserData`: one element with the fields in it.
fn user_data<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a, '_>) -> Result<(), Fault> {
    loop {
        match reader.next()? {
            Token::End => return Ok(()),
            Token::Start(tag) if !tag.closed => named(reader, fields)?,
            _ => {}
        }
    }
}

/// Fields by the names of their elements.
fn named<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a, '_>) -> Result<(), Fault> {
    let mut path = String::new();
    loop {
        match reader.next()? {
            Token::End => return Ok(()),
            Token::Text(_) => {}
            Token::Start(tag) => field(reader, fields, &mut path, &tag, 3)?,
        }
    }
}

/// One field, by the name of its element or the attribute `Name` of `Data`; the fields of elements
/// in it get dotted names.
fn field<'a>(
    reader: &mut Reader<'a>,
    fields: &mut Fields<'a, '_>,
    path: &mut String,
    tag: &Tag<'a>,
    depth: usize,
) -> Result<(), Fault> {
    let mut name = Cow::Borrowed(tag.name);
    let mut says_something = false;
    for attribute in attributes(tag.attributes) {
        match attribute? {
            ("Name", value) if tag.name == "Data" => name = value,
            (attribute, _) if is_named_by(attribute) => {}
            (attribute, value) => {
                says_something = true;
                match attribute_name(tag.name, attribute) {
                    Some(name) => add(fields, path, name, value),
                    None => fields.drop_one(Flag::TooLong),
                }
            }
        }
    }
    let too_long = path.len() + name.len() > MAX_NAME;
    if too_long || depth >= MAX_DEPTH {
        fields.drop_one(if too_long { Flag::TooLong } else { Flag::TooDeep });
        return if tag.closed { Ok(()) } else { reader.skip() };
    }
    let mut content = Cow::Borrowed("");
    if !tag.closed {
        loop {
            match reader.next()? {
                Token::End => break,
                Token::Text(text) if content.is_empty() => content = text,
                Token::Text(text) => content.to_mut().push_str(&text),
                Token::Start(inner) => {
                    says_something = true;
                    let length = path.len();
                    path.push_str(&name);
                    path.push('.');
                    field(reader, fields, path, &inner, depth + 1)?;
                    path.truncate(length);
                }
            }
        }
    }
    if !says_something || !content.trim().is_empty() {
        add(fields, path, name, content);
    }
    Ok(())
}

fn add<'a>(fields: &mut Fields<'a, '_>, path: &str, name: Cow<'a, str>, text: Cow<'a, str>) {
    let Some(value) = fields.admit(Value::Text(text)) else { return };
    if path.is_empty() {
        fields.add_original(name, value);
    } else {
        fields.add_original(Cow::Owned(format!("{path}{name}")), value);
    }
}

/// `RenderingInfo`: its message, and the words for level, task and the like under its name.
fn rendering<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a, '_>) -> Result<(), Fault> {
    loop {
        let tag = match reader.next()? {
            Token::End => return Ok(()),
            Token::Text(_) => continue,
            Token::Start(tag) => tag,
        };
        if tag.closed {
            continue;
        }
        if tag.name == "Keywords" {
            reader.skip()?;
            continue;
        }
        let text = content(reader)?;
        if tag.name == "Message" {
            add(fields, "", Cow::Borrowed("Message"), text);
        } else {
            add(fields, "RenderingInfo.", Cow::Borrowed(tag.name), text);
        }
    }
}

#[cfg(test)]
mod tests {
    use bergfried_event::{Field, FieldName, Timestamp};

    use super::*;

    fn context() -> Context<'static> {
        Context {
            received: Timestamp::from_seconds(1_800_000_000),
            host: "",
            time_zone: jiff::tz::TimeZone::UTC,
            year: None,
        }
    }

    const EVENT: &str = r#"<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'>
        <System><Provider Name="Microsoft-Windows-Security-Auditing" Guid='{54}'/>
        <EventID Qualifiers='0'>4625</EventID><Version>0</Version><Keywords>0x8010000000000000</Keywords>
        <TimeCreated SystemTime='2026-11-20T21:11:02.6491500Z'/><EventRecordID>77</EventRecordID>
        <Correlation/><Execution ProcessID='680' ThreadID='1'/><Channel>Security</Channel>
        <Computer>dc1</Computer><Security UserID='S-1-5-18'/></System>
        <!-- a > comment --><EventData><Data Name='TargetUserName'>a&amp;b &lt;x&gt; &#252;&#xE9;</Data>
        <Data Name='IpAddress'>203.0.113.7</Data><Data Name='Empty'></Data><Data Name='None'/>
        <Data>first</Data><Data>second</Data><Data Name='Raw'><![CDATA[<b>&amp;</b>]]></Data>
        <Binary>00FF</Binary></EventData>
        <RenderingInfo Culture='en-US'><Message>An account failed.</Message><Task>Logon</Task>
        <Keywords><Keyword>Audit Failure</Keyword></Keywords></RenderingInfo></Event>"#;

    fn value(event: &Event<'_>, name: &'static str) -> String {
        let value = event.get_named(&FieldName::new(name));
        value.map_or("absent".to_owned(), |value| value.to_text().into_owned())
    }

    #[test]
    fn an_export_has_the_fields_of_its_event() {
        let event = read(EVENT, &context()).unwrap();
        assert_eq!(event.created().to_string(), "2026-11-20T21:11:02.649150Z");
        assert_eq!(event.get(Field::LogFlags), None);
        for (name, expected) in [
            ("EventID", "4625"),
            ("Qualifiers", "0"),
            ("Provider_Name", "Microsoft-Windows-Security-Auditing"),
            ("Execution_ProcessID", "680"),
            ("UserID", "S-1-5-18"),
            ("TargetUserName", "a&b <x> üé"),
            ("Empty", ""),
            ("None", ""),
            ("Data", "first,second"),
            ("Raw", "<b>&amp;</b>"),
            ("Binary", "00FF"),
            ("Message", "An account failed."),
            ("RenderingInfo.Task", "Logon"),
            ("xmlns", "absent"),
            ("host.name", "dc1"),
            ("event.action", "logon-failed"),
            ("event.outcome", "failure"),
            ("source.ip", "203.0.113.7"),
            ("user.name", "a&b <x> üé"),
        ] {
            assert_eq!(value(&event, name), expected, "{name}");
        }
        assert_eq!(event.get_named(&FieldName::new("EventID")), Some(&Value::Int(4625)));
    }

    #[test]
    fn user_data_and_nested_elements() {
        let text = "<Event><System><EventID>1</EventID></System><UserData><p:EventXML xmlns:p='x'>\
            <p:Address>10.0.0.1</p:Address><List><Item>a</Item><Item>b</Item></List></p:EventXML>\
            </UserData></Event>";
        let event = read(text, &context()).unwrap();
        assert_eq!(value(&event, "Address"), "10.0.0.1");
        assert_eq!(value(&event, "List.Item"), "a,b");
        assert_eq!(value(&event, "source.ip"), "10.0.0.1");
    }

    #[test]
    fn sysmon_for_linux_in_syslog_and_the_journal() {
        let xml = "<Event><System><Provider Name=\"Linux-Sysmon\"/><EventID>1</EventID>\
            <TimeCreated SystemTime=\"2026-11-20T10:00:00.5Z\"/><Channel>Linux-Sysmon/Operational</Channel>\
            <Computer>web</Computer></System><EventData><Data Name=\"Image\">/usr/bin/curl</Data>\
            <Data Name=\"CommandLine\">curl http://x</Data><Data Name=\"User\">anna</Data></EventData></Event>";
        let line = format!("Nov 20 10:00:01 web sysmon: {xml}");
        let entry = serde_json::json!({
            "__REALTIME_TIMESTAMP": "1795168801000000", "_HOSTNAME": "web",
            "SYSLOG_IDENTIFIER": "sysmon", "MESSAGE": xml,
        })
        .to_string();
        for text in [line, entry] {
            let event = crate::parse(bergfried_event::SourceKind::File, &text, &context());
            assert_eq!(event.original(), text);
            assert_eq!(event.created().to_string(), "2026-11-20T10:00:00.500000Z", "{text}");
            for (name, expected) in [
                ("EventID", "1"),
                ("Channel", "Linux-Sysmon/Operational"),
                ("CommandLine", "curl http://x"),
                ("process.name", "curl"),
                ("host.name", "web"),
                ("user.name", "anna"),
                ("message", "created-process: curl http://x"),
            ] {
                assert_eq!(value(&event, name), expected, "{name} of {text}");
            }
        }
    }

    #[test]
    fn hostile_xml_is_bounded() {
        let entities = "<!DOCTYPE Event [<!ENTITY a \"aaaa\">]><Event><System/></Event>";
        let expanding = "<Event><EventData><Data Name='x'>&a;</Data></EventData></Event>";
        for text in [entities, expanding, "<Event", "<Event>", "<Event/>", "<Events><x/></Events>"]
        {
            assert!(read(text, &context()).is_none(), "{text}");
        }
        let deep = format!(
            "<Event><System><EventID>1</EventID></System><EventData>{}{}<Data Name='z'>1</Data></EventData></Event>",
            "<a>".repeat(5_000),
            "</a>".repeat(5_000)
        );
        let event = read(&deep, &context()).unwrap();
        assert_eq!(
            (value(&event, "z"), value(&event, "log.flags")),
            ("1".into(), "too_deep".into())
        );
        let cut = EVENT.split_once("</EventData>").unwrap().0;
        let event = read(cut, &context()).unwrap();
        assert_eq!(value(&event, "log.flags"), "truncated");
        assert_eq!(value(&event, "source.ip"), "203.0.113.7");
    }

    #[test]
    fn what_is_not_well_formed_is_flagged_and_gives_no_wrong_field() {
        for (from, to, ip) in [
            ("<Data Name='Empty'></Data>", "<Data Name='Empty'></Date>", "203.0.113.7"),
            ("203.0.113.7</Data>", "203.0.113.7</System>", "absent"),
            ("<Data Name='IpAddress'>", "<Data Name='IpAddress' Name='IpPort'>", "absent"),
            ("<Data Name='IpAddress'>", "<Data Name='IpAddress'x='1'>", "absent"),
            ("203.0.113.7", "&ip;", "absent"),
            ("203.0.113.7", "203.0.113.7 & more", "absent"),
            ("</Event>", "</Event><Event/>", "203.0.113.7"),
            ("</Event>", "</Event> x", "203.0.113.7"),
        ] {
            let text = EVENT.replace(from, to);
            let event = read(&text, &context()).unwrap();
            let found = (value(&event, "log.flags"), value(&event, "source.ip"));
            assert_eq!(found, ("malformed".to_owned(), ip.to_owned()), "{to}");
            assert_eq!(value(&event, "EventID"), "4625");
        }
        let text = EVENT.replace("<EventID Qualifiers='0'>", "<EventID Qualifiers='0>");
        assert!(read(&text, &context()).is_none(), "not even its System can be read");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,40}", at in 0_usize..1500, cut in 0_usize..1500) {
            let at = EVENT.floor_char_boundary(at);
            let cut = EVENT.floor_char_boundary(cut);
            let mixed = format!("{}{text}{}", &EVENT[..at], &EVENT[cut..]);
            for text in [text, mixed] {
                if let Some(event) = read(&text, &context()) {
                    proptest::prop_assert_eq!(event.original(), text.as_str());
                }
            }
        }
    }
}
