//! Mail over SMTP, with a text for terminals and one for windows; the mails about one alert are one
//! thread.
//!
//! RFC 5321 (SMTP), 3207 (STARTTLS), 8314 (TLS from the start), 5322 section 3.6.4 (the fields that
//! make a thread), 3834 (what machines write says so).

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use bergfried_event::Timestamp;
use lettre::address::AddressError;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{SmtpTransport, Transport as _};
use serde::Deserialize;

use crate::channel::Channel;
use crate::destination::Authority;
use crate::file::ChannelFile;
use crate::message::{Memory, Message};
use crate::neutral::{html, inert, visible};
use crate::outline::Outline;
use crate::secret::SecretText;
use crate::send::SendError;

const MAX_RECIPIENTS: usize = 50;
const MAX_SUBJECT: usize = 150;
const MAX_LINE: usize = 1000;
const MAX_ITEMS: usize = 100;
const MAX_REASON: usize = 200;
const MAX_HOST: usize = 253;

/// How a connection to a mail server is kept from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Security {
    /// In the clear until both agree to TLS; never without it.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// In the clear.
    None,
}

impl Security {
    fn port(self) -> u16 {
        match self {
            Security::StartTls => 587,
            Security::Tls => 465,
            Security::None => 25,
        }
    }
}

/// A mail server, and who writes to whom over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Email {
    host: String,
    port: u16,
    security: Security,
    login: Option<(String, SecretText)>,
    from: Mailbox,
    to: Vec<Mailbox>,
    hello: String,
    authority: Option<Authority>,
}

impl Email {
    /// Reads the keys of this type.
    pub(crate) fn check(file: &mut ChannelFile) -> Result<Email, String> {
        let security = file.security.take().unwrap_or(Security::StartTls);
        let server = file.server.take().ok_or("`server` is missing")?;
        let (host, port) = host_and_port(&server, security)?;
        if security == Security::None && !file.allow_plaintext.unwrap_or(false) && !is_here(&host) {
            return Err("`security` may be `none` for a server on this machine alone; \
                        `allow_plaintext = true` lets everyone on the way read along"
                .to_owned());
        }
        let login = match (file.user.take(), file.password()?) {
            (None, None) => None,
            (Some(user), Some(password)) => Some((user, password)),
            (Some(_), None) => return Err("`user` needs a `password`".to_owned()),
            (None, Some(_)) => return Err("`password` needs a `user`".to_owned()),
        };
        let from = mailbox("from", &file.from.take().ok_or("`from` is missing")?)?;
        let to = file.to.take().ok_or("`to` is missing")?;
        if to.is_empty() || to.len() > MAX_RECIPIENTS {
            return Err(format!("`to` must have 1 to {MAX_RECIPIENTS} addresses"));
        }
        let to = to.iter().map(|address| mailbox("to", address)).collect::<Result<_, _>>()?;
        let hello = file.hello.take().unwrap_or_else(|| from.email.domain().to_owned());
        if !is_host(&hello) {
            return Err("`hello` must be the name of a host".to_owned());
        }
        let authority = file.authority()?;
        let email = Email { host, port, security, login, from, to, hello, authority };
        // What the files hold is found out now, not with the first mail.
        email.tls().map_err(|error| format!("`ca`: {}", error.message))?;
        Ok(email)
    }

    /// Sends a mail; the memory is what its thread began with.
    pub(crate) fn send(
        &self,
        channel: &Channel,
        message: &Message,
        memory: Option<&Memory>,
        now: Timestamp,
    ) -> Result<Memory, SendError> {
        let (mail, memory) = self.mail(channel.name(), message, memory, now)?;
        let mut transport = SmtpTransport::builder_dangerous(&self.host)
            .port(self.port)
            .tls(self.tls()?)
            .hello_name(ClientId::Domain(self.hello.clone()))
            .timeout(Some(channel.timeout()));
        if let Some((user, password)) = &self.login {
            transport = transport.credentials(Credentials::new(user.clone(), password.0.clone()));
        }
        match transport.build().send(&mail) {
            Ok(_) => Ok(memory),
            Err(error) => Err(self.explain(&error, channel.timeout())),
        }
    }

