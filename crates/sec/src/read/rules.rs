//! Drafts into rules.

use super::fields::Draft;
use super::{Compiler, Log};
use crate::action::{self, ActionList, CommandTemplate};
use crate::calendar::Moments;
use crate::context::Guard;
use crate::pattern::{GroupPattern, Pattern, Second, Type, Varmap};
use crate::rule::{
    Condition, Continue, Group, GroupTexts, Kind, ListId, Member, Pair, Rule, SecondCondition,
    TwoThresholds,
};
use crate::template::{Rounds, Template};

/// How many members a group may have.
const MEMBERS: usize = 100;

/// What came of a file.
#[derive(Default)]
pub(super) struct Made {
    pub rules: Vec<Rule>,
    pub lists: Vec<ActionList>,
    pub sets: Vec<Box<str>>,
    pub all_input: bool,
    /// Labels that no rule jumps to, with their lines.
    pub idle_labels: Vec<(usize, Box<str>)>,
}

/// Makes the rules; labels are resolved when all rules are known.
pub(super) fn make(drafts: Vec<Draft>, compiler: &mut Compiler<'_, '_>, log: &mut Log<'_>) -> Made {
    let mut made = Made { all_input: true, ..Made::default() };
    let mut labels: Vec<Label> = Vec::new();
    let mut jumps: Vec<(usize, Vec<Option<Vec<u8>>>)> = Vec::new();
    for draft in drafts {
        labels.extend(draft.labels.iter().map(|(line, name)| Label {
            name: name.clone(),
            line: *line,
            rule: made.rules.len(),
            used: false,
        }));
        if draft.fields.is_empty() {
            continue;
        }
        let line = draft.line;
        let mut reader = Reader {
            draft,
            used: Vec::new(),
            lists: made.lists.len(),
            made: Vec::new(),
            compiler: &mut *compiler,
            log: &mut *log,
            goes: Vec::new(),
        };
        match reader.rule() {
            Ok(Some((kind, description))) => {
                let (lists, goes) =
                    (std::mem::take(&mut reader.made), std::mem::take(&mut reader.goes));
                made.lists.extend(lists);
                jumps.push((made.rules.len(), goes));
                let mut rule =
                    Rule { line, description, kind, cache_entries: Vec::new(), fields: Vec::new() };
                super::named::note(&mut rule, &made.lists, reader.compiler.options.fields);
                made.rules.push(rule);
            }
            Ok(None) => {
                // The last Options rule of a file counts.
                if let Some((sets, all_input)) = reader.options() {
                    made.sets = sets;
                    made.all_input = all_input;
                }
            }
            Err(message) => log.error(line, message),
        }
    }
    for (rule, goes) in jumps {
        let mut targets = goes.into_iter();
        let Some(this) = made.rules.get_mut(rule) else { continue };
        for next in continues(&mut this.kind) {
            let Some(Some(label)) = targets.next() else { continue };
            let target = labels.iter_mut().find(|known| known.name == label && known.rule > rule);
            *next = match target {
                Some(target) => {
                    target.used = true;
                    Continue::GoTo(target.rule)
                }
                None => {
                    log.warning(
                        this.line,
                        format!(
                            "there is no label `{}` after the rule: it ends matching in the file",
                            String::from_utf8_lossy(&label)
                        ),
                    );
                    Continue::Stop
                }
            };
        }
    }
    let idle = labels.iter().filter(|label| !label.used);
    made.idle_labels = idle
        .map(|label| (label.line, String::from_utf8_lossy(&label.name).into_owned().into()))
        .collect();
    made
}

/// A label of a file.
struct Label {
    name: Vec<u8>,
    line: usize,
    rule: usize,
    used: bool,
}

