//! Rust files as tokens: comments, strings and characters gone, so that a rule reads code and
//! nothing else.

use std::fs;
use std::path::Path;

/// One file of the project.
pub(crate) struct Source {
    /// Its path below the repository's root.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
}

/// An identifier, or one character of punctuation; `::` is one token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// The characters.
    pub(crate) text: String,
    /// The line, from 1.
    pub(crate) line: usize,
}

impl Source {
    /// A file that exists only in a test of the rules.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// All files below a folder whose names end so, in the order of their paths.
    pub(crate) fn below(root: &Path, folder: &str, ending: &str) -> Vec<Self> {
        let mut found = Vec::new();
        let mut folders = vec![root.join(folder)];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            for entry in entries {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.to_str().unwrap().ends_with(ending) {
                    let below_root = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                    found.push(Self { path: below_root, text: fs::read_to_string(&path).unwrap() });
                }
            }
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found
    }

    /// The module that a file below `src` belongs to at the top: `gallery`, `lib`, or `bin`.
    pub(crate) fn module(&self) -> &str {
        let below_src = self.path.strip_prefix("src/").unwrap_or(&self.path);
        below_src.split('/').next().unwrap().trim_end_matches(".rs")
    }

    /// How many modules lie between the crate and the file: 0 for `lib.rs`, 1 for `a.rs` and
    /// `a/mod.rs`, 2 for `a/b.rs`.
    pub(crate) fn depth(&self) -> usize {
        let below_src = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let slashes = below_src.matches('/').count();
        if below_src == "lib.rs" || below_src.ends_with("/mod.rs") { slashes } else { slashes + 1 }
    }

    /// The tokens.
    pub(crate) fn tokens(&self) -> Vec<Token> {
        let chars: Vec<char> = self.text.chars().collect();
        let (mut tokens, mut at, mut line) = (Vec::new(), 0, 1);
        while at < chars.len() {
            let next = skip(&chars, at);
            if next > at {
                line += chars[at..next].iter().filter(|&&c| c == '\n').count();
                at = next;
                continue;
            }
            let end = if is_word(chars[at]) {
                at + chars[at..].iter().take_while(|&&c| is_word(c)).count()
            } else if chars[at] == ':' && chars.get(at + 1) == Some(&':') {
                at + 2
            } else {
                at + 1
            };
            tokens.push(Token { text: chars[at..end].iter().collect(), line });
            at = end;
        }
        tokens
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The end of the white space, comment, string or character that begins here; `at` itself where
/// none does.
fn skip(chars: &[char], at: usize) -> usize {
    let has = |at: usize, text: &str| {
        text.chars().enumerate().all(|(i, c)| chars.get(at + i) == Some(&c))
    };
    if chars[at].is_whitespace() {
        return at + 1;
    }
    if has(at, "//") {
        return at + chars[at..].iter().take_while(|&&c| c != '\n').count();
    }
    if has(at, "/*") {
        let (mut depth, mut at) = (1, at + 2);
        while depth > 0 && at < chars.len() {
            let step = if has(at, "/*") {
                depth += 1;
                2
            } else if has(at, "*/") {
                depth -= 1;
                2
            } else {
                1
            };
            at += step;
        }
        return at;
    }
    // A prefix belongs to a string only where no word runs into it.
    let word_before = at > 0 && is_word(chars[at - 1]);
    let prefix = if word_before {
        0
    } else {
        ["br", "cr", "r", "b", "c"].iter().find(|p| has(at, p)).map_or(0, |p| p.len())
    };
    let raw = prefix > 0 && chars[at + prefix - 1] == 'r';
    let hashes =
        if raw { chars[at + prefix..].iter().take_while(|&&c| c == '#').count() } else { 0 };
    let open = at + prefix + hashes;
    if chars.get(open) == Some(&'"') {
        return end_of_string(chars, open + 1, raw.then_some(hashes));
    }
    if chars.get(at) == Some(&'\'') {
        return end_of_character(chars, at);
    }
    at
}

fn end_of_string(chars: &[char], mut at: usize, raw_hashes: Option<usize>) -> usize {
    while at < chars.len() {
        match (chars[at], raw_hashes) {
            ('\\', None) => at += 2,
            ('"', None) => return at + 1,
            ('"', Some(hashes))
                if chars[at + 1..].iter().take(hashes).filter(|&&c| c == '#').count() == hashes =>
            {
                return at + 1 + hashes;
            }
            _ => at += 1,
        }
    }
    chars.len()
}

/// A quote begins a character if one follows and is closed; otherwise it begins a lifetime, which
/// stays a token.
fn end_of_character(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => {
            at + 3
                + chars[(at + 3).min(chars.len())..].iter().take_while(|&&c| c != '\'').count()
                + 1
        }
        (Some(_), Some('\'')) => at + 3,
        _ => at,
    }
}

#[test]
fn comments_strings_and_characters_are_no_code() {
    let text = "a // b\n/* c /* d */ e */ f(\"g \\\" h\", r#\"i \" j\"#, b'k', 'l', '\\'', &'m \
        n::o) r\"p\" br\"q\"";
    let tokens: Vec<String> =
        Source::new("src/x.rs", text).tokens().into_iter().map(|token| token.text).collect();
    assert_eq!(tokens.join(" "), "a f ( , , b , , , & ' m n :: o )");
}

#[test]
fn a_token_knows_its_line() {
    let tokens = Source::new("src/x.rs", "a\n\"two\nlines\"\nb").tokens();
    assert_eq!((tokens[0].line, tokens[1].line), (1, 4));
}

#[test]
fn a_file_knows_its_module_and_depth() {
    for (path, module, depth) in [
        ("src/lib.rs", "lib", 0),
        ("src/face.rs", "face", 1),
        ("src/tls/mod.rs", "tls", 1),
        ("src/tls/files.rs", "tls", 2),
        ("src/a/b/tests.rs", "a", 3),
    ] {
        let source = Source::new(path, "");
        assert_eq!((source.module(), source.depth()), (module, depth), "{path}");
    }
}
