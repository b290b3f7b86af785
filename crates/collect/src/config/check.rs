//! From what a person wrote to what can be started.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use bergfried_event::nearest;
use bergfried_tls::{ClientCertificate, ServerTls};
use ipnet::IpNet;
use jiff::tz::TimeZone;

use super::units::{size_within, span};
use super::{Address, Input, InputFile, Place, SenderFile, Transport};
use crate::senders::{Sender, Senders};

const MAX_NAME: usize = 64;
const MAX_WORDS: usize = 64;
const DEFAULT_MAX_MESSAGE: usize = 64 << 10;
const DEFAULT_MAX_CONNECTIONS: u32 = 20_000;
const DEFAULT_RECEIVE_BUFFER: usize = 8 << 20;
const DEFAULT_UNIX_MODE: u32 = 0o666;

/// What is wrong with an input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot use input `{}`: {reason}", name.escape_debug())]
pub struct InputError {
    /// The input's name.
    pub name: String,
    /// What is wrong with it.
    pub reason: String,
}

impl TryFrom<InputFile> for Input {
    type Error = InputError;

    fn try_from(file: InputFile) -> Result<Self, Self::Error> {
        let name = file.name.clone();
        check(file).map_err(|reason| InputError { name, reason })
    }
}

fn check(file: InputFile) -> Result<Input, String> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if file.name.is_empty() || file.name.len() > MAX_NAME || !file.name.bytes().all(is_name) {
        return Err(format!("`name` must be 1 to {MAX_NAME} letters, digits, `.`, `_` or `-`"));
    }
    let places = places(&file)?;
    let has = |transport| places.iter().any(|place: &Place| place.transport == transport);
    let streams =
        places.iter().any(|place| !matches!(place.transport, Transport::Udp | Transport::Unix));
    let no_effect = |key: &str, needs: &str| Err(format!("`{key}` does nothing without {needs}"));
    if file.unix_mode.is_some() && !has(Transport::Unix) {
        return no_effect("unix_mode", "`unix`");
    }
    if file.receive_buffer.is_some() && !has(Transport::Udp) {
        return no_effect("receive_buffer", "`udp`");
    }
    for (key, is_set) in [
        ("max_connections", file.max_connections.is_some()),
        ("max_connections_per_address", file.max_connections_per_address.is_some()),
        ("idle_timeout", file.idle_timeout.is_some()),
    ] {
        if is_set && !streams {
            return no_effect(key, "one of `tcp`, `tls`, `relp` and `relp_tls`");
        }
    }
    let max_connections = file.max_connections.unwrap_or(DEFAULT_MAX_CONNECTIONS);
    if !(1..=1_000_000).contains(&max_connections) {
        return Err("`max_connections` must be from 1 to 1000000".to_owned());
    }
    let of_address =
        file.max_connections_per_address.unwrap_or(max_connections - max_connections / 4);
    if !(1..=max_connections).contains(&of_address) {
        return Err(format!(
            "`max_connections_per_address` must be from 1 to {max_connections}, as \
             `max_connections` is"
        ));
    }
    let within = |key, text: &Option<String>, default, least, most| match text {
        Some(text) => size_within(key, text, least, most),
        None => Ok(default),
    };
    let idle = |text: &String| {
        span(text).ok_or_else(|| {
            let text = text.escape_debug();
            format!("`idle_timeout` is `{text}`, expected a span from 1s to 366d such as 10m")
        })
    };
    if let Some(zone) = &file.time_zone {
        TimeZone::get(zone).map_err(|_unknown| unknown_zone(zone))?;
    }
    if file.tags.as_slice().len() > MAX_WORDS || file.fields.len() > MAX_WORDS {
        return Err(format!("there may be {MAX_WORDS} tags and {MAX_WORDS} fields"));
    }
    let tls = tls(&file, &places)?;
    let with_certificates =
        tls.as_ref().is_some_and(|tls| tls.asks_clients() != ClientCertificate::None);
    let senders = file
        .sender
        .iter()
        .map(|sender| self::sender(sender, with_certificates))
        .collect::<Result<_, _>>()?;
    Ok(Input {
        max_message: within("max_message", &file.max_message, DEFAULT_MAX_MESSAGE, 480, 1 << 20)?,
        receive_buffer: within(
            "receive_buffer",
            &file.receive_buffer,
            DEFAULT_RECEIVE_BUFFER,
            64 << 10,
            1 << 30,
        )?,
        idle_timeout: file.idle_timeout.as_ref().map(idle).transpose()?,
        unix_mode: file.unix_mode.as_deref().map(mode).transpose()?.unwrap_or(DEFAULT_UNIX_MODE),
        max_connections: usize::try_from(max_connections).unwrap_or(usize::MAX),
        max_connections_per_address: usize::try_from(of_address).unwrap_or(usize::MAX),
        tls,
        places,
        name: file.name,
        time_zone: file.time_zone,
        tags: file.tags.as_slice().to_vec(),
        fields: file.fields.into_iter().collect(),
        senders: Arc::new(Senders::new(senders)),
    })
}