    /// The mail, and what is to be remembered of it.
    fn mail(
        &self,
        channel: &str,
        message: &Message,
        memory: Option<&Memory>,
        now: Timestamp,
    ) -> Result<(lettre::Message, Memory), SendError> {
        let outline = Outline::of(message);
        let id = format!("<{}@{}>", message.delivery(channel), self.from.email.domain());
        let mut mail = lettre::Message::builder()
            .from(self.from.clone())
            .date(now_of(now))
            .message_id(Some(id.clone()))
            .header(AutoSubmitted("auto-generated".to_owned()));
        for to in &self.to {
            mail = mail.to(to.clone());
        }
        let memory = match memory {
            Some(Memory::Email { first, subject }) if message.about().is_some() => {
                mail = mail.in_reply_to(first.clone()).references(first.clone());
                mail = mail.subject(format!("Re: {subject}"));
                Memory::Email { first: first.clone(), subject: subject.clone() }
            }
            _ => {
                let subject = inert(&outline.headline, MAX_SUBJECT);
                mail = mail.subject(subject.clone());
                Memory::Email { first: id, subject }
            }
        };
        let body = MultiPart::alternative_plain_html(as_text(&outline), as_html(&outline));
        let mail = mail.multipart(body);
        let mail = mail.map_err(|_| SendError::last("the mail could not be formed"))?;
        Ok((mail, memory))
    }

    fn tls(&self) -> Result<Tls, SendError> {
        let unusable = |_| SendError::last("TLS cannot be used with this server's name or `ca`");
        let parameters = || {
            let mut builder = TlsParameters::builder(self.host.clone());
            if let Some(authority) = &self.authority {
                builder = builder.certificate_store(CertificateStore::None);
                for der in authority.der() {
                    let certificate = Certificate::from_der(der).map_err(unusable)?;
                    builder = builder.add_root_certificate(certificate);
                }
            }
            builder.build().map_err(unusable)
        };
        Ok(match self.security {
            Security::StartTls => Tls::Required(parameters()?),
            Security::Tls => Tls::Wrapper(parameters()?),
            Security::None => Tls::None,
        })
    }

    /// Says what failed: a number and the server's words, but never what it says to a login.
    fn explain(&self, error: &lettre::transport::smtp::Error, timeout: Duration) -> SendError {
        if let Some(code) = error.status() {
            let code = code.to_string();
            // 530, 534, 535, 538: RFC 4954, section 6.
            let words = if code.starts_with("53") { String::new() } else { said(error) };
            let message = format!("the mail server answered {code}{words}");
            return SendError { retryable: !error.is_permanent(), retry_after: None, message };
        }
        if error.is_timeout() {
            let seconds = timeout.as_secs();
            return SendError::passing(format!("no answer of the mail server within {seconds} s"));
        }
        let words = said(error);
        if error.is_client() {
            // Such as a server that knows no way to log in, or speaks no STARTTLS.
            return SendError::passing(format!("the mail server cannot be used{words}"));
        }
        SendError::passing(format!("the connection to the mail server failed{words}"))
    }
}

/// The innermost reason of an error, such as the words of the server's answer.
fn said(error: &lettre::transport::smtp::Error) -> String {
    let mut cause = std::error::Error::source(error);
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    let words = cause.map(ToString::to_string).unwrap_or_default();
    let words = visible(words.trim(), MAX_REASON);
    if words.is_empty() { words } else { format!(": {words}") }
}

fn now_of(now: Timestamp) -> SystemTime {
    let micros = Duration::from_micros(now.micros().unsigned_abs());
    SystemTime::UNIX_EPOCH + micros
}

fn host_and_port(server: &str, security: Security) -> Result<(String, u16), String> {
    let bad = || "`server` must be `host` or `host:port`".to_owned();
    let (host, port) = match server.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or_else(bad)?;
            host.parse::<IpAddr>().map_err(|_| bad())?;
            (
                host,
                if after.is_empty() {
                    None
                } else {
                    Some(after.strip_prefix(':').ok_or_else(bad)?)
                },
            )
        }
        None => match server.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (server, None),
        },
    };
    let port = port.map(str::parse).transpose().map_err(|_| bad())?;
    if host.parse::<IpAddr>().is_err() && !is_host(host) {
        return Err(bad());
    }
    Ok((host.to_owned(), port.unwrap_or_else(|| security.port())))
}

