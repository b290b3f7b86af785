//! vsftpd: logins over FTP, from syslog or its own log file.

use bergfried_event::{Event, Field};

use super::{FAILURE, Program, SUCCESS, classify, outcome, pam, peer, push_text};

pub(super) const PROGRAM: Program = Program { name: "vsftpd", tags: &["vsftpd"], read };

/// `[bob] FAIL LOGIN: Client "1.2.3.4"`; the name in brackets is the client's to choose.
fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    for (mark, result) in [("FAIL LOGIN: Client \"", FAILURE), ("OK LOGIN: Client \"", SUCCESS)] {
        let Some((user, rest)) = message.rsplit_once(mark) else { continue };
        let (address, _) = rest.split_once('"').unwrap_or((rest, ""));
        classify(event, "authentication", "ftp_login");
        outcome(event, result);
        let user = user.trim_end();
        let user = user.strip_suffix(']').unwrap_or(user);
        push_text(event, Field::UserName, user.strip_prefix('[').unwrap_or(user));
        peer::push_address(event, address);
        return;
    }
    if let Some((_, rest)) = message.rsplit_once("CONNECT: Client \"") {
        classify(event, "network", "ftp_connection");
        peer::push_address(event, rest.trim_end_matches('"'));
        return;
    }
    pam::read_text(Some("vsftpd"), message, event);
}
