//! FTP servers that log to syslog: ProFTPD, Pure-FTPd, and ftpd of the BSDs, Linux and wu-ftpd.

use bergfried_event::Event;

use super::phrase::{self, Phrase};
use super::{FAILURE, Program, SUCCESS, pam};

pub(super) const PROGRAM: Program =
    Program { name: "ftp", tags: &["proftpd", "pure-ftpd", "ftpd", "in.ftpd", "wu-ftpd"], read };

pub(super) const PHRASES: &[Phrase] = &[
    // ProFTPD: `SERVER (CLIENT[ADDRESS]) - …`; some set-ups write a colon for the dash.
    Phrase(
        "{word} ({word}[{address}]) - USER {user} (Login failed): Incorrect password.",
        "ftp_login",
        FAILURE,
    ),
    Phrase("{word} ({word}[{address}]) - USER {name} (Login failed){any}", "ftp_login", FAILURE),
    Phrase("{word} ({word}[{address}]): USER {name} (Login failed){any}", "ftp_login", FAILURE),
    Phrase(
        "{word} ({word}[{address}]) - USER {user}: no such user found from {word} [{word}] to {word}",
        "ftp_login",
        FAILURE,
    ),
    Phrase("{word} ({word}[{address}]) - USER {name}: no such user {any}", "ftp_login", FAILURE),
    Phrase("{word} ({word}[{address}]) - USER {user}: Login successful.", "ftp_login", SUCCESS),
    Phrase("{word} ({word}[{address}]): USER {user}: Login successful.", "ftp_login", SUCCESS),
    Phrase("{word} ({word}[{address}]) - ANON {user}: Login successful.", "ftp_login", SUCCESS),
    Phrase("{word} ({word}[{address}]) - SECURITY VIOLATION: {any}", "ftp_login", FAILURE),
    Phrase("{word} ({word}[{address}]) - Maximum login attempts {any}", "ftp_login", FAILURE),
    Phrase("{word} ({word}[{address}]) - FTP session {any}", "ftp_connection", ""),
    Phrase("{word} ({word}[{address}]) {any} no such user {word}", "ftp_login", FAILURE),
    Phrase("{word} ({word} [{address}]) {any} no such user {word}", "ftp_login", FAILURE),
    // Pure-FTPd: `(USER@ADDRESS) [LEVEL] …`, with `?` for the user before the login.
    Phrase(
        "({word}@{address}) [WARNING] Authentication failed for user [{user}]",
        "ftp_login",
        FAILURE,
    ),
    Phrase(
        "({word}@{address}) [WARNING] Authentication failed for user {user}",
        "ftp_login",
        FAILURE,
    ),
    Phrase("({word}@{address}) [INFO] {user} is now logged in", "ftp_login", SUCCESS),
    Phrase("({word}@{address}) [INFO] New connection from {any}", "ftp_connection", ""),
    // ftpd; what may stand in brackets is the address behind the name.
    Phrase("FTP LOGIN FAILED FROM {word} [{address}], {user}", "ftp_login", FAILURE),
    Phrase("FTP LOGIN FAILED FROM {address}, {user}", "ftp_login", FAILURE),
    Phrase("FTP LOGIN REFUSED FROM {word} [{address}], {user}", "ftp_login", FAILURE),
    Phrase("FTP LOGIN REFUSED FROM {address}, {user}", "ftp_login", FAILURE),
    Phrase("FTP LOGIN FROM {word} [{address}], {user}", "ftp_login", SUCCESS),
    Phrase("FTP LOGIN FROM {address} as {user}", "ftp_login", SUCCESS),
    Phrase("ANONYMOUS FTP LOGIN FROM {word} [{address}], {any}", "ftp_login", SUCCESS),
    Phrase("ANONYMOUS FTP LOGIN FROM {address}, {any}", "ftp_login", SUCCESS),
    Phrase("failed login from {word} [{address}]{any}", "ftp_login", FAILURE),
    Phrase("repeated login failures from {word} [{address}]", "ftp_login", FAILURE),
    Phrase("repeated login failures from {address}", "ftp_login", FAILURE),
    Phrase("connection from {word} [{address}]{any}", "ftp_connection", ""),
    Phrase("connection from {address} {any}", "ftp_connection", ""),
];

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    if !phrase::read(PHRASES, message, event) {
        pam::read_text(Some("ftp"), message, event);
    }
}
