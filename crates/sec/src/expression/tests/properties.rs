//! Any text is an expression or a mistake; arithmetic, comparison and paths against naive references.

use proptest::prelude::*;

use super::super::{Expression, Number, Tables, Value};
use super::{World, parse};

/// Pieces that expressions are made of, right and wrong.
fn soup() -> impl Strategy<Value = String> {
    let names =
        super::super::functions::FUNCTIONS.iter().map(|function| format!("{}(", function.name));
    let signs = [
        "+",
        "-",
        "*",
        "/",
        "%",
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "=",
        "!",
        "&&",
        "||",
        "and",
        "or",
        "not",
        "(",
        ")",
        ",",
        "'",
        "\"",
        "\\",
        "true",
        "false",
        "$1",
        "${2}",
        "$+{user}",
        "$:{SSH:ip}",
        "%1",
        "%name",
        "%{name}",
        "$",
        "%",
        "0",
        "1",
        "2",
        "60",
        "0.5",
        "'a'",
        "\"x $1\"",
        "'10.0.0.0/8'",
        "'a.b[0]'",
        "'^a.*$'",
        "'roles.csv'",
        ";",
        "ä",
        " ",
        "9223372036854775807",
        "if(",
    ];
    let words: Vec<String> = names.chain(signs.map(str::to_owned)).collect();
    prop::collection::vec(prop::sample::select(words), 0..40).prop_map(|words| words.join(" "))
}

/// Arithmetic over whole numbers as a tree of its own, printed and worked out in 128 bits.
#[derive(Debug, Clone)]
enum Tree {
    Leaf(i64),
    Pair(char, Box<Tree>, Box<Tree>),
    Minus(Box<Tree>),
}

impl Tree {
    fn text(&self) -> String {
        match self {
            Self::Leaf(number) => number.to_string(),
            Self::Pair(sign, left, right) => format!("({} {sign} {})", left.text(), right.text()),
            Self::Minus(one) => format!("-({})", one.text()),
        }
    }

    /// The same with no parentheses but where they are needed: the grammar's own order.
    fn bare(&self, strength: u8) -> String {
        match self {
            Self::Leaf(number) if *number < 0 => format!("({number})"),
            Self::Leaf(number) => number.to_string(),
            Self::Minus(one) => format!("-{}", one.bare(3)),
            Self::Pair(sign, left, right) => {
                let own = if matches!(sign, '+' | '-') { 1 } else { 2 };
                let text = format!("{}{sign}{}", left.bare(own), right.bare(own + 1));
                if own < strength { format!("({text})") } else { text }
            }
        }
    }

    fn value(&self) -> Option<i64> {
        let value = match self {
            Self::Leaf(number) => i128::from(*number),
            Self::Minus(one) => -i128::from(one.value()?),
            Self::Pair(sign, left, right) => {
                let (left, right) = (i128::from(left.value()?), i128::from(right.value()?));
                match sign {
                    '+' => left + right,
                    '-' => left - right,
                    '*' => left.checked_mul(right)?,
                    _ if right == 0 => return None,
                    // The sign of the divisor, as Perl has it.
                    _ => {
                        left - right * left.div_euclid(right)
                            - if right < 0 && left.rem_euclid(right) != 0 { -right } else { 0 }
                    }
                }
            }
        };
        i64::try_from(value).ok()
    }
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![-20..20_i64, any::<i64>()].prop_map(Tree::Leaf);
    leaf.prop_recursive(5, 40, 2, |inner| {
        let signs = prop::sample::select(vec!['+', '-', '*', '%']);
        prop_oneof![
            (signs, inner.clone(), inner.clone()).prop_map(|(sign, left, right)| Tree::Pair(
                sign,
                left.into(),
                right.into()
            )),
            inner.prop_map(|one| Tree::Minus(one.into())),
        ]
    })
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        "[a-z\"\\\\é\n]{0,4}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 30, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map("[ab\"é]{1,2}", inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_words_are_an_expression_or_a_mistake(text in soup()) {
        match parse(&text) {
            Ok(expression) => drop(expression.evaluate(&mut World::new(), 1_795_303_800)),
            Err(mistake) => prop_assert!(mistake.at <= text.len() && !mistake.to_string().is_empty()),
        }
    }

    #[test]
    fn any_text_is_an_expression_or_a_mistake(text in any::<String>()) {
        if let Err(mistake) = parse(&text) {
            prop_assert!(mistake.at <= text.len());
        }
    }

    #[test]
    fn whole_numbers_are_exact_or_nothing(tree in tree()) {
        let wanted = tree.value().map_or(Value::Undefined, Value::from);
        let mut world = World::new();
        for text in [tree.text(), tree.bare(0)] {
            let expression = parse(&text).unwrap_or_else(|mistake| panic!("{text}: {mistake}"));
            prop_assert_eq!(expression.evaluate(&mut world, 0), wanted.clone(), "{}", text);
        }
    }

    #[test]
    fn numbers_compare_as_they_are(left in any::<i64>(), near in -3..3_i64) {
        let other = left.saturating_add(near);
        let decimal = Number::Decimal(other as f64);
        // The decimal is whole, so that 128 bits hold it exactly.
        prop_assert_eq!(Number::Integer(left).compare(decimal), i128::from(left).cmp(&((other as f64) as i128)));
        prop_assert_eq!(decimal.compare(Number::Integer(left)), ((other as f64) as i128).cmp(&i128::from(left)));
    }

    #[test]
    fn paths_find_what_a_tree_has(value in json(), steps in prop::collection::vec(prop_oneof![
        (0..4_usize).prop_map(Ok), "[ab\"é]{1,2}".prop_map(Err),
    ], 1..5)) {
        let mut found = Some(&value);
        let mut path = String::new();
        for step in &steps {
            found = match step {
                Ok(index) => found.and_then(serde_json::Value::as_array).and_then(|list| list.get(*index)),
                Err(name) => found.and_then(serde_json::Value::as_object).and_then(|map| map.get(name)),
            };
            match step {
                Ok(index) => path.push_str(&format!("[{index}]")),
                Err(name) => path.push_str(&format!("['{name}']")),
            }
        }
        let wanted = match found {
            Some(serde_json::Value::Bool(truth)) => Value::from(*truth),
            Some(serde_json::Value::Number(number)) => Value::from(number.as_i64().unwrap()),
            Some(serde_json::Value::String(text)) => Value::from(text.as_bytes().to_vec()),
            _ => Value::Undefined,
        };
        if value.is_array() || value.is_object() {
            let text = format!(" {value} and more");
            prop_assert_eq!(super::super::json::Path::read(&path).unwrap().find(text.as_bytes()), Ok(wanted), "{} in {}", path, text);
        }
    }

    #[test]
    fn parts_of_a_split_text_make_the_text(parts in prop::collection::vec("[a-c]{0,3}", 1..6)) {
        let none = |_: &str| Err(String::new());
        let text = parts.join(",");
        let mut world = World::new();
        for (at, part) in parts.iter().enumerate() {
            for number in [at as i64 + 1, at as i64 - parts.len() as i64] {
                let code = format!("split('{text}', ',', {number})");
                let expression = Expression::parse(&code, &mut Tables::new(&none)).unwrap();
                prop_assert_eq!(expression.evaluate(&mut world, 0), Value::from(part.as_bytes().to_vec()), "{}", code);
            }
        }
    }
}
