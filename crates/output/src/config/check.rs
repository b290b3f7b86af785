//! From a table as a person wrote it to an output that cannot be wrong.

use std::path::{Component, Path};
use std::time::Duration;

use bergfried_event::Timestamp;
use bergfried_query::search;

use super::units::{account, mode, shown, size, span};
use super::{
    FileOptions, Format, HubOptions, Kind, Output, OutputError, OutputFile, Rotation,
    SyslogOptions, Target, Transport,
};
use crate::template::{PathTemplate, Template};

const MAX_NAME: usize = 64;
const MIN_ROTATE_SIZE: u64 = 4 << 10;
const ROTATE_AGES: std::ops::RangeInclusive<i64> = 60 * Timestamp::SECOND..=366 * Timestamp::DAY;
/// How long another hub may take to make a batch durable and say so.
const HUB_TIMEOUT: Duration = Duration::from_secs(60);

type Fault = (Option<&'static str>, String);

impl OutputFile {
    /// The output that the table asks for. `now` is what `now-1h` in `when` counts from.
    ///
    /// Reads `/etc/passwd` and `/etc/group` where an owner or a group is named, nothing else.
    ///
    /// # Errors
    /// The first mistake, with the key at fault.
    pub fn check(&self, now: Timestamp) -> Result<Output, OutputError> {
        self.checked(now).map_err(|(key, reason)| OutputError {
            name: self.name.clone(),
            key,
            reason,
        })
    }

    fn checked(&self, now: Timestamp) -> Result<Output, Fault> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let name = &self.name;
        if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(is_name) {
            let reason = format!("`name` must be 1 to {MAX_NAME} letters, digits, `.`, `_` or `-`");
            return Err((Some("name"), reason));
        }
        self.no_foreign_keys()?;
        let when = match &self.when {
            None => None,
            Some(text) => Some(search::parse(text, now).map_err(|error| {
                (Some("when"), format!("cannot read `when`: {}", error.render(text)))
            })?),
        };
        let target = match self.kind {
            Kind::File => Target::Files(self.files()?),
            Kind::Syslog => Target::Syslog(self.syslog()?),
            Kind::Bergfried => Target::Hub(self.hub()?),
        };
        Ok(Output { name: name.clone(), when, from: self.from.unwrap_or_default(), target })
    }

    /// A key that another type has would do nothing here.
    fn no_foreign_keys(&self) -> Result<(), Fault> {
        use Kind::{Bergfried, File, Syslog};
        let keys: [(&'static str, bool, &[Kind]); 20] = [
            ("path", self.path.is_some(), &[File]),
            ("format", self.format.is_some(), &[File]),
            ("mode", self.mode.is_some(), &[File]),
            ("directory_mode", self.directory_mode.is_some(), &[File]),
            ("owner", self.owner.is_some(), &[File]),
            ("group", self.group.is_some(), &[File]),
            ("rotate_size", self.rotate_size.is_some(), &[File]),
            ("rotate_age", self.rotate_age.is_some(), &[File]),
            ("keep", self.keep.is_some(), &[File]),
            ("keep_age", self.keep_age.is_some(), &[File]),
            ("compress", self.compress.is_some(), &[File]),
            ("history", self.history.is_some(), &[File]),
            ("max_files", self.max_files.is_some(), &[File]),
            ("to", self.to.is_some(), &[Syslog, Bergfried]),
            ("payload", self.payload.is_some(), &[Syslog]),
            ("framing", self.framing.is_some(), &[Syslog]),
            ("ca", self.ca.is_some(), &[Syslog, Bergfried]),
            ("certificate", self.certificate.is_some(), &[Syslog]),
            ("key", self.key.is_some(), &[Syslog]),
            ("token_file", self.token_file.is_some(), &[Bergfried]),
        ];
        let region = ("region", self.region.is_some(), &[Bergfried][..]);
        for (key, given, kinds) in keys.into_iter().chain([region]) {
            if given && !kinds.contains(&self.kind) {
                let kind = kinds.first().copied().unwrap_or_default().name();
                return Err((Some(key), format!("`{key}` is for `type = \"{kind}\"`")));
            }
        }
        Ok(())
    }

    fn files(&self) -> Result<FileOptions, Fault> {
        let at = |key: &'static str| move |reason: String| (Some(key), reason);
        let path = required(self.path.as_deref(), "path")?;
        let path = PathTemplate::parse(path).map_err(at("path"))?;
        let format = match self.format.as_deref() {
            None | Some("raw") => Format::Raw,
            Some("json") => Format::Json,
            Some(text) => Format::Text(template(text).map_err(at("format"))?),
        };
        let rotate_size = self.rotate_size.as_deref().map(size).transpose();
        let size = rotate_size.map_err(at("rotate_size"))?;
        if size.is_some_and(|size| size < MIN_ROTATE_SIZE) {
            return Err((Some("rotate_size"), "`rotate_size` must be at least 4KiB".to_owned()));
        }
        let age = self.rotate_age.as_deref().map(span).transpose().map_err(at("rotate_age"))?;
        if age.is_some_and(|age| !ROTATE_AGES.contains(&age)) {
            return Err((Some("rotate_age"), "`rotate_age` must be from 1m to 366d".to_owned()));
        }
        let rotation = Rotation { size, age };
        if rotation == Rotation::default() {
            for (key, given) in [
                ("keep", self.keep.is_some()),
                ("compress", self.compress.is_some()),
                ("history", self.history.is_some()),
            ] {
                if given {
                    let reason = "does nothing without `rotate_size` or `rotate_age`";
                    return Err((Some(key), format!("`{key}` {reason}")));
                }
            }
        }
        let keep_age = self.keep_age.as_deref().map(span).transpose().map_err(at("keep_age"))?;
        if keep_age.is_some() && rotation == Rotation::default() && !path.has_date() {
            let reason = "`keep_age` does nothing without `rotate_size`, `rotate_age` or a date in \
                          the path";
            return Err((Some("keep_age"), reason.to_owned()));
        }
        let keep = self.keep.unwrap_or(20);
        if keep > 100_000 {
            return Err((Some("keep"), "`keep` must be from 0 to 100000".to_owned()));
        }
        let max_files = self.max_files.unwrap_or(10_000);
        if !(1..=1_000_000).contains(&max_files) {
            return Err((Some("max_files"), "`max_files` must be from 1 to 1000000".to_owned()));
        }
        if self.history.as_deref().is_some_and(|name| !is_plain_name(name)) {
            let reason = "`history` must be the name of a directory, such as `history`";
            return Err((Some("history"), reason.to_owned()));
        }
        let owner = self.owner.as_deref().map(|name| account(name, "/etc/passwd")).transpose();
        let group = self.group.as_deref().map(|name| account(name, "/etc/group")).transpose();
        Ok(FileOptions {
            path,
            format,
            mode: mode(self.mode.as_deref().unwrap_or("0640")).map_err(at("mode"))?,
            directory_mode: mode(self.directory_mode.as_deref().unwrap_or("0750"))
                .map_err(at("directory_mode"))?,
            owner: owner.map_err(at("owner"))?,
            group: group.map_err(at("group"))?,
            rotation,
            keep: keep as usize,
            keep_age,
            compress: self.compress.unwrap_or_default(),
            history: self.history.clone(),
            max_files: max_files as usize,
        })
    }

    fn syslog(&self) -> Result<SyslogOptions, Fault> {
        let to = required(self.to.as_deref(), "to")?;
        let expected = "expected tcp://host:port, tls://host:port or udp://host:port";
        let wrong = || (Some("to"), format!("`{}` is no receiver, {expected}", shown(to)));
        let (scheme, place) = to.split_once("://").ok_or_else(wrong)?;
        let (transport, port) = match scheme {
            "tcp" => (Transport::Tcp, 514),
            "tls" => (Transport::Tls, 6514),
            "udp" => (Transport::Udp, 514),
            _ => return Err(wrong()),
        };
        let (host, port) = host_and_port(place, port).ok_or_else(wrong)?;
        if transport != Transport::Tls {
            for (key, given) in [
                ("ca", self.ca.is_some()),
                ("certificate", self.certificate.is_some()),
                ("key", self.key.is_some()),
            ] {
                if given {
                    return Err((Some(key), format!("`{key}` is for tls:// receivers")));
                }
            }
        }
        if transport == Transport::Udp && self.framing.is_some() {
            let reason = "`framing` is for tcp:// and tls:// receivers: a datagram is one message";
            return Err((Some("framing"), reason.to_owned()));
        }
        let certificate = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => Some((certificate.clone(), key.clone())),
            (None, None) => None,
            (Some(_), None) => return Err((Some("certificate"), "`key` is missing".to_owned())),
            (None, Some(_)) => return Err((Some("key"), "`certificate` is missing".to_owned())),
        };
        Ok(SyslogOptions {
            transport,
            host,
            port,
            payload: self.payload.unwrap_or_default(),
            framing: self.framing.unwrap_or_default(),
            ca: self.ca.clone(),
            certificate,
        })
    }

    fn hub(&self) -> Result<HubOptions, Fault> {
        let to = required(self.to.as_deref(), "to")?;
        let place = to.strip_prefix("https://").or_else(|| to.strip_prefix("http://"));
        let known = place.and_then(|place| host_and_port(place.trim_end_matches('/'), 443));
        if known.is_none() {
            let reason = format!("`{}` is no hub, expected https://host:port", shown(to));
            return Err((Some("to"), reason));
        }
        if self.region.as_deref().is_some_and(|region| region.is_empty() || region.len() > 128) {
            return Err((Some("region"), "`region` must have 1 to 128 bytes".to_owned()));
        }
        Ok(HubOptions {
            url: to.trim_end_matches('/').to_owned(),
            token_file: required(self.token_file.as_deref(), "token_file")?.to_owned(),
            ca: self.ca.clone(),
            region: self.region.clone(),
            timeout: HUB_TIMEOUT,
        })
    }
}

