//! Names of the errors that a system call ends with (errno(3)); those of most machines.

static NAMES: [&str; 41] = [
    "",
    "EPERM",
    "ENOENT",
    "ESRCH",
    "EINTR",
    "EIO",
    "ENXIO",
    "E2BIG",
    "ENOEXEC",
    "EBADF",
    "ECHILD",
    "EAGAIN",
    "ENOMEM",
    "EACCES",
    "EFAULT",
    "ENOTBLK",
    "EBUSY",
    "EEXIST",
    "EXDEV",
    "ENODEV",
    "ENOTDIR",
    "EISDIR",
    "EINVAL",
    "ENFILE",
    "EMFILE",
    "ENOTTY",
    "ETXTBSY",
    "EFBIG",
    "ENOSPC",
    "ESPIPE",
    "EROFS",
    "EMLINK",
    "EPIPE",
    "EDOM",
    "ERANGE",
    "EDEADLK",
    "ENAMETOOLONG",
    "ENOLCK",
    "ENOSYS",
    "ENOTEMPTY",
    "ELOOP",
];
static NETWORK: [&str; 28] = [
    "ENOTSOCK",
    "EDESTADDRREQ",
    "EMSGSIZE",
    "EPROTOTYPE",
    "ENOPROTOOPT",
    "EPROTONOSUPPORT",
    "ESOCKTNOSUPPORT",
    "EOPNOTSUPP",
    "EPFNOSUPPORT",
    "EAFNOSUPPORT",
    "EADDRINUSE",
    "EADDRNOTAVAIL",
    "ENETDOWN",
    "ENETUNREACH",
    "ENETRESET",
    "ECONNABORTED",
    "ECONNRESET",
    "ENOBUFS",
    "EISCONN",
    "ENOTCONN",
    "ESHUTDOWN",
    "ETOOMANYREFS",
    "ETIMEDOUT",
    "ECONNREFUSED",
    "EHOSTDOWN",
    "EHOSTUNREACH",
    "EALREADY",
    "EINPROGRESS",
];
const FIRST_OF_NETWORK: usize = 88;

/// What `exit=` says: the name of an error, else the number as it is.
pub(crate) fn exit(text: &str) -> &str {
    let error = text.strip_prefix('-').and_then(|number| number.parse::<usize>().ok());
    let name = error.and_then(|number| match number.checked_sub(FIRST_OF_NETWORK) {
        Some(place) => NETWORK.get(place),
        None => NAMES.get(number),
    });
    match (name.copied().unwrap_or_default(), error) {
        ("", Some(61)) => "ENODATA",
        ("", Some(62)) => "ETIME",
        ("", Some(71)) => "EPROTO",
        ("", Some(74)) => "EBADMSG",
        ("", Some(75)) => "EOVERFLOW",
        ("", Some(84)) => "EILSEQ",
        ("", Some(85)) => "ERESTART",
        ("", Some(116)) => "ESTALE",
        ("", Some(122)) => "EDQUOT",
        ("", Some(125)) => "ECANCELED",
        ("", Some(126)) => "ENOKEY",
        ("", Some(512)) => "ERESTARTSYS",
        ("", Some(513)) => "ERESTARTNOINTR",
        ("", Some(514)) => "ERESTARTNOHAND",
        ("", Some(516)) => "ERESTART_RESTARTBLOCK",
        ("", _) => text,
        (name, _) => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_names() {
        for (text, expected) in [
            ("0", "0"),
            ("3", "3"),
            ("-1", "EPERM"),
            ("-2", "ENOENT"),
            ("-13", "EACCES"),
            ("-22", "EINVAL"),
            ("-40", "ELOOP"),
            ("-88", "ENOTSOCK"),
            ("-111", "ECONNREFUSED"),
            ("-115", "EINPROGRESS"),
            ("-512", "ERESTARTSYS"),
            ("-9999", "-9999"),
            ("-99999999999999999999", "-99999999999999999999"),
            ("-", "-"),
            ("x", "x"),
        ] {
            assert_eq!(exit(text), expected, "{text}");
        }
    }
}
