//! The web console of pfSense and OPNsense: who logs in, who leaves, and who changes the configuration.
//!
//! A name is typed by a stranger and may hold any text, quotation marks and addresses too; of pfSense so
//! may what stands in brackets behind the address, headers that the browser sent. So the address is read
//! from the end, and where both could be it, none is.

use bergfried_event::{Event, Field};

use super::packets::push_own;
use super::{FAILURE, Program, SUCCESS, outcome, pam, peer, push_text};
use crate::text::is_ip;

pub(super) const PROGRAM: Program =
    Program { name: "pfsense", tags: &["php-fpm", "php", "php-cgi", "audit", "opnsense"], read };

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    if read_page(message, event).is_none() && read_audit(message, event).is_none() {
        pam::read_text(None, message, event);
    }
}

/// What a page says of a user: the words in front of the name, the action, the outcome, and whose words
/// they are where they are not both products'.
type Said = (&'static str, &'static str, &'static str, &'static str);

const WEB_LOGIN: &str = "web_login";
const WEB_LOGOUT: &str = "web_logout";

const PHRASES: [Said; 7] = [
    ("webConfigurator authentication error for user '", WEB_LOGIN, FAILURE, "pfSense"),
    ("webConfigurator authentication error for '", WEB_LOGIN, FAILURE, "pfSense"),
    ("Web GUI authentication error for '", WEB_LOGIN, FAILURE, "OPNsense"),
    ("Successful login for user '", WEB_LOGIN, SUCCESS, ""),
    ("Successful webConfigurator login for user '", WEB_LOGIN, SUCCESS, "pfSense"),
    ("User logged out for user '", WEB_LOGOUT, "", ""),
    ("Session timed out for user '", WEB_LOGOUT, "", ""),
];

/// `/index.php: webConfigurator authentication error for user 'admin' from: 192.0.2.1`, and what else a
/// page says.
fn read_page<'a>(message: &'a str, event: &mut Event<'a>) -> Option<()> {
    let (page, text) = message.strip_prefix('/')?.split_once(": ")?;
    if page.contains(' ') {
        return None;
    }
    let page = message.get(..page.len() + 1)?;
    if let Some(change) = text.strip_prefix("Configuration Change: ") {
        let (who, what) = change.split_once(": ")?;
        push_change(event, page, "pfSense");
        push_text(event, Field::EventReason, what);
        push_who(
            event,
            who.strip_suffix(')').and_then(|who| who.rsplit_once(" (")).map_or(who, |(who, _)| who),
        );
        return Some(());
    }
    let ((_, action, result, product), rest) = PHRASES.iter().find_map(|said| {
        let rest = text.strip_prefix(said.0)?;
        rest.contains(BETWEEN).then_some((said, rest))
    })?;
    event.push(Field::EventModule, "pfsense");
    event.push(Field::EventKind, "event");
    let is_login = *action == WEB_LOGIN;
    super::classify(event, if is_login { "authentication" } else { "session" }, action);
    if !result.is_empty() {
        outcome(event, result);
    }
    if !product.is_empty() {
        push_own(event, "observer.product", *product);
    }
    push_own(event, "url.path", page);
    if let Some(Login { user, address, authority }) = Login::read(rest) {
        push_text(event, Field::UserName, user);
        peer::push_address(event, address);
        if !authority.is_empty() {
            push_own(event, "pfsense.authority", authority);
        }
    }
    Some(())
}

/// What stands between a name and an address; a colon or a space follows.
const BETWEEN: &str = "' from";

/// Who logged in, from where, and who vouched for him.
#[derive(Debug, PartialEq, Eq)]
struct Login<'a> {
    user: &'a str,
    address: &'a str,
    authority: &'a str,
}

