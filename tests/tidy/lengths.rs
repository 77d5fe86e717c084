//! How long lines, functions, files and names may be.

use crate::source::{Kind, Source, Token, past_group};

pub(crate) const COLUMNS_MAX: usize = 100;
pub(crate) const FUNCTION_LINES_MAX: usize = 100;
pub(crate) const SRC_LINES_MAX: usize = 600;
pub(crate) const TESTS_LINES_MAX: usize = 900;
pub(crate) const TEST_NAME_CHARACTERS_MAX: usize = 80;

/// Lines of code, comments and prose that are too wide. Not counted is what nobody could break: a
/// raw string, which is data; a row of a table; a fenced block; an address that fills its line.
pub(crate) fn wide_lines(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in sources {
        let data = raw_string_lines(source);
        let mut fenced = false;
        for (at, line) in source.text.lines().enumerate() {
            let prose = prose_of(&source.path, line);
            let fence = prose.is_some_and(|prose| prose.trim_start().starts_with("```"));
            fenced = prose.is_some() && (fenced != fence);
            let columns = line.chars().count();
            let free = fenced
                || fence
                || prose.is_some_and(|prose| prose.trim_start().starts_with('|'))
                || data.iter().any(|(first, last)| (*first..=*last).contains(&(at + 1)))
                || is_lone_address(line);
            if columns > COLUMNS_MAX && !free {
                wrong.push(format!(
                    "{}:{}: {columns} columns, at most {COLUMNS_MAX}",
                    source.path,
                    at + 1
                ));
            }
        }
    }
    wrong
}

/// The text of a line of prose, which Markdown is as a whole and Rust in its documentation.
fn prose_of<'a>(path: &str, line: &'a str) -> Option<&'a str> {
    if path.ends_with(".md") {
        return Some(line);
    }
    let line = line.trim_start();
    line.strip_prefix("///").or_else(|| line.strip_prefix("//!"))
}

fn raw_string_lines(source: &Source) -> Vec<(usize, usize)> {
    if !source.path.ends_with(".rs") {
        return Vec::new();
    }
    let raw = source.pieces().into_iter().filter(Token::is_raw_string);
    raw.map(|piece| (piece.line, piece.line_end())).collect()
}

/// Whether an address is all that a line holds beside the mark before it: of a comment, a list or a
/// footnote.
fn is_lone_address(line: &str) -> bool {
    let mut words = line.split_whitespace().filter(|word| {
        !matches!(*word, "//" | "///" | "//!" | "#" | "-" | "*" | ">") && !word.ends_with("]:")
    });
    let address = words.next().is_some_and(|word| word.contains("://"));
    address && words.next().is_none()
}

pub(crate) fn long_functions(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in sources {
        for function in functions(source) {
            if function.lines > FUNCTION_LINES_MAX {
                wrong.push(format!(
                    "{}:{}: {} has {} lines, at most {FUNCTION_LINES_MAX}",
                    source.path, function.line, function.name, function.lines
                ));
            }
        }
    }
    wrong
}

pub(crate) fn long_test_names(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in sources {
        for Function { name, line, is_test, .. } in functions(source) {
            let characters = name.chars().count();
            if is_test && characters > TEST_NAME_CHARACTERS_MAX {
                wrong.push(format!(
                    "{}:{line}: {name} has {characters} characters, at most \
                    {TEST_NAME_CHARACTERS_MAX}",
                    source.path
                ));
            }
        }
    }
    wrong
}

pub(crate) fn long_files(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in sources {
        let most = if source.path.starts_with("tests/") { TESTS_LINES_MAX } else { SRC_LINES_MAX };
        let lines = source.text.lines().count();
        if lines > most {
            wrong.push(format!("{}: {lines} lines, at most {most}", source.path));
        }
    }
    wrong
}

/// A function with a body.
struct Function {
    name: String,
    line: usize,
    /// From its name to its closing brace.
    lines: usize,
    is_test: bool,
}

fn functions(source: &Source) -> Vec<Function> {
    // Literals are dropped: a brace in one is no block. Comments don't matter.
    let tokens: Vec<Token> =
        source.pieces().into_iter().filter(|piece| piece.kind == Kind::Code).collect();
    let mut found = Vec::new();
    for (at, pair) in tokens.windows(2).enumerate() {
        let name = &pair[1].text;
        let named = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
        if pair[0].text != "fn" || !named {
            continue;
        }
        let mut open = at + 2;
        while let Some(token) = tokens.get(open) {
            match token.text.as_str() {
                "{" | ";" => break,
                "(" | "[" => open = past_group(&tokens, open),
                _ => open += 1,
            }
        }
        if tokens.get(open).is_none_or(|token| token.text == ";") {
            continue;
        }
        let close = past_group(&tokens, open) - 1;
        found.push(Function {
            name: name.clone(),
            line: pair[0].line,
            lines: tokens[close].line - pair[0].line + 1,
            is_test: has_test_attribute(&tokens[..at]),
        });
    }
    found
}

