//! What to write instead of code in Perl.

use super::Expression;
use super::tables::Tables;

/// Code that looks so is mostly for this.
const PURPOSES: &[(&[&str], &str)] = &[
    (&["json", "JSON", "Json"], "json($0, 'a.b[0].c') reads a value out of JSON"),
    (
        &["keys %", "keys(%", "}++", "++$"],
        "distinct(\"name $1\", $2, 60) counts different values within seconds, count(\"name $1\", 60) events",
    ),
    (
        &["open(", "open (", "<FILE", "exists($", "exists $", "defined($hash", "{$_[0]}", "{\"$"],
        "lookup('table.csv', $1) looks a value up in a table",
    ),
    (&["localtime", "strftime"], "hour(), minute() and weekday() tell the time"),
    (&["inet_aton", "netmask", "cidr", "Net::IP"], "in_network($1, '10.0.0.0/8') tests an address"),
    (&["=~ s/", "=~s/"], "replace($1, 'regex', 'new') changes a text"),
    (&["split"], "split($1, ',', 2) takes a text apart"),
];

/// What to write in place of code in Perl, in one sentence: the very expression for the common one
/// liners, and for others what expressions can do. The code may have its arguments with it
/// (`$2 -> ( sub { $_[0] < 1024 } )`), as context expressions write it.
pub fn instead_of_perl(code: &str) -> String {
    if let Some(expression) = translate(code) {
        return format!(
            "without Perl it is expr({expression}), the same in a pattern of ptype=Expr and in an action, let %name (…)"
        );
    }
    let purpose = PURPOSES.iter().find(|(marks, _)| marks.iter().any(|mark| code.contains(mark)));
    let what = purpose.map_or(
        "they calculate, compare, test texts, look up tables, count and read JSON",
        |(_, what)| what,
    );
    format!(
        "write an expression, expr(…) in a context, ptype=Expr in a pattern, let %name (…) in an action: {what}"
    )
}

/// What stands for `$_[0]` and on.
enum Given<'c> {
    /// Variables before `->`.
    Values(Vec<&'c str>),
    /// Names of cache entries before `:>`.
    Entries(Vec<&'c str>),
    /// The line and its source, as patterns get them.
    Line,
}

fn translate(code: &str) -> Option<String> {
    let code = code.trim();
    let (given, body) = if let Some(program) = code.strip_prefix('=') {
        // Variables were put into the text of such a program; they are values now.
        (Given::Values(Vec::new()), without_parentheses(program))
    } else if let Some((words, body)) =
        code.split_once("->").filter(|(words, _)| !words.contains("sub"))
    {
        (Given::Values(names(words)), without_parentheses(body))
    } else if let Some((words, body)) = code.split_once(":>") {
        (Given::Entries(names(words)), without_parentheses(body))
    } else {
        (Given::Line, without_parentheses(code))
    };
    let body = match body.strip_prefix("sub") {
        Some(rest) => rest.trim().strip_prefix('{')?.strip_suffix('}')?.trim(),
        None => body,
    };
    let body = body.trim_end_matches(|c: char| c == ';' || c.is_ascii_whitespace());
    let body = body.strip_prefix("return").map_or(body, str::trim_start);
    let expression = without_parentheses(&words(body, &given)?).to_owned();
    let none = |_: &str| Err(String::new());
    Expression::parse(&expression, &mut Tables::new(&none)).ok()?;
    Some(expression)
}

fn names(words: &str) -> Vec<&str> {
    without_parentheses(words).split_ascii_whitespace().collect()
}

/// The text without blanks around it and without parentheses around all of it.
fn without_parentheses(text: &str) -> &str {
    let text = text.trim();
    let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else {
        return text;
    };
    let mut depth = 0_i32;
    for c in inner.chars() {
        depth += i32::from(c == '(') - i32::from(c == ')');
        if depth < 0 {
            return text;
        }
    }
    inner.trim()
}

/// The code word by word in the language of expressions. What is not known stays, so that the text
/// as a whole is no expression.
fn words(code: &str, given: &Given<'_>) -> Option<String> {
    let mut text = String::new();
    let mut rest = code;
    // The variable right before, which a match may be about.
    let mut subject: Option<usize> = None;
    while let Some(c) = rest.chars().next() {
        if let Some((variable, after)) = argument(rest, given) {
            subject = Some(text.len());
            text.push_str(&variable);
            rest = after;
            continue;
        }
        if let Some((sign, after)) =
            ["=~", "!~"].iter().find_map(|sign| Some((*sign, rest.strip_prefix(sign)?)))
        {
            let (pattern, after) = pattern(after.trim_start())?;
            let about = text.split_off(subject.take()?);
            let not = if sign == "!~" { "not " } else { "" };
            text.push_str(&format!("{not}matches({}, '{pattern}')", about.trim()));
            rest = after;
            continue;
        }
        if c == '"' || c == '\'' {
            let (_, after) = rest.get(1..)?.split_once(c)?;
            text.push_str(rest.get(..rest.len() - after.len())?);
            rest = after;
            continue;
        }
        if c.is_ascii_alphabetic() || c == '_' {
            let length = rest
                .bytes()
                .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
                .count();
            let (word, after) = rest.split_at_checked(length)?;
            text.push_str(match word {
                "eq" => "==",
                "ne" => "!=",
                "lt" => "<",
                "gt" => ">",
                "le" => "<=",
                "ge" => ">=",
                // In Perl of a hash's key; here it is about contexts.
                "exists" => "defined",
                "lc" => "lower",
                "uc" => "upper",
                "substr" => "substring",
                "int" => "floor",
                "time" if !after.trim_start().starts_with('(') => "time()",
                _ => word,
            });
            rest = after;
            continue;
        }
        if c == '$' {
            subject = Some(text.len());
        } else if !c.is_ascii_whitespace() && !c.is_ascii_digit() {
            subject = None;
        }
        text.push(c);
        rest = rest.get(c.len_utf8()..)?;
    }
    Some(text)
}

/// An argument of the function at the beginning of the code, as a variable.
fn argument<'c>(code: &'c str, given: &Given<'_>) -> Option<(String, &'c str)> {
    let (number, after) = code.strip_prefix("$_[")?.split_once(']')?;
    let number: usize = number.trim().parse().ok()?;
    match given {
        Given::Values(values) => Some(((*values.get(number)?).to_owned(), after)),
        Given::Line => match number {
            0 => Some(("$0".to_owned(), after)),
            1 => Some(("$+{_inputsrc}".to_owned(), after)),
            _ => None,
        },
        Given::Entries(entries) => {
            let (name, after) = after.strip_prefix("->")?.strip_prefix('{')?.split_once('}')?;
            let name = name.trim_matches(|c| c == '"' || c == '\'');
            Some((format!("$:{{{}:{name}}}", entries.get(number)?), after))
        }
    }
}

/// A regular expression between slashes and its only modifier that is known, `i`.
fn pattern(code: &str) -> Option<(String, &str)> {
    let code = code.strip_prefix('m').unwrap_or(code).strip_prefix('/')?;
    let mut masked = false;
    let end = code.find(|c| {
        let found = c == '/' && !masked;
        masked = c == '\\' && !masked;
        found
    })?;
    let (pattern, after) = (code.get(..end)?, code.get(end + 1..)?);
    let pattern = pattern.replace("\\/", "/").replace('\'', "\\'");
    let (prefix, after) = match after.strip_prefix('i') {
        Some(after) => ("(?i)", after),
        None => ("", after),
    };
    if after.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    Some((format!("{prefix}{pattern}"), after))
}
