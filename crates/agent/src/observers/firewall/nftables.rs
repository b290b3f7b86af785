//! What `nft list ruleset` prints (nft(8)).
//!
//! The text is taken, not the JSON: it is what people know, and it is a third as long.

use std::collections::BTreeSet;

use super::state::{Lines, State};

/// A set with more elements than this is told by their number and a hash.
const ELEMENTS: usize = 1_000;

/// The state, without the tables of iptables (`ip filter`), which its own tools tell better: nft does
/// not print what the extensions of iptables look at.
pub(super) fn state(text: &str, of_iptables: &[String]) -> State {
    let mut reader = Reader { guards: BTreeSet::new(), lines: Lines::default() };
    let mut lines = logical_lines(text).into_iter();
    while let Some(line) = lines.next() {
        let Some(table) = line.strip_prefix("table ").and_then(|rest| rest.strip_suffix('{'))
        else {
            continue;
        };
        let table = table.trim_end();
        let body = block(&mut lines);
        if !of_iptables.iter().any(|name| name == table) {
            reader.table(table, body);
        }
    }
    State { guards: reader.guards, text: reader.lines.into_text(), from_files: false }
}

struct Reader {
    guards: BTreeSet<String>,
    lines: Lines,
}

impl Reader {
    fn table(&mut self, table: &str, body: Vec<String>) {
        // Its chains see no packet.
        let dormant =
            body.iter().any(|line| line.starts_with("flags ") && line.contains("dormant"));
        let mut lines = body.into_iter();
        let mut is_empty = true;
        while let Some(line) = lines.next() {
            is_empty = false;
            let Some(head) = line.strip_suffix(" {") else {
                self.lines.push(table, line);
                continue;
            };
            let body = block(&mut lines);
            let (kind, name) = head.rsplit_once(' ').unwrap_or((head, ""));
            match kind {
                "chain" => self.chain(&format!("{table} {name}"), &body, dormant),
                "set" | "map" => self.set(&format!("{table} {name}"), kind, body),
                // Counters, quotas, limits, helpers, flow tables.
                kind => {
                    let place = format!("{table} {name}");
                    self.lines.push(place.as_str(), kind);
                    for line in body.iter().filter(|line| kind != "counter" || !is_count(line)) {
                        self.lines.push(place.as_str(), without_counts(line));
                    }
                }
            }
        }
        if is_empty {
            self.lines.push(table, "table");
        }
    }

    fn chain(&mut self, place: &str, body: &[String], dormant: bool) {
        let hook = body.iter().find(|line| line.starts_with("type "));
        let rules = body.iter().filter(|line| !line.starts_with("type ")).count();
        if let Some(hook) = hook
            && hook.starts_with("type filter hook ")
            && ["input", "ingress", "prerouting"]
                .iter()
                .any(|name| hook.contains(&format!(" hook {name} ")))
            && !dormant
            && (rules > 0 || hook.contains("policy drop"))
        {
            let family = place.split(' ').next().unwrap_or_default();
            self.guards.insert(family.to_owned());
        }
        if hook.is_none() {
            self.lines.push(place, "chain");
        }
        for line in body {
            self.lines.push(place, without_counts(line));
        }
    }

    fn set(&mut self, place: &str, kind: &str, body: Vec<String>) {
        let elements_of = |line: &String| {
            let inner = line.strip_prefix("elements = {")?.strip_suffix('}')?;
            Some(split_outside_quotes(inner))
        };
        // Packets or time change these.
        let moves = body.iter().any(|line| {
            line.starts_with("flags ") && (line.contains("dynamic") || line.contains("timeout"))
        });
        let place = if moves { format!("{place} (moving)") } else { place.to_owned() };
        self.lines.push(place.as_str(), kind);
        for line in &body {
            let Some(mut elements) = elements_of(line) else {
                self.lines.push(place.as_str(), without_counts(line));
                continue;
            };
            for element in &mut elements {
                *element = without_counts(element);
            }
            elements.sort();
            if elements.len() > ELEMENTS {
                let hash = blake3::hash(elements.join("\n").as_bytes()).to_hex();
                let count = elements.len();
                self.lines.push(place.as_str(), format!("{count} elements, BLAKE3 {hash}"));
            } else {
                for element in elements {
                    self.lines.push(place.as_str(), format!("element {element}"));
                }
            }
        }
    }
}

/// The lines until the brace that closes the block.
fn block(lines: &mut impl Iterator<Item = String>) -> Vec<String> {
    let mut body = Vec::new();
    let mut depth = 0_usize;
    for line in lines.by_ref() {
        if line == "}" && depth == 0 {
            break;
        }
        if line == "}" {
            depth -= 1;
        } else if line.ends_with(" {") {
            depth += 1;
        }
        body.push(line);
    }
    body
}

/// Lines without indentation and comments; what stands in braces of a rule or a list of elements is one.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if open.is_empty() && (line.starts_with('#') || line == "}" || opens_block(line)) {
            if !line.starts_with('#') {
                lines.push(line.to_owned());
            }
            continue;
        }
        if !open.is_empty() {
            open.push(' ');
        }
        open.push_str(line);
        if depth(&open) == 0 {
            lines.push(std::mem::take(&mut open));
        }
    }
    if !open.is_empty() {
        lines.push(open);
    }
    lines
}

fn opens_block(line: &str) -> bool {
    line.ends_with(" {") && !line.starts_with("elements = ") && depth(line) == 1
}

