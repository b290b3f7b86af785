//! The reference page says what there is, and its examples work.

use crate::steps::tests::chains;
use crate::{Chains, Files, KINDS};

const PAGE: &str = include_str!("../../../../docs/chains.md");

/// The examples in TOML of a text.
fn examples(text: &str) -> Vec<&str> {
    let blocks = text.split("```toml\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap()).collect()
}

/// The keys that a step of this kind takes, as the error about an unknown one lists them.
fn keys(kind: &str) -> Vec<String> {
    let text = format!("[[chain]]\nname = 'x'\n[[chain.step]]\n{kind} = {{ no_such_key = 1 }}");
    #[derive(Debug, serde::Deserialize)]
    struct File {
        #[expect(dead_code, reason = "only its mistakes are looked at")]
        chain: Vec<crate::ChainFile>,
    }
    let error = toml::from_str::<File>(&text).unwrap_err();
    let words = error.message().split('`').skip(1).step_by(2);
    words.skip(1).map(str::to_owned).collect()
}

#[test]
fn every_kind_has_a_section_with_all_of_its_keys_and_an_example() {
    for kind in KINDS {
        let heading = format!("\n### `{}`\n", kind.key);
        let section = PAGE.split(&heading).nth(1).unwrap_or_else(|| panic!("no {}", kind.key));
        let section = section.split("\n### ").next().unwrap();
        let keys = keys(kind.key);
        assert!(!keys.is_empty(), "{}", kind.key);
        for key in keys {
            assert!(section.contains(&format!("`{key}`")), "{} has no word on {key}", kind.key);
        }
        if let Some(tag) = kind.failure_tag {
            assert!(section.contains(tag), "{} has no word on {tag}", kind.key);
        }
        let with_it = |text: &&str| text.contains(&format!("\n{} = ", kind.key));
        assert!(examples(section).iter().any(with_it), "{}", kind.key);
    }
    assert_eq!(PAGE.matches("\n### `").count(), KINDS.len());
}

#[test]
fn every_example_compiles() {
    for example in examples(PAGE) {
        let read = chains(example);
        // What is in a file of places is not for us to ship.
        if Chains::files(&read).is_empty() {
            Chains::compile(&read, &Files::default())
                .unwrap_or_else(|told| panic!("{}\n{example}", told[0]));
        }
    }
}
