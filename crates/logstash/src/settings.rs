//! The settings of one plugin, read by what they mean; those that nobody asked for are told.

use crate::diagnostic::Told;
use crate::syntax::{Place, Plugin, Setting, Value, ValueKind};

/// Gives the value of an environment variable.
pub type Variable<'v> = &'v dyn Fn(&str) -> Option<String>;
/// Gives the paths of the files in a directory whose names fit a pattern with `*` and `?`, or none
/// where it cannot be read.
pub type Directory<'d> = &'d dyn Fn(&str, &str) -> Option<Vec<String>>;

/// The settings of a plugin that were not read yet.
pub(crate) struct Settings<'p> {
    pub(crate) plugin: &'p Plugin,
    pub(crate) variable: Variable<'p>,
    left: Vec<&'p Setting>,
}

impl<'p> Settings<'p> {
    pub(crate) fn new(plugin: &'p Plugin, variable: Variable<'p>) -> Self {
        Settings { plugin, variable, left: plugin.settings.iter().collect() }
    }

    pub(crate) fn place(&self) -> Place {
        self.plugin.place
    }

    /// Every setting of this name, in their order.
    pub(crate) fn take_all(&mut self, name: &str) -> Vec<&'p Setting> {
        let (taken, left) = self.left.iter().partition(|setting| setting.name == name);
        self.left = left;
        taken
    }

    /// The setting of this name; of several, the last.
    pub(crate) fn take(&mut self, name: &str) -> Option<&'p Setting> {
        self.take_all(name).pop()
    }

    /// The first of these names that is set, for settings that were renamed over the years.
    pub(crate) fn take_any(&mut self, names: &[&str]) -> Option<&'p Setting> {
        let mut found = None;
        for name in names {
            let setting = self.take(name);
            found = found.or(setting);
        }
        found
    }

    pub(crate) fn text(&mut self, name: &str, told: &mut Told) -> Option<String> {
        let setting = self.take(name)?;
        text(&setting.value, self.variable, told)
    }

    /// One text or a list of them; several settings of the name are put together.
    pub(crate) fn texts(&mut self, name: &str, told: &mut Told) -> Vec<String> {
        let settings = self.take_all(name);
        settings.iter().flat_map(|setting| texts(&setting.value, self.variable, told)).collect()
    }

    /// Names and values, from a hash or from a list in which they take turns.
    pub(crate) fn pairs(&mut self, name: &str, told: &mut Told) -> Vec<(String, &'p Value)> {
        let settings = self.take_all(name);
        settings.iter().flat_map(|setting| pairs(setting, self.variable, told)).collect()
    }

    pub(crate) fn truth(&mut self, name: &str, told: &mut Told) -> Option<bool> {
        let setting = self.take(name)?;
        let word = text(&setting.value, self.variable, told)?;
        match word.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            other => {
                let message = format!("`{name}` is neither true nor false but `{other}`");
                told.missing(setting.place, message);
                None
            }
        }
    }

    /// Drops settings that have no meaning here and lose nothing.
    pub(crate) fn ignore(&mut self, names: &[&str]) {
        self.left.retain(|setting| !names.contains(&setting.name.as_str()));
    }

    /// Says of what was not read that it is not translated.
    pub(crate) fn finish(self, told: &mut Told) {
        for setting in self.left {
            let message =
                format!("setting `{}` of {} is not translated", setting.name, self.plugin.name);
            told.missing(setting.place, message);
        }
    }
}

/// The text of a value that is one.
pub(crate) fn text(value: &Value, variable: Variable<'_>, told: &mut Told) -> Option<String> {
    match &value.kind {
        ValueKind::Text(text) => Some(expanded(text, value.place, variable, told)),
        ValueKind::Word(word) | ValueKind::Number(word) => Some(word.clone()),
        ValueKind::Array(values) => match values.as_slice() {
            [one] => text(one, variable, told),
            _ => {
                told.missing(value.place, "expected one text, found a list");
                None
            }
        },
        ValueKind::Hash(_) | ValueKind::Plugin(_) => {
            told.missing(value.place, "expected a text");
            None
        }
    }
}

/// The texts of a value that is one or a list of them.
pub(crate) fn texts(value: &Value, variable: Variable<'_>, told: &mut Told) -> Vec<String> {
    match &value.kind {
        ValueKind::Array(values) => {
            values.iter().flat_map(|value| texts(value, variable, told)).collect()
        }
        _ => text(value, variable, told).into_iter().collect(),
    }
}

fn pairs<'p>(
    setting: &'p Setting,
    variable: Variable<'_>,
    told: &mut Told,
) -> Vec<(String, &'p Value)> {
    let mut found = Vec::new();
    match &setting.value.kind {
        ValueKind::Hash(entries) => {
            for (key, value) in entries {
                found.extend(text(key, variable, told).map(|key| (key, value)));
            }
        }
        ValueKind::Array(values) => {
            for pair in values.chunks(2) {
                match pair {
                    [key, value] => {
                        found.extend(text(key, variable, told).map(|key| (key, value)));
                    }
                    _ => told.missing(
                        setting.place,
                        format!("`{}` has a name without a value", setting.name),
                    ),
                }
            }
        }
        _ => told.missing(setting.place, format!("`{}` is no hash", setting.name)),
    }
    found
}

/// The text with `${NAME}` and `${NAME:default}` replaced.
fn expanded(text: &str, place: Place, variable: Variable<'_>, told: &mut Told) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let inside = after.split_once('}').filter(|(inside, _)| is_variable(inside));
        let Some((inside, behind)) = inside else {
            out.push_str("${");
            rest = after;
            continue;
        };
        let (name, default) = match inside.split_once(':') {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        match variable(name).or_else(|| default.map(str::to_owned)) {
            Some(value) => out.push_str(&value),
            None => {
                told.missing(place, format!("the environment variable {name} is not set"));
                out.push_str("${");
                out.push_str(inside);
                out.push('}');
            }
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

fn is_variable(inside: &str) -> bool {
    let name = inside.split_once(':').map_or(inside, |(name, _)| name);
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled() {
        let variable = |name: &str| (name == "HOME").then(|| "/root".to_owned());
        for (text, expected, missing) in [
            ("${HOME}/x", "/root/x", false),
            ("${PORT:5044}-${HOME:/x}", "5044-/root", false),
            ("${EMPTY:}", "", false),
            ("${GONE}", "${GONE}", true),
            ("a$ {x} ${not a name} %{field}", "a$ {x} ${not a name} %{field}", false),
            ("${open", "${open", false),
        ] {
            let mut told = Told::default();
            assert_eq!(expanded(text, Place::default(), &variable, &mut told), expected);
            assert_eq!(!told.sorted().is_empty(), missing, "{text}");
        }
    }
}