/// Whether the attributes that end here have `#[test]` or another crate's, like `#[tokio::test]`.
fn has_test_attribute(before: &[Token]) -> bool {
    let words = before
        .iter()
        .rev()
        .take_while(|token| !matches!(token.text.as_str(), "{" | "}" | ";") || token.text == "#");
    let words: Vec<&str> = words.map(|token| token.text.as_str()).collect();
    words.windows(2).any(|pair| pair[1] == "test" && matches!(pair[0], "]" | "("))
        && words.contains(&"#")
}

#[test]
fn a_wide_line_is_found_and_what_nobody_can_break_is_not() {
    let wide = "é".repeat(COLUMNS_MAX + 1);
    let address = format!("https://x.example/{wide}");
    for (path, text) in [
        ("src/a.rs", format!("// {wide}")),
        ("src/a.rs", format!("let a = \"{wide}\";")),
        ("src/a.rs", format!("/// see {address} there")),
        ("src/a.rs", format!("/// ```\n/// {wide}\nfn a() {{}}\n// {wide}").replacen(&wide, "", 1)),
        ("shaders/a.wgsl", format!("// {wide}")),
        ("README.md", wide.clone()),
        ("README.md", format!("```\n{wide}\n```\n{wide}")),
        ("tests/run", format!("echo {wide}")),
        ("tests/a.mjs", format!("say('{wide}');")),
    ] {
        assert_eq!(wide_lines(&[Source::new(path, &text)]).len(), 1, "{path}: {text}");
    }
    for (path, text) in [
        ("src/a.rs", "é".repeat(COLUMNS_MAX)),
        ("src/a.rs", format!("let a = br#\"\n{wide}\n{wide}\"#;")),
        ("src/a.rs", format!("/// - {address}\n//! | {wide} |\n/// ```\n/// {wide}\n/// ```")),
        ("README.md", format!("| {wide} |\n```\n{wide}\n```\n[1]: {address}")),
        ("tests/run", format!("# {address}")),
    ] {
        assert_eq!(wide_lines(&[Source::new(path, &text)]), [""; 0], "{path}: {text}");
    }
}

#[test]
fn a_long_function_is_found() {
    let of = |lines: usize| {
        let body = "x();\n".repeat(lines - 2);
        [Source::new(
            "src/a.rs",
            &format!("trait A {{ fn a(); }}\nfn f() {{\n{body}}}\nfn g() {{}}"),
        )]
    };
    assert_eq!(long_functions(&of(FUNCTION_LINES_MAX)), [""; 0]);
    assert_eq!(
        long_functions(&of(FUNCTION_LINES_MAX + 1)),
        ["src/a.rs:2: f has 101 lines, at most 100"]
    );
}

#[test]
fn a_long_name_of_a_test_is_found() {
    let of = |attribute: &str, characters: usize| {
        let name = "a".repeat(characters);
        [Source::new("tests/a.rs", &format!("fn f() {{}}\n{attribute}\nfn {name}() {{}}"))]
    };
    for attribute in ["#[test]", "#[tokio::test]", "#[test]\n#[expect(x)]"] {
        assert_eq!(long_test_names(&of(attribute, TEST_NAME_CHARACTERS_MAX)), [""; 0]);
        assert_eq!(long_test_names(&of(attribute, TEST_NAME_CHARACTERS_MAX + 1)).len(), 1);
    }
    assert_eq!(long_test_names(&of("#[inline]", TEST_NAME_CHARACTERS_MAX + 1)), [""; 0]);
}

#[test]
fn a_long_file_is_found() {
    let of = |path, lines| Source::new(path, &"\n".repeat(lines));
    assert_eq!(
        long_files(&[of("src/a.rs", SRC_LINES_MAX), of("tests/a.rs", TESTS_LINES_MAX)]),
        [""; 0]
    );
    let long = [of("src/a.rs", SRC_LINES_MAX + 1), of("tests/a.rs", TESTS_LINES_MAX + 1)];
    assert_eq!(long_files(&long).len(), 2);
}
