use bergfried_process::{ChainFile, Chains, Files};
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Read {
    #[serde(default)]
    chain: Vec<ChainFile>,
}

fn translated(text: &str) -> Translation {
    let source = [Source { name: "test.conf", text }];
    translate(&source, &|_| None, &|_, _| None).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The chains of a translation, read back and compiled.
fn compiled(toml: &str) -> Chains {
    let read: Read = ::toml::from_str(toml).unwrap_or_else(|error| panic!("{error}\n{toml}"));
    Chains::compile(&read.chain, &Files::default()).unwrap_or_else(|mistakes| {
        let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        panic!("{}\n{toml}", mistakes.join("\n"))
    })
}

/// What was said of a pipeline: `line: loss: message`.
fn told(translation: &Translation) -> Vec<String> {
    let each =
        |one: &Diagnostic| format!("{}: {}: {}", one.place.line, one.loss.name(), one.message);
    translation.diagnostics.iter().map(each).collect()
}

/// The lines of a translation, comments and empty ones left out.
fn lines(translation: &Translation) -> Vec<&str> {
    let is_said = |line: &&str| !line.is_empty() && !line.starts_with('#');
    translation.toml.lines().filter(is_said).collect()
}

#[test]
fn a_pipeline_for_syslog_is_translated_whole() {
    let translation = translated(
        r#"
input {
  tcp { port => 5140 type => relay tags => ["net"] }
  udp { port => 5140 type => relay tags => ["net"] }
}
filter {
  if [type] == "relay" {
    grok {
      match => { "message" => ["%{SYSLOGTIMESTAMP:when} %{DATA:prog}: %{GREEDYDATA:words_said}", "%{GREEDYDATA:remainder_of_it}"] }
      add_field => [ "received_from", "%{host}" ]
      add_field => [ "day", "%{+YYYY.MM.dd}" ]
    }
  }
  if [words_said] { mutate { add_tag => [ "read" ] } }
}
output { if "net" in [tags] { file { path => "/srv/%{host}-%{prog}.log" codec => line { format => "%{message}" } } } }
"#,
    );
    assert_eq!(translation.count(Loss::Missing), 0, "{:?}", told(&translation));
    assert_eq!(translation.plugins, [2, 2, 1]);
    assert_eq!(
        lines(&translation),
        [
            "[[input]]",
            r#"name = "relay""#,
            r#"type = "syslog""#,
            r#"udp = ["0.0.0.0:5140"]"#,
            r#"tcp = ["0.0.0.0:5140"]"#,
            r#"tags = ["net"]"#,
            r#"fields = { type = "relay" }"#,
            "[[chain]]",
            r#"name = "logstash""#,
            r#"when = "input.name:relay""#,
            "[[chain.step]]",
            r#"when = '"type":relay'"#,
            r#"add_field = { received_from = "%{observer.ip}", day = "%{+yyyy.MM.dd}" }"#,
            "[chain.step.grok]",
            r#"field = "event.original""#,
            "patterns = [",
            r#"  "%{SYSLOGTIMESTAMP:when} %{DATA:prog}: %{GREEDYDATA:words_said}","#,
            r#"  "%{GREEDYDATA:remainder_of_it}","#,
            "]",
            "[[chain.step]]",
            r#"when = "words_said:*""#,
            r#"add_tag = "read""#,
            "[[output]]",
            r#"name = "file""#,
            r#"type = "file""#,
            r#"when = "input.name:relay AND tags:net""#,
            r#"path = "/srv/%{observer.ip}-%{prog}.log""#,
        ]
    );
    compiled(&translation.toml);
}

#[test]
fn what_is_lost_is_said_where_it_stands() {
    let translation = translated(
        r#"input { kafka { topics => ["x"] }
  beats { port => 5044 } }
filter {
  ruby { code => "event.set('a', 1)" }
  if [a] == [b] { drop { } }
  grok { match => { "message" => "%{IP:id}" } speed => 11 }
  mutate { remove_field => ["message", "@version"] }
}
output { elasticsearch { hosts => ["es:9200"] }
  email { to => "x" } stdout { codec => rubydebug } }
input { file { path => "/var/log/a.log" type => "a" sincedb_path => "/dev/null"
  codec => multiline { pattern => "^\s" what => "previous" } } }"#,
    );
    let mut told = told(&translation);
    let open: Vec<String> = told.extract_if(.., |one| one.contains("every input")).collect();
    assert_eq!(open.len(), 3, "{open:#?}");
    assert!(!translation.toml.contains("input.name"), "{}", translation.toml);
    let expected = [
        "1: missing: input kafka is not translated",
        "2: differs: input beats needs no table",
        "4: missing: filter ruby is not translated",
        "5: missing: a field cannot be compared with another field",
        "6: missing: setting `speed` of grok is not translated",
        "7: differs: `message` is kept",
        "9: differs: output elasticsearch needs no table",
        "10: missing: output email is not translated",
        "10: note: output stdout needs no table",
        "11: differs: input file is read by an agent",
        "11: missing: setting `type` of file is not translated",
        "12: missing: codec multiline is not translated",
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told}");
    }
    assert!(translation.toml.contains("%{IP:[logstash][id]}"), "{}", translation.toml);
    compiled(&translation.toml);
}

