//! A reader of XML that expands nothing and fetches nothing: elements, attributes, text, CDATA and the
//! five predefined entities. A document type, and with it every entity of the writer's own, is a fault;
//! so are tags that do not match, attributes that come twice, and whatever else is not well formed.

use std::borrow::Cow;

/// A tag with more attributes is none of what is read here.
const MOST_ATTRIBUTES: usize = 64;

/// Why a text cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The text ends too early.
    Cut,
    /// It is no XML, or has a document type.
    Broken,
}

/// The next thing in a text of XML.
pub(crate) enum Token<'a> {
    Start(Tag<'a>),
    End,
    Text(Cow<'a, str>),
}

/// A start tag.
pub(crate) struct Tag<'a> {
    /// The name without its namespace's prefix.
    pub(crate) name: &'a str,
    /// What stands between the name and the end of the tag.
    pub(crate) attributes: &'a str,
    pub(crate) closed: bool,
}

/// Reads a text from its start to its end.
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// The elements that are open, by their names as they are written.
    open: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Reader<'a> {
        Reader { text, at: 0, open: Vec::with_capacity(8) }
    }

    /// Whether nothing but white space and comments is left.
    pub(crate) fn is_at_end(&mut self) -> bool {
        loop {
            match self.next() {
                Ok(Token::Text(text)) if text.trim().is_empty() => {}
                Err(Fault::Cut) => return self.rest().is_empty(),
                _ => return false,
            }
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// What stands before `end`, which is passed too.
    fn until(&mut self, end: &str) -> Result<&'a str, Fault> {
        let (before, _) = self.rest().split_once(end).ok_or(Fault::Cut)?;
        self.at += before.len() + end.len();
        Ok(before)
    }

    /// The next tag or text; comments and instructions are passed.
    pub(crate) fn next(&mut self) -> Result<Token<'a>, Fault> {
        loop {
            let rest = self.rest();
            if rest.is_empty() {
                return Err(Fault::Cut);
            }
            if !rest.starts_with('<') {
                let text = rest.split_once('<').map_or(rest, |(text, _)| text);
                self.at += text.len();
                return unescaped(text).map(Token::Text);
            }
            self.at += 1;
            if self.rest().starts_with("!--") {
                self.until("-->")?;
            } else if self.rest().starts_with("![CDATA[") {
                self.at += "![CDATA[".len();
                return Ok(Token::Text(Cow::Borrowed(self.until("]]>")?)));
            } else if self.rest().starts_with('?') {
                self.until("?>")?;
            } else if self.rest().starts_with('!') {
                return Err(Fault::Broken);
            } else if self.rest().starts_with('/') {
                let name = self.until(">")?.get(1..).unwrap_or_default().trim_end();
                return if self.open.pop() == Some(name) {
                    Ok(Token::End)
                } else {
                    Err(Fault::Broken)
                };
            } else {
                return self.tag().map(Token::Start);
            }
        }
    }

    fn tag(&mut self) -> Result<Tag<'a>, Fault> {
        let tag = self.rest();
        let mut quote = None;
        let mut end = None;
        for (at, byte) in tag.bytes().enumerate() {
            match (quote, byte) {
                (_, b'<') => return Err(Fault::Broken),
                (None, b'>') => {
                    end = Some(at);
                    break;
                }
                (None, b'"' | b'\'') => quote = Some(byte),
                (Some(open), byte) if byte == open => quote = None,
                _ => {}
            }
        }
        let end = end.ok_or(Fault::Cut)?;
        self.at += end + 1;
        let tag = tag.get(..end).unwrap_or_default();
        let (tag, closed) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once([' ', '\t', '\r', '\n']).unwrap_or((tag, ""));
        if !is_name(name) {
            return Err(Fault::Broken);
        }
        if !closed {
            self.open.push(name);
        }
        Ok(Tag { name: local(name), attributes, closed })
    }

    /// Passes the rest of an element whose start tag was read.
    pub(crate) fn skip(&mut self) -> Result<(), Fault> {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.next()? {
                Token::Start(tag) if !tag.closed => depth += 1,
                Token::End => depth -= 1,
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether a text can be the name of an element or attribute.
fn is_name(name: &str) -> bool {
    name.chars().next().is_some_and(|first| first.is_alphabetic() || matches!(first, '_' | ':'))
        && !name.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '&' | '/'))
}

/// A name without its namespace's prefix.
fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// As [`local`], but a declaration of a namespace stays one.
fn attribute_local(name: &str) -> &str {
    if name.starts_with("xmlns") { name } else { local(name) }
}

