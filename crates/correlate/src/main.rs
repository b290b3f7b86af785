//! The slim program: `sec` by another name, and nothing else.

use std::process::ExitCode;

/// Lines become short-lived values by the million.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    bergfried_correlate::run("bergfried-correlate", std::env::args_os().skip(1))
}