#[test]
fn a_message_that_filters_write_is_copied_first() {
    let written = translated(
        r#"input { tcp { port => 1 } } filter {
  grok { match => { "message" => "%{INT} %{GREEDYDATA:message}" } overwrite => ["message"] }
  mutate { gsub => ["message", "a+", "b"] remove_field => "message" } }"#,
    );
    assert!(written.toml.contains("mutate = { copy = { \"event.original\" = \"message\" } }"));
    assert!(written.toml.contains("field = \"message\""), "{}", written.toml);
    assert!(written.toml.contains("remove_field = \"message\""), "{}", written.toml);
    compiled(&written.toml);
    let parsed = translated(
        r#"input { syslog { } } filter { if [program] == "a1" and [message] =~ /x/ { drop { } } }"#,
    );
    assert!(parsed.toml.contains("process.name:/^a1$/ AND message:/x/"), "{}", parsed.toml);
    assert!(!parsed.toml.contains("copy"));
    compiled(&parsed.toml);
}

#[test]
fn branches_become_then_and_else() {
    let translation = translated(
        r#"filter {
  if [a] { mutate { add_tag => "a" } date { match => ["t", "ISO8601"] } }
  else if [b] { mutate { add_tag => "b" } }
  else { ruby { } drop { percentage => 40 } }
}
output {
  if [a] { file { path => "/x/a" } } else if [b] { null { } } else { file { path => "/x/b" } }
}"#,
    );
    assert_eq!(
        lines(&translation),
        [
            "[[chain]]",
            r#"name = "logstash""#,
            "[[chain.step]]",
            r#"when = "a:*""#,
            "[[chain.step.then]]",
            r#"add_tag = "a""#,
            "[[chain.step.then]]",
            r#"date = { field = "t", formats = "ISO8601" }"#,
            "[[chain.step.else]]",
            r#"when = "b:*""#,
            "[[chain.step.else.then]]",
            r#"add_tag = "b""#,
            "[[chain.step.else.else]]",
            "drop = { percentage = 40 }",
            "[[output]]",
            r#"name = "file""#,
            r#"type = "file""#,
            r#"when = "a:*""#,
            r#"path = "/x/a""#,
            r#"format = "json""#,
            "[[output]]",
            r#"name = "file-2""#,
            r#"type = "file""#,
            r#"when = "NOT a:* AND NOT b:*""#,
            r#"path = "/x/b""#,
            r#"format = "json""#,
        ]
    );
    compiled(&translation.toml);
}

#[test]
fn public_pipelines_have_forms_of_their_own() {
    let translation = translated(
        r#"filter {
  grok { match => [ "message", "%{COMBINEDAPACHELOG}" ] tag_on_failure => [ "" ] }
  date { match => [ "timestamp", "dd/MMM/YYYY:HH:mm:ss Z" ] }
  mutate {
    rename => { "a" => "b" } rename => { "b" => "c" } rename => { "x" => "x" } rename => { "a" => "b" }
    rename => { "when" => "@timestamp" } convert => [ "bytes", "integer" ]
  }
  mutate { }
  cidr { address => [ "%{[source][ip]}" ] network => [ "10.0.0.0/8", "::" ] add_tag => "private" }
  geoip { source => "[source][ip]" database => "/x.mmdb" target => "[source][geo]" }
  kv { source => "rest" trimkey => " " trim => "<>" field_split => "\\|" }
  translate { field => "code" destination => "what" dictionary => [ "1", "one", "2", "two" ] fallback => "?" }
}"#,
    );
    assert_eq!(translation.count(Loss::Missing), 0, "{:?}", told(&translation));
    let read: Read = ::toml::from_str(&translation.toml).unwrap();
    assert_eq!(read.chain[0].steps.len(), 10);
    for part in [
        r#"names = "legacy""#,
        "tag_on_failure = []",
        r#"date = { field = "timestamp", formats = "dd/MMM/YYYY:HH:mm:ss Z" }"#,
        "mutate = { rename = { a = \"b\" } }",
        "rename = { b = \"c\" }, convert = { bytes = \"integer\" }",
        r#"date = { field = "when", formats = "ISO8601" }"#,
        r#"cidr = { field = "source.ip", networks = ["10.0.0.0/8", "::"] }"#,
        r#"geoip = { field = "source.ip", database = "/x.mmdb", target = "source" }"#,
        r#"entries = { 1 = "one", 2 = "two" }"#,
    ] {
        assert!(translation.toml.contains(part), "{part} in {}", translation.toml);
    }
}

