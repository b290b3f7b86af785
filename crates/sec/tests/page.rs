//! The rule set of the home-lab page as it is published: it loads without a mistake, and the check
//! says of it what is wrong with it and nothing else. Skipped where the page is not there.

use std::path::Path;
use std::sync::Arc;

use bergfried_sec::check::check;
use bergfried_sec::{LoadOptions, RuleFile, RuleSet, SourceFile};

/// The rules in the page's fenced blocks, its template filled in.
fn rules() -> Option<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/reference/syslog-sec-alerta-homelab.md");
    let page = std::fs::read_to_string(path).ok()?;
    let blocks = page.split("```ini\n").skip(1).filter_map(|rest| Some(rest.split_once("```")?.0));
    let filled = blocks.filter(|block| block.contains("ptype=")).map(|block| {
        let mut text = block.replace("{% raw %}", "").replace("{% endraw %}", "");
        for (name, value) in [
            ("log_dir", "/srv/logstash"),
            ("alerta_api_address", "http://127.0.0.1/api"),
            ("inventory_hostname", "hub"),
            ("sec_email.from", "sec@example.org"),
            ("sec_email.to", "root@example.org"),
            ("sec_email.server", "mail.example.org"),
            ("sec_email.port", "25"),
        ] {
            text = text.replace(&format!("{{{{ {name} }}}}"), value);
        }
        assert!(!text.contains("{{"), "{text}");
        text
    });
    Some(filled.collect())
}

#[test]
#[expect(clippy::print_stderr, reason = "why it is skipped")]
fn the_page_has_the_mistakes_it_has_and_no_others() {
    let Some(blocks) = rules() else {
        eprintln!("skipped: the home-lab page is not there");
        return;
    };
    let none = |_: &str| Err("there is none".to_owned());
    let mut counts = Vec::new();
    for (at, text) in blocks.into_iter().enumerate() {
        let source = SourceFile { name: format!("block-{at}.sec"), text: text.into_bytes() };
        let mut options = LoadOptions { fields: false, perl: None, tables: &none, bufsize: 0 };
        let (file, mistakes) = RuleFile::read(&source, &mut options);
        assert_eq!(mistakes, []);
        let rules = file.rules().len();
        let warnings = check(&RuleSet { files: vec![Arc::new(file)] }, &[]);
        // The one thing: `--text \'$0\'`, which hands the line to the shell outside quotes.
        let in_vain = warnings.iter().filter(|one| one.message.contains("quotes nothing"));
        assert_eq!(in_vain.count(), warnings.len(), "{warnings:#?}");
        counts.push((rules, warnings.len()));
    }
    assert_eq!(counts, [(1, 0), (1, 0), (2, 0), (14, 11)]);
}
