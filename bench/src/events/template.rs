//! Texts with blanks: `<n>` a number, `<x>` eight hexadecimal digits, `<guid>`, `<user>`, `<host>`,
//! `<word>`, `<ip>`, `<path>`, `<base64>`.

use std::fmt::Write as _;

use super::World;

const USERS: &[&str] = &[
    "anna.becker",
    "b.krueger",
    "cecilia.ortiz",
    "d.novak",
    "e.lindqvist",
    "f.rossi",
    "g.tanaka",
    "h.dubois",
    "i.petrov",
    "j.smith",
    "k.oconnor",
    "l.meyer",
    "svc_backup",
    "svc_sql",
    "adm.huber",
];
const WORDS: &[&str] = &[
    "report",
    "invoice",
    "budget",
    "summary",
    "draft",
    "archive",
    "payroll",
    "inventory",
    "meeting",
    "project",
    "release",
    "backup",
    "customer",
    "forecast",
    "schedule",
    "contract",
    "survey",
    "export",
    "statistics",
    "training",
    "offer",
    "catalogue",
    "roadmap",
    "minutes",
];
const ENDINGS: &[&str] =
    &["docx", "xlsx", "pdf", "csv", "txt", "png", "zip", "pptx", "json", "log"];
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

impl World {
    pub(super) fn user(&mut self) -> &'static str {
        self.random.pick(USERS)
    }

    pub(super) fn hex(&mut self, digits: usize) -> String {
        let mut text = String::with_capacity(digits + 15);
        while text.len() < digits {
            text.extend(format!("{:016X}", self.random.draw()).chars());
        }
        text.truncate(digits);
        text
    }

    pub(super) fn guid(&mut self) -> String {
        let (high, low) = (self.random.draw(), self.random.draw());
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    }

    /// The template with its blanks filled in.
    pub(super) fn fill(&mut self, template: &str) -> String {
        let mut filled = String::with_capacity(template.len() + 64);
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('<') {
            filled.push_str(before);
            let Some((blank, after)) = after.split_once('>') else {
                filled.push('<');
                rest = after;
                continue;
            };
            self.blank(&mut filled, blank);
            rest = after;
        }
        filled.push_str(rest);
        filled
    }

    fn blank(&mut self, filled: &mut String, blank: &str) {
        // Writing to a String cannot fail.
        let _infallible = match blank {
            "n" => write!(filled, "{}", self.random.below(65_536)),
            "x" => write!(filled, "{:08x}", self.random.draw() >> 32),
            "guid" => {
                filled.push_str(&self.guid());
                Ok(())
            }
            "user" => filled.write_str(self.random.pick(USERS)),
            "host" => write!(filled, "pc{:03}", self.random.below(60)),
            "word" => filled.write_str(self.random.pick(WORDS)),
            "ip" => write!(filled, "{}", self.random.address()),
            "path" => write!(
                filled,
                "{}\\{}-{}.{}",
                self.random.pick(WORDS),
                self.random.pick(WORDS),
                self.random.below(500),
                self.random.pick(ENDINGS)
            ),
            "base64" => {
                for _ in 0..160 + self.random.below(400) {
                    let digit = usize::try_from(self.random.below(64)).unwrap_or(0);
                    filled.push(BASE64.get(digit).copied().map_or('A', char::from));
                }
                filled.write_str("==")
            }
            other => write!(filled, "<{other}>"),
        };
    }
}