/// The points where matching goes on, in the order in which they were read.
fn continues(kind: &mut Kind) -> Vec<&mut Continue> {
    match kind {
        Kind::Single { when, .. }
        | Kind::Script { when, .. }
        | Kind::Suppressed { when, .. }
        | Kind::Threshold { when, .. }
        | Kind::Suppress { when }
        | Kind::Jump { when, .. } => vec![&mut when.next],
        Kind::Pair(pair) => vec![&mut pair.when.next, &mut pair.second.next],
        Kind::TwoThresholds(rule) => vec![&mut rule.when.next],
        Kind::Group(group) => {
            group.members.iter_mut().map(|member| &mut member.when.next).collect()
        }
        Kind::Calendar { .. } => Vec::new(),
    }
}

/// One draft on its way to a rule.
struct Reader<'r, 'a, 'b, 'l> {
    draft: Draft,
    used: Vec<usize>,
    /// How many lists the file has so far, and those of this rule.
    lists: usize,
    made: Vec<ActionList>,
    compiler: &'r mut Compiler<'a, 'b>,
    log: &'r mut Log<'l>,
    /// The labels that its continues name, in order.
    goes: Vec<Option<Vec<u8>>>,
}

impl Reader<'_, '_, '_, '_> {
    fn rule(&mut self) -> Result<Option<(Kind, String)>, String> {
        let kind = self.text("type")?.to_ascii_lowercase();
        let description = self.draft.fields.iter().find(|field| field.keyword == "desc");
        let description = description
            .map(|field| String::from_utf8_lossy(&field.value).into_owned())
            .unwrap_or_default();
        let made = match kind.as_str() {
            "single" => {
                let (when, rounds) = self.condition("")?;
                Kind::Single {
                    when,
                    description: self.description("desc", rounds)?,
                    action: self.action("action", rounds)?,
                }
            }
            "singlewithscript" => {
                let (when, rounds) = self.condition("")?;
                let script = self.value("script")?;
                let shell = self.yes("shell", true)?;
                let command = CommandTemplate::new(&script, shell, rounds)
                    .ok_or("`script` names no program")?;
                Kind::Script {
                    when,
                    description: self.description("desc", rounds)?,
                    command,
                    action: self.action("action", rounds)?,
                    action2: self.optional_action("action2", rounds)?,
                }
            }
            "singlewithsuppress" => {
                let (when, rounds) = self.condition("")?;
                Kind::Suppressed {
                    when,
                    description: self.description("desc", rounds)?,
                    action: self.action("action", rounds)?,
                    window: self.window("window")?,
                }
            }
            "pair" | "pairwithwindow" => Kind::Pair(Box::new(self.pair(kind == "pairwithwindow")?)),
            "singlewiththreshold" => {
                let (when, rounds) = self.condition("")?;
                Kind::Threshold {
                    when,
                    description: self.description("desc", rounds)?,
                    action: self.action("action", rounds)?,
                    action2: self.optional_action("action2", rounds)?,
                    window: self.window("window")?,
                    threshold: self.number("thresh", 1)?,
                }
            }
            "singlewith2thresholds" => {
                let (when, rounds) = self.condition("")?;
                Kind::TwoThresholds(Box::new(TwoThresholds {
                    when,
                    description: self.description("desc", rounds)?,
                    action: self.action("action", rounds)?,
                    window: self.window("window")?,
                    threshold: self.number("thresh", 1)?,
                    description2: self.description("desc2", rounds)?,
                    action2: self.action("action2", rounds)?,
                    window2: self.window("window2")?,
                    threshold2: self.number("thresh2", 0)?,
                }))
            }
            "suppress" => {
                let (when, _) = self.pattern_and_context("", Continue::Stop)?;
                self.take("desc");
                Kind::Suppress { when }
            }
            "calendar" => {
                let moments = Moments::read(&self.text("time")?)?;
                let context = self.guard("context", Rounds::NONE)?;
                Kind::Calendar {
                    moments,
                    context,
                    description: self.description("desc", Rounds::NONE)?,
                    action: self.action("action", Rounds::NONE)?,
                }
            }
            "jump" => {
                let (when, rounds) = self.condition("")?;
                self.take("desc");
                let constant = self.yes("constset", true)?;
                let rounds = if constant { Rounds::NONE } else { rounds };
                let sets = match self.take("cfset") {
                    Some(value) => value
                        .split(u8::is_ascii_whitespace)
                        .filter(|set| !set.is_empty())
                        .map(|set| Template::new(set, rounds))
                        .collect(),
                    None => Vec::new(),
                };
                Kind::Jump { when, sets }
            }
            "options" => return Ok(None),
            other => match other
                .strip_prefix("eventgroup")
                .map(|count| if count.is_empty() { Some(1) } else { crate::pattern::number(count) })
            {
                Some(Some(count)) if (1..=MEMBERS).contains(&count) => {
                    Kind::Group(Box::new(self.group(count)?))
                }
                _ => return Err(format!("`{other}` is no type of rule")),
            },
        };
        self.nothing_left()?;
        Ok(Some((made, description)))
    }

