//! Shippers from Debian that speak Elasticsearch's protocol or plain HTTP.

use std::path::Path;
use std::process::Command;

use crate::support::http::escaped;
use crate::support::hub::Hub;
use crate::support::process::Process;
use crate::support::wait_until;
use crate::syslog::shippers::syslog_ng;

/// rsyslogd, where it and its module for Elasticsearch are installed.
fn rsyslogd() -> Option<Command> {
    let is_there =
        |module: &std::fs::DirEntry| module.path().join("rsyslog/omelasticsearch.so").exists();
    let places = std::fs::read_dir("/usr/lib").ok()?.filter_map(Result::ok);
    let found = places.into_iter().any(|place| is_there(&place));
    let program = Path::new("/usr/sbin/rsyslogd");
    if !found || !program.exists() {
        eprintln!("skipped: rsyslog or its omelasticsearch.so is not installed");
        return None;
    }
    Some(Command::new(program))
}

fn numbered(count: usize) -> String {
    (0..count)
        .map(|n| {
            format!("<13>1 2026-03-01T11:00:00.{n:06}Z web app 7 - - line {n} of the shipper\n")
        })
        .collect()
}

/// Each line exactly once, of what this search finds.
fn assert_each_once(hub: &Hub, when: &str, query: &str, count: usize) {
    let path = format!("/api/v1/search?{when}&limit=1000&q={}", escaped(query));
    let events = hub.get(&path)["events"].as_array().unwrap().clone();
    let number = |message: &str| message.split(' ').nth(1).and_then(|number| number.parse().ok());
    let mut numbers: Vec<usize> = events
        .iter()
        .map(|event| {
            let message = event["message"].as_str().unwrap_or_default();
            number(message).unwrap_or_else(|| panic!("no line of the shipper: {event}"))
        })
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..count).collect::<Vec<_>>());
}

#[test]
fn rsyslog_delivers_through_its_elasticsearch_output() {
    const COUNT: usize = 900;
    let Some(mut rsyslogd) = rsyslogd() else { return };
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(&directory.path().join("data"));
    let port = hub.url.rsplit(':').next().unwrap();
    let input = directory.path().join("input.log");
    let work = directory.path().join("work");
    std::fs::create_dir(&work).unwrap();
    let lines: String = (0..COUNT).map(|n| format!("line {n} of the shipper\n")).collect();
    std::fs::write(&input, lines).unwrap();
    let config = directory.path().join("rsyslog.conf");
    let text = format!(
        r#"global(workDirectory="{work}")
module(load="imfile")
module(load="omelasticsearch")
template(name="document" type="list" option.jsonf="on") {{
    property(outname="@timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
    property(outname="host.name" name="hostname" format="jsonf")
    property(outname="process.name" name="programname" format="jsonf")
    property(outname="message" name="msg" format="jsonf")
}}
input(type="imfile" file="{input}" tag="shipper:" ruleset="ship" readTimeout="1")
ruleset(name="ship") {{
    action(type="omelasticsearch" server="127.0.0.1" serverport="{port}" template="document"
           searchIndex="rsyslog" searchType="" bulkmode="on" uid="rsyslog" pwd="{token}"
           queue.type="LinkedList" queue.dequeueBatchSize="100" action.resumeRetryCount="-1")
}}
"#,
        work = work.display(),
        input = input.display(),
        token = hub.agent_token(),
    );
    std::fs::write(&config, text).unwrap();
    rsyslogd.arg("-n").arg("-i").arg(work.join("pid")).arg("-f").arg(&config);
    let mut shipping = Process::spawn(&mut rsyslogd);
    wait_until("rsyslog to deliver", || {
        assert!(!shipping.has_ended(), "rsyslogd ended: {}{}", shipping.out(), shipping.err());
        hub.stored() >= COUNT as u64
    });
    shipping.kill();
    assert_eq!(hub.stored(), COUNT as u64);
    assert_each_once(&hub, "last=1h", "labels.index:rsyslog program:shipper", COUNT);
}

#[test]
fn syslog_ng_delivers_through_its_http_outputs() {
    const COUNT: usize = 900;
    let Some(mut syslog_ng) = syslog_ng() else {
        eprintln!("skipped: there is no syslog-ng, and scripts/unpack-packages got none");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(&directory.path().join("data"));
    let input = directory.path().join("input.log");
    std::fs::write(&input, numbered(COUNT)).unwrap();
    let config = directory.path().join("syslog-ng.conf");
    let text = format!(
        r#"@version: 3.38
options {{ keep-hostname(yes); stats-freq(0); }};
source lines {{ file("{input}" flags(syslog-protocol) follow-freq(0.2)); }};
destination documents {{
    http(url("{url}/syslog-ng/_bulk") method("POST") user("syslog-ng") password("{token}")
        headers("Content-Type: application/x-ndjson") batch-lines(100) batch-timeout(200)
        body("{{\"index\":{{}}}}\n$(format-json --scope rfc5424 --key ISODATE @timestamp=$ISODATE)")
        delimiter("\n") body-suffix("\n"));
}};
destination raw {{
    http(url("{url}/api/v1/raw?kind=syslog&tags=raw") method("POST")
        headers("Authorization: Bearer {token}") delimiter("\n") batch-lines(100)
        batch-timeout(200) body("<$PRI>1 $ISODATE $HOST $PROGRAM $PID - - $MESSAGE"));
}};
log {{ source(lines); destination(documents); destination(raw); }};
"#,
        input = input.display(),
        url = hub.url,
        token = hub.agent_token(),
    );
    std::fs::write(&config, text).unwrap();
    let at = |name: &str| directory.path().join(name);
    syslog_ng.args(["--foreground", "--no-caps", "--stderr"]);
    syslog_ng.arg("--cfgfile").arg(&config).arg("--persist-file").arg(at("persist"));
    syslog_ng.arg("--control").arg(at("control")).arg("--pidfile").arg(at("pid"));
    let mut shipping = Process::spawn(&mut syslog_ng);
    wait_until("syslog-ng to deliver", || {
        assert!(!shipping.has_ended(), "syslog-ng ended: {}{}", shipping.out(), shipping.err());
        hub.stored() >= 2 * COUNT as u64
    });
    shipping.kill();
    assert_eq!(hub.stored(), 2 * COUNT as u64, "{}", shipping.err());
    let when = "from=2026-03-01&to=2026-03-02";
    assert_each_once(&hub, when, "labels.index:syslog-ng host:web program:app", COUNT);
    assert_each_once(&hub, when, "tags:raw host:web program:app", COUNT);
}
