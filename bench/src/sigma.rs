//! Sigma rules to measure detection with: those of a directory, or made up in the shapes and
//! proportions of the public ones.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context as _;

use crate::random::Random;

const SYLLABLES: &[&str] = &[
    "ka", "ro", "mi", "tel", "van", "dor", "lix", "sun", "bre", "qua", "zet", "pol", "gar", "hin",
    "ope", "ust", "ner", "fal", "cor", "wyn",
];

/// Adds the `.yml` and `.yaml` files below a directory, with their names, in the order of names.
///
/// # Errors
/// Where the directory or a file cannot be read.
pub fn read_directory(directory: &Path, files: &mut Vec<(String, String)>) -> anyhow::Result<()> {
    let unreadable = || format!("cannot read {}", directory.display());
    let mut entries = fs::read_dir(directory)
        .with_context(unreadable)?
        .collect::<Result<Vec<_>, _>>()
        .with_context(unreadable)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_type().with_context(unreadable)?.is_dir() {
            read_directory(&path, files)?;
        } else if path.extension().is_some_and(|kind| kind == "yml" || kind == "yaml") {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            files.push((path.display().to_string(), text));
        }
    }
    Ok(())
}

/// So many rules, the same for the same seed.
pub fn generate(seed: u64, count: u32) -> Vec<(String, String)> {
    let mut random = Random::new(seed);
    (0..count)
        .map(|number| {
            let mut text = String::new();
            // Writing to a String cannot fail.
            let _infallible = write_rule(&mut text, &mut random, number);
            (format!("generated_{number:05}.yml"), text)
        })
        .collect()
}

fn word(random: &mut Random) -> String {
    (0..2 + random.below(3)).map(|_| random.pick(SYLLABLES)).collect()
}

fn write_rule(text: &mut String, random: &mut Random, number: u32) -> std::fmt::Result {
    let (product, key, source, field) = match random.below(100) {
        0..55 => ("windows", "category", "process_creation", "CommandLine"),
        55..62 => ("windows", "category", "registry_set", "TargetObject"),
        62..69 => ("windows", "category", "file_event", "TargetFilename"),
        69..76 => ("windows", "category", "ps_script", "ScriptBlockText"),
        76..82 => ("windows", "service", "security", "ProcessName"),
        82..86 => ("windows", "category", "image_load", "ImageLoaded"),
        86..89 => ("windows", "category", "network_connection", "DestinationHostname"),
        89..91 => ("windows", "category", "dns_query", "QueryName"),
        91..97 => ("linux", "category", "process_creation", "CommandLine"),
        97..99 => ("linux", "service", "auditd", "a1"),
        _ => ("linux", "category", "file_event", "TargetFilename"),
    };
    writeln!(
        text,
        "title: Generated rule {number}\nid: 00000000-0000-4000-8000-{number:012}\nstatus: test\n\
         level: medium\nlogsource:\n    product: {product}\n    {key}: {source}\ndetection:"
    )?;
    let slash = if product == "windows" { '\\' } else { '/' };
    writeln!(text, "    selection_img:")?;
    writeln!(text, "        Image|endswith: '{slash}{}.exe'", word(random))?;
    writeln!(text, "    selection_cli:")?;
    match random.below(10) {
        0..5 => {
            writeln!(text, "        {field}|contains:")?;
            for _ in 0..1 + random.below(12) {
                writeln!(text, "            - ' -{} '", word(random))?;
            }
        }
        5..7 => {
            writeln!(text, "        {field}|contains|all:")?;
            for _ in 0..2 + random.below(3) {
                writeln!(text, "            - '{}'", word(random))?;
            }
        }
        7..9 => {
            writeln!(text, "        {field}|endswith:")?;
            for _ in 0..1 + random.below(4) {
                writeln!(text, "            - '{slash}{}.dll'", word(random))?;
            }
        }
        _ => {
            writeln!(text, "        {field}|re: '{}[0-9]{{2,5}}\\.{}'", word(random), word(random))?
        }
    }
    writeln!(text, "    filter_main:")?;
    writeln!(text, "        {field}|startswith: 'C:{slash}Program Files{slash}{}'", word(random))?;
    let selections = match random.below(4) {
        0 => "all of selection_*",
        1 => "1 of selection_*",
        2 => "selection_cli",
        _ => "selection_img and selection_cli",
    };
    writeln!(text, "    condition: {selections} and not 1 of filter_main*")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_decides_the_rules() {
        assert_eq!(generate(1, 40), generate(1, 40));
        assert_ne!(generate(1, 40), generate(2, 40));
        assert_eq!(generate(1, 40).len(), 40);
    }
}
