//! What a scope allows, which scopes a user has, and whose alerts a user sees.
//!
//! Pure: it looks at the settings and at the tables of permissions and customers, never at a request.

use super::settings::Auth;
use crate::auth::Role;

/// Every scope that Alerta knows; `CUSTOM_SCOPES` adds to them.
pub(crate) const SCOPES: &[&str] = &[
    "read",
    "write",
    "admin",
    "read:alerts",
    "write:alerts",
    "delete:alerts",
    "admin:alerts",
    "read:blackouts",
    "write:blackouts",
    "admin:blackouts",
    "read:heartbeats",
    "write:heartbeats",
    "admin:heartbeats",
    "write:users",
    "admin:users",
    "read:groups",
    "admin:groups",
    "read:perms",
    "admin:perms",
    "read:customers",
    "admin:customers",
    "read:keys",
    "write:keys",
    "admin:keys",
    "write:webhooks",
    "read:oembed",
    "read:management",
    "admin:management",
    "read:userinfo",
];

/// The roles of the console, and the scopes of each. `admin` is what the settings call it; the others
/// are words of every hub, unless a row of the table of permissions gives the word other scopes.
const CONSOLE_ROLES: [(Role, &[&str]); 3] = [
    (Role::Admin, &["admin", "read", "write"]),
    (Role::Operator, &["read", "write"]),
    (Role::Viewer, &["read"]),
];

/// What somebody with these scopes is in the console; none: nobody. Scopes of one resource, such as
/// `read:alerts`, make nobody a viewer of everything.
pub(crate) fn role_of(scopes: &[String]) -> Option<Role> {
    let roles = CONSOLE_ROLES
        .iter()
        .find(|(_, needed)| needed.iter().all(|scope| allows(scopes, scope, &[])));
    roles.map(|(role, _)| *role)
}

/// Whether who has these scopes may do what `wanted` says.
///
/// A scope is had by itself, by its bare action, or by a greater one of the same resource: who may
/// write may read, who may administer may write. To delete is to write, unless `DELETE_SCOPES` names
/// it: then it is to administer.
pub(crate) fn allows(had: &[String], wanted: &str, delete_scopes: &[String]) -> bool {
    let has = |scope: &str| had.iter().any(|had| had == scope);
    let (mut action, resource) = match wanted.split_once(':') {
        Some((action, resource)) => (action, Some(resource)),
        None => (wanted, None),
    };
    loop {
        let whole = match resource {
            Some(resource) => format!("{action}:{resource}"),
            None => action.to_owned(),
        };
        if has(&whole) || has(action) {
            return true;
        }
        action = match action {
            "read" => "write",
            "write" => "admin",
            "delete" if delete_scopes.contains(&whole) => "admin",
            "delete" => "write",
            _ => return false,
        };
    }
}

/// Whether this is a scope at all.
pub(crate) fn known(auth: &Auth, scope: &str) -> bool {
    SCOPES.contains(&scope) || auth.custom_scopes.iter().any(|custom| custom == scope)
}

/// The first of these scopes that `had` does not allow: nobody grants more than they have.
pub(crate) fn beyond<'a>(
    had: &[String],
    granted: &'a [String],
    delete_scopes: &[String],
) -> Option<&'a str> {
    granted.iter().map(String::as_str).find(|scope| !allows(had, scope, delete_scopes))
}

/// Someone who has logged in, as the tables of permissions and customers see them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    /// The name that they log in with.
    pub(crate) login: &'a str,
    pub(crate) roles: &'a [String],
    /// Names of groups.
    pub(crate) groups: &'a [String],
    /// Their e-mail address.
    pub(crate) email: Option<&'a str>,
    /// Whether somebody who may say so says that name and address are theirs; else neither gives
    /// them anything.
    pub(crate) is_vouched: bool,
}

