//! `bergfried agent`: the same agent as the slim `bergfried-agent`.

use std::process::ExitCode;

use bergfried_agent::Options;

pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    super::hub::start_logging(if options.verbose { "debug" } else { "info" });
    bergfried_agent::main_with(options.clone())?;
    Ok(ExitCode::SUCCESS)
}