/// How many braces outside quotation marks are open at the end.
fn depth(line: &str) -> i32 {
    let mut quoted = false;
    line.bytes().fold(0, |depth, byte| {
        quoted ^= byte == b'"';
        match byte {
            b'{' if !quoted => depth + 1,
            b'}' if !quoted => depth - 1,
            _ => depth,
        }
    })
}

fn split_outside_quotes(text: &str) -> Vec<String> {
    let mut quoted = false;
    let parts = text.split(|c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    parts.map(|part| part.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

fn is_count(line: &str) -> bool {
    line.starts_with("packets ")
}

/// Without what passes by: counters, what is used of a quota, when an element ends, handles.
fn without_counts(line: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut words = line.split(' ').peekable();
    let mut quoted = false;
    while let Some(word) = words.next() {
        let was_quoted = quoted;
        quoted ^= word.bytes().filter(|byte| *byte == b'"').count() % 2 == 1;
        if was_quoted {
            kept.push(word);
            continue;
        }
        match (word, words.peek()) {
            ("packets", Some(number)) if is_number(number) && kept.last() == Some(&"counter") => {
                words.nth(2);
            }
            ("expires", Some(_)) => {
                words.next();
            }
            ("used", Some(number)) if is_number(number) => {
                words.nth(1);
            }
            ("#", Some(&"handle")) => break,
            _ => kept.push(word),
        }
    }
    kept.join(" ")
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As nft 1.0.6 prints it without `-s`.
    const RULES: &str = r#"# Warning: table ip filter is managed by iptables-nft, do not touch!
table ip filter {
	chain INPUT {
		type filter hook input priority filter; policy drop;
		iifname "lo" counter packets 0 bytes 0 accept
	}
}
table inet t {
	counter c {
		packets 5 bytes 7
	}

	set s {
		type ipv4_addr
		flags timeout
		elements = { 10.0.0.3 timeout 1h expires 59m59s984ms, 10.0.0.1 timeout 2h expires 1h59m59s984ms }
	}

	set big {
		type ipv4_addr
		elements = { 10.1.0.2, 10.1.0.1 comment "a, b",
			     10.1.0.3 }
	}

	map m {
		type inet_service : verdict
		elements = { 22 : accept, 80 : drop }
	}

	chain in {
		type filter hook input priority filter; policy accept;
		tcp dport { 22, 80 } counter packets 9 bytes 7 accept comment "a { b } , c packets 9 bytes 1"
		ip saddr @s log prefix "x{ " drop
		quota over 5 mbytes used 300 bytes drop # handle 7
		goto other
	}

	chain other {
	}
}
"#;

    #[test]
    fn every_rule_has_its_place_and_no_counters() {
        let expected = r#"inet t big: set
inet t big: type ipv4_addr
inet t big: element 10.1.0.1 comment "a, b"
inet t big: element 10.1.0.2
inet t big: element 10.1.0.3
inet t c: counter
inet t in: type filter hook input priority filter; policy accept;
inet t in: tcp dport { 22, 80 } counter accept comment "a { b } , c packets 9 bytes 1"
inet t in: ip saddr @s log prefix "x{ " drop
inet t in: quota over 5 mbytes drop
inet t in: goto other
inet t m: map
inet t m: type inet_service : verdict
inet t m: element 22 : accept
inet t m: element 80 : drop
inet t other: chain
inet t s (moving): set
inet t s (moving): type ipv4_addr
inet t s (moving): flags timeout
inet t s (moving): element 10.0.0.1 timeout 2h
inet t s (moving): element 10.0.0.3 timeout 1h
"#;
        let state = state(RULES, &["ip filter".to_owned()]);
        assert_eq!(state.text, expected);
        assert!(state.is_active());
        let all = super::state(RULES, &[]);
        assert!(all.text.contains("ip filter INPUT: iifname \"lo\" counter accept\n"));
    }

    #[test]
    fn active_is_what_filters_packets_to_the_host() {
        for (text, active) in [
            ("", false),
            ("table inet t {\n}\n", false),
            (
                "table inet t {\nchain c {\ntype filter hook input priority 0; policy accept;\n}\n}\n",
                false,
            ),
            (
                "table inet t {\nchain c {\ntype filter hook input priority 0; policy drop;\n}\n}\n",
                true,
            ),
            (
                "table inet t {\nflags dormant\nchain c {\ntype filter hook input priority 0; policy drop;\n}\n}\n",
                false,
            ),
            (
                "table inet t {\nchain c {\ntype filter hook forward priority 0; policy drop;\ndrop\n}\n}\n",
                false,
            ),
            (
                "table netdev t {\nchain c {\ntype filter hook ingress device \"eth0\" priority 0; policy accept;\ndrop\n}\n}\n",
                true,
            ),
        ] {
            assert_eq!(state(text, &[]).is_active(), active, "{text}");
        }
    }

    #[test]
    fn torn_text_is_no_end() {
        for end in 0..RULES.len() {
            state(RULES.get(..end).unwrap_or_default(), &[]);
        }
        let many: Vec<String> =
            (0..2_000).map(|n| format!("10.0.{}.{}", n / 250, n % 250)).collect();
        let set = |elements: &[String]| {
            state(
                &format!(
                    "table ip t {{\nset s {{\nelements = {{ {} }}\n}}\n}}\n",
                    elements.join(", ")
                ),
                &[],
            )
        };
        assert_eq!(set(&many).text.lines().count(), 2);
        assert!(set(&many).text.contains("2000 elements"));
        assert_ne!(set(&many), set(&[&many[1..], &["10.9.9.9".to_owned()]].concat()));
    }
}