impl Subject<'_> {
    fn is_named(&self, name: &str) -> bool {
        self.is_vouched && (self.login == name || self.email == Some(name))
    }

    /// Whether the settings name them as an administrator.
    pub(crate) fn is_admin(&self, auth: &Auth) -> bool {
        auth.admin_users.iter().any(|name| self.is_named(name))
    }

    fn has_role_of(&self, roles: &[String]) -> bool {
        self.roles.iter().any(|role| roles.contains(role))
    }

    fn domain(&self) -> Option<&str> {
        let address = self.email.unwrap_or(self.login);
        address.rsplit_once('@').map(|(_, domain)| domain).filter(|_| self.is_vouched)
    }

    /// Their scopes, in order and each once. `permissions`: what is matched, and the scopes it gives.
    pub(crate) fn scopes<'a>(
        &self,
        auth: &Auth,
        permissions: impl Iterator<Item = (&'a str, &'a [String])>,
    ) -> Vec<String> {
        let mut scopes: Vec<String> = Vec::new();
        let mut add = |more: &[String]| scopes.extend_from_slice(more);
        if self.is_admin(auth) || self.has_role_of(&auth.admin_roles) {
            add(&["admin", "read", "write"].map(str::to_owned));
        }
        if self.has_role_of(&auth.user_roles) {
            add(&auth.user_scopes);
        }
        if self.has_role_of(&auth.guest_roles) {
            add(&auth.guest_scopes);
        }
        let mut is_redefined = [false; CONSOLE_ROLES.len()];
        for (matched, given) in permissions {
            for ((role, _), is_redefined) in CONSOLE_ROLES.iter().zip(&mut is_redefined) {
                *is_redefined |= role.name() == matched;
            }
            let matches = self.is_named(matched)
                || self.roles.iter().any(|role| role == matched)
                || self.groups.iter().any(|group| group == matched);
            if matches {
                add(given);
            }
        }
        for ((role, given), is_redefined) in CONSOLE_ROLES.iter().zip(is_redefined) {
            let has = self.roles.iter().any(|word| word == role.name());
            if has && *role != Role::Admin && !is_redefined {
                scopes.extend(given.iter().map(|scope| (*scope).to_owned()));
            }
        }
        scopes.sort();
        scopes.dedup();
        scopes
    }

    /// The customers whose alerts they see; none: everyone's. `Err` where there is no customer for
    /// them. `table`: what is matched, and the customer it gives; `*` is every customer.
    pub(crate) fn customers<'a>(
        &self,
        auth: &Auth,
        table: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<Option<Vec<String>>, NoCustomer> {
        if !auth.customer_views || self.is_admin(auth) {
            return Ok(None);
        }
        let mut customers = Vec::new();
        for (matched, customer) in table {
            let matches = self.is_named(matched)
                || self.domain() == Some(matched)
                || self.roles.iter().any(|role| role == matched)
                || self.groups.iter().any(|group| group == matched);
            if !matches {
                continue;
            }
            if customer == "*" {
                return Ok(None);
            }
            customers.push(customer.to_owned());
        }
        customers.sort();
        customers.dedup();
        if customers.is_empty() { Err(NoCustomer) } else { Ok(Some(customers)) }
    }
}

