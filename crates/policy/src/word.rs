//! A command line cut into commands and words as a shell would, without running anything: variables
//! and substitutions stay as they are written.

/// The commands of a text, each a list of its words; a shell's `;`, `|`, `&`, parentheses, back-ticks,
/// redirections and line ends part them.
pub(crate) fn commands(text: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word = String::new();
    let mut within = false;
    let mut quote = None;
    // Substitutions that are open within double quotes.
    let mut open = 0_usize;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (None, '\'' | '"') => {
                quote = Some(character);
                within = true;
            }
            (Some(mark), close) if mark == close => quote = None,
            (None | Some('"'), '\\') => {
                // Before a line's end it joins the lines.
                if let Some(next) = characters.next().filter(|next| *next != '\n') {
                    word.push(next);
                    within = true;
                }
            }
            (None, ';' | '|' | '&' | '(' | ')' | '`' | '<' | '>' | '\n') => {
                finish(&mut commands, &mut word, &mut within);
                commands.push(Vec::new());
            }
            // A substitution in double quotes is a command of its own.
            (Some('"'), '(') if word.ends_with('$') => {
                open += 1;
                finish(&mut commands, &mut word, &mut within);
                commands.push(Vec::new());
            }
            (Some('"'), ')') if open > 0 => {
                open -= 1;
                finish(&mut commands, &mut word, &mut within);
                commands.push(Vec::new());
            }
            (Some('"'), '`') => {
                finish(&mut commands, &mut word, &mut within);
                commands.push(Vec::new());
            }
            (None, space) if space.is_whitespace() => {
                finish(&mut commands, &mut word, &mut within);
            }
            (_, other) => {
                word.push(other);
                within = true;
            }
        }
    }
    finish(&mut commands, &mut word, &mut within);
    commands.retain(|words| !words.is_empty());
    commands
}

fn finish(commands: &mut [Vec<String>], word: &mut String, within: &mut bool) {
    if std::mem::take(within)
        && let Some(words) = commands.last_mut()
    {
        words.push(std::mem::take(word));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_a_shell() {
        for (text, expected) in [
            ("curl -s  http://a.org/x", vec![vec!["curl", "-s", "http://a.org/x"]]),
            ("a 'b c' \"d 'e\" f\\ g ''", vec![vec!["a", "b c", "d 'e", "f g", ""]]),
            ("a|b;c && d", vec![vec!["a"], vec!["b"], vec!["c"], vec!["d"]]),
            ("cu'rl' ev\"il\".com", vec![vec!["curl", "evil.com"]]),
            ("x=$(curl a.org)", vec![vec!["x=$"], vec!["curl", "a.org"]]),
            ("echo \"`id` x\"", vec![vec!["echo", ""], vec!["id"], vec![" x"]]),
            ("a \"b (c) $(d e)f\"", vec![vec!["a", "b (c) $"], vec!["d e"], vec!["f"]]),
            ("exec 3<>/dev/tcp/a.org/80", vec![vec!["exec", "3"], vec!["/dev/tcp/a.org/80"]]),
            ("'unclosed a", vec![vec!["unclosed a"]]),
            ("a\\\nb", vec![vec!["ab"]]),
            ("  ", vec![]),
        ] {
            assert_eq!(commands(text), expected, "{text}");
        }
    }
}
