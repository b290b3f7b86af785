//! Makes text that an attacker may have written harmless to show, without hiding what it was.
//!
//! Nothing is removed: what could act on a terminal, on the reading direction or on a chat system is
//! replaced by something visible.

use std::fmt::Write as _;

/// Words that call many people when written after `@`.
const CALLS: [&str; 3] = ["here", "channel", "everyone"];

/// `text` without anything that acts on a screen: control characters (escape sequences start with
/// one), characters that turn the reading direction and invisible ones become `\u{…}`.
///
/// At most `limit` UTF-16 units, as chat systems count; `…` stands for what is cut.
pub fn visible(text: &str, limit: usize) -> String {
    cut(text.chars().map(Piece::visible), limit)
}

/// As [`visible`], and also without anything that a chat system would follow: a link's `://`
/// becomes `[:]//`, and the `@` of `@here`, `@channel` and `@everyone` becomes `(at)`.
pub fn inert(text: &str, limit: usize) -> String {
    visible(&disarm(text, limit), limit)
}

/// As [`inert`], escaped for Slack: `&`, `<` and `>` become entities, so that no `<!channel>`,
/// `<@user>` or `<url|text>` is left.
///
/// The limit holds for the escaped text; no entity is cut.
/// See <https://docs.slack.dev/messaging/formatting-message-text#escaping>.
pub fn slack(text: &str, limit: usize) -> String {
    let text = inert(text, limit);
    cut(text.chars().map(Piece::slack), limit)
}

/// `text` escaped for HTML, in a text and in a quoted attribute; no entity is cut.
///
/// It does not make the text visible or inert: that comes first.
pub fn html(text: &str, limit: usize) -> String {
    cut(text.chars().map(Piece::html), limit)
}

fn disarm(text: &str, limit: usize) -> String {
    let mut disarmed = String::new();
    let mut rest = text;
    // No more than what the limit can show is worth looking at.
    let mut room = limit.saturating_add(1);
    while let Some(character) = rest.chars().next()
        && room > 0
    {
        room -= 1;
        let after = rest.get(character.len_utf8()..).unwrap_or_default();
        match character {
            ':' if after.starts_with("//") => disarmed.push_str("[:]"),
            '@' if CALLS.iter().any(|call| starts_with_ignoring_case(after, call)) => {
                disarmed.push_str("(at)");
            }
            other => disarmed.push(other),
        }
        rest = after;
    }
    disarmed
}

fn starts_with_ignoring_case(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// What one character becomes; it is kept or cut as a whole.
enum Piece {
    Same(char),
    Entity(&'static str),
    Escape(char),
}

impl Piece {
    fn visible(character: char) -> Piece {
        if acts(character) { Piece::Escape(character) } else { Piece::Same(character) }
    }

    fn slack(character: char) -> Piece {
        match character {
            '&' => Piece::Entity("&amp;"),
            '<' => Piece::Entity("&lt;"),
            '>' => Piece::Entity("&gt;"),
            other => Piece::Same(other),
        }
    }

    fn html(character: char) -> Piece {
        match character {
            '&' => Piece::Entity("&amp;"),
            '<' => Piece::Entity("&lt;"),
            '>' => Piece::Entity("&gt;"),
            '"' => Piece::Entity("&quot;"),
            '\'' => Piece::Entity("&#39;"),
            other => Piece::Same(other),
        }
    }

    fn push_to(&self, text: &mut String) {
        match self {
            Piece::Same(character) => text.push(*character),
            Piece::Entity(entity) => text.push_str(entity),
            Piece::Escape(character) => {
                // Writing to a String cannot fail.
                let _infallible = write!(text, "\\u{{{:x}}}", u32::from(*character));
            }
        }
    }
}

fn cut(pieces: impl Iterator<Item = Piece>, limit: usize) -> String {
    let mut text = String::new();
    let mut units = 0;
    // Where to cut so that `…` still fits.
    let mut last_fit = 0;
    for piece in pieces {
        let start = text.len();
        piece.push_to(&mut text);
        units += text.get(start..).unwrap_or_default().encode_utf16().count();
        if units > limit {
            text.truncate(last_fit);
            if limit > 0 {
                text.push('…');
            }
            return text;
        }
        if units < limit {
            last_fit = text.len();
        }
    }
    text
}

/// Whether a character acts on the screen instead of showing: control and format characters
/// (Unicode general categories Cc and the Cf that are invisible or turn the direction, Zl, Zp).
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_becomes_visible() {
        let cases = [
            ("web1 grüße 日本", "web1 grüße 日本"),
            ("\u{1b}[31mred\u{1b}[0m", "\\u{1b}[31mred\\u{1b}[0m"),
            ("a\r\nb\tc\0", "a\\u{d}\\u{a}b\\u{9}c\\u{0}"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("user\u{202e}gpj.exe", "user\\u{202e}gpj.exe"),
            ("ad\u{200b}min\u{feff}", "ad\\u{200b}min\\u{feff}"),
            ("\u{e0041}", "\\u{e0041}"),
        ];
        for (text, expected) in cases {
            assert_eq!(visible(text, 100), expected);
        }
    }

    #[test]
    fn what_a_chat_follows_is_disarmed() {
        let cases = [
            ("<!channel>", "&lt;!channel&gt;"),
            (
                "<@U123> <https://evil.example|bank>",
                "&lt;@U123&gt; &lt;https[:]//evil.example|bank&gt;",
            ),
            ("@here @CHANNEL @Everyone", "(at)here (at)CHANNEL (at)Everyone"),
            ("bob@example.com", "bob@example.com"),
            ("&lt;!here&gt;", "&amp;lt;!here&amp;gt;"),
            ("ssh://x javascript:alert(1)", "ssh[:]//x javascript:alert(1)"),
        ];
        for (text, expected) in cases {
            assert_eq!(slack(text, 200), expected);
        }
    }

    #[test]
    fn limits_hold_in_utf16_units_and_cut_nothing_in_half() {
        assert_eq!(slack("&&&&", 20), "&amp;&amp;&amp;&amp;");
        assert_eq!(slack("&&&&&", 20), "&amp;&amp;&amp;…");
        assert_eq!(visible("🔥🔥🔥", 6), "🔥🔥🔥");
        assert_eq!(visible("🔥🔥🔥", 5), "🔥🔥…");
        assert_eq!(visible("a\u{1b}", 5), "a…");
        assert_eq!(visible("abc", 0), "");
        for limit in 0..40 {
            for text in ["@here@here@here@here://://", "<<<<<<<<<", "\u{202e}\u{202e}\u{202e}x"] {
                assert!(slack(text, limit).encode_utf16().count() <= limit);
            }
        }
    }
}
