//! What a scheduled task runs, from its definition (the XML in events 4698 and 4702).

use std::borrow::Cow;

use crate::xml::{Fault, Reader, Token, content};

/// The most commands that are read of one task.
const MOST_COMMANDS: usize = 8;

/// The command lines of the task, in their order; those before a fault.
pub(super) fn commands(definition: &str) -> Vec<String> {
    let mut reader = Reader::new(definition);
    let mut commands = Vec::new();
    while commands.len() < MOST_COMMANDS {
        match reader.next() {
            Ok(Token::Start(tag)) if tag.name == "Exec" && !tag.closed => {
                match command(&mut reader) {
                    Ok(command) => commands.extend(Some(command).filter(|line| !line.is_empty())),
                    Err(_) => break,
                }
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    commands
}

/// The program and its arguments, of an `Exec` whose start was read.
fn command(reader: &mut Reader<'_>) -> Result<String, Fault> {
    let (mut program, mut arguments) = (Cow::Borrowed(""), Cow::Borrowed(""));
    loop {
        match reader.next()? {
            Token::End => break,
            Token::Start(tag) if !tag.closed => match tag.name {
                "Command" => program = content(reader)?,
                "Arguments" => arguments = content(reader)?,
                _ => reader.skip()?,
            },
            _ => {}
        }
    }
    Ok(format!("{} {}", program.trim(), arguments.trim()).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_and_nothing_that_only_looks_like_one() {
        let task = |actions: &str| {
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\r\n<Task><RegistrationInfo><Description>\
                 &lt;Exec&gt;</Description></RegistrationInfo><Actions>{actions}</Actions></Task>"
            )
        };
        let exec = "<Exec><Command>cmd.exe</Command><Arguments>/c a &amp; b</Arguments></Exec>";
        let commented = format!("<!-- <Exec><Command>x</Command></Exec> -->{exec}");
        let handler = format!("<ComHandler><ClassId>{{1}}</ClassId></ComHandler>{exec}");
        for (actions, expected) in [
            (exec.to_owned(), vec!["cmd.exe /c a & b"]),
            (commented, vec!["cmd.exe /c a & b"]),
            (handler, vec!["cmd.exe /c a & b"]),
            (
                "<Exec><Command>a</Command></Exec><Exec><Command>b</Command></Exec>".to_owned(),
                vec!["a", "b"],
            ),
            ("<Exec/><Exec></Exec>".to_owned(), vec![]),
            ("<Exec><Command>a</Exec>".to_owned(), vec![]),
            ("<Exec><Command>a</Command></Exec>".repeat(100), vec!["a"; MOST_COMMANDS]),
        ] {
            assert_eq!(commands(&task(&actions)), expected, "{actions}");
        }
        assert!(commands("").is_empty() && commands("<!DOCTYPE a>").is_empty());
    }
}