    fn options(&mut self) -> Option<(Vec<Box<str>>, bool)> {
        let read = |reader: &mut Self| -> Result<(Vec<Box<str>>, bool), String> {
            let sets = match reader.take("joincfset") {
                Some(value) => {
                    String::from_utf8_lossy(&value).split_whitespace().map(Into::into).collect()
                }
                None => Vec::new(),
            };
            let all_input = match reader.yes("procallin", true) {
                Ok(yes) => yes,
                // The file is in its sets all the same.
                Err(message) => {
                    reader.log.warning(reader.draft.line, format!("{message}: taken for Yes"));
                    true
                }
            };
            reader.nothing_left()?;
            Ok((sets, all_input))
        };
        match read(self) {
            Ok(options) => Some(options),
            Err(message) => {
                self.log.error(self.draft.line, message);
                None
            }
        }
    }

    fn pair(&mut self, late: bool) -> Result<Pair, String> {
        let (when, rounds) = self.condition("")?;
        let kind2 = self.pattern_type("ptype2")?;
        let text2 = self.value("pattern2")?;
        let varmap2 = self.varmap("varmap2", kind2)?;
        self.fits(kind2)?;
        let second = Second::new(
            kind2,
            &text2,
            varmap2,
            rounds.dollar,
            self.compiler.options.fields,
            self.compiler,
        )?;
        // With both patterns setting variables, `$1` is the second's and `%1` the first's; otherwise
        // `$1` is of the one that sets any.
        let both = rounds.dollar && kind2.sets_variables();
        let rounds2 =
            Rounds { dollar: rounds.dollar || kind2.sets_variables(), first: both, ..rounds };
        let context = self.guard("context2", rounds2)?;
        let next = self.next("continue2")?;
        Ok(Pair {
            when,
            description: self.description("desc", rounds)?,
            action: self.action("action", rounds)?,
            second: SecondCondition { pattern: second, context, next },
            description2: self.description("desc2", rounds2)?,
            action2: self.action("action2", rounds2)?,
            window: if late { self.window("window")? } else { self.seconds("window")? },
            late,
        })
    }

    fn group(&mut self, count: usize) -> Result<Group, String> {
        let mut members = Vec::new();
        // Whether any of the patterns sets variables, and whether all do.
        let (mut any, mut all) = (false, true);
        let mut rounds_of_all = Rounds::NONE;
        for number in 1..=count {
            let suffix = if number == 1 { String::new() } else { number.to_string() };
            let (when, rounds) = self.condition(&suffix)?;
            any |= rounds.dollar;
            all &= rounds.dollar;
            rounds_of_all = rounds;
            let count = self.optional_action(&format!("count{suffix}"), rounds)?;
            let threshold = match self.has(&format!("thresh{suffix}")) {
                true => self.number(&format!("thresh{suffix}"), 1)?,
                false => 1,
            };
            let token =
                self.take(&format!("egtoken{suffix}")).map(|text| Template::new(&text, rounds));
            members.push(Member { when, count, threshold, token });
        }
        let pattern = match (self.has("egptype"), self.has("egpattern")) {
            (false, false) => None,
            _ => {
                let kind = self.pattern_type("egptype")?;
                let text = self.value("egpattern")?;
                Some(GroupPattern::new(kind, &text, self.compiler)?)
            }
        };
        if pattern.is_none() && members.iter().any(|member| member.token.is_some()) {
            return Err("`egtoken` means nothing without `egpattern`".to_owned());
        }
        let texts = self.texts_of_group(Rounds { dollar: any, ..rounds_of_all })?;
        let plain = match any && !all {
            true => Some(self.texts_of_group(Rounds { dollar: false, ..rounds_of_all })?),
            false => None,
        };
        Ok(Group {
            members,
            texts,
            plain,
            again: self.yes("multact", false)?,
            pattern,
            window: self.window("window")?,
        })
    }