fn is_host(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    !name.is_empty() && name.len() <= MAX_HOST && name.bytes().all(is_part)
}

/// Whether it is this machine itself.
fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn mailbox(key: &str, text: &str) -> Result<Mailbox, String> {
    let shown = text.escape_debug();
    let parsed: Result<Mailbox, AddressError> = text.parse();
    let mailbox = parsed.map_err(|_| format!("`{key}` has `{shown}`, which is no mail address"))?;
    if text.contains(char::is_control) {
        return Err(format!("`{key}` has a control character in `{shown}`"));
    }
    Ok(mailbox)
}

/// Keeps other machines from answering: RFC 3834, section 5.
#[derive(Clone)]
struct AutoSubmitted(String);

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(AutoSubmitted(text.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), self.0.clone())
    }
}

/// What terminals show.
fn as_text(outline: &Outline) -> String {
    let line = |text: &str| inert(text, MAX_LINE);
    let mut body = format!("{}\n\n{}\n", line(&outline.headline), line(&outline.text));
    let mut say = |text: String| {
        body.push_str(&text);
        body.push('\n');
    };
    if !outline.facts.is_empty() {
        say(String::new());
    }
    for (name, value) in &outline.facts {
        say(format!("{}: {}", line(name), line(value)));
    }
    if !outline.items.is_empty() {
        say(String::new());
    }
    for item in outline.items.iter().take(MAX_ITEMS) {
        say(format!("* {}", line(&item.headline)));
        if let Some(link) = &item.link {
            say(format!("  {}", visible(link, MAX_LINE)));
        }
    }
    if more(outline) > 0 {
        say(format!("and {} more", more(outline)));
    }
    if !outline.example.is_empty() {
        say(format!("\n    {}", line(&outline.example)));
    }
    if let Some(link) = &outline.link {
        say(format!("\n{}", visible(link, MAX_LINE)));
    }
    // "-- " begins a signature.
    say(format!("\n-- \n{}", line(&outline.origin)));
    body
}

/// What windows show; there is nothing in it to be fetched.
fn as_html(outline: &Outline) -> String {
    let text = |text: &str| html(&inert(text, MAX_LINE), MAX_LINE * 6);
    let link = |url: &str| html(&visible(url, MAX_LINE), MAX_LINE * 6);
    let mut body = String::from("<!DOCTYPE html>\n<html><body style=\"font-family:sans-serif\">\n");
    // Writing to a String cannot fail.
    let mut say = |line: &str| {
        let _infallible = writeln!(body, "{line}");
    };
    say(&format!("<h2>{}</h2>", text(&outline.headline)));
    say(&format!("<p>{}</p>", text(&outline.text)));
    if !outline.facts.is_empty() {
        say("<table>");
        for (name, value) in &outline.facts {
            let (name, value) = (text(name), text(value));
            say(&format!("<tr><th align=\"left\">{name}</th><td>{value}</td></tr>"));
        }
        say("</table>");
    }
    if !outline.items.is_empty() {
        say("<ul>");
        for item in outline.items.iter().take(MAX_ITEMS) {
            let headline = text(&item.headline);
            match &item.link {
                Some(url) => say(&format!("<li><a href=\"{}\">{headline}</a></li>", link(url))),
                None => say(&format!("<li>{headline}</li>")),
            }
        }
        if more(outline) > 0 {
            say(&format!("<li>and {} more</li>", more(outline)));
        }
        say("</ul>");
    }
    if !outline.example.is_empty() {
        say(&format!("<pre>{}</pre>", text(&outline.example)));
    }
    if let Some(url) = &outline.link {
        say(&format!("<p><a href=\"{}\">Open in Bergfried</a></p>", link(url)));
    }
    say(&format!("<p><small>{}</small></p>", text(&outline.origin)));
    say("</body></html>");
    body
}

fn more(outline: &Outline) -> u64 {
    outline.more.saturating_add(outline.items.len().saturating_sub(MAX_ITEMS) as u64)
}

#[cfg(test)]
mod tests;