impl<'a> Login<'a> {
    /// Reads `USER' from: ADDRESS`, behind which pfSense may write headers, `[…]`, and who knew the
    /// user, ` (Local Database)`. None where the text has two readings.
    fn read(text: &'a str) -> Option<Login<'a>> {
        let plain = |text: &str| !text.contains(['(', ')', '[', ']', '\'']);
        let (text, authority) = match text.strip_suffix(')').and_then(|text| text.rsplit_once(" ("))
        {
            Some((text, authority)) if plain(authority) => (text, authority),
            _ => (text, ""),
        };
        let (user, address) = text.rsplit_once(BETWEEN)?;
        let address = address.strip_prefix(": ").or_else(|| address.strip_prefix(' '))?;
        // The scope of an address (`fe80::1%em0`) would take the end of a header for its own.
        if is_ip(address) && plain(address) {
            return Some(Login { user, address, authority });
        }
        // Only a name or headers without these words leave no doubt where one ends.
        let (address, headers) = address.split_once('[')?;
        let is_sure = !user.contains(BETWEEN) && headers.ends_with(']') && is_ip(address);
        is_sure.then_some(Login { user, address, authority })
    }
}

/// What OPNsense's log of audit says beside: who changed the configuration, and what the service for
/// passwords said, which is told again by the page that asked it.
fn read_audit<'a>(message: &'a str, event: &mut Event<'a>) -> Option<()> {
    let text = message.strip_prefix("user ")?;
    if let Some((who, rest)) = text.split_once(" changed configuration to ") {
        let (revision, rest) = rest.split_once(" in ")?;
        push_change(event, rest.split(' ').next().unwrap_or_default(), "OPNsense");
        push_own(event, "pfsense.revision", revision);
        let bare = who.strip_prefix('(').and_then(|who| who.strip_suffix(')'));
        push_who(event, bare.unwrap_or(who));
        return Some(());
    }
    let (user, service, result) = [
        (" authenticated successfully for ", SUCCESS),
        (" failed authentication for ", FAILURE),
        (" could not authenticate for ", FAILURE),
    ]
    .into_iter()
    .find_map(|(words, result)| {
        let (user, rest) = text.rsplit_once(words)?;
        Some((user, rest.split(' ').next()?.trim_end_matches('.'), result))
    })?;
    event.push(Field::EventModule, "pfsense");
    event.push(Field::EventKind, "event");
    // No login of its own: the page that asked says that there was one, and from where.
    super::classify(event, "session", "password-check");
    outcome(event, result);
    push_own(event, "observer.product", "OPNsense");
    push_text(event, Field::UserName, user);
    push_text(event, Field::ServiceName, service);
    Some(())
}

fn push_change<'a>(event: &mut Event<'a>, page: &'a str, product: &'static str) {
    event.push(Field::EventModule, "pfsense");
    event.push(Field::EventKind, "event");
    super::classify(event, "configuration", "configuration-changed");
    event.push(Field::EventType, "change");
    push_own(event, "observer.product", product);
    if !page.is_empty() {
        push_own(event, "url.path", page);
    }
}

/// `admin@192.0.2.1[headers]`, or what of the system itself made the change.
fn push_who<'a>(event: &mut Event<'a>, who: &'a str) {
    let known = who.split_once('[').map_or(who, |(who, _)| who);
    match known.rsplit_once('@') {
        Some((user, address)) if is_ip(address) => {
            push_text(event, Field::UserName, user);
            peer::push_address(event, address);
        }
        _ => push_text(event, Field::UserName, who.trim_matches(['(', ')'])),
    }
}

#[cfg(test)]
mod tests {
    use bergfried_event::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn of(message: &str) -> serde_json::Value {
        let mut event = Event::new(Timestamp::from_seconds(0), "");
        crate::programs::read(Some("php-fpm"), None, message, &mut event);
        serde_json::to_value(&event).unwrap()
    }

    #[test]
    fn logins_are_read_with_what_stands_behind_them() {
        for (rest, expected) in [
            ("admin' from: 192.0.2.1", Some(("admin", "192.0.2.1", ""))),
            ("admin' from: 2001:db8::7", Some(("admin", "2001:db8::7", ""))),
            (
                "admin' from: 192.0.2.1 (Local Database)",
                Some(("admin", "192.0.2.1", "Local Database")),
            ),
            ("admin' from: 192.0.2.1[10.0.0.9] (LDAP)", Some(("admin", "192.0.2.1", "LDAP"))),
            ("x' from: 6.6.6.6' from: 192.0.2.1", Some(("x' from: 6.6.6.6", "192.0.2.1", ""))),
            (
                "x' from: 6.6.6.6 (a)' from: 192.0.2.1",
                Some(("x' from: 6.6.6.6 (a)", "192.0.2.1", "")),
            ),
            // A header that looks like an address, and a name that looks like a header.
            ("admin' from: 192.0.2.1[x' from: 6.6.6.6]", None),
            ("x' from: 6.6.6.6[' from: 192.0.2.1[y]", None),
            ("admin' from: 192.0.2.1[' from: 6.6.6.6%]", None),
            ("x' from: 6.6.6.6[' from: 192.0.2.1", Some(("x' from: 6.6.6.6[", "192.0.2.1", ""))),
            ("admin' from: 192.0.2.1[x' from: 6.6.6.6 (b)] (a)", None),
            ("admin' from: somewhere", None),
        ] {
            let expected =
                expected.map(|(user, address, authority)| Login { user, address, authority });
            assert_eq!(Login::read(rest), expected, "{rest}");
        }
    }

