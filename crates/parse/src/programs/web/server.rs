//! Whose access log a line is from: the formats are the same everywhere, the path is not.

use bergfried_event::{Event, Field};

/// Servers by a part of the paths of their logs.
const SERVERS: [(&str, &str, &str, &str); 7] = [
    ("nginx", "nginx", "nginx.access", "nginx"),
    ("apache", "apache", "apache.access", "apache2"),
    ("httpd", "apache", "apache.access", "httpd"),
    ("caddy", "caddy", "caddy.access", "caddy"),
    ("traefik", "traefik", "traefik.access", "traefik"),
    ("lighttpd", "lighttpd", "lighttpd.access", "lighttpd"),
    ("litespeed", "litespeed", "litespeed.access", "litespeed"),
];

/// Says which server wrote a line of an access log that does not name one, by the path of the log.
pub fn name_server(event: &mut Event<'_>, path: &str) {
    if event.text(Field::EventModule) != Some("web") {
        return;
    }
    let is_in_path = |(part, ..): &&(&str, &str, &str, &str)| path.contains(part);
    // `lighttpd` holds `httpd`: the longest part counts.
    let longest = SERVERS.iter().filter(is_in_path).max_by_key(|(part, ..)| part.len());
    let Some((_, module, dataset, program)) = longest else { return };
    event.set(Field::EventModule, *module);
    event.set(Field::EventDataset, *dataset);
    if event.get(Field::ProcessName).is_none() {
        event.set(Field::ProcessName, *program);
    }
}
