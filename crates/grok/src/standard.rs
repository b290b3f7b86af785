//! The standard set of patterns, with one or the other names of fields.

/// Which names the standard patterns give to fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Names {
    /// Those of the Elastic Common Schema, `source.ip`; Logstash's `ecs_compatibility => v1` or
    /// `v8`, its default since version 8.
    #[default]
    Ecs,
    /// Those from before, `clientip`; Logstash's `ecs_compatibility => disabled`.
    Legacy,
}

/// All definitions, in the order of their file.
pub(crate) fn definitions(names: Names) -> impl Iterator<Item = (&'static str, &'static str)> {
    let file = match names {
        Names::Ecs => include_str!("../patterns/ecs.grok"),
        Names::Legacy => include_str!("../patterns/legacy.grok"),
    };
    file.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' '))
}