    #[test]
    fn what_pages_say_has_its_action() {
        for (message, action, outcome, user, address) in [
            (
                "/index.php: webConfigurator authentication error for user 'admin' from: 192.0.2.1",
                "web_login",
                "failure",
                "admin",
                "192.0.2.1",
            ),
            (
                "/xmlrpc.php: webConfigurator authentication error for 'admin' from 192.0.2.1",
                "web_login",
                "failure",
                "admin",
                "192.0.2.1",
            ),
            (
                "/index.php: Successful webConfigurator login for user 'admin' from 192.0.2.1",
                "web_login",
                "success",
                "admin",
                "192.0.2.1",
            ),
            (
                "/index.php: User logged out for user 'admin' from: 192.0.2.1 (Local Database)",
                "web_logout",
                "",
                "admin",
                "192.0.2.1",
            ),
            (
                "/system_usermanager.php: Configuration Change: admin@192.0.2.1 (Local Database): Successfully edited user x",
                "configuration-changed",
                "",
                "admin",
                "192.0.2.1",
            ),
            (
                "/rc.newwanip: Configuration Change: (system): Set a new address",
                "configuration-changed",
                "",
                "system",
                "",
            ),
            (
                "user root@192.0.2.1 changed configuration to /conf/backup/config-1795255200.1.xml in /firewall_rules_edit.php /firewall_rules_edit.php made changes",
                "configuration-changed",
                "",
                "root",
                "192.0.2.1",
            ),
            (
                "user x authenticated successfully for y could not authenticate for WebGui. [using OPNsense\\Auth\\Local]",
                "password-check",
                "success",
                "x",
                "",
            ),
            ("/index.php: something else", "", "", "", ""),
            ("NOTICE: ready to handle connections", "", "", "", ""),
        ] {
            let event = of(message);
            let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
            let found =
                [text("event.action"), text("event.outcome"), text("user.name"), text("source.ip")];
            assert_eq!(found, [action, outcome, user, address], "{message}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        /// Whatever is typed as a name or sent as a header, the address is the peer's or none.
        #[test]
        fn no_name_and_no_header_moves_the_address(
            user in hostile(),
            headers in prop::option::of(hostile()),
            address in any::<std::net::Ipv4Addr>(),
            phrase in prop::sample::select(&PHRASES[..]),
            colon in prop::sample::select(&["", ":"][..]),
            authority in prop::option::of("[A-Za-z ]{1,12}"),
        ) {
            let address = address.to_string();
            let headers = headers.map(|text| format!("[{text}]")).unwrap_or_default();
            let authority = authority.map(|text| format!(" ({text})")).unwrap_or_default();
            let message = format!(
                "/index.php: {}{user}' from{colon} {address}{headers}{authority}",
                phrase.0,
            );
            let event = of(&message);
            prop_assert!(event["source.ip"].is_null() || event["source.ip"] == address.as_str(), "{message}");
            if headers.is_empty() {
                prop_assert_eq!(&event["source.ip"], address.as_str(), "{}", message);
            }
        }
    }

    /// Pieces of the program's own lines, put together at random.
    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("' from: 6.6.6.6".to_owned()),
            Just("' from 6.6.6.6".to_owned()),
            Just("' from: ".to_owned()),
            Just("' from ".to_owned()),
            Just("6.6.6.6".to_owned()),
            Just("[".to_owned()),
            Just("]".to_owned()),
            Just(" (".to_owned()),
            Just(")".to_owned()),
            Just("6.6.6.6[".to_owned()),
            Just("6.6.6.6%".to_owned()),
            Just("admin".to_owned()),
            "[ -~]{0,6}",
        ];
        prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }
}