    fn texts_of_group(&mut self, rounds: Rounds) -> Result<GroupTexts, String> {
        Ok(GroupTexts {
            description: self.description("desc", rounds)?,
            action: self.action("action", rounds)?,
            init: self.optional_action("init", rounds)?,
            end: self.optional_action("end", rounds)?,
            slide: self.optional_action("slide", rounds)?,
        })
    }

    fn condition(&mut self, suffix: &str) -> Result<(Condition, Rounds), String> {
        let next = self.next(&format!("continue{suffix}"))?;
        self.pattern_and_context(suffix, next)
    }

    fn pattern_and_context(
        &mut self,
        suffix: &str,
        next: Continue,
    ) -> Result<(Condition, Rounds), String> {
        let kind = self.pattern_type(&format!("ptype{suffix}"))?;
        let text = self.value(&format!("pattern{suffix}"))?;
        let varmap = self.varmap(&format!("varmap{suffix}"), kind)?;
        let pattern = Pattern::new(kind, &text, varmap, self.compiler)?;
        self.fits(kind)?;
        let rounds = Rounds {
            dollar: kind.sets_variables(),
            fields: self.compiler.options.fields,
            ..Rounds::NONE
        };
        let context = self.guard(&format!("context{suffix}"), rounds)?;
        Ok((Condition { pattern, context, next }, rounds))
    }

    fn pattern_type(&mut self, keyword: &str) -> Result<Type, String> {
        let text = self.text(keyword)?;
        Type::read(&text).ok_or_else(|| format!("`{text}` is no type of pattern"))
    }

    /// Buffers may be too small for a pattern.
    fn fits(&self, kind: Type) -> Result<(), String> {
        match self.compiler.options.bufsize {
            0 => Ok(()),
            size if kind.lines <= size => Ok(()),
            size => Err(format!(
                "a pattern over {} lines does not fit into a buffer of {size}",
                kind.lines
            )),
        }
    }

    fn varmap(&mut self, keyword: &str, kind: Type) -> Result<Varmap, String> {
        match self.take(keyword) {
            Some(_) if !kind.maps() => {
                self.log.warning(
                    self.draft.line,
                    format!("`{keyword}` means nothing for this type of pattern"),
                );
                Ok(Varmap::default())
            }
            Some(text) => Varmap::read(&String::from_utf8_lossy(&text)),
            None => Ok(Varmap::default()),
        }
    }

    fn guard(&mut self, keyword: &str, rounds: Rounds) -> Result<Option<Guard>, String> {
        match self.take(keyword) {
            Some(text) => Guard::read(&text, rounds, self.compiler)
                .map_err(|error| format!("`{keyword}`: {error}")),
            None => Ok(None),
        }
    }

    fn next(&mut self, keyword: &str) -> Result<Continue, String> {
        let text = self.take(keyword).map(|text| String::from_utf8_lossy(&text).into_owned());
        let words: Vec<&str> = text.as_deref().unwrap_or("dontcont").split_whitespace().collect();
        let (next, label) = match words.as_slice() {
            [word] if word.eq_ignore_ascii_case("takenext") => (Continue::Next, None),
            [word] if word.eq_ignore_ascii_case("dontcont") => (Continue::Stop, None),
            [word] if word.eq_ignore_ascii_case("endmatch") => (Continue::End, None),
            [word, label] if word.eq_ignore_ascii_case("goto") => {
                (Continue::Stop, Some(label.as_bytes().to_vec()))
            }
            _ => {
                return Err(format!(
                    "`{keyword}` is TakeNext, GoTo and a label, DontCont or EndMatch"
                ));
            }
        };
        self.goes.push(label);
        Ok(next)
    }

