//! `geoip`: where an address is, and whose network it lies in, from databases in MaxMind's format.

use std::net::IpAddr;
use std::sync::Arc;

use bergfried_event::{Event, FieldName, Value};
use maxminddb::{MaxMindDbError, Reader};
use serde::{Deserialize, Serialize};

use super::cidr::fields;
use super::networks::address;
use super::{Action, Kind, Outcome};
use crate::compile::Compile;
use crate::config::StepFile;
use crate::name;
use crate::scene::Scene;
use crate::texts::Texts;

/// The largest database, in bytes.
const MAX_FILE: usize = 512 << 20;

/// `geoip = { field = "source.ip", database = "/var/lib/GeoIP/GeoLite2-City.mmdb" }`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeoipFile {
    /// The fields that hold addresses. Those that are not public are not looked up.
    pub field: Texts,
    /// Databases in MaxMind's format (GeoLite2 or GeoIP2: City, Country, ASN, ISP, Enterprise, or
    /// others with the same members), read again with the configuration; at most 512 MiB each.
    pub database: Texts,
    /// The field below which is put what is found; absent: what stands before `.ip` or `.address` in
    /// the name of each field (`source` for `source.ip`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

pub(crate) const KIND: Kind = Kind {
    key: "geoip",
    about: "Looks a public address up in databases that you supply (MaxMind's format) and adds, named \
            as in ECS, `source.geo.country_iso_code`, `.country_name`, `.continent_code`, \
            `.city_name`, `.region_iso_code`, `.region_name`, `.postal_code`, `.timezone`, `.location` \
            (latitude,longitude), `source.as.number` and `source.as.organization.name`.",
    example: "geoip = { field = [\"source.ip\", \"destination.ip\"], database = \
              [\"/var/lib/GeoIP/GeoLite2-City.mmdb\", \"/var/lib/GeoIP/GeoLite2-ASN.mmdb\"] }",
    failure_tag: Some("_geoip_lookup_failure"),
    is_set: |step| step.geoip.is_some(),
    compile,
    files: |step| step.geoip.as_ref().map(|geoip| geoip.database.0.clone()).unwrap_or_default(),
};

/// What the names of the fields end in, in the order of [`Found::values`].
const NAMES: [&str; 11] = [
    "geo.continent_code",
    "geo.country_iso_code",
    "geo.country_name",
    "geo.region_iso_code",
    "geo.region_name",
    "geo.city_name",
    "geo.postal_code",
    "geo.timezone",
    "geo.location",
    "as.number",
    "as.organization.name",
];

struct Geoip {
    /// The field, and the names of what is found.
    fields: Vec<(FieldName<'static>, Vec<FieldName<'static>>)>,
    databases: Vec<Reader<Arc<[u8]>>>,
}

fn compile(step: &StepFile, compile: &mut Compile<'_>) -> Option<Box<dyn Action>> {
    let file = step.geoip.as_ref()?;
    let mut known = Vec::new();
    for field in fields(&file.field, compile) {
        let name = field.as_str();
        let before = name.strip_suffix(".ip").or_else(|| name.strip_suffix(".address"));
        let Some(target) = file.target.as_deref().or(before) else {
            compile
                .mistake(format!("`target` is missing: `{name}` does not end in .ip or .address"));
            continue;
        };
        let target = name::field(target);
        let names = NAMES
            .iter()
            .filter_map(|end| compile.writable("target", &format!("{}.{end}", target.as_str())));
        known.push((field.clone(), names.collect()));
    }
    let databases = compile.at("database", |compile| {
        if file.database.is_empty() {
            compile.mistake("no database is named".to_owned());
        }
        let each = file.database.0.iter().enumerate();
        each.filter_map(|(index, path)| compile.nth(index, |compile| database(path, compile)))
            .collect()
    });
    Some(Box::new(Geoip { fields: known, databases }))
}

fn database(path: &str, compile: &mut Compile<'_>) -> Option<Reader<Arc<[u8]>>> {
    let bytes = compile.file(path)?;
    if bytes.len() > MAX_FILE {
        compile.mistake(format!("the database is larger than {MAX_FILE} bytes"));
        return None;
    }
    match Reader::from_source(bytes) {
        Ok(reader) => Some(reader),
        Err(error) => {
            compile.mistake(format!("`{}` is no MaxMind database: {error}", path.escape_debug()));
            None
        }
    }
}

impl Action for Geoip {
    fn run<'e>(&'e self, event: &mut Event<'e>, scene: &mut Scene<'_>) -> Outcome {
        let mut outcome = Outcome::Missing;
        for (field, names) in &self.fields {
            let Some(value) = name::value(event, field) else { continue };
            let Some(address) = public_address(&value) else { continue };
            match self.found(address) {
                Ok(Some(found)) => {
                    for (name, value) in names.iter().zip(found.values()) {
                        if let Some(value) = value {
                            scene.set(event, name.borrowed(), value);
                        }
                    }
                    outcome = Outcome::Done;
                }
                Ok(None) if outcome != Outcome::Done => {
                    outcome = Outcome::Failed("no database has the address".into());
                }
                Ok(None) => {}
                Err(error) => {
                    return Outcome::Failed(format!("cannot read a database: {error}").into());
                }
            }
        }
        outcome
    }
}

