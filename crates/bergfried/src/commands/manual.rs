//! Shell completions and manual pages, made from the arguments themselves.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Command};

/// Print shell completions.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried completions bash > /etc/bash_completion.d/bergfried
  bergfried completions fish > ~/.config/fish/completions/bergfried.fish")]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

/// Write manual pages.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried man | man -l -
  bergfried man --out /usr/local/share/man/man1")]
pub(crate) struct Man {
    /// Write one page for the program and one for each command into this directory
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) fn completions(
    arguments: &Completions,
    mut program: Command,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    // Made in memory first: the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut program, "bergfried", &mut script);
    out.write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn man(
    arguments: &Man,
    program: Command,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    match &arguments.out {
        None => clap_mangen::Man::new(program).render(out)?,
        Some(directory) => {
            std::fs::create_dir_all(directory)
                .and_then(|()| clap_mangen::generate_to(program, directory))
                .with_context(|| format!("cannot write manual pages to {}", directory.display()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