/// The attributes of a tag, by name; one that comes twice is a fault.
pub(crate) fn attributes(text: &str) -> impl Iterator<Item = Result<(&str, Cow<'_, str>), Fault>> {
    let mut rest = text.trim_start();
    let mut names: Vec<&str> = Vec::new();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let read = attribute(rest).and_then(|(name, value, after)| {
            let is_new = !names.contains(&name) && names.len() < MOST_ATTRIBUTES;
            names.push(name);
            if is_new { Ok((name, value, after)) } else { Err(Fault::Broken) }
        });
        rest = match &read {
            Ok((_, _, after)) => after.trim_start(),
            Err(_) => "",
        };
        Some(read.map(|(name, value, _)| (name, value)))
    })
}

fn attribute(text: &str) -> Result<(&str, Cow<'_, str>, &str), Fault> {
    let (name, rest) = text.split_once('=').ok_or(Fault::Broken)?;
    let rest = rest.trim_start();
    let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''));
    let quoted = rest.get(1..).zip(quote).ok_or(Fault::Broken)?;
    let (value, after) = quoted.0.split_once(quoted.1).ok_or(Fault::Broken)?;
    let name = name.trim_end();
    let ends = after.is_empty() || after.starts_with(|c: char| c.is_whitespace());
    if !is_name(name) || !ends {
        return Err(Fault::Broken);
    }
    Ok((attribute_local(name), unescaped(value)?, after))
}

/// Text with its entities resolved.
fn unescaped(text: &str) -> Result<Cow<'_, str>, Fault> {
    let Some((before, mut rest)) = text.split_once('&') else { return Ok(Cow::Borrowed(text)) };
    let mut plain = String::with_capacity(text.len());
    plain.push_str(before);
    loop {
        let (name, after) = rest.split_once(';').ok_or(Fault::Broken)?;
        plain.push(entity(name).ok_or(Fault::Broken)?);
        let Some((before, next)) = after.split_once('&') else {
            plain.push_str(after);
            return Ok(Cow::Owned(plain));
        };
        plain.push_str(before);
        rest = next;
    }
}

fn entity(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            // Half a surrogate pair, which Windows writes where a text was cut.
            char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
    })
}

/// The text of an element whose start tag was read; elements in it are passed.
pub(crate) fn content<'a>(reader: &mut Reader<'a>) -> Result<Cow<'a, str>, Fault> {
    let mut content = Cow::Borrowed("");
    loop {
        match reader.next()? {
            Token::End => return Ok(content),
            Token::Text(text) if content.is_empty() => content = text,
            Token::Text(text) => content.to_mut().push_str(&text),
            Token::Start(tag) if tag.closed => {}
            Token::Start(_) => reader.skip()?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names and texts in the order of the text, and the fault that ended it.
    fn read(text: &str) -> (String, Fault) {
        let mut reader = Reader::new(text);
        let mut said = String::new();
        loop {
            match reader.next() {
                Ok(Token::Start(tag)) => {
                    said.push_str(&format!("<{}", tag.name));
                    for attribute in attributes(tag.attributes) {
                        match attribute {
                            Ok((name, value)) => said.push_str(&format!(" {name}={value}")),
                            Err(fault) => return (said, fault),
                        }
                    }
                    said.push_str(if tag.closed { "/>" } else { ">" });
                }
                Ok(Token::End) => said.push_str("</>"),
                Ok(Token::Text(text)) => said.push_str(&text),
                Err(fault) => return (said, fault),
            }
        }
    }

    #[test]
    fn what_is_well_formed_is_read_to_its_end() {
        for (text, said) in [
            ("<a/>", "<a/>"),
            ("<?xml version='1.0'?><p:a x = \"1\" y='&lt;'>t<!-- > --></p:a>", "<a x=1 y=<>t</>"),
            ("<a><![CDATA[<b>&]]>&#65;&#x42;</a >", "<a><b>&AB</>"),
            ("<a\n b='>'\t></a>", "<a b=>></>"),
        ] {
            assert_eq!(read(text), (said.to_owned(), Fault::Cut), "{text}");
        }
    }

    #[test]
    fn what_is_not_well_formed_is_a_fault() {
        for text in [
            "<a></b>",
            "</a>",
            "<a><b></a>",
            "< a/>",
            "<1/>",
            "<a b='1' b='2'/>",
            "<a b=1/>",
            "<a b='<'/>",
            "<a b='1'c='2'/>",
            "<a b/>",
            "<a>&x;</a>",
            "<a>& </a>",
            "<a <b/>",
            "<!DOCTYPE a><a/>",
            "<a 'b'='1'/>",
        ] {
            assert_eq!(read(text).1, Fault::Broken, "{text}");
        }
    }

    #[test]
    fn the_end_is_the_end() {
        for (text, ends) in [("", true), (" \r\n<!-- x --> ", true), ("x", false), ("<a/>", false)]
        {
            assert_eq!(Reader::new(text).is_at_end(), ends, "{text}");
        }
    }
}