fn required<'f, T: ?Sized>(value: Option<&'f T>, key: &str) -> Result<&'f T, Fault> {
    value.ok_or_else(|| (None, format!("`{key}` is missing")))
}

/// A format that has no field is a slip: every line would be the same.
fn template(text: &str) -> Result<Template, String> {
    let template = Template::parse(text)?;
    if template.is_constant() {
        return Err(format!(
            "`{}` is no format, expected raw, json or a text with %{{field}}",
            shown(text)
        ));
    }
    Ok(template)
}

fn is_plain_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    let one = matches!(parts.next(), Some(Component::Normal(_))) && parts.next().is_none();
    one && !name.contains('/') && name.len() <= 100 && !name.starts_with('.')
}

/// `host`, `host:port`, `[::1]` or `[::1]:port`.
fn host_and_port(place: &str, default: u16) -> Option<(String, u16)> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, after.strip_prefix(':').or(if after.is_empty() { Some("") } else { None })?)
        }
        None => place.split_once(':').unwrap_or((place, "")),
    };
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:%".contains(&byte);
    if host.is_empty() || host.len() > 253 || !host.bytes().all(is_host) {
        return None;
    }
    let port = if port.is_empty() { default } else { port.parse().ok()? };
    Some((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Output, OutputError> {
        let file: OutputFile = toml::from_str(text).unwrap();
        // What is written is read back the same.
        let again: OutputFile = toml::from_str(&toml::to_string(&file).unwrap()).unwrap();
        assert_eq!(again, file);
        file.check(Timestamp::from_seconds(0))
    }

    #[test]
    fn outputs_as_documented_are_taken() {
        for text in [
            "name='files'\ntype='file'\nwhen='tags:syslog'\npath='/srv/logs/%{host.name}.log'\n\
             format='raw'\nmode='0640'\nowner='root'\ngroup='root'\nrotate_size='20MiB'\n\
             rotate_age='1d'\nkeep=20\nkeep_age='90d'\ncompress='gzip'\nhistory='history'",
            "name='days'\ntype='file'\npath='/srv/%{+yyyy-MM-dd}.log'\nkeep_age='7d'\n\
             format='%{@timestamp} %{message}'",
            "name='siem'\ntype='syslog'\nto='tls://siem.example.org'\npayload='cef'\n\
             framing='newline'\nca='/x'\ncertificate='/c'\nkey='/k'",
            "name='old'\ntype='syslog'\nto='udp://[::1]:1514'",
            "name='hq'\ntype='bergfried'\nto='https://hub.example.org:8000/'\ntoken_file='/t'\n\
             region='eu-west'\nfrom='beginning'",
        ] {
            let output = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert!(!output.name().is_empty());
        }
    }

    #[test]
    fn mistakes_name_their_key() {
        let file = "name='a'\ntype='file'\npath='/srv/%{host}.log'\n";
        for (text, key, part) in [
            ("name='a b'\ntype='file'", Some("name"), "letters"),
            ("name='a'\ntype='file'", None, "`path` is missing"),
            ("name='a'\ntype='file'\npath='logs/x'", Some("path"), "absolute"),
            ("name='a'\ntype='file'\npath='/srv/%{host}/../x'", Some("path"), ".."),
            (&format!("{file}when='user:('"), Some("when"), "user:("),
            (&format!("{file}to='tcp://x'"), Some("to"), "type = \"syslog\""),
            (&format!("{file}mode='0666'"), Some("mode"), "everyone"),
            (&format!("{file}owner='nobody-here'"), Some("owner"), "/etc/passwd"),
            (&format!("{file}keep=3"), Some("keep"), "rotate_size"),
            (&format!("{file}rotate_size='1'"), Some("rotate_size"), "4KiB"),
            (&format!("{file}rotate_age='1s'"), Some("rotate_age"), "1m"),
            (&format!("{file}format='jsn'"), Some("format"), "expected raw, json"),
            (&format!("{file}max_files=0"), Some("max_files"), "1 to"),
            ("name='a'\ntype='syslog'\nto='siem:514'", Some("to"), "tcp://"),
            ("name='a'\ntype='syslog'\nto='tcp://x:99999'", Some("to"), "tcp://"),
            ("name='a'\ntype='syslog'\nto='tcp://x'\nca='/c'", Some("ca"), "tls://"),
            ("name='a'\ntype='syslog'\nto='udp://x'\nframing='newline'", Some("framing"), "one"),
            ("name='a'\ntype='syslog'\nto='tls://x'\nkey='/c'", Some("key"), "certificate"),
            ("name='a'\ntype='bergfried'\nto='hub'\ntoken_file='/t'", Some("to"), "https://"),
            ("name='a'\ntype='bergfried'\nto='https://h'", None, "token_file"),
        ] {
            let error = read(text).expect_err(text);
            assert_eq!(error.key, key, "{text}: {error}");
            assert!(error.reason.contains(part), "{text}: {error}");
        }
    }
}
