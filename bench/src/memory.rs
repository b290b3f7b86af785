//! What this process takes of memory.

use std::fs;

/// The most so far and what it is now, in MiB (`VmHWM` and `VmRSS` of proc(5)).
///
/// # Errors
/// Where `/proc/self/status` cannot be read.
pub fn memory() -> std::io::Result<(f64, f64)> {
    let status = fs::read_to_string("/proc/self/status")?;
    let value = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        line.trim().strip_suffix(" kB")?.parse::<f64>().ok()
    };
    let (peak, now) = (value("VmHWM:"), value("VmRSS:"));
    Ok((peak.unwrap_or(f64::NAN) / 1024.0, now.unwrap_or(f64::NAN) / 1024.0))
}
