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

/// An identifier, or one character of punctuation; `::` is one token. Among the pieces of a file
/// comments and literals are tokens too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) text: String,
    /// The line of its first character, from 1.
    pub(crate) line: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An identifier, a number, or punctuation.
    Code,
    /// A comment, the documentation included.
    Comment,
    /// A string or a character, with its quotes.
    Literal,
}

impl Token {
    /// The line of its last character, from 1.
    pub(crate) fn line_end(&self) -> usize {
        self.line + self.text.matches('\n').count()
    }

    /// Whether it is a string in which backslashes mean nothing.
    pub(crate) fn is_raw_string(&self) -> bool {
        self.kind == Kind::Literal
            && self.text.trim_start_matches(['b', 'c']).starts_with(['r', '#'])
    }
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

    /// The folder in which the files of its child modules lie.
    pub(crate) fn folder_of_children(&self) -> String {
        let stem = self.path.trim_end_matches(".rs");
        match stem.rsplit_once('/') {
            Some((folder, "mod" | "lib" | "main")) => folder.to_owned(),
            _ => stem.to_owned(),
        }
    }

    /// How many modules lie between the crate and the file: 0 for `lib.rs`, 1 for `a.rs` and
    /// `a/mod.rs`, 2 for `a/b.rs`.
    pub(crate) fn depth(&self) -> usize {
        let below_src = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let slashes = below_src.matches('/').count();
        if below_src == "lib.rs" || below_src.ends_with("/mod.rs") { slashes } else { slashes + 1 }
    }

    /// The tokens of its code: no comments, no literals.
    pub(crate) fn tokens(&self) -> Vec<Token> {
        self.pieces().into_iter().filter(|piece| piece.kind == Kind::Code).collect()
    }

    /// The tokens of its code but for what is compiled for its tests only.
    pub(crate) fn shipped(&self) -> Vec<Token> {
        without_tests(&self.tokens())
    }

    /// All of it but white space and what is compiled for its tests only.
    pub(crate) fn shipped_pieces(&self) -> Vec<Token> {
        without_tests(&self.pieces())
    }

    /// All of it but white space.
    pub(crate) fn pieces(&self) -> Vec<Token> {
        let chars: Vec<char> = self.text.chars().collect();
        let (mut pieces, mut at, mut line) = (Vec::new(), 0, 1);
        while at < chars.len() {
            let next = skip(&chars, at);
            let (kind, end) = if next > at {
                let comment = chars[at] == '/';
                (if comment { Kind::Comment } else { Kind::Literal }, next.min(chars.len()))
            } else if is_word(chars[at]) {
                (Kind::Code, at + chars[at..].iter().take_while(|&&c| is_word(c)).count())
            } else if chars[at] == ':' && chars.get(at + 1) == Some(&':') {
                (Kind::Code, at + 2)
            } else {
                (Kind::Code, at + 1)
            };
            let text: String = chars[at..end].iter().collect();
            let lines = text.matches('\n').count();
            if !text.trim().is_empty() {
                pieces.push(Token { kind, text, line });
            }
            line += lines;
            at = end;
        }
        pieces
    }
}

/// The end of the item whose first token is here: past its block, or past its semicolon.
pub(crate) fn item_end(tokens: &[Token], start: usize) -> usize {
    let mut at = start;
    // Attributes and what stands before the keyword.
    while tokens.get(at).is_some_and(|token| token.text == "#") {
        at = past_group(tokens, at + 1);
    }
    let ends_at_semicolon =
        tokens[at..].iter().find(|token| KEYWORDS.contains(&token.text.as_str())).is_some_and(
            |token| matches!(token.text.as_str(), "const" | "static" | "type" | "use"),
        ) && !is_const_fn(&tokens[at..]);
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            ";" => return at + 1,
            "}" => return at,
            "{" if !ends_at_semicolon => return past_group(tokens, at),
            "{" | "(" | "[" => at = past_group(tokens, at),
            _ => at += 1,
        }
    }
    at
}

const KEYWORDS: [&str; 12] = [
    "const",
    "static",
    "type",
    "use",
    "fn",
    "struct",
    "enum",
    "union",
    "trait",
    "impl",
    "mod",
    "macro_rules",
];

fn is_const_fn(tokens: &[Token]) -> bool {
    tokens
        .iter()
        .take_while(|token| !matches!(token.text.as_str(), ":" | "=" | "(" | "{" | ";"))
        .any(|token| token.text == "fn")
}

/// Past the bracket that closes the one here.
pub(crate) fn past_group(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// The same tokens without items, fields and statements under `#[cfg(test)]`.
fn without_tests(tokens: &[Token]) -> Vec<Token> {
    const ATTRIBUTE: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if ATTRIBUTE
            .iter()
            .enumerate()
            .all(|(i, text)| tokens.get(at + i).is_some_and(|token| token.text == *text))
        {
            at = item_end(tokens, at);
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
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
fn what_is_compiled_for_tests_only_is_not_shipped() {
    let text = "a #[cfg(test)] mod tests { b { c } } d #[cfg(test)] #[x] use e::{f, g}; h \
        #[cfg(test)] const I: [u8; 2] = [J {}; 2]; k #[cfg(test)] const fn l() { m } n";
    let tokens: Vec<String> =
        Source::new("src/x.rs", text).shipped().into_iter().map(|token| token.text).collect();
    assert_eq!(tokens.join(" "), "a d h k n");
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
