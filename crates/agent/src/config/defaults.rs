//! What is read and where state is kept where nothing is said.

/// Files that are watched where nothing else is said: what Debian, Ubuntu, Red Hat, SUSE and macOS
/// write, and the logs that programs which watch a host keep themselves. Those that are not there are
/// waited for.
///
/// Not `ufw.log`: `kern.log` and the journal have the same lines.
#[cfg(not(windows))]
pub(crate) const DEFAULT_FILES: &[&str] = &[
    "/var/log/auth.log",
    "/var/log/secure",
    "/var/log/syslog",
    "/var/log/messages",
    "/var/log/system.log",
    "/var/log/kern.log",
    "/var/log/mail.log",
    "/var/log/maillog",
    "/var/log/nginx/*.log",
    "/var/log/apache2/*.log",
    "/var/log/httpd/*_log",
    "/var/log/falco.log",
    "/var/log/falco/*.log",
    "/var/log/falco/*.json*",
    "/var/log/samhain/samhain.log",
    "/var/log/suricata/eve.json",
    "/var/log/snort/alert",
    "/var/log/snort/snort.alert.fast",
    "/var/log/fail2ban.log",
    "/var/log/openvpn/openvpn.log",
    "/var/log/rsnapshot.log",
];
/// Windows has no such place: its own log is read, and what somebody names.
#[cfg(windows)]
pub(crate) const DEFAULT_FILES: &[&str] = &[];
/// Where state is kept where nothing else is said.
#[cfg(not(windows))]
pub(crate) const DEFAULT_STATE_DIR: &str = "/var/lib/bergfried-agent";
#[cfg(windows)]
pub(crate) const DEFAULT_STATE_DIR: &str = r"C:\ProgramData\bergfried-agent";
