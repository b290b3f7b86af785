//! Who came in: to an ASA itself (605004, 605005, 113004, 113005, 113012, 113015, 611101, 611102) or
//! through its VPN (113039, 716001, 716038, 716039), and to a router (`SEC_LOGIN`).
//!
//! Names of users stand at the end, in marks, or before an address that ends the line; all else is the
//! box's own.

use bergfried_event::{Event, Field};

use crate::programs::{FAILURE, SUCCESS, classify, outcome, peer, push_text};
use crate::text::{is_ip, number};

use super::endpoint;

/// Reads a message about a login; none for any other.
pub(super) fn read<'a>(message: &'a str, event: &mut Event<'a>) -> Option<()> {
    let read = [login, access, check, router, portal].iter().find_map(|read| read(message));
    let Login { action, result, user, address, port, service } = read?;
    event.push(Field::EventModule, "cisco");
    event.push(Field::EventKind, "event");
    let category = if action == CHECK { "session" } else { "authentication" };
    classify(event, category, action);
    outcome(event, result);
    push_text(event, Field::UserName, user);
    peer::push_address(event, address);
    if let Some(port) = port {
        event.push(Field::SourcePort, port);
    }
    push_text(event, Field::ServiceName, service);
    Some(())
}

/// Of what another message says again, and which therefore counts as no login of its own.
const CHECK: &str = "password-check";

/// What a message says of a login.
struct Login<'a> {
    action: &'static str,
    result: &'static str,
    user: &'a str,
    address: &'a str,
    port: Option<i64>,
    service: &'a str,
}

impl<'a> Login<'a> {
    fn new(action: &'static str, result: &'static str, user: &'a str, address: &'a str) -> Self {
        Login { action, result, user, address, port: None, service: "" }
    }
}

/// `Login denied from 192.0.2.1/4321 to outside:192.0.2.2/ssh for user "name"`.
fn login(message: &str) -> Option<Login<'_>> {
    let (rest, result) = match message.strip_prefix("Login denied from ") {
        Some(rest) => (rest, FAILURE),
        None => (message.strip_prefix("Login permitted from ")?, SUCCESS),
    };
    let (from, rest) = rest.split_once(" to ")?;
    let port = endpoint(from)?.port;
    let address = from.rsplit_once('/').map_or(from, |(address, _)| address);
    let address = if is_ip(address) { address } else { address.split_once(':')?.1 };
    let (to, user) = rest.split_once(" for user ")?;
    let service = to.rsplit_once('/').map_or("", |(_, service)| service);
    let user = user.trim_end().trim_matches('"');
    Some(Login { port, service, ..Login::new("remote_login", result, user, address) })
}

/// `AAA user authentication Rejected : reason = … : server = … : user = name : user IP = 192.0.2.1`.
fn access(message: &str) -> Option<Login<'_>> {
    let rest = message.strip_prefix("AAA user authentication ")?;
    let result = match rest.split([' ', ':']).next()? {
        "Rejected" => FAILURE,
        "Successful" => SUCCESS,
        _ => return None,
    };
    let (rest, address) = match rest.rsplit_once("user IP = ") {
        Some((rest, address)) if is_ip(address.trim()) => (rest, address.trim()),
        _ => (rest, ""),
    };
    let user = ["user = ", "User = "].iter().find_map(|key| rest.split_once(key));
    let user = user.map_or("", |(_, user)| user.trim_end_matches([' ', ':']));
    Some(Login::new("remote_login", result, user, address))
}

/// `User authentication failed: IP address: 192.0.2.1, Uname: name`, beside `Login denied`.
fn check(message: &str) -> Option<Login<'_>> {
    let rest = message.strip_prefix("User authentication ")?;
    let (result, rest) = match rest.strip_prefix("failed: ") {
        Some(rest) => (FAILURE, rest),
        None => (SUCCESS, rest.strip_prefix("succeeded: ")?),
    };
    let (front, user) = rest.split_once("Uname: ")?;
    let address = front.trim_start_matches("IP address: ").trim_end_matches([',', ' ']);
    Some(Login::new(CHECK, result, user.trim_end(), address))
}

/// `Login failed [user: name] [Source: 192.0.2.1] [localport: 22] [Reason: …] at …`, of IOS with
/// `login on-failure log`.
fn router(message: &str) -> Option<Login<'_>> {
    let (rest, result) = match message.strip_prefix("Login failed [user: ") {
        Some(rest) => (rest, FAILURE),
        None => (message.strip_prefix("Login Success [user: ")?, SUCCESS),
    };
    let (user, rest) = rest.rsplit_once("] [Source: ")?;
    let (address, rest) = rest.split_once(']')?;
    let local = rest.strip_prefix(" [localport: ").and_then(|rest| rest.split_once(']'));
    let service = local.map_or("", |(local, _)| match number(local.as_bytes()) {
        Some(22) => "ssh",
        Some(23) => "telnet",
        _ => "",
    });
    Some(Login { service, ..Login::new("remote_login", result, user, address) })
}

/// `Group <g> User <name> IP <192.0.2.1> AnyConnect parent session started.`, also without the marks.
/// What the server said of the password is a message of its own.
fn portal(message: &str) -> Option<Login<'_>> {
    let rest = message.strip_prefix("Group ")?;
    let (rest, action, result) = [
        ("AnyConnect parent session started.", "vpn_login", SUCCESS),
        ("WebVPN session started.", "vpn_login", SUCCESS),
        ("Authentication: successful", CHECK, SUCCESS),
        ("Authentication: rejected", CHECK, FAILURE),
    ]
    .iter()
    .find_map(|(words, action, result)| Some((rest.rsplit_once(words)?.0, *action, *result)))?;
    let (user, address) = rest.rsplit_once(" IP ")?;
    let (_, user) = user.split_once("User ")?;
    Some(Login::new(action, result, unmarked(user), unmarked(address)))
}

/// The text without the `<` and `>` around it.
fn unmarked(text: &str) -> &str {
    let text = text.trim_matches([' ', ',']);
    text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text)
}
