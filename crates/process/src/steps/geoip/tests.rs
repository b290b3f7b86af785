use std::net::Ipv4Addr;

use bergfried_event::{Event, FieldName, Timestamp};

use super::*;
use crate::steps::tests::{chains, context};
use crate::{Chains, Files};

/// A value of a database.
enum Data {
    Text(&'static str),
    Short(u16),
    Number(u32),
    Long(u64),
    Double(f64),
    Map(Vec<(&'static str, Data)>),
    List(Vec<Data>),
}

use Data::{Double, List, Long, Map, Number, Short, Text};

/// Writes a value as the MaxMind DB format has it ("Output Data Section" of its specification 2.0).
fn write(data: &Data, out: &mut Vec<u8>) {
    let mut head = |kind: u8, size: usize| {
        let (size, more) = match u8::try_from(size) {
            Ok(size @ ..29) => (size, None),
            _ => (29, Some(u8::try_from(size - 29).unwrap())),
        };
        if kind < 8 {
            out.push(kind << 5 | size);
        } else {
            out.extend([size, kind - 7]);
        }
        out.extend(more);
    };
    match data {
        Text(text) => {
            head(2, text.len());
            out.extend(text.as_bytes());
        }
        Number(number) => {
            head(6, 4);
            out.extend(number.to_be_bytes());
        }
        Short(number) => {
            head(5, 2);
            out.extend(number.to_be_bytes());
        }
        Long(number) => {
            head(9, 8);
            out.extend(number.to_be_bytes());
        }
        Double(number) => {
            head(3, 8);
            out.extend(number.to_be_bytes());
        }
        Map(entries) => {
            head(7, entries.len());
            for (key, value) in entries {
                write(&Text(key), out);
                write(value, out);
            }
        }
        List(values) => {
            head(11, values.len());
            for value in values {
                write(value, out);
            }
        }
    }
}

/// A database of IPv4 networks with records of 32 bits.
fn database(networks: Vec<(&str, Data)>) -> Vec<u8> {
    let mut nodes: Vec<[Option<Result<usize, usize>>; 2]> = vec![[None; 2]];
    let mut section = Vec::new();
    for (network, data) in networks {
        let network: ipnet::Ipv4Net = network.parse().unwrap();
        let bits = u32::from(Ipv4Addr::from(network.network().octets()));
        let offset = section.len();
        write(&data, &mut section);
        let mut node = 0;
        for depth in 0..network.prefix_len() {
            let bit = usize::from(bits >> (31 - depth) & 1 == 1);
            if depth + 1 == network.prefix_len() {
                nodes[node][bit] = Some(Err(offset));
                break;
            }
            node = match nodes[node][bit] {
                Some(Ok(next)) => next,
                _ => {
                    nodes.push([None; 2]);
                    let next = nodes.len() - 1;
                    nodes[node][bit] = Some(Ok(next));
                    next
                }
            };
        }
    }
    let count = nodes.len();
    let mut out = Vec::new();
    for record in nodes.iter().flatten() {
        let value = match record {
            None => count,
            Some(Ok(node)) => *node,
            Some(Err(offset)) => count + 16 + offset,
        };
        out.extend(u32::try_from(value).unwrap().to_be_bytes());
    }
    out.extend([0; 16]);
    out.append(&mut section);
    out.extend(b"\xab\xcd\xefMaxMind.com");
    let metadata = Map(vec![
        ("node_count", Number(u32::try_from(count).unwrap())),
        ("record_size", Short(32)),
        ("ip_version", Short(4)),
        ("database_type", Text("Test")),
        ("languages", List(vec![Text("en")])),
        ("binary_format_major_version", Short(2)),
        ("binary_format_minor_version", Short(0)),
        ("build_epoch", Long(1_700_000_000)),
        ("description", Map(vec![("en", Text("made by a test"))])),
    ]);
    write(&metadata, &mut out);
    out
}

fn named(name: &'static str) -> Data {
    Map(vec![("names", Map(vec![("de", Text("anders")), ("en", Text(name))]))])
}

fn cities() -> Vec<u8> {
    let city = Map(vec![
        ("city", named("Munich")),
        ("continent", Map(vec![("code", Text("EU"))])),
        (
            "country",
            Map(vec![("iso_code", Text("DE")), ("names", Map(vec![("en", Text("Germany"))]))]),
        ),
        (
            "location",
            Map(vec![
                ("accuracy_radius", Number(20)),
                ("latitude", Double(48.125)),
                ("longitude", Double(11.5)),
                ("time_zone", Text("Europe/Berlin")),
            ]),
        ),
        ("postal", Map(vec![("code", Text("80331"))])),
        (
            "subdivisions",
            List(vec![Map(vec![
                ("iso_code", Text("BY")),
                ("names", Map(vec![("en", Text("Bavaria"))])),
            ])]),
        ),
    ]);
    database(vec![
        ("5.0.0.0/8", Map(vec![("country", Map(vec![("iso_code", Text("SE"))]))])),
        ("81.2.69.0/24", city),
    ])
}

fn systems() -> Vec<u8> {
    let system = Map(vec![
        ("autonomous_system_number", Number(64_500)),
        ("autonomous_system_organization", Text("Example Net")),
    ]);
    database(vec![("81.0.0.0/8", system)])
}

fn compiled(step: &str) -> Result<Chains, String> {
    let text = format!("[[chain]]\nname = 'test'\n[[chain.step]]\n{step}");
    let mut files = Files::default();
    files.insert("city.mmdb", cities());
    files.insert("asn.mmdb", systems());
    files.insert("text.mmdb", &b"no database"[..]);
    Chains::compile(&chains(&text), &files).map_err(|told| told[0].to_string())
}

fn run(step: &str, fields: &[(&'static str, &'static str)]) -> String {
    let chains = compiled(step).unwrap();
    let mut event = Event::new(Timestamp::from_seconds(0), "");
    for (name, value) in fields {
        event.set_named(FieldName::new(*name), *value);
    }
    let mut meter = chains.meter(Box::new(|| 0));
    let _verdict = chains.apply(&mut event, &context(), &mut meter);
    let all = event.fields().iter().skip(fields.len());
    all.map(|(name, value)| format!("{name}={}", value.to_text())).collect::<Vec<_>>().join(" ")
}

#[test]
fn addresses_are_found_in_all_databases() {
    let both =
        "geoip = { field = ['source.ip', 'destination.ip'], database = ['city.mmdb', 'asn.mmdb'] }";
    let whole = "source.geo.continent_code=EU source.geo.country_iso_code=DE \
                 source.geo.country_name=Germany source.geo.region_iso_code=DE-BY \
                 source.geo.region_name=Bavaria source.geo.city_name=Munich \
                 source.geo.postal_code=80331 source.geo.timezone=Europe/Berlin \
                 source.geo.location=48.125,11.5 source.as.number=64500 \
                 source.as.organization.name=Example Net";
    for (fields, expected) in [
        (&[("source.ip", "81.2.69.160")][..], whole),
        (&[("source.ip", "::ffff:81.2.69.1")], whole),
        (
            &[("source.ip", "10.1.2.3"), ("destination.ip", "81.9.9.9")],
            "destination.as.number=64500 destination.as.organization.name=Example Net",
        ),
        (&[("source.ip", "5.6.7.8")], "source.geo.country_iso_code=SE"),
        (&[("source.ip", "9.9.9.9")], "tags=_geoip_lookup_failure"),
        (&[("source.ip", "2a00::1")], "tags=_geoip_lookup_failure"),
        (&[("source.ip", "192.168.1.1")], ""),
        (&[("source.ip", "no address")], ""),
        (&[], ""),
    ] {
        assert_eq!(run(both, fields), expected, "{fields:?}");
    }
    let below = "geoip = { field = 'client', database = 'asn.mmdb', target = '[geoip]' }";
    assert_eq!(
        run(below, &[("client", "81.1.1.1")]),
        "geoip.as.number=64500 geoip.as.organization.name=Example Net"
    );
}

#[test]
fn mistakes_are_named() {
    for (step, part) in [
        ("geoip = { field = 'client', database = 'asn.mmdb' }", "`target` is missing"),
        ("geoip = { field = 'source.ip', database = [] }", "no database is named"),
        ("geoip = { field = 'source.ip', database = 'text.mmdb' }", "no MaxMind database"),
        ("geoip = { field = 'source.ip', database = 'gone.mmdb' }", "cannot read the file"),
    ] {
        let told = compiled(step).unwrap_err();
        assert!(told.contains(part), "{step}: {told}");
    }
}

#[test]
fn only_public_addresses_are_looked_up() {
    for (text, expected) in [
        ("8.8.8.8", true),
        ("10.0.0.1", false),
        ("100.64.0.1", false),
        ("100.128.0.1", true),
        ("169.254.1.1", false),
        ("192.0.2.1", false),
        ("224.0.0.1", false),
        ("255.255.255.255", false),
        ("0.1.2.3", false),
        ("2a00:1450::1", true),
        ("2001:db8::1", false),
        ("fe80::1", false),
        ("fd00::1", false),
        ("::1", false),
    ] {
        assert_eq!(public_address(&Value::from(text)).is_some(), expected, "{text}");
    }
}
