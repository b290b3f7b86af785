//! Other ways into a host: remote desktops, web consoles, telnet and rlogin, and what inetd and
//! TCP wrappers refuse.

use bergfried_event::Event;

use super::phrase::{self, Phrase};
use super::{FAILURE, Program, SUCCESS, pam};

pub(super) const PROGRAM: Program = Program {
    name: "remote",
    tags: &[
        "webmin",
        "usermin",
        "xrdp-sesman",
        "xrdp",
        "xinetd",
        "klogind",
        "rlogind",
        "in.rlogind",
        "rshd",
        "in.rshd",
        "telnetd",
        "in.telnetd",
        "pvedaemon",
        "pveproxy",
    ],
    read,
};

pub(super) const PHRASES: &[Phrase] = &[
    // Webmin.
    Phrase("Invalid login as {user} from {address}", "remote_login", FAILURE),
    Phrase("Non-existent login as {user} from {address}", "remote_login", FAILURE),
    Phrase("Successful login as {user} from {address}", "remote_login", SUCCESS),
    // xrdp-sesman; `[INFO ]` is there since 0.9.
    Phrase("[INFO ] AUTHFAIL: user={user} ip={address} time={word}", "remote_login", FAILURE),
    Phrase("AUTHFAIL: user={user} ip={address} time={word}", "remote_login", FAILURE),
    // The same in its own file, with a stamp in brackets before it.
    Phrase(
        "{word} [INFO ] AUTHFAIL: user={user} ip={address} time={word}",
        "remote_login",
        FAILURE,
    ),
    // RouterOS of MikroTik.
    Phrase(
        "system,error,critical login failure for user {user} from {address} via {word}",
        "remote_login",
        FAILURE,
    ),
    Phrase(
        "system,info,account user {user} logged in from {address} via {word}",
        "remote_login",
        SUCCESS,
    ),
    // Proxmox.
    Phrase("<{word}> successful auth for user '{user}'", "remote_login", SUCCESS),
    // Kerberos' rlogin.
    Phrase("Authentication failed from {word} ({address}): {any}", "remote_login", FAILURE),
    // xinetd and TCP wrappers.
    Phrase("FAIL: {word} {word} from={address}", "service_connection", FAILURE),
    Phrase("FAIL: {word} from={address}", "service_connection", FAILURE),
    Phrase("START: {word} pid={word} from={address}", "service_connection", SUCCESS),
    Phrase("refused connect from {word} ({address})", "service_connection", FAILURE),
    Phrase("refused connect from {address}", "service_connection", FAILURE),
    Phrase("connect from {word} ({address})", "service_connection", SUCCESS),
    Phrase("connect from {address}", "service_connection", SUCCESS),
];

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    if !phrase::read(PHRASES, message, event) {
        pam::read_text(None, message, event);
    }
}
