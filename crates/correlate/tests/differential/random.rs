//! Rule files and lines out of a seed: small ones that use everything together.
//!
//! What the order of a hash decides in `sec` is left out: several operations of one rule that end with
//! one event, and lists of expired contexts and operations that see one another's variables.

/// A source of choices; the same seed makes the same choices.
pub(crate) struct Random(u64);

impl Random {
    /// Choices for one case.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5ec)
    }

    fn next(&mut self) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    /// A number below a limit.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

/// Rule files, as the rules that they hold, and lines.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) files: Vec<Vec<String>>,
    pub(crate) lines: Vec<String>,
}

/// Makes rules for one file.
struct Writer<'a> {
    random: &'a mut Random,
    /// The name of the file and the rule's number, which every output names.
    place: String,
    /// Whether seconds pass.
    timed: bool,
}

// `%s` is not among them: sec does not mask the values of `$:{…}` (patterns.toml).
const WORDS: [&str; 13] =
    ["a", "b", "c", "aa", "ab", "ba", "x1", "12", "A", "$1", "a.b", "é", "end"];
const CONTEXTS: [&str; 6] = ["C1", "C2", "C3", "C_$1", "C_$+{n}", "_THIS"];
const STORES: [&str; 3] = ["S1", "S2", "C1"];
const VARIABLES: [&str; 3] = ["%va", "%vb", "%vc"];

/// A case for a seed, with so many files.
pub(crate) fn case(seed: u64, files: usize, timed: bool) -> Case {
    let mut random = Random::new(seed);
    let mut case = Case { files: Vec::new(), lines: Vec::new() };
    for file in 0..files {
        let mut rules = Vec::new();
        if random.one_in(4) {
            let set = random.pick(&["s1", "s2", "s1 s2"]);
            let all = random.pick(&["yes", "no"]);
            rules.push(format!("type=Options\njoincfset={set}\nprocallin={all}\n"));
        }
        let count = 2 + random.below(6);
        for number in 0..count {
            let place = format!("{file}.{number}");
            let mut writer = Writer { random: &mut random, place, timed };
            let rule = writer.rule();
            rules.push(rule);
            if random.one_in(5) {
                rules.push(format!("label=L{number}\n"));
            }
        }
        case.files.push(rules);
    }
    for _ in 0..20 + random.below(30) {
        case.lines.push(line(&mut random));
    }
    case
}

fn line(random: &mut Random) -> String {
    let words: Vec<_> = (0..random.below(4)).map(|_| random.pick(&WORDS)).collect();
    words.join(" ")
}