impl Geoip {
    /// What all databases together say.
    fn found(&self, address: IpAddr) -> Result<Option<Found<'_>>, MaxMindDbError> {
        let mut all: Option<Found<'_>> = None;
        for database in &self.databases {
            // An address of IPv6 is in no database of IPv4.
            if address.is_ipv6() && database.metadata().ip_version == 4 {
                continue;
            }
            if let Some(found) = database.lookup(address)?.decode::<Found<'_>>()? {
                all = Some(match all {
                    None => found,
                    Some(before) => before.or(found),
                });
            }
        }
        Ok(all)
    }
}

/// The first address of a value that others in the world could have too.
fn public_address(value: &Value<'_>) -> Option<IpAddr> {
    match value {
        Value::Text(text) => address(text).filter(is_public),
        Value::List(values) => values.iter().find_map(public_address),
        _ => None,
    }
}

/// Whether the address is not set aside for use at home, on a link, in documents or for many at once
/// (RFC 6890 and the like).
fn is_public(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => {
            let [first, second, third, _] = ip.octets();
            let shared = first == 100 && (64..128).contains(&second);
            let benchmarks = first == 198 && (second == 18 || second == 19);
            let assignments = (first, second, third) == (192, 0, 0);
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_documentation()
                || ip.is_multicast()
                || first == 0
                || first >= 240
                || shared
                || benchmarks
                || assignments)
        }
        IpAddr::V6(ip) => {
            let [first, second, ..] = ip.segments();
            // Of all addresses, those of 2000::/3 are given out.
            first & 0xe000 == 0x2000 && (first, second) != (0x2001, 0xdb8)
        }
    }
}

/// What a database says of an address. Members that it does not have stay empty.
#[derive(Debug, Default, Deserialize)]
struct Found<'r> {
    #[serde(borrow, default)]
    continent: Place<'r>,
    #[serde(borrow, default)]
    country: Place<'r>,
    #[serde(borrow, default)]
    subdivisions: Vec<Place<'r>>,
    #[serde(borrow, default)]
    city: Place<'r>,
    #[serde(borrow, default)]
    postal: Place<'r>,
    #[serde(borrow, default)]
    location: Location<'r>,
    autonomous_system_number: Option<u32>,
    autonomous_system_organization: Option<&'r str>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct Place<'r> {
    code: Option<&'r str>,
    iso_code: Option<&'r str>,
    #[serde(borrow, default)]
    names: Names<'r>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct Names<'r> {
    en: Option<&'r str>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct Location<'r> {
    latitude: Option<f64>,
    longitude: Option<f64>,
    time_zone: Option<&'r str>,
}

impl<'r> Found<'r> {
    /// What this says, and what the other says besides.
    fn or(self, other: Found<'r>) -> Found<'r> {
        let place = |one: Place<'r>, other: Place<'r>| Place {
            code: one.code.or(other.code),
            iso_code: one.iso_code.or(other.iso_code),
            names: Names { en: one.names.en.or(other.names.en) },
        };
        Found {
            continent: place(self.continent, other.continent),
            country: place(self.country, other.country),
            subdivisions: if self.subdivisions.is_empty() {
                other.subdivisions
            } else {
                self.subdivisions
            },
            city: place(self.city, other.city),
            postal: place(self.postal, other.postal),
            location: Location {
                latitude: self.location.latitude.or(other.location.latitude),
                longitude: self.location.longitude.or(other.location.longitude),
                time_zone: self.location.time_zone.or(other.location.time_zone),
            },
            autonomous_system_number: self
                .autonomous_system_number
                .or(other.autonomous_system_number),
            autonomous_system_organization: self
                .autonomous_system_organization
                .or(other.autonomous_system_organization),
        }
    }

    /// The values of the fields that [`NAMES`] names.
    fn values(&self) -> [Option<Value<'r>>; NAMES.len()] {
        let text = |text: Option<&'r str>| text.map(Value::from);
        let region = self.subdivisions.first().copied().unwrap_or_default();
        let region_code = match (self.country.iso_code, region.iso_code) {
            (Some(country), Some(region)) => Some(Value::from(format!("{country}-{region}"))),
            _ => None,
        };
        let location = match (self.location.latitude, self.location.longitude) {
            (Some(latitude), Some(longitude)) => {
                Some(Value::from(format!("{latitude},{longitude}")))
            }
            _ => None,
        };
        [
            text(self.continent.code),
            text(self.country.iso_code),
            text(self.country.names.en),
            region_code,
            text(region.names.en),
            text(self.city.names.en),
            text(self.postal.code),
            text(self.location.time_zone),
            location,
            self.autonomous_system_number.map(|number| Value::Int(i64::from(number))),
            text(self.autonomous_system_organization),
        ]
    }
}

#[cfg(test)]
mod tests;
