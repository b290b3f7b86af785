//! Programs that connect to a host of their command line: how each names it, by its manual page.

mod wrapper;

pub(crate) use wrapper::wrapped;

/// What the words of a program that are no options say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// Each is a URL, whose scheme may be left out.
    Urls,
    /// A host, then a port.
    HostAndPort,
    /// The first is a host, perhaps with a user before it; a command may follow.
    Remote,
    /// Those with a colon before any slash are `user@host:path`.
    Copies,
    /// The same behind a subcommand that connects (git).
    Repositories,
    /// Addresses of socat: `TCP:host:port,options`.
    Sockets,
    /// The second is a server to be asked.
    SecondIsServer,
    /// Those that start with `@` are servers to be asked.
    AtServers,
    /// What follows the last `@` of a word is a host; words without one are of this machine.
    BehindAt,
    /// The first is `//host/share`, also with backslashes.
    Shares,
    /// None of them is a host.
    Nothing,
}

/// A program.
#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) programs: &'static [&'static str],
    pub(crate) names: Names,
    /// The port where none is said.
    pub(crate) port: Option<u16>,
    /// Options of one letter that take a value.
    pub(crate) short: &'static str,
    /// Long options that take a value as the next word, parted by spaces.
    pub(crate) long: &'static str,
    /// Of both, those whose value is a host.
    pub(crate) hosts: &'static [&'static str],
    /// Options with which it waits for others to connect.
    pub(crate) listens: &'static [&'static str],
}

const PLAIN: Tool = Tool {
    programs: &[],
    names: Names::Nothing,
    port: None,
    short: "",
    long: "",
    hosts: &[],
    listens: &[],
};