    fn description(&mut self, keyword: &str, rounds: Rounds) -> Result<Template, String> {
        Ok(Template::new(&self.value(keyword)?, rounds))
    }

    fn action(&mut self, keyword: &str, rounds: Rounds) -> Result<ListId, String> {
        let text = self.value(keyword)?;
        self.list(keyword, &text, rounds)
    }

    fn optional_action(&mut self, keyword: &str, rounds: Rounds) -> Result<Option<ListId>, String> {
        match self.take(keyword) {
            Some(text) => self.list(keyword, &text, rounds).map(Some),
            None => Ok(None),
        }
    }

    fn list(&mut self, keyword: &str, text: &[u8], rounds: Rounds) -> Result<ListId, String> {
        let rounds = Rounds { list: true, ..rounds };
        let mut lists = action::Lists {
            first: self.lists,
            made: &mut self.made,
            rounds,
            compiler: self.compiler,
        };
        lists.read(text).map_err(|error| format!("`{keyword}`: {error}"))
    }

    fn window(&mut self, keyword: &str) -> Result<i64, String> {
        self.number(keyword, 1).map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX))
    }

    fn seconds(&mut self, keyword: &str) -> Result<i64, String> {
        match self.has(keyword) {
            true => {
                self.number(keyword, 0).map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX))
            }
            false => Ok(0),
        }
    }

    fn number(&mut self, keyword: &str, least: u64) -> Result<u64, String> {
        let text = self.text(keyword)?;
        let digits = text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit());
        let number: Option<u64> = if digits { text.parse().ok() } else { None };
        number.filter(|number| *number >= least).ok_or_else(|| {
            format!("`{keyword}` is `{text}`, not a whole number of at least {least}")
        })
    }

    fn yes(&mut self, keyword: &str, otherwise: bool) -> Result<bool, String> {
        match self.take(keyword) {
            None => Ok(otherwise),
            Some(text) if text.eq_ignore_ascii_case(b"yes") => Ok(true),
            Some(text) if text.eq_ignore_ascii_case(b"no") => Ok(false),
            Some(text) => {
                Err(format!("`{keyword}` is Yes or No, not `{}`", String::from_utf8_lossy(&text)))
            }
        }
    }

    fn has(&self, keyword: &str) -> bool {
        self.draft.fields.iter().any(|field| field.keyword == keyword)
    }

    fn text(&mut self, keyword: &str) -> Result<String, String> {
        Ok(String::from_utf8_lossy(&self.value(keyword)?).into_owned())
    }

    fn value(&mut self, keyword: &str) -> Result<Vec<u8>, String> {
        match self.take(keyword) {
            Some(value) if value.is_empty() => Err(format!("`{keyword}` is empty")),
            Some(value) => Ok(value),
            None => Err(format!("`{keyword}` is missing")),
        }
    }

    fn take(&mut self, keyword: &str) -> Option<Vec<u8>> {
        let at = self.draft.fields.iter().position(|field| field.keyword == keyword)?;
        self.used.push(at);
        self.draft.fields.get(at).map(|field| field.value.clone())
    }

    fn nothing_left(&mut self) -> Result<(), String> {
        self.used.push(
            self.draft.fields.iter().position(|field| field.keyword == "type").unwrap_or_default(),
        );
        match self.draft.fields.iter().enumerate().find(|(at, _)| !self.used.contains(at)) {
            Some((_, field)) => Err(format!(
                "`{}` (line {}) means nothing in this type of rule",
                field.keyword, field.line
            )),
            None => Ok(()),
        }
    }
}
