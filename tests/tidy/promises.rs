//! Rules for the documents: what they name is there, and each promise has a test that holds it.

use std::fs;
use std::path::Path;

use crate::source::Source;

/// The page of all promises.
const PROMISES: &str = "tests/PROMISES.md";
/// Folders of the repository that hold documents.
const FOLDERS: [&str; 6] = ["src", "shaders", "models", "image-build", "systemd", "tests"];

#[test]
fn every_test_that_a_document_names_is_there() {
    let root = crate::root();
    crate::hold(&broken_promises(&documents(&root), &crate::all_rust_files()));
}

#[test]
fn every_file_and_bench_that_a_document_names_is_there() {
    let root = crate::root();
    crate::hold(&dead_paths(&documents(&root), &|path| root.join(path).exists()));
}

#[test]
fn every_promise_names_what_holds_it_or_says_not_yet() {
    let root = crate::root();
    let promises = documents(&root).into_iter().find(|document| document.path == PROMISES);
    crate::hold(&unheld(&promises.expect("the page of all promises is there")));
}

fn documents(root: &Path) -> Vec<Source> {
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let below = FOLDERS.iter().flat_map(|folder| Source::below(root, folder, ".md"));
    std::iter::once(Source::new("README.md", &readme)).chain(below).collect()
}

/// Names of tests in backticks that no source has as a function. A test's name is a sentence:
/// four words or more, joined by underscores.
fn broken_promises(documents: &[Source], sources: &[Source]) -> Vec<String> {
    let is_name = |text: &str| {
        text.matches('_').count() >= 3
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let mut wrong = Vec::new();
    for document in documents {
        for (line, name) in quoted(document).into_iter().filter(|(_, text)| is_name(text)) {
            let function = format!("fn {name}(");
            if !sources.iter().any(|source| source.text.contains(&function)) {
                wrong.push(format!("{}:{line}: the test {name} is nowhere", document.path));
            }
        }
    }
    wrong
}

/// Files in backticks or behind a link, and benches of a command in backticks, that are not there.
fn dead_paths(documents: &[Source], exists: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut wrong = Vec::new();
    for document in documents {
        let folder = Path::new(&document.path).parent().unwrap();
        let mut named = Vec::new();
        for (line, text) in quoted(document) {
            let mut words = text.split_whitespace().peekable();
            let first = words.peek().copied().unwrap_or_default();
            if FOLDERS.iter().any(|folder| first.starts_with(&format!("{folder}/"))) {
                named.push((line, first.to_owned()));
            }
            if let Some(bench) = words.skip_while(|word| *word != "--bench").nth(1) {
                named.push((line, format!("tests/bench/{bench}.rs")));
            }
        }
        for (line, target) in links(document) {
            let file = target.split('#').next().unwrap();
            if !file.is_empty() && !target.contains("://") {
                named.push((line, folder.join(file).to_str().unwrap().to_owned()));
            }
        }
        let dead = named.iter().filter(|(_, path)| !exists(path));
        wrong.extend(
            dead.map(|(line, path)| format!("{}:{line}: {path} is not there", document.path)),
        );
    }
    wrong
}

/// Rows of the page's tables whose last cell is empty and that don't say 'not yet'.
fn unheld(promises: &Source) -> Vec<String> {
    let rows = promises.text.lines().enumerate().filter(|(_, line)| line.starts_with('|'));
    let bare = rows.filter(|(_, row)| {
        let last = row.trim_end().trim_end_matches('|').rsplit('|').next();
        last.is_none_or(|cell| cell.trim().is_empty()) && !row.contains("not yet")
    });
    bare.map(|(at, _)| format!("{}:{}: a promise that nothing holds", promises.path, at + 1))
        .collect()
}

/// What stands in backticks outside blocks of code, with its line.
fn quoted(document: &Source) -> Vec<(usize, String)> {
    let texts = prose(document).into_iter().flat_map(|(line, text)| {
        text.split('`').skip(1).step_by(2).map(move |quoted| (line, quoted.to_owned()))
    });
    texts.collect()
}

/// Where the links and pictures lead, with their lines.
fn links(document: &Source) -> Vec<(usize, String)> {
    let targets = prose(document).into_iter().flat_map(|(line, text)| {
        let ends = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        ends.map(move |(target, _)| (line, target.to_owned()))
    });
    targets.collect()
}

/// The lines outside blocks of code, counted from 1.
fn prose(document: &Source) -> Vec<(usize, &str)> {
    let mut code = false;
    let mut lines = Vec::new();
    for (at, text) in document.text.lines().enumerate() {
        if text.trim_start().starts_with("```") {
            code = !code;
        } else if !code {
            lines.push((at + 1, text));
        }
    }
    lines
}

// That each rule can fail

#[test]
fn a_promise_without_its_test_is_found() {
    let sources = [Source::new("tests/a.rs", "fn the_box_holds_its_word() {}")];
    let of = |text| broken_promises(&[Source::new("README.md", text)], &sources);
    assert_eq!(of("| a | `the_box_holds_its_word` |\n`details_kept_days`"), [""; 0]);
    assert_eq!(of("```sh\n`the_box_breaks_its_word`\n```"), [""; 0]);
    assert_eq!(of("| a | `the_box_breaks_its_word` |").len(), 1);
    assert_eq!(of("Held by `the_box_breaks_its_word`.").len(), 1);
}

#[test]
fn a_file_or_bench_that_is_not_there_is_found() {
    let there = ["src/face.rs", "src/audit/LEAVES.md", "tests/run", "tests/bench/log.rs"];
    let of = |text| {
        let document = Source::new("src/audit/README.md", text);
        dead_paths(&[document], &|path| there.contains(&path))
    };
    let alive = "`src/face.rs` `tests/run --faces DIR` `cargo bench --bench log -- --json` \
        [a](LEAVES.md#started) [b](https://example.org/) [c](#d) `cargo bench`";
    assert_eq!(of(alive), [""; 0]);
    for dead in
        ["`src/gone.rs`", "`tests/gone --all`", "`cargo bench --bench gone`", "[a](GONE.md)"]
    {
        assert_eq!(of(dead).len(), 1, "{dead}");
    }
}

#[test]
fn a_row_that_nothing_holds_is_found() {
    let of = |text| unheld(&Source::new(PROMISES, text));
    assert_eq!(of("| a | 1 | `b` |\n| c | not yet | |\n|---|---|\nno row"), [""; 0]);
    assert_eq!(of("| a | 1 | |\n"), ["tests/PROMISES.md:1: a promise that nothing holds"]);
}