const TOOLS: &[Tool] = &[
    Tool {
        programs: &["curl"],
        names: Names::Urls,
        port: Some(80),
        short: "EKCbcdDFPHhmoUQreXYytzTuAwx",
        long: CURL,
        hosts: &[
            "x",
            "proxy",
            "preproxy",
            "proxy1.0",
            "socks4",
            "socks4a",
            "socks5",
            "socks5-hostname",
            "doh-url",
            "url",
        ],
        ..PLAIN
    },
    Tool {
        programs: &[
            "wget", "wget2", "aria2c", "axel", "http", "https", "httpie", "xh", "lynx", "links",
            "elinks", "w3m",
        ],
        names: Names::Urls,
        port: Some(80),
        short: "oaeiBtOTwQPUlARDIXd",
        long: WGET,
        ..PLAIN
    },
    Tool {
        programs: &["lftp", "ncftp", "ncftpput", "ncftpget"],
        names: Names::Urls,
        port: Some(21),
        short: "efupc",
        ..PLAIN
    },
    Tool {
        programs: &["nc", "ncat", "netcat", "nc.traditional", "nc.openbsd"],
        names: Names::HostAndPort,
        short: "IiMmOPpqsTVWwXxegGc",
        long: "exec sh-exec lua-exec source source-port wait delay idle-timeout max-conns output hex-dump proxy proxy-type proxy-auth allow deny ssl-cert ssl-key ssl-trustfile ssl-servername",
        hosts: &["x", "proxy"],
        listens: &["l", "listen"],
        ..PLAIN
    },
    Tool { programs: &["telnet"], names: Names::HostAndPort, short: "SXbekln", ..PLAIN },
    Tool { programs: &["ftp", "pftp"], names: Names::HostAndPort, short: "NPTUoqrsu", ..PLAIN },
    // Also busybox's, whose `-l` and `-r` name files.
    Tool { programs: &["tftp"], names: Names::HostAndPort, short: "Rbclmr", ..PLAIN },
    Tool { programs: &["ftpget", "ftpput"], names: Names::HostAndPort, short: "Ppu", ..PLAIN },
    Tool {
        programs: &["rlogin", "rsh", "rexec"],
        names: Names::HostAndPort,
        short: "eklp",
        ..PLAIN
    },
    Tool {
        programs: &["smbclient", "smbget"],
        names: Names::Shares,
        port: Some(445),
        short: "ADILOTUWcdilmnoprst",
        long: "user workgroup ip-address list command port directory authentication-file",
        hosts: &["I", "L", "ip-address", "list"],
        ..PLAIN
    },
    Tool {
        programs: &["whois"],
        port: Some(43),
        short: "Tahipst",
        long: "host port",
        hosts: &["h", "host"],
        ..PLAIN
    },
    Tool { programs: &["finger"], names: Names::BehindAt, port: Some(79), ..PLAIN },
    Tool {
        programs: &["ssh", "slogin", "autossh", "mosh", "sftp", "ssh-copy-id", "sshfs"],
        names: Names::Remote,
        port: Some(22),
        short: "BbcDEeFIiJLlmOopPQRSWwM",
        hosts: &["J", "W"],
        ..PLAIN
    },
    Tool {
        programs: &["scp", "pscp"],
        names: Names::Copies,
        port: Some(22),
        short: "cDFiJloPSX",
        hosts: &["J"],
        ..PLAIN
    },
    Tool {
        programs: &["rsync"],
        names: Names::Copies,
        port: Some(22),
        short: "efBMT",
        long: "rsh exclude include filter files-from exclude-from password-file",
        ..PLAIN
    },
    Tool { programs: &["git"], names: Names::Repositories, port: Some(22), short: "Cc", ..PLAIN },
    Tool { programs: &["socat", "socat1", "filan"], names: Names::Sockets, ..PLAIN },
    Tool {
        programs: &["openssl", "gnutls-cli"],
        // Its long options have one dash.
        hosts: &["connect", "proxy", "host"],
        long: "connect proxy host",
        ..PLAIN
    },
    Tool {
        programs: &["dig", "delv", "kdig", "drill"],
        names: Names::AtServers,
        port: Some(53),
        ..PLAIN
    },
    Tool {
        programs: &["nslookup", "host"],
        names: Names::SecondIsServer,
        port: Some(53),
        short: "ctNRWm",
        ..PLAIN
    },
    Tool {
        programs: &[
            "mysql",
            "mysqldump",
            "mariadb",
            "mariadb-dump",
            "psql",
            "pg_dump",
            "redis-cli",
            "mongosh",
            "ldapsearch",
        ],
        short: "hPuDpnabHU",
        long: "host port user",
        hosts: &["h", "host"],
        ..PLAIN
    },
];

/// The long options of curl(1) that take a value.
const CURL: &str = "\
    abstract-unix-socket alt-svc aws-sigv4 cacert capath cert cert-type ciphers config \
    connect-timeout connect-to continue-at cookie cookie-jar create-file-mode crlfile curves \
    data data-ascii data-binary data-raw data-urlencode delegation dns-interface \
    dns-ipv4-addr dns-ipv6-addr dns-servers doh-url dump-header ech egd-file engine \
    etag-compare etag-save expect100-timeout form form-string ftp-account \
    ftp-alternative-to-user ftp-method ftp-port ftp-ssl-ccc-mode happy-eyeballs-timeout-ms \
    haproxy-clientip header hostpubmd5 hostpubsha256 hsts interface ip-tos ipfs-gateway json \
    keepalive-cnt keepalive-time key key-type krb libcurl limit-rate local-port \
    login-options mail-auth mail-from mail-rcpt max-filesize max-redirs max-time netrc-file \
    noproxy oauth2-bearer output output-dir parallel-max pass pinnedpubkey preproxy proto \
    proto-default proto-redir proxy proxy-cacert proxy-capath proxy-cert proxy-cert-type \
    proxy-ciphers proxy-crlfile proxy-header proxy-key proxy-key-type proxy-pass \
    proxy-pinnedpubkey proxy-service-name proxy-tls13-ciphers proxy-tlsauthtype \
    proxy-tlspassword proxy-tlsuser proxy-user proxy1.0 pubkey quote random-file range rate \
    referer request request-target resolve retry retry-delay retry-max-time sasl-authzid \
    service-name sigalgs socks4 socks4a socks5 socks5-gssapi-service socks5-hostname \
    speed-limit speed-time stderr telnet-option tftp-blksize time-cond tls-max tls13-ciphers \
    tlsauthtype tlspassword tlsuser trace trace-ascii trace-config unix-socket upload-file \
    upload-flags url url-query user user-agent variable vlan-priority write-out";

