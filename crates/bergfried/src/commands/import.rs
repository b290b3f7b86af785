//! `bergfried import`: takes over the configuration of other programs.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use bergfried_hub::{ChainFiles, ChainsError};
use bergfried_logstash::{Diagnostic, Loss, Source, Translation, translate};
use bergfried_query::Pattern;
use clap::{Args, Subcommand};

/// The largest pipeline, in bytes over all files.
const MAX_BYTES: usize = 16 << 20;

/// Take over the configuration of another program.
#[derive(Args, Debug)]
pub(crate) struct Import {
    #[command(subcommand)]
    program: Program,
}

#[derive(Subcommand, Debug)]
enum Program {
    Logstash(Logstash),
}

/// Translate a Logstash pipeline into a configuration of the hub.
///
/// The configuration goes to standard output, what could not be translated or is done in another way
/// to standard error, line by line. ${NAME} is read from the environment.
///
/// The exit code is 0 where the pipeline was translated whole, 1 where parts are missing, and 2
/// where it could not be read.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried import logstash /etc/logstash/conf.d > hub.toml
  bergfried import logstash syslog.conf --output hub.toml")]
struct Logstash {
    /// Files of one pipeline, or directories whose *.conf files are taken in the order of their names
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write the configuration to this file, which must not exist yet
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Exit with 1 also where something is done in another way
    #[arg(long)]
    strict: bool,
}

pub(crate) fn run(arguments: &Import, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let Program::Logstash(arguments) = &arguments.program;
    let texts = read(&arguments.files)?;
    let sources: Vec<Source<'_>> = texts.iter().map(|(name, text)| Source { name, text }).collect();
    let name = |file: usize| sources.get(file).map_or("", |source| source.name);
    let variable = |name: &str| std::env::var(name).ok();
    let translation = translate(&sources, &variable, &in_directory).map_err(|error| {
        let place = error.place;
        let (line, column) = (place.line, place.column);
        anyhow::anyhow!("{}:{line}:{column}: {}", name(place.file), error.message)
    })?;
    match &arguments.output {
        None => out.write_all(translation.toml.as_bytes())?,
        Some(path) => write_new(path, &translation.toml)?,
    }
    out.flush()?;
    for diagnostic in &translation.diagnostics {
        report(&shown(diagnostic, name(diagnostic.place.file)));
    }
    // A hub must take what is written here; files that it names may be missing on this machine.
    let target = arguments.output.as_deref().unwrap_or(Path::new("hub.toml"));
    let refused = match ChainFiles::check(&translation.toml, &target.display().to_string()) {
        Ok(()) => Vec::new(),
        Err(ChainsError(refused)) => refused,
    };
    for error in &refused {
        report(&format!("{}: missing: the hub does not take this: {}", error.place, error.message));
    }
    report(&summary(&translation, refused.len()));
    let lost = translation.count(Loss::Missing) > 0
        || !refused.is_empty()
        || arguments.strict && translation.count(Loss::Differs) > 0;
    Ok(if lost { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// The files with their names, directories replaced by what is in them.
fn read(paths: &[PathBuf]) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let entries = std::fs::read_dir(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let mut inside = Vec::new();
            for entry in entries {
                let entry =
                    entry.with_context(|| format!("cannot read {}", path.display()))?.path();
                if entry.extension().is_some_and(|extension| extension == "conf") {
                    inside.push(entry);
                }
            }
            anyhow::ensure!(!inside.is_empty(), "no *.conf file in {}", path.display());
            inside.sort();
            files.append(&mut inside);
        } else {
            files.push(path.clone());
        }
    }
    let mut texts = Vec::new();
    let mut bytes = 0;
    for file in files {
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        bytes += text.len();
        anyhow::ensure!(bytes <= MAX_BYTES, "the pipeline is larger than {MAX_BYTES} bytes");
        texts.push((file.display().to_string(), text));
    }
    Ok(texts)
}

/// The files of a directory whose names fit, in order.
fn in_directory(directory: &str, names: &str) -> Option<Vec<String>> {
    let names = Pattern::with_wildcards(names, true);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).ok()? {
        let entry = entry.ok()?;
        let fits = entry.file_name().to_str().is_some_and(|name| names.matches(name));
        if fits && entry.path().is_file() {
            found.push(entry.path().to_str()?.to_owned());
        }
    }
    found.sort();
    Some(found)
}

fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    let mut file = std::fs::File::create_new(path).with_context(cannot)?;
    file.write_all(text.as_bytes()).with_context(cannot)
}

fn shown(diagnostic: &Diagnostic, name: &str) -> String {
    let place = diagnostic.place;
    let loss = diagnostic.loss.name();
    let message = diagnostic.message.replace(char::is_control, "·");
    format!("{name}:{}:{}: {loss}: {message}", place.line, place.column)
}

fn summary(translation: &Translation, refused: usize) -> String {
    let [inputs, filters, outputs] = translation.plugins;
    let count = |number: usize, one: &str, many: &str| {
        if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
    };
    let read = format!(
        "read {}, {}, {}",
        count(inputs, "input", "inputs"),
        count(filters, "filter", "filters"),
        count(outputs, "output", "outputs"),
    );
    let differs = count(translation.count(Loss::Differs), "thing differs", "things differ");
    match translation.count(Loss::Missing) + refused {
        0 => format!("{read}: translated whole, {differs}"),
        missing => {
            format!("{read}: {}, {differs}", count(missing, "part is missing", "parts are missing"))
        }
    }
}

#[expect(clippy::print_stderr, reason = "the report goes beside the configuration")]
fn report(line: &str) {
    eprintln!("{line}");
}
