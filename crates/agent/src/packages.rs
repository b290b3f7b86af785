//! How programs are installed on this host.

use std::path::Path;

/// Package managers, and how each is told to install.
const MANAGERS: [(&str, &str); 6] = [
    ("/usr/bin/apt", "apt install"),
    ("/usr/bin/dnf", "dnf install"),
    ("/usr/bin/yum", "yum install"),
    ("/usr/bin/zypper", "zypper install"),
    ("/usr/bin/pacman", "pacman -S"),
    ("/sbin/apk", "apk add"),
];

/// The command that installs a package here, or the words of it where no package manager is known.
#[cfg(target_os = "linux")]
pub(crate) fn install(package: &str) -> String {
    install_one_of(package, package)
}

/// As [`install`], of a package that Debian and others call differently.
pub(crate) fn install_one_of(debian: &str, other: &str) -> String {
    let manager = MANAGERS.iter().find(|(program, _)| Path::new(program).exists());
    let package = if matches!(manager, Some((_, "apt install"))) { debian } else { other };
    match manager {
        Some((_, command)) => format!("{command} {package}"),
        None => format!("install {package}"),
    }
}