/// The long options of wget(1) that take a value.
const WGET: &str = "\
    accept accept-regex append-output base bind-address body-data body-file ca-certificate \
    ca-directory certificate certificate-type ciphers config connect-timeout crl-file \
    cut-dirs default-page directory-prefix dns-timeout domains exclude-directories \
    exclude-domains execute follow-tags ftp-password ftp-user header http-password http-user \
    ignore-tags include-directories input-file level limit-rate load-cookies local-encoding \
    method output-document output-file password pinnedpubkey post-data post-file \
    prefer-family private-key private-key-type progress proxy-password proxy-user quota \
    read-timeout referer regex-type reject reject-regex rejected-log remote-encoding \
    report-speed restrict-file-names retry-on-http-error save-cookies secure-protocol \
    start-pos timeout tries use-askpass user user-agent wait waitretry warc-dedup warc-file \
    warc-header warc-max-size warc-tempdir dir out split";

/// Programs whose value of an option with the letter `c` is a command line.
const SHELLS: &[&str] = &[
    "sh", "bash", "rbash", "dash", "zsh", "ksh", "ksh93", "mksh", "ash", "fish", "csh", "tcsh",
    "su", "runuser", "script",
];

/// Programs that print or search their words and reach for nothing.
const PRINTERS: &[&str] = &[
    "echo",
    "printf",
    "logger",
    "grep",
    "egrep",
    "fgrep",
    "zgrep",
    "rg",
    "ag",
    "sed",
    "test",
    "[",
    "cut",
    "tr",
    "date",
    "man",
    "cat",
    "tee",
    "notify-send",
    "expr",
    "basename",
    "dirname",
    "wall",
    "write",
];

impl Tool {
    /// Whether a long option takes the next word as its value.
    pub(crate) fn takes_value(&self, long: &str) -> bool {
        self.long.split(' ').any(|option| option == long)
    }
}

/// The program of this name.
pub(crate) fn tool(name: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.programs.contains(&name))
}

/// Whether a word sets a variable for the command behind it.
pub(crate) fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|one| one.is_ascii_alphanumeric() || one == '_')
    })
}

/// Whether a program of this name takes a command line as a text.
pub(crate) fn is_shell(name: &str) -> bool {
    SHELLS.contains(&name)
}

/// Whether a program of this name only prints or searches what it is given.
pub(crate) fn is_printer(name: &str) -> bool {
    PRINTERS.contains(&name)
}

/// Whether a program of this name is one of many, by its first word.
pub(crate) fn runs_by_first_word(name: &str) -> bool {
    matches!(name, "busybox" | "toybox" | "coreutils") || is_shell(name)
}

/// The name of a program at this path: without directories, and the dash of login shells.
pub(crate) fn name_of(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_prefix('-').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_stands_once() {
        let mut seen = std::collections::BTreeSet::new();
        for program in TOOLS.iter().flat_map(|tool| tool.programs) {
            assert!(seen.insert(program), "{program}");
            assert!(!is_shell(program) && !is_printer(program), "{program}");
        }
        for tool in TOOLS {
            // An option that names a host takes a value.
            for option in tool.hosts {
                let short = option.len() == 1 && tool.short.contains(option);
                assert!(short || tool.takes_value(option), "{:?} {option}", tool.programs);
            }
        }
    }
}