impl Writer<'_> {
    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        self.random.pick(choices)
    }

    fn window(&mut self) -> usize {
        if self.timed { 1 + self.random.below(2) } else { 1000 }
    }

    fn regexp(&mut self) -> String {
        let atoms = [
            "a",
            "b",
            "(a|b)",
            r"(\w)",
            r"(\w+)",
            r"(?<n>\w+)",
            r"(?<n>\d)",
            ".",
            "(.*)",
            r"\s",
            "(c)?",
            "[a-c]+",
            "(?i:A)",
            r"\b",
            r"(?=a)",
            r"(\S+) \1",
            "a*?",
            "(?:ab|a)(b?)",
            " ",
            r"\W",
            "[^ab]",
            "(a)(b)?",
            r"\.",
            "é",
            "x{1,2}",
        ];
        let mut text = String::new();
        if self.random.one_in(3) {
            text.push('^');
        }
        for _ in 0..1 + self.random.below(3) {
            text.push_str(self.pick(&atoms));
        }
        if self.random.one_in(4) {
            text.push('$');
        }
        text
    }

    /// The fields of a pattern; whether it sets variables.
    fn pattern(&mut self, suffix: &str) -> (String, bool) {
        let lines = match self.random.below(8) {
            0 => "2",
            1 => "3",
            _ => "",
        };
        let (kind, pattern, sets) = match self.random.below(12) {
            0 => (format!("SubStr{lines}"), self.pick(&["a", "b ", "x1", "a\\s", "1"]), false),
            1 => (format!("NSubStr{lines}"), self.pick(&["a", "b", "12"]), false),
            2 => (format!("NRegExp{lines}"), self.pick(&["^a", "b$", r"\d"]), true),
            3 => ("TValue".to_owned(), self.pick(&["TRUE", "True", "FALSE"]), false),
            4 => ("Cached".to_owned(), self.pick(&["K1", "K2"]), true),
            5 => ("NCached".to_owned(), self.pick(&["K1", "K2"]), false),
            _ => {
                let mut text = format!("ptype{suffix}=RegExp{lines}\npattern{suffix}=");
                text.push_str(&self.regexp());
                text.push('\n');
                if self.random.one_in(4) {
                    let map = self.pick(&["K1", "K2; m=1", "m=2;o=1", "K1; n=0", "x=9"]);
                    text.push_str(&format!("varmap{suffix}={map}\n"));
                }
                return (text, true);
            }
        };
        (format!("ptype{suffix}={kind}\npattern{suffix}={pattern}\n"), sets)
    }

    /// Its parentheses are never left out: sec takes `A || B && C` for `A && B` (contexts.toml).
    fn expression(&mut self, depth: usize) -> String {
        match self.random.below(if depth == 0 { 2 } else { 7 }) {
            0 | 1 => self.pick(&["C1", "C2", "C3", "C_$1", "C_a", "varset K1", "A1"]).to_owned(),
            2 => format!("!{}", self.expression(depth - 1)),
            3 => format!("({})", self.expression(depth - 1)),
            4 | 5 => format!("({} && {})", self.expression(depth - 1), self.expression(depth - 1)),
            _ => format!("({} || {})", self.expression(depth - 1), self.expression(depth - 1)),
        }
    }

    /// The field for a context; in brackets, or not there at all.
    fn context(&mut self, suffix: &str, makes_events: bool) -> String {
        if makes_events {
            // What an event does must not make another, and so on for ever.
            let rest = self.expression(1);
            let rest = if self.random.one_in(2) { format!(" && !({rest})") } else { String::new() };
            return format!("context{suffix}=[!_INTERNAL_EVENT{rest}]\n");
        }
        if !self.random.one_in(3) {
            return String::new();
        }
        let expression = self.expression(2);
        if self.random.one_in(4) {
            format!("context{suffix}=[{expression}]\n")
        } else {
            format!("context{suffix}={expression}\n")
        }
    }

    fn text(&mut self, with_variables: bool) -> String {
        let pieces = [
            "$0",
            "$1",
            "$2",
            "$+{n}",
            "$+{m}",
            "$$",
            "$$1",
            "${1}0",
            "$+{_inputsrc}",
            "word",
            "-",
            "$:{K1:1}",
            "$:{K2:m}",
            "(x)",
        ];
        let variables = ["%va", "%{vb}x", "%vc", "%%", "%.sp", "%none", "%s", "%1"];
        let mut text = String::new();
        for number in 0..1 + self.random.below(4) {
            if number > 0 {
                text.push_str(self.pick(&["", " ", "|"]));
            }
            if with_variables && self.random.one_in(3) {
                text.push_str(self.pick(&variables));
            } else {
                text.push_str(self.pick(&pieces));
            }
        }
        text
    }

    fn write(&mut self, what: &str) -> String {
        let time = if self.timed { " %u" } else { "" };
        let text = self.text(!self.timed);
        format!("write - {} {what}{time} {text}", self.place)
    }

    /// A list of actions. A short one only writes, and cannot tell what went before it.
    fn list(&mut self, what: &str, depth: usize) -> String {
        let mut list = vec![self.write(what)];
        for _ in 0..self.random.below(4) {
            let action = self.action(depth);
            list.push(action);
        }
        list.join("; ")
    }

    /// A list that runs when something expires.
    fn last_words(&mut self, what: &str) -> String {
        if self.timed { self.write(what) } else { self.list(what, 0) }
    }

    fn action(&mut self, depth: usize) -> String {
        let context = self.pick(&CONTEXTS);
        let store = self.pick(&STORES);
        let variable = self.pick(&VARIABLES);
        let lifetime = if self.timed { self.pick(&["1", "2", "0"]) } else { "1000" };
        // Values that hold one another would double with every line.
        let text = format!("{}{}", self.text(false), self.pick(&["", "%va", "%{vb}x", " %s"]));
        match self.random.below(if depth == 0 { 24 } else { 27 }) {
            0 => format!("assign {variable} {text}"),
            // Quotes of quotes are four times as long each time.
            1 => format!("assignsq {variable} {}", self.text(false)),
            2 => format!("free {variable}"),
            3 => format!("create {context} {lifetime} ({})", self.last_words("expired")),
            4 => format!("create {context}"),
            5 => format!("delete {context}"),
            6 => format!("obsolete {context}"),
            7 => format!("set {context} {lifetime} ({})", self.last_words("set expired")),
            8 => format!("add {store} {}", self.text(false)),
            9 => format!("prepend {store} {}", self.text(false)),
            10 => format!("fill {store} {}", self.text(false)),
            11 => format!("copy {store} {variable}"),
            12 => format!("pop {store} {variable}"),
            13 => format!("shift {store} {variable}"),
            14 => format!("empty {store} {variable}"),
            15 => format!("getsize {variable} {store}"),
            16 => format!("exists {variable} {context}"),
            17 => format!("alias {context} A1"),
            18 => "unalias A1".to_owned(),
            19 => format!("getltime {variable} {context}"),
            20 => format!("report {store}"),
            21 => format!("varset {variable} K1"),
            22 => format!(
                "reset {} {}",
                self.pick(&["0", "-1", "+1", "1", ""]),
                self.pick(&["", "op a"])
            ),
            23 => format!("rewrite {}", self.pick(&["1 $1", "2 word", "0"])),
            24 => format!(
                "if {variable} ({}) else ({})",
                self.list("then", depth - 1),
                self.list("else", depth - 1)
            ),
            25 => format!(
                "getsize %n {store}; while %n (shift {store} {variable}; {}; getsize %n {store})",
                self.write("loop")
            ),
            _ => self.pick(&["break", "continue", "none"]).to_owned(),
        }
    }

    fn goes_on(&mut self, suffix: &str) -> String {
        match self.random.below(10) {
            0 => String::new(),
            1 => format!("continue{suffix}=DontCont\n"),
            2 => format!("continue{suffix}=EndMatch\n"),
            3 => format!("continue{suffix}=GoTo L{}\n", self.random.below(8)),
            _ => format!("continue{suffix}=TakeNext\n"),
        }
    }

    fn rule(&mut self) -> String {
        let mut rule = match self.random.below(14) {
            0..=2 => self.single(),
            3 | 4 => self.suppressing(),
            5 | 6 => self.counting(),
            7 => self.two_thresholds(),
            8 | 9 => self.pair("Pair"),
            10 => self.pair("PairWithWindow"),
            11 | 12 => self.group(),
            _ => self.jump(),
        };
        // One that makes events must keep the condition that they make no more.
        if self.random.one_in(25) && !rule.contains("; event ") {
            self.spoil(&mut rule);
        }
        rule
    }

    /// Puts a character that matters to the reader somewhere into the rule's values.
    fn spoil(&mut self, rule: &mut String) {
        let at = self.random.below(rule.len());
        if rule.is_char_boundary(at) {
            rule.insert_str(at, self.pick(&["(", ")", ";", "#", "!", "&"]));
        }
    }

    fn single(&mut self) -> String {
        let (pattern, _) = self.pattern("");
        let makes_events = self.random.one_in(4);
        let mut list = self.list("single", 1);
        if makes_events {
            list.push_str(&format!("; event {} {}", self.pick(&["", "0"]), self.text(true)));
        }
        format!(
            "type=Single\n{}{pattern}{}desc={}\naction={list}\n",
            self.goes_on(""),
            self.context("", makes_events),
            self.text(false)
        )
    }

    fn suppressing(&mut self) -> String {
        let (pattern, _) = self.pattern("");
        format!(
            "type=SingleWithSuppress\n{}{pattern}{}desc={}\naction={}\nwindow={}\n",
            self.goes_on(""),
            self.context("", false),
            self.operation(),
            self.list("suppress", 1),
            self.window()
        )
    }

    fn counting(&mut self) -> String {
        let (pattern, _) = self.pattern("");
        let mut rule = format!(
            "type=SingleWithThreshold\n{}{pattern}{}desc={}\naction={}\nwindow={}\nthresh={}\n",
            self.goes_on(""),
            self.context("", false),
            self.operation(),
            self.list("threshold", 1),
            self.window(),
            1 + self.random.below(3)
        );
        if self.timed && self.random.one_in(2) {
            rule.push_str(&format!("action2={}\n", self.write("threshold over")));
        }
        rule
    }

    fn two_thresholds(&mut self) -> String {
        let (pattern, _) = self.pattern("");
        format!(
            "type=SingleWith2Thresholds\n{}{pattern}{}desc={}\naction={}\nwindow={}\nthresh={}\n\
             desc2=second {}\naction2={}\nwindow2={}\nthresh2={}\n",
            self.goes_on(""),
            self.context("", false),
            self.operation(),
            self.list("two", 1),
            self.window(),
            1 + self.random.below(2),
            self.text(false),
            self.write("two over"),
            self.window(),
            self.random.below(2)
        )
    }

    fn operation(&mut self) -> &'static str {
        self.pick(&["op $1", "op", "op a", "$0", "op $+{n}"])
    }

    fn pair(&mut self, kind: &str) -> String {
        // Either there is one operation, or one event can end no more than one of many.
        let (first, second, desc) = if self.random.one_in(2) {
            let first = "ptype=RegExp\npattern=^(\\w+) (?<n>\\S+)\n".to_owned();
            let second = "ptype2=RegExp\npattern2=^end $1(?: (?<n>\\S+))?$\n".to_owned();
            (first, second, "op $1".to_owned())
        } else {
            let (first, _) = self.pattern("");
            let (second, _) = self.pattern("2");
            (first, second, "op".to_owned())
        };
        let action = if kind == "Pair" { self.list("first", 1) } else { self.write("alone") };
        let texts = ["$1", "%1", "%0", "%+{n}", "$+{n}", "$0", "%%1", "%%%1", "%{1}x", "%va", "%s"];
        let mut told = String::new();
        for _ in 0..3 {
            told.push_str(self.pick(&texts));
            told.push('|');
        }
        let told2 = self.pick(&["%1 and $1", "%+{n}", "$0", "over"]);
        format!(
            "type={kind}\n{}{first}{}desc={desc}\naction={action}\n{}{second}{}desc2={told2}\n\
             action2=write - {} second {told}; {}\nwindow={}\n",
            self.goes_on(""),
            self.context("", false),
            self.goes_on("2"),
            self.context("2", false),
            self.place.clone(),
            self.action(0),
            self.window()
        )
    }

    fn group(&mut self) -> String {
        let count = 1 + self.random.below(3);
        let mut rule = format!("type=EventGroup{count}\ndesc={}\n", self.operation());
        for number in 1..=count {
            let suffix = if number == 1 { String::new() } else { number.to_string() };
            let (pattern, _) = self.pattern(&suffix);
            rule.push_str(&pattern);
            rule.push_str(&self.goes_on(&suffix));
            rule.push_str(&self.context(&suffix, false));
            if self.random.one_in(2) {
                rule.push_str(&format!("count{suffix}={}\n", self.list("count", 0)));
            }
            if self.random.one_in(2) {
                rule.push_str(&format!("thresh{suffix}={}\n", 1 + self.random.below(2)));
            }
            if self.random.one_in(3) {
                rule.push_str(&format!("egtoken{suffix}={}\n", self.pick(&["$1", "t", "$+{n}"])));
            }
        }
        if self.random.one_in(4) {
            let (kind, pattern) = match self.random.below(3) {
                0 => ("RegExp", "(a|1) (t|2)"),
                1 => ("NRegExp", "1 1$"),
                _ => ("SubStr", "t"),
            };
            rule.push_str(&format!("egptype={kind}\negpattern={pattern}\n"));
        }
        for name in ["init", "slide", "end"] {
            if self.random.one_in(3) {
                rule.push_str(&format!("{name}={}\n", self.write(name)));
            }
        }
        if self.random.one_in(2) {
            rule.push_str("multact=yes\n");
        }
        rule.push_str(&format!("action={}\nwindow={}\n", self.list("group", 1), self.window()));
        rule
    }

    fn jump(&mut self) -> String {
        let (pattern, sets) = self.pattern("");
        let context = self.context("", false);
        if self.random.one_in(3) {
            return format!("type=Suppress\n{pattern}{context}");
        }
        let set = match self.random.below(4) {
            0 => String::new(),
            1 => "cfset=s1\n".to_owned(),
            2 if sets => "cfset=s$1\nconstset=no\n".to_owned(),
            _ => "cfset=s2 s1\n".to_owned(),
        };
        format!("type=Jump\n{}{pattern}{context}{set}", self.goes_on(""))
    }
}
