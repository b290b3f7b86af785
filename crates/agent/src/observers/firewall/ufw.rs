//! What `ufw status verbose` prints, and what ufw's files say where it may not be asked (ufw(8)).

use super::state::State;

/// The state as ufw tells it.
pub(super) fn state(text: &str) -> State {
    let active = text.lines().any(|line| line.trim() == "Status: active");
    let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    State::of_all(active, lines.map(|line| format!("{line}\n")).collect())
}

/// The state as its files have it: whether it is to be on, its policies, and the rules that people made,
/// where these may be read.
pub(super) fn state_of_files(conf: &str, defaults: &str, rules: &[String]) -> State {
    let value = |line: &str, key: &str| {
        let value = line.trim().strip_prefix(key)?.strip_prefix('=')?;
        Some(value.trim().trim_matches('"').to_owned())
    };
    let enabled = conf.lines().find_map(|line| value(line, "ENABLED"));
    let active = enabled.as_deref().is_some_and(|value| value.eq_ignore_ascii_case("yes"));
    let is_setting = |line: &&str| line.starts_with("DEFAULT_") || line.starts_with("IPV6=");
    let settings = conf.lines().filter(|line| !line.starts_with('#') && line.contains('='));
    let tuples =
        rules.iter().flat_map(|text| text.lines()).filter(|line| line.starts_with("### tuple"));
    let all = settings.chain(defaults.lines().filter(is_setting)).chain(tuples);
    let text = all.map(|line| format!("{}\n", line.trim_end())).collect();
    State { from_files: true, ..State::of_all(active, text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_files_say_whether_it_is_on() {
        let on = state("Status: active\nLogging: on (low)\n\n22/tcp  ALLOW IN  Anywhere   \n");
        assert!(on.is_active());
        assert_eq!(on.text, "Status: active\nLogging: on (low)\n22/tcp  ALLOW IN  Anywhere\n");
        assert!(!state("Status: inactive\n").is_active());
        let rules =
            ["### RULES ###\n\n### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n-A x\n"
                .to_owned()];
        let files = state_of_files(
            "# c\nENABLED=yes\nLOGLEVEL=low\n",
            "IPV6=yes\nDEFAULT_INPUT_POLICY=\"DROP\"\nIPT_SYSCTL=/x\n",
            &rules,
        );
        assert!(files.is_active() && files.from_files);
        assert_eq!(
            files.text,
            "ENABLED=yes\nLOGLEVEL=low\nIPV6=yes\nDEFAULT_INPUT_POLICY=\"DROP\"\n\
             ### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n"
        );
        assert!(!state_of_files("ENABLED=no\n", "", &[]).is_active());
    }
}
