//! Security contexts of SELinux: `user:role:type:level:category`.

/// The parts of a context; empty where it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Context<'a> {
    pub(super) user: &'a str,
    pub(super) role: &'a str,
    pub(super) domain: &'a str,
    pub(super) level: &'a str,
    pub(super) category: &'a str,
}

impl<'a> Context<'a> {
    /// The parts; `None` where it has fewer than three, as those of other modules.
    pub(super) fn read(text: &'a str) -> Option<Context<'a>> {
        let mut parts = text.splitn(5, ':');
        let (user, role, domain) = (parts.next()?, parts.next()?, parts.next()?);
        let mut rest = || parts.next().unwrap_or_default();
        Some(Context { user, role, domain, level: rest(), category: rest() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_are_taken_apart() {
        let read = |text| {
            Context::read(text).map(|it| [it.user, it.role, it.domain, it.level, it.category])
        };
        assert_eq!(
            read("system_u:system_r:sshd_t:s0-s0:c0.c1023"),
            Some(["system_u", "system_r", "sshd_t", "s0-s0", "c0.c1023"])
        );
        assert_eq!(read("a:b:c_t"), Some(["a", "b", "c_t", "", ""]));
        assert_eq!(read("unconfined"), None);
        assert_eq!(read("/usr/sbin/mysqld (enforce)"), None);
    }
}
