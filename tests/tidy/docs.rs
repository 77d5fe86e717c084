//! Documentation of public items.

use crate::source::{Kind, Source, Token, past_group};

const ITEMS: [&str; 10] =
    ["fn", "struct", "enum", "union", "trait", "type", "const", "static", "mod", "macro"];

/// Public items without a doc comment, or with one whose first line is empty. Fields and variants
/// are left out, since a good name says enough there; so is what only tests are compiled with.
pub(crate) fn undocumented(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in sources {
        let pieces = source.pieces();
        let mut at = 0;
        while at < pieces.len() {
            if let Some(end) = tests_end(&pieces, at) {
                at = end;
                continue;
            }
            let item = match pieces[at].text.as_str() {
                "pub" if pieces[at].kind == Kind::Code => public_item(&pieces, at),
                "fn" if pieces[at].kind == Kind::Code && in_public_trait(&pieces, at) => Some("fn"),
                _ => None,
            };
            if let Some(item) = item
                && !has_doc(&pieces, at)
                && !(item == "mod" && has_own_doc(sources, source, &pieces, at))
            {
                let name = pieces[at..]
                    .iter()
                    .skip_while(|piece| piece.text != item)
                    .nth(1)
                    .map_or("", |piece| &piece.text);
                wrong.push(format!(
                    "{}:{}: the public {item} {name} has no doc comment that says what it is",
                    source.path, pieces[at].line
                ));
            }
            at += 1;
        }
    }
    wrong
}

/// The end of what is compiled for tests only, if that begins here.
fn tests_end(pieces: &[Token], at: usize) -> Option<usize> {
    let is = |i: usize, text: &str| pieces.get(at + i).is_some_and(|piece| piece.text == text);
    let begins =
        ["#", "[", "cfg", "(", "test", ")", "]"].iter().enumerate().all(|(i, text)| is(i, text));
    begins.then(|| crate::source::item_end(pieces, at))
}

/// The keyword of the item that `pub` here makes public to all.
fn public_item(pieces: &[Token], at: usize) -> Option<&str> {
    let rest = &pieces[at + 1..];
    let mut words = rest.iter().map(|piece| piece.text.as_str()).peekable();
    loop {
        let word = words.next()?;
        match word {
            "const" if matches!(words.peek(), Some(&"fn" | &"unsafe" | &"async" | &"extern")) => {}
            "async" | "unsafe" | "extern" => {}
            _ if word.starts_with('"') => {}
            _ => return ITEMS.into_iter().find(|item| *item == word),
        }
    }
}

/// Whether this function is declared right in the block of a public trait.
fn in_public_trait(pieces: &[Token], at: usize) -> bool {
    let mut depth = 0_usize;
    for before in (0..at).rev() {
        match pieces[before].text.as_str() {
            "}" | ")" | "]" => depth += 1,
            "{" | "(" | "[" if depth > 0 => depth -= 1,
            "{" => {
                let header = pieces[..before]
                    .iter()
                    .rev()
                    .take_while(|piece| !matches!(piece.text.as_str(), ";" | "}" | "{" | "]"));
                let header: Vec<&str> = header.map(|piece| piece.text.as_str()).collect();
                return header.windows(2).any(|pair| pair == ["trait", "pub"]);
            }
            "(" | "[" => return false,
            _ => {}
        }
    }
    false
}

/// Whether a doc comment that says something stands before this, attributes left out.
fn has_doc(pieces: &[Token], at: usize) -> bool {
    let mut docs: Vec<&str> = Vec::new();
    let mut before = at;
    while before > 0 {
        let piece = &pieces[before - 1];
        if piece.kind == Kind::Comment {
            docs.push(&piece.text);
            before -= 1;
        } else if matches!(piece.text.as_str(), "async" | "unsafe" | "const" | "extern") {
            before -= 1;
        } else if piece.text == "]" {
            let Some(open) = (0..before - 1)
                .rev()
                .find(|&open| pieces[open].text == "[" && past_group(pieces, open) == before)
            else {
                return false;
            };
            if open == 0 || pieces[open - 1].text != "#" {
                break;
            }
            if pieces[open + 1].text == "doc" {
                return true;
            }
            before = open - 1;
        } else if matches!(piece.text.as_str(), "*" | "+") {
            // In a macro, the attributes that it is given.
            let open = (0..before - 1)
                .rev()
                .find(|&open| pieces[open].text == "(" && past_group(pieces, open) == before - 1);
            return open.is_some_and(|open| pieces[open..before].iter().any(|p| p.text == "doc"));
        } else {
            break;
        }
    }
    let first = docs.iter().rev().find(|doc| doc.starts_with("///") || doc.starts_with("/**"));
    first.is_some_and(|doc| {
        let line = doc.trim_start_matches(['/', '*']).lines().next();
        line.is_some_and(|line| !line.trim().is_empty())
    })
}

/// Whether a module says in itself what it is.
fn has_own_doc(sources: &[Source], source: &Source, pieces: &[Token], at: usize) -> bool {
    let Some(name) = pieces[at..].iter().skip_while(|piece| piece.text != "mod").nth(1) else {
        return false;
    };
    let folder = source.folder_of_children();
    let files = [format!("{folder}/{}.rs", name.text), format!("{folder}/{}/mod.rs", name.text)];
    sources.iter().filter(|other| files.contains(&other.path)).any(|file| {
        file.pieces().first().is_some_and(|piece| {
            let doc = piece.text.strip_prefix("//!").is_some_and(|doc| !doc.trim().is_empty());
            doc || piece.text == "#" && file.text.starts_with("#![doc")
        })
    })
}

#[test]
fn a_public_item_without_a_doc_comment_is_found() {
    for text in [
        "pub fn f() {}",
        "pub const fn f() {}",
        "pub const C: u8 = 1;",
        "pub mod m { }",
        "/// A type.\npub struct S;\nimpl S { pub async unsafe extern \"C\" fn f() {} }",
        "/// A trait.\npub trait T { #[inline] fn f(&self); }",
        "// not for readers\n#[derive(Debug)]\npub struct S;",
        "///\n/// Too late.\npub struct S;",
        "/// Of the other.\nfn g() {}\npub fn f() {}",
        "pub mod x;",
    ] {
        assert_eq!(undocumented(&[Source::new("src/a/mod.rs", text)]).len(), 1, "{text}");
    }
}

#[test]
fn a_documented_item_a_field_and_what_is_not_public_to_all_pass() {
    for text in [
        "/// It.\n#[derive(Debug)]\n#[x(a = [1])]\npub struct S { pub a: u8, b: u8 }",
        "pub(crate) fn f() {} fn g() {} pub use a::B; impl T for S { fn f() {} }",
        "/// E.\npub enum E { A, B(u8) }\n/** F. */ pub fn f() {}",
        "/// T.\npub trait T { /// F.\nfn f(&self) { fn inner() {} } }",
        "#[cfg(test)] mod tests { pub fn f() {} }",
        "#[doc = include_str!(\"x\")] pub fn f() {}",
        "macro_rules! m { () => { $(#[$doc])* #[derive(A)] pub struct $name; } }",
        "/// A tuple.\npub struct S(pub u8, pub [u8; 4]);",
    ] {
        assert_eq!(undocumented(&[Source::new("src/a.rs", text)]), [""; 0], "{text}");
    }
    let inner = Source::new("src/a/x.rs", "//! What x is.\n");
    assert_eq!(undocumented(&[Source::new("src/a/mod.rs", "pub mod x;"), inner]), [""; 0]);
}
