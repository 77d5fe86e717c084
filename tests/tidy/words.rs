//! A rule for what the box says: words that the order doesn't allow of a lead stand in no text of
//! the API, its document, the console, the reports, the command lines and the guides.

use std::fs;

use crate::source::{Kind, Source, Token};

/// Words that would make more of a lead than it is, as they begin.
const FORBIDDEN: [&str; 12] = [
    "match",
    "mismatch",
    "percent",
    "probab",
    "identified",
    "identifies",
    "confidence",
    "likelihood",
    "hit rate",
    "hit list",
    "suspect identified",
    "perpetrator",
];

#[test]
fn no_text_says_more_of_a_lead_than_the_order_allows() {
    let root = crate::root();
    let mut wrong: Vec<String> = crate::rust_files("src").iter().flat_map(of_rust).collect();
    for ending in [".js", ".css", ".html", ".toml"] {
        wrong.extend(Source::below(&root, "src", ending).iter().flat_map(of_quoted));
    }
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let guides = Source::below(&root, "systemd", ".md").into_iter();
    for guide in guides.chain([Source::new("README.md", &readme)]) {
        wrong.extend(said(&guide.path, 1, &guide.text));
    }
    crate::hold(&wrong);
}

/// The strings of a file's code, and its documentation, which becomes the API's document and the
/// help of the command lines; not what is there for tests only.
fn of_rust(source: &Source) -> Vec<String> {
    let for_tests = ["/tests", "tests.rs", "/sample.rs", "/examples.rs"];
    if for_tests.iter().any(|part| source.path.contains(part)) {
        return Vec::new();
    }
    let read = |token: &Token| match token.kind {
        Kind::Literal => true,
        Kind::Comment => token.text.starts_with("///"),
        Kind::Code => false,
    };
    let pieces = source.shipped_pieces().into_iter().filter(read);
    pieces.flat_map(|piece| said(&source.path, piece.line, &piece.text)).collect()
}

/// The same of what stands in quotes.
fn of_quoted(source: &Source) -> Vec<String> {
    let lines = source.text.lines().enumerate();
    let quoted = lines.flat_map(|(at, line)| {
        line.split(['"', '`']).skip(1).step_by(2).map(move |text| (at + 1, text))
    });
    quoted.flat_map(|(line, text)| said(&source.path, line, text)).collect()
}

/// The forbidden words of a text that begins on that line.
fn said(path: &str, line: usize, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (at, text) in text.lines().enumerate() {
        let text = text.to_lowercase();
        for word in FORBIDDEN {
            let begins = |(at, _): (usize, &str)| {
                !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
            };
            if text.match_indices(word).any(begins) {
                wrong.push(format!("{path}:{}: says '{word}'", line + at));
            }
        }
    }
    wrong
}

// That the rule can fail

#[test]
fn a_word_that_the_order_does_not_allow_is_found_wherever_it_would_be_read() {
    let of = |path: &str, text: &str| of_rust(&Source::new(path, text));
    assert_eq!(
        of("src/a.rs", "match x { _ => \"leads\" } // the confidence\n/// A face."),
        [""; 0]
    );
    assert_eq!(of("src/a.rs", "fn f() { say(\"the best Match\") }").len(), 1);
    assert_eq!(of("src/a.rs", "/// The detector's confidence.\nstruct A;").len(), 1);
    assert_eq!(
        of("src/a.rs", "#[error(\"found with\n probability {0}\")] struct A;"),
        ["src/a.rs:2: says 'probab'"]
    );
    assert_eq!(of("src/a.rs", "#[cfg(test)] mod tests { fn f() { say(\"match\") } }"), [""; 0]);
    assert_eq!(of("src/console/tests/mod.rs", "const A: &str = \"percent\";"), [""; 0]);
    let script = Source::new("src/a.js", "if (x.matches(y)) say(\"a match\");\nsay(`identified`)");
    assert_eq!(of_quoted(&script).len(), 2);
}