/// No line of the table of customers matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoCustomer;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::alerta::settings::AlertaSettings;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn there_are_as_many_scopes_as_alerta_lists() {
        assert_eq!(SCOPES.len(), 29);
    }

    #[test]
    fn greater_scopes_include_lesser_ones() {
        for (had, wanted, yes) in [
            (&["read:alerts"][..], "read:alerts", true),
            (&["read"], "read:alerts", true),
            (&["write:alerts"], "read:alerts", true),
            (&["write"], "read:alerts", true),
            (&["admin:alerts"], "read:alerts", true),
            (&["admin"], "read:alerts", true),
            (&["admin"], "write:keys", true),
            (&["admin"], "admin:users", true),
            (&["admin"], "read", true),
            (&["write"], "admin:alerts", false),
            (&["read"], "write:alerts", false),
            (&["write"], "admin", false),
            (&["write:alerts"], "write", false),
            (&["write:alerts"], "write:heartbeats", false),
            (&["admin:heartbeats"], "read:alerts", false),
            (&["write:alerts"], "delete:alerts", true),
            (&["write"], "delete:alerts", true),
            (&["read"], "delete:alerts", false),
            (&["delete:alerts"], "delete:alerts", true),
            (&["delete:alerts"], "read:alerts", false),
            (&["write:blackouts"], "delete:blackouts", false),
            (&["write", "read"], "delete:blackouts", false),
            (&["admin:blackouts"], "delete:blackouts", true),
            (&["delete"], "delete:blackouts", true),
            (&["write:alerts.own"], "write:alerts", false),
            (&["write:alerts.own"], "read:alerts.own", true),
            (&["write:"], "write:alerts", false),
            (&[""], "read:alerts", false),
            (&[], "read:alerts", false),
        ] {
            let had_list = words(had);
            let delete = words(&["delete:blackouts"]);
            assert_eq!(allows(&had_list, wanted, &delete), yes, "{had:?} {wanted}");
        }
    }

    #[test]
    fn nobody_grants_more_than_they_have() {
        for (had, granted, first) in [
            (&["read", "write"][..], &["read", "write:keys"][..], None),
            (&["read", "write"], &["read", "admin:keys"], Some("admin:keys")),
            (&["admin"], &["read", "write", "admin", "admin:users"], None),
            (&["write:keys"], &["write:alerts"], Some("write:alerts")),
            (&[], &["read"], Some("read")),
            (&[], &[], None),
        ] {
            assert_eq!(beyond(&words(had), &words(granted), &[]), first, "{had:?} {granted:?}");
        }
    }

    fn auth() -> Auth {
        let mut auth = AlertaSettings::default().auth;
        auth.admin_users = words(&["root@example.org"]);
        auth.customer_views = true;
        auth
    }

    #[test]
    fn scopes_come_from_roles_names_groups_and_the_table() {
        let auth = auth();
        let table = [
            ("ops", words(&["admin:alerts"])),
            ("ann", words(&["write:webhooks"])),
            ("crew", words(&["read:perms", "read"])),
            ("viewer", words(&["read:oembed"])),
        ];
        for (login, roles, groups, expected) in [
            ("root@example.org", &[][..], &[][..], &["admin", "read", "write"][..]),
            ("bob", &["admin"], &[], &["admin", "read", "write"]),
            ("bob", &["user"], &[], &["read", "write"]),
            ("bob", &["guest"], &[], &["read:alerts"]),
            ("bob", &["ops"], &[], &["admin:alerts"]),
            ("bob", &["operator"], &[], &["read", "write"]),
            ("bob", &["viewer"], &[], &["read:oembed"]),
            ("ann", &["user"], &[], &["read", "write", "write:webhooks"]),
            ("bob", &["user"], &["crew"], &["read", "read:perms", "write"]),
            ("bob", &[], &[], &[]),
            ("bob", &["Admin"], &[], &[]),
        ] {
            let (roles, groups) = (words(roles), words(groups));
            let subject =
                Subject { login, roles: &roles, groups: &groups, email: None, is_vouched: true };
            let rows = table.iter().map(|(matched, scopes)| (*matched, scopes.as_slice()));
            assert_eq!(subject.scopes(&auth, rows), words(expected), "{subject:?}");
        }
    }

    #[test]
    fn roles_of_the_console_come_from_scopes() {
        for (scopes, role) in [
            (&["admin", "read", "write"][..], Some(Role::Admin)),
            (&["admin"], Some(Role::Admin)),
            (&["read", "write"], Some(Role::Operator)),
            (&["write"], Some(Role::Operator)),
            (&["read"], Some(Role::Viewer)),
            (&["read", "admin:alerts"], Some(Role::Viewer)),
            (&["read:alerts"], None),
            (&["admin:alerts", "write:alerts"], None),
            (&[], None),
        ] {
            assert_eq!(role_of(&words(scopes)), role, "{scopes:?}");
        }
    }

    #[test]
    fn customers_come_from_the_table_alone() {
        let auth = auth();
        let table = [
            ("ann", "Foo"),
            ("example.com", "Bar"),
            ("crew", "Baz"),
            ("boss", "*"),
            ("ann", "Foo"),
        ];
        for (login, roles, groups, expected) in [
            ("root@example.org", &[][..], &[][..], Ok(None)),
            ("ann", &[], &[], Ok(Some(words(&["Foo"])))),
            ("ann", &[], &["crew"], Ok(Some(words(&["Baz", "Foo"])))),
            ("bob@example.com", &[], &[], Ok(Some(words(&["Bar"])))),
            ("bob@notexample.com", &[], &[], Err(NoCustomer)),
            ("bob@example.com.evil.org", &[], &[], Err(NoCustomer)),
            ("bob", &["boss"], &[], Ok(None)),
            ("bob", &["admin"], &[], Err(NoCustomer)),
            ("bob", &[], &[], Err(NoCustomer)),
        ] {
            let (roles, groups) = (words(roles), words(groups));
            let subject =
                Subject { login, roles: &roles, groups: &groups, email: None, is_vouched: true };
            assert_eq!(subject.customers(&auth, table.iter().copied()), expected, "{subject:?}");
        }
        let claimed =
            |login| Subject { login, roles: &[], groups: &[], email: None, is_vouched: false };
        for login in ["root@example.org", "ann", "bob@example.com"] {
            let customers = claimed(login).customers(&auth, table.iter().copied());
            assert_eq!(customers, Err(NoCustomer), "a name that anyone can claim gives nothing");
            assert_eq!(claimed(login).scopes(&auth, std::iter::empty()), Vec::<String>::new());
        }
        let off = Auth { customer_views: false, ..auth };
        let subject =
            Subject { login: "bob", roles: &[], groups: &[], email: None, is_vouched: true };
        assert_eq!(subject.customers(&off, table.iter().copied()), Ok(None));
    }
}