fn unknown_zone(zone: &str) -> String {
    let known: Vec<String> =
        jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect();
    let meant = nearest(zone, known.iter().map(String::as_str));
    let meant = meant.map_or_else(String::new, |name| format!("; is `{name}` meant?"));
    format!("`time_zone` is `{}`, which is not known{meant}", zone.escape_debug())
}

fn places(file: &InputFile) -> Result<Vec<Place>, String> {
    let mut places: Vec<Place> = Vec::new();
    let mut add = |place: Place| {
        if places.iter().any(|taken| place.clashes(taken)) {
            return Err(format!("{} is there twice", place.address));
        }
        places.push(place);
        Ok(())
    };
    for (transport, addresses) in [
        (Transport::Udp, &file.udp),
        (Transport::Tcp, &file.tcp),
        (Transport::Tls, &file.tls),
        (Transport::Relp, &file.relp),
        (Transport::RelpTls, &file.relp_tls),
    ] {
        for text in addresses.as_slice() {
            let address: SocketAddr = text.parse().map_err(|_not_one| {
                format!(
                    "`{}` holds `{}`, expected an address and a port such as 0.0.0.0:514 or [::]:514",
                    transport.name(),
                    text.escape_debug()
                )
            })?;
            add(Place { transport, address: Address::Network(address) })?;
        }
    }
    for path in file.unix.as_slice() {
        add(Place { transport: Transport::Unix, address: Address::Path(absolute(path)?) })?;
    }
    if places.is_empty() {
        return Err(
            "it listens nowhere, expected one of `udp`, `tcp`, `tls`, `relp`, `relp_tls`, `unix`"
                .to_owned(),
        );
    }
    Ok(places)
}

fn absolute(path: &std::path::Path) -> Result<PathBuf, String> {
    if path.is_absolute() {
        Ok(path.to_owned())
    } else {
        Err(format!("`unix` holds `{}`, expected an absolute path", path.display()))
    }
}

fn mode(text: &str) -> Result<u32, String> {
    u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777).ok_or_else(|| {
        format!("`unix_mode` is `{}`, expected octal digits such as 0660", text.escape_debug())
    })
}

fn tls(file: &InputFile, places: &[Place]) -> Result<Option<ServerTls>, String> {
    let is_tls = places.iter().any(|place| place.transport.is_tls());
    let (certificate, key) = match (is_tls, &file.certificate, &file.key) {
        (true, Some(certificate), Some(key)) => (certificate.clone(), key.clone()),
        (true, _, _) => return Err("`tls` and `relp_tls` need `certificate` and `key`".to_owned()),
        (false, None, None) => {
            let rest = [
                ("client_ca", file.client_ca.is_some()),
                ("client_certificate", file.client_certificate.is_some()),
                ("min_tls", file.min_tls.is_some()),
            ];
            return match rest.iter().find(|(_, is_set)| *is_set) {
                Some((key, _)) => Err(format!("`{key}` does nothing without `tls` or `relp_tls`")),
                None => Ok(None),
            };
        }
        (false, _, _) => {
            return Err("`certificate` and `key` do nothing without `tls` or `relp_tls`".to_owned());
        }
    };
    Ok(Some(ServerTls {
        certificate,
        key,
        client_ca: file.client_ca.clone(),
        client_certificate: file.client_certificate,
        min_tls: file.min_tls.unwrap_or_default(),
    }))
}

fn sender(file: &SenderFile, with_certificates: bool) -> Result<Sender, String> {
    let networks = file
        .from
        .as_slice()
        .iter()
        .map(|text| {
            let one = text.parse::<IpAddr>().map(IpNet::from).ok();
            one.or_else(|| text.parse().ok()).ok_or_else(|| {
                format!(
                    "`from` of a sender holds `{}`, expected a network such as 192.0.2.0/24",
                    text.escape_debug()
                )
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    if networks.is_empty() && file.certificate.is_none() {
        return Err("a sender needs `from` or `certificate`".to_owned());
    }
    if file.certificate.is_some() && !with_certificates {
        return Err("`certificate` of a sender does nothing without `client_ca`".to_owned());
    }
    if file.hosts.is_none() && file.name.is_none() {
        return Err("a sender needs `hosts` or `name`".to_owned());
    }
    Ok(Sender::new(
        networks,
        file.certificate.clone(),
        file.hosts.as_ref().map(|hosts| hosts.as_slice()),
        file.name.clone(),
    ))
}

#[cfg(test)]
mod tests;