#[test]
fn readers_take_their_settings() {
    let translation = translated(
        r#"filter {
  kv { source => "a" target => "b" field_split => "&?" value_split => ":" include_keys => ["x"] prefix => "p_"
       whitespace => "strict" allow_duplicate_values => false remove_char_value => "<>" transform_key => "lowercase" }
  csv { columns => ["one", "two"] separator => ";" quote_char => "'" skip_empty_columns => true convert => { "two" => "integer" } }
  dissect { mapping => { "message" => "%{ts} %{+ts} %{host} %{rest}" } convert_datatype => { "n" => "int" } }
  json { source => "rest" target => "doc" skip_on_invalid_json => true }
  json { source => "message" tag_on_failure => ["_bad"] }
  syslog_pri { }
}"#,
    );
    assert_eq!(translation.count(Loss::Missing), 0, "{:?}", told(&translation));
    compiled(&translation.toml);
}

#[test]
fn tls_inputs_have_old_and_new_names() {
    for (settings, expected) in [
        (
            r#"ssl_enable => true ssl_cert => "/c" ssl_key => "/k" ssl_verify => false"#,
            &[r#"certificate = "/c""#, r#"key = "/k""#][..],
        ),
        (
            r#"ssl_enabled => true ssl_certificate => "/c" ssl_key => "/k"
               ssl_certificate_authorities => ["/ca"] ssl_client_authentication => "optional""#,
            &[r#"client_ca = "/ca""#, r#"client_certificate = "optional""#],
        ),
        (
            r#"ssl_enable => true ssl_cert => "/c" ssl_key => "/k" ssl_verify => true ssl_cacert => "/ca""#,
            &[r#"client_ca = "/ca""#, r#"client_certificate = "required""#],
        ),
    ] {
        let translation = translated(&format!("input {{ tcp {{ port => 6514 {settings} }} }}"));
        assert_eq!(translation.diagnostics, [], "{settings}");
        let lines = lines(&translation);
        assert!(lines.contains(&r#"tls = ["0.0.0.0:6514"]"#), "{lines:?}");
        for line in expected {
            assert!(lines.contains(line), "{line} of {lines:?}");
        }
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "says why it tests nothing")]
fn the_page_of_the_home_lab_is_translated_whole() {
    let page = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/reference/syslog-sec-alerta-homelab.md"
    );
    let Ok(page) = std::fs::read_to_string(page) else {
        eprintln!("skipped: {page} is not there");
        return;
    };
    let sections = ["input {", "filter {", "output {"];
    let mut text = String::new();
    for block in page.split("```").skip(1).step_by(2) {
        if sections.iter().any(|section| block.contains(section)) {
            let is_template = |line: &&str| line.trim_start().starts_with("{%");
            text.extend(
                block.lines().filter(|line| !is_template(line)).flat_map(|line| [line, "\n"]),
            );
        }
    }
    let translation = translated(&text);
    assert_eq!(translation.plugins, [2, 3, 1]);
    assert_eq!(translation.count(Loss::Missing), 0, "{:?}", told(&translation));
    assert!(translation.toml.contains("/srv/logstash/%{observer.ip}-%{syslog_program}.log"));
    compiled(&translation.toml);
}

proptest::proptest! {
    #[test]
    fn what_is_written_is_read_back(
        text in r#"[a-z "'\\%{}\[\]]{0,20}"#,
        name in r"[a-z@\[\]. ]{1,12}",
    ) {
        let quoted = text.replace(['\\', '"'], "");
        let text = format!(
            "filter {{ mutate {{ add_field => {{ \"{name}\" => \"{quoted}\" }} \
             rename => {{ \"{name}\" => \"{quoted}\" }} }} }}"
        );
        let source = [Source { name: "x\n", text: &text }];
        let translation = translate(&source, &|_| None, &|_, _| None).unwrap();
        let read: Result<Read, _> = ::toml::from_str(&translation.toml);
        proptest::prop_assert!(read.is_ok(), "{}", translation.toml);
    }
}
