use bergfried_query::Pattern;

use super::*;

const MINUTE: i64 = 60 * Timestamp::SECOND;

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_seconds(1_700_000_000).plus_micros(minutes * MINUTE)
}

fn seen(via: Via) -> Sighting {
    let mut seen = Sighting::new(via);
    seen.events = 1;
    seen
}

fn registry() -> Registry {
    Registry::new(Vec::new(), HostPolicy::default())
}

/// The hosts that the alerts are told of, with how long they may be silent.
fn told(registry: &mut Registry, now: Timestamp) -> Vec<(String, u32)> {
    let alive = registry.alive(now).into_iter();
    let mut told: Vec<_> = alive.map(|alive| (alive.host, alive.silent_after)).collect();
    told.sort_unstable();
    told
}

#[test]
fn a_name_in_lines_is_missed_only_after_an_hour_without_a_gap() {
    let mut registry = registry();
    for minute in (0..60).step_by(10) {
        registry.hear("web", seen(Via::Lines), at(minute));
        assert_eq!(told(&mut registry, at(minute)), [], "{minute}");
    }
    // A quarter of an hour without a word: the hour begins anew.
    registry.hear("web", seen(Via::Lines), at(65));
    for minute in (75..125).step_by(10) {
        registry.hear("web", seen(Via::Lines), at(minute));
        assert_eq!(told(&mut registry, at(minute)), [], "{minute}");
    }
    registry.hear("web", seen(Via::Lines), at(125));
    assert_eq!(told(&mut registry, at(125)), [("web".to_owned(), 900)]);
    // From then on it is, and the alerts are told at most once a minute.
    registry.hear("web", seen(Via::Lines), at(125));
    assert_eq!(told(&mut registry, at(125)), []);
    registry.hear("web", seen(Via::Lines), at(300));
    assert_eq!(told(&mut registry, at(300)), [("web".to_owned(), 900)]);
    assert_eq!(told(&mut registry, at(301)), [], "nothing was heard since");
}

#[test]
fn whose_silence_is_told_is_for_the_policy_to_say() {
    let with = |watch| HostPolicy {
        watch,
        overrides: vec![(Pattern::with_wildcards("lab*", false), None)],
        ..HostPolicy::default()
    };
    for (watch, expected) in [
        (Watch::All, vec!["lines", "spoke"]),
        (Watch::Agents, vec!["spoke"]),
        (Watch::None, vec![]),
    ] {
        let mut registry = Registry::new(Vec::new(), with(watch));
        for minute in 0..62 {
            registry.hear("lines", seen(Via::Lines), at(minute));
            registry.hear("lab1", seen(Via::Lines), at(minute));
            registry.hear("agent", seen(Via::Agent), at(minute));
        }
        registry.hear("spoke", seen(Via::Heimdall), at(61));
        registry.watch("spoke");
        registry.watch("lab1");
        let told: Vec<String> =
            told(&mut registry, at(61)).into_iter().map(|(host, _)| host).collect();
        assert_eq!(told, expected, "{watch:?}");
    }
}

#[test]
fn who_gets_an_agent_is_missed_as_an_agent_alone() {
    let mut registry = registry();
    registry.hear("web", seen(Via::Heimdall), at(0));
    registry.watch("web");
    assert_eq!(told(&mut registry, at(0)), [("web".to_owned(), 900)]);
    registry.hear("web", seen(Via::Agent), at(1));
    assert_eq!(told(&mut registry, at(1)), [("web".to_owned(), 0)]);
    registry.hear("web", seen(Via::Agent), at(2));
    assert_eq!(told(&mut registry, at(2)), []);

    // What the alerts could not be told of is told again.
    registry.hear("db", seen(Via::Heimdall), at(3));
    registry.watch("db");
    let alive = registry.alive(at(3));
    registry.not_told(&alive[0]);
    assert_eq!(told(&mut registry, at(3)), [("db".to_owned(), 900)]);
    registry.hear("db", seen(Via::Agent), at(4));
    let alive = registry.alive(at(4));
    registry.not_told(&alive[0]);
    assert_eq!(told(&mut registry, at(4)), [("db".to_owned(), 0)]);
    assert_eq!(registry.watched, 0);
}

#[test]
fn a_flood_of_names_pushes_out_strangers_alone() {
    let mut registry = registry();
    for minute in 0..62 {
        registry.hear("known", seen(Via::Lines), at(minute));
    }
    registry.hear("agent", seen(Via::Agent), at(0));
    for number in 0..2 * MAX_HOSTS {
        registry.hear(&format!("flood-{number}"), seen(Via::Lines), at(62));
        assert!(registry.hosts.len() <= MAX_HOSTS);
    }
    assert!(registry.get("known").is_some() && registry.get("agent").is_some());
    let last = format!("flood-{}", 2 * MAX_HOSTS - 1);
    assert!(registry.get(&last).is_some(), "who came last is there");
    let (changed, gone) = registry.changes();
    assert_eq!(changed.len(), registry.hosts.len());
    assert!(gone.iter().all(|name| registry.get(name).is_none()));
    assert!(told(&mut registry, at(62)).len() <= 1);

    // A whole registry of hosts that were heard of regularly takes in agents alone.
    for minute in (62..=132).step_by(10) {
        for name in registry.hosts.keys().cloned().collect::<Vec<_>>() {
            registry.hear(&name, seen(Via::Lines), at(minute));
        }
        for number in registry.hosts.len()..MAX_HOSTS {
            registry.hear(&format!("more-{number}"), seen(Via::Lines), at(minute));
        }
    }
    assert!(!registry.hear("late", seen(Via::Lines), at(133)));
    assert_eq!(registry.shed().refused, 1);
    assert!(registry.hear("late", seen(Via::Agent), at(133)));
    // No more alerts than may be, however regularly the names came.
    let told = told(&mut registry, at(133));
    assert_eq!(told.len(), HostPolicy::default().most_watched);
    assert!(registry.shed().unwatched > 0);
}

#[test]
fn what_was_written_is_what_was_known() {
    let mut registry = registry();
    for minute in 0..62 {
        let mut seen = seen(Via::Lines);
        seen.os = Some((Sure::Guessed, OsType::Linux));
        seen.address = Some("192.0.2.1".to_owned());
        registry.hear("web", seen, at(minute));
    }
    assert_eq!(told(&mut registry, at(61)).len(), 1);
    let (rows, gone) = registry.changes();
    assert_eq!((rows.len(), gone.len()), (1, 0));
    assert_eq!(registry.changes(), (Vec::new(), Vec::new()));
    registry.not_written(&rows, gone);
    assert_eq!(registry.changes().0, rows);

    let mut again = Registry::new(rows.clone(), HostPolicy::default());
    assert_eq!((again.watched, again.changes().0.len()), (1, 0));
    let web = again.get("web").unwrap();
    assert_eq!((web.row.os_type.as_str(), web.row.events), ("LINUX", 62));
    assert!(web.is_online(&HostPolicy::default(), at(76)));
    assert!(!web.is_online(&HostPolicy::default(), at(77)));
    assert!(again.forget("web") && !again.forget("web"));
    assert_eq!(again.watched, 0);
}

#[test]
fn a_surer_word_on_the_system_replaces_a_guess() {
    let mut registry = registry();
    let mut hear = |sure, os| {
        let mut seen = seen(Via::Lines);
        seen.os = Some((sure, os));
        registry.hear("h", seen, at(0));
        registry.get("h").unwrap().row.os_type.clone()
    };
    assert_eq!(hear(Sure::Filter, OsType::Firewall), "FIREWALL");
    assert_eq!(hear(Sure::Guessed, OsType::Linux), "LINUX");
    assert_eq!(hear(Sure::Filter, OsType::Firewall), "LINUX");
    assert_eq!(hear(Sure::Said, OsType::Macos), "MACOS");
    assert_eq!(hear(Sure::Guessed, OsType::Linux), "MACOS");
}

#[test]
fn a_flood_of_names_costs_little_where_there_is_no_room() {
    let mut registry = registry();
    for minute in (0..=70).step_by(10) {
        for number in 0..MAX_HOSTS - 1 {
            registry.hear(&format!("known-{number}"), seen(Via::Lines), at(minute));
        }
    }
    // One place is left, which is nobody's for long.
    registry.hear("stranger", seen(Via::Lines), at(70));
    let begun = std::time::Instant::now();
    let flood = 20_000;
    for number in 0..flood {
        registry.hear(&format!("flood-{number}"), seen(Via::Lines), at(71));
    }
    let took = begun.elapsed();
    assert!(took < std::time::Duration::from_secs(10), "{took:?}");
    assert_eq!(registry.shed().refused, flood - 1);
    assert!(registry.hear("later", seen(Via::Lines), at(72)), "a moment later it is looked again");
    assert!(!registry.hear("at once", seen(Via::Lines), at(72)));
    assert!(registry.hear("agent", seen(Via::Agent), at(72)), "an agent waits for nobody");
}
