//! Rules of the house that a machine can hold: each is a test, and each is shown to fail on a
//! snippet that breaks it.

#![expect(clippy::unwrap_used, reason = "a test that panics says where, and that is its job")]

#[path = "tidy/circles.rs"]
mod circles;
#[path = "tidy/docs.rs"]
mod docs;
#[path = "tidy/lengths.rs"]
mod lengths;
#[path = "tidy/promises.rs"]
mod promises;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/words.rs"]
mod words;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use circles::circles;
use docs::undocumented;
use lengths::{long_files, long_functions, long_test_names, wide_lines};
use source::{Kind, Source, Token};

/// The floors, from the ground up. A module uses lower floors only; neighbours don't know each
/// other.
const FLOORS: [&[&str]; 11] = [
    &["limits", "crypto", "named", "calendar"],
    &["ids", "rule", "state_kind", "wording"],
    &["booking", "face"],
    &["error_rates", "retention", "inquiry", "roster"],
    &["audit", "disk"],
    &["embed", "gallery", "store", "vault", "public_report", "compare_report"],
    &["ledger"],
    &["service"],
    &["console"],
    &["tls", "api"],
    &["config", "client"],
];
/// Crates that one module only may name.
const OWNERS: [(&str, &str); 10] = [
    ("axum", "api"),
    ("prometheus_client", "api"),
    ("hyper", "api"),
    ("wgpu", "gallery"),
    ("naga", "gallery"),
    ("redb", "store"),
    ("tract_onnx", "embed"),
    ("rcgen", "tls"),
    ("ureq", "client"),
    ("krilla", "compare_report"),
];
/// Files that may hold `unsafe`, each block argued.
const UNSAFE_ALLOWED: [&str; 4] = [
    "src/gallery/avx2.rs",
    "src/gallery/avx512.rs",
    "src/gallery/prefetch.rs",
    "src/gallery/simd.rs",
];
/// What may stand at the top of the repository, beside dotfiles of tools and what git ignores.
const TOP_LEVEL: [&str; 9] = [
    "Cargo.toml",
    "Cargo.lock",
    "src",
    "shaders",
    "models",
    "image-build",
    "systemd",
    "tests",
    "README.md",
];
const LICENCE: &str = "LICENSE";
/// The highest exposure level that a service may have, in tenths: 100 is exposed, 0 is safe.
const EXPOSURE_MAX: u32 = 5;
/// The same of a witness, which runs on another machine and must call the box: a network and its
/// addresses are 0.5 of this.
const EXPOSURE_OF_A_CALLER_MAX: u32 = 10;
const CALLERS: [&str; 1] = ["systemd/smrt-witness.service"];

#[test]
fn use_goes_down_a_floor_never_up_never_sideways() {
    hold(&climbs(&rust_files("src")));
}

#[test]
fn every_module_has_its_floor_and_every_floor_its_modules() {
    hold(&unlisted(&rust_files("src")));
    hold(&absent(&FLOORS, &rust_files("src")));
}

#[test]
fn no_circle_leads_from_a_file_back_to_itself() {
    hold(&circles(&rust_files("src")));
}

#[test]
fn every_public_item_says_what_it_is() {
    hold(&undocumented(&rust_files("src")));
}

#[test]
fn every_file_is_a_part_of_something() {
    hold(&unnamed(&all_rust_files()));
}

#[test]
fn src_does_not_reach_into_tests() {
    hold(&reaches_into_tests(&rust_files("src")));
}

#[test]
fn a_crate_is_named_by_its_owner_only() {
    hold(&strangers(&rust_files("src")));
}

#[test]
fn every_shader_has_a_host_file_of_its_name_and_every_host_file_its_shader() {
    hold(&unpaired(&Source::below(&root(), "shaders", ".wgsl"), &rust_files("src")));
}

#[test]
fn unsafe_stands_only_where_it_is_argued() {
    hold(&unsafe_blocks(&all_rust_files()));
}

#[test]
fn nothing_is_ignored_or_left_to_be_done() {
    hold(&unfinished(&all_rust_files()));
    hold(&unfinished_words(&Source::below(&root(), "shaders", ".wgsl")));
}

#[test]
fn no_line_is_wider_than_a_page() {
    hold(&wide_lines(&texts()));
}

#[test]
fn no_function_is_too_long_to_read() {
    hold(&long_functions(&all_rust_files()));
}

#[test]
fn no_file_is_too_long_to_read() {
    hold(&long_files(&all_rust_files()));
}

#[test]
fn no_name_of_a_test_is_too_long_to_read() {
    hold(&long_test_names(&all_rust_files()));
}

#[test]
fn the_top_level_holds_what_belongs_there() {
    let names = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect::<Vec<_>>();
    // Read here rather than asked of git, which an unpacked archive has not.
    let gitignore = fs::read_to_string(root().join(".gitignore")).unwrap();
    let ignored = |name: &str| gitignore.lines().any(|line| line.trim_matches('/') == name);
    hold(&strays(&names, &ignored));
}

#[test]
fn every_service_is_hardened() {
    let units = Source::below(&root(), "systemd", "");
    assert!(units.iter().any(|unit| unit.path.ends_with(".service")), "no service in systemd/");
    hold(&exposed(&root(), &units));
}

// The rules

fn climbs(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in sources {
        let Some(floor) = floor_of(source.module()) else { continue };
        for (name, line) in crate_paths(source) {
            let Some(used) = floor_of(&name) else { continue };
            if name != source.module() && used >= floor {
                let way = if used == floor { "beside" } else { "above" };
                wrong.push(format!(
                    "{}:{line}: {} uses {name}, which stands {way} it",
                    source.path,
                    source.module()
                ));
            }
        }
    }
    wrong
}

fn unlisted(sources: &[Source]) -> Vec<String> {
    let modules: BTreeSet<&str> = sources.iter().map(Source::module).collect();
    let known = |module: &&&str| !matches!(**module, "lib" | "bin") && floor_of(module).is_none();
    modules
        .iter()
        .filter(known)
        .map(|module| format!("src/{module}: a module without a floor, list it in this test"))
        .collect()
}

/// Names on floors that no module has.
fn absent(floors: &[&[&str]], sources: &[Source]) -> Vec<String> {
    let modules: BTreeSet<&str> = sources.iter().map(Source::module).collect();
    let names = floors.iter().flat_map(|floor| floor.iter());
    names
        .filter(|name| !modules.contains(**name))
        .map(|name| format!("{name} has a floor, but there is no src/{name}"))
        .collect()
}

/// Files of tests that code includes, as data or as a module: what both need stands in `src`,
/// beside the code, and tests reach down to it.
fn reaches_into_tests(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in sources {
        let pieces = source.pieces();
        for (at, piece) in pieces.iter().enumerate() {
            let text = piece.text.trim_matches('"');
            let from_root = pieces[at.saturating_sub(12)..at]
                .iter()
                .any(|before| before.text == "\"CARGO_MANIFEST_DIR\"")
                && text.trim_start_matches('/').starts_with("tests/");
            let upwards = text.starts_with("../")
                && below_root(&source.path, text).is_some_and(|path| path.starts_with("tests/"));
            if piece.kind == Kind::Literal && (from_root || upwards) {
                wrong.push(format!("{}:{}: reaches into {text}", source.path, piece.line));
            }
        }
    }
    wrong
}

/// Where a relative path leads from a file; nowhere if out of the repository.
fn below_root(file: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in relative.split('/') {
        match part {
            ".." => drop(parts.pop()?),
            "." => {}
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn strangers(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in sources {
        let tokens = source.tokens();
        for (at, token) in tokens.iter().enumerate() {
            let Some((name, owner)) = OWNERS.into_iter().find(|(name, _)| token.text == *name)
            else {
                continue;
            };
            let before = at.checked_sub(1).map_or("", |at| &tokens[at].text);
            let after = tokens.get(at + 1).map_or("", |token| &token.text);
            let is_crate = before != "." && before != "::" && (after == "::" || before == "use")
                || before == "crate";
            if is_crate && source.module() != owner {
                wrong.push(format!(
                    "{}:{}: names {name}, which only {owner} may",
                    source.path, token.line
                ));
            }
        }
    }
    wrong
}

fn unpaired(shaders: &[Source], sources: &[Source]) -> Vec<String> {
    let stem = |path: &str| Path::new(path).file_stem().unwrap().to_str().unwrap().to_owned();
    let mut wrong = Vec::new();
    for shader in shaders {
        let host = format!("src/gallery/{}.rs", stem(&shader.path));
        if !sources.iter().any(|source| {
            source.path == host && source.text.contains(&format!("{}.wgsl", stem(&shader.path)))
        }) {
            wrong.push(format!("{}: no {host} that includes it", shader.path));
        }
    }
    for source in sources {
        for included in source
            .text
            .split("shaders/")
            .skip(1)
            .filter_map(|rest| rest.split_once(".wgsl\""))
            .map(|(name, _)| name)
        {
            if !shaders.iter().any(|shader| stem(&shader.path) == included) {
                wrong.push(format!(
                    "{}: includes shaders/{included}.wgsl, which is not there",
                    source.path
                ));
            }
            if source.path != format!("src/gallery/{included}.rs") {
                wrong.push(format!(
                    "{}: includes shaders/{included}.wgsl, which belongs to \
                    src/gallery/{included}.rs",
                    source.path
                ));
            }
        }
    }
    wrong
}

fn unsafe_blocks(sources: &[Source]) -> Vec<String> {
    let of = |source: &Source| {
        let tokens = source.tokens().into_iter().filter(|token| token.text == "unsafe");
        tokens.map(|token| format!("{}:{}: unsafe", source.path, token.line)).collect::<Vec<_>>()
    };
    sources
        .iter()
        .filter(|source| !UNSAFE_ALLOWED.contains(&source.path.as_str()))
        .flat_map(of)
        .collect()
}

/// Files that no `mod` names, by their stem or in a `path`: nothing compiles them, so the tests in
/// them would be missed by nobody.
fn unnamed(sources: &[Source]) -> Vec<String> {
    let targets = ["lib", "main", "mod", "tidy"];
    let named = |stem: &str| {
        let (line, file) = (format!("mod {stem};"), format!("{stem}.rs\""));
        sources.iter().any(|source| source.text.contains(&line) || source.text.contains(&file))
    };
    let stem =
        |source: &Source| Path::new(&source.path).file_stem().unwrap().to_str().unwrap().to_owned();
    let is_bench = |source: &Source| {
        Path::new(&source.path).parent().is_some_and(|parent| parent.ends_with("tests/bench"))
    };
    sources
        .iter()
        .filter(|source| !is_bench(source))
        .filter(|source| !targets.contains(&stem(source).as_str()) && !named(&stem(source)))
        .map(|source| format!("{}: no file says mod {}", source.path, stem(source)))
        .collect()
}

fn unfinished(sources: &[Source]) -> Vec<String> {
    let mut wrong = unfinished_words(sources);
    for source in sources {
        let tokens = source.tokens();
        for pair in tokens.windows(2) {
            let ignored = pair[0].text == "[" && pair[1].text == "ignore";
            let missing =
                matches!(pair[0].text.as_str(), "todo" | "unimplemented") && pair[1].text == "!";
            if ignored || missing {
                wrong.push(format!(
                    "{}:{}: {}{}",
                    source.path, pair[0].line, pair[0].text, pair[1].text
                ));
            }
        }
    }
    wrong
}

fn unfinished_words(sources: &[Source]) -> Vec<String> {
    // In two parts, since this file is read too.
    let word = concat!("FIX", "ME");
    let lines = |source: &Source| {
        let found = source.text.lines().enumerate().filter(|(_, line)| line.contains(word));
        found.map(|(at, _)| format!("{}:{}: {word}", source.path, at + 1)).collect::<Vec<_>>()
    };
    sources.iter().flat_map(lines).collect()
}

fn strays(names: &[String], ignored: &dyn Fn(&str) -> bool) -> Vec<String> {
    let belongs = |name: &str| {
        TOP_LEVEL.contains(&name) || name == LICENCE || name.starts_with('.') || ignored(name)
    };
    names
        .iter()
        .filter(|name| !belongs(name))
        .map(|name| format!("{name}: does not belong at the top level"))
        .collect()
}

/// A socket or a timer runs nothing, so it has nothing to be confined; one that does run something
/// is a service by another name.
fn exposed(root: &Path, units: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for unit in units {
        if !unit.path.ends_with(".service") {
            if unit.text.lines().any(|line| line.starts_with("Exec")) {
                wrong.push(format!("{}: runs a program, which only services may", unit.path));
            }
            continue;
        }
        let most = if CALLERS.contains(&unit.path.as_str()) {
            EXPOSURE_OF_A_CALLER_MAX
        } else {
            EXPOSURE_MAX
        };
        let threshold = format!("--threshold={most}");
        let checked = Command::new("systemd-analyze")
            .args(["security", "--offline=true", "--no-pager", &threshold])
            .arg(root.join(&unit.path))
            .output()
            .expect("systemd-analyze runs: install systemd, version 250 or newer");
        if !checked.status.success() {
            let said =
                String::from_utf8_lossy(&checked.stdout).lines().last().unwrap_or("").to_owned();
            wrong.push(format!(
                "{}: {said} {}",
                unit.path,
                String::from_utf8_lossy(&checked.stderr).trim()
            ));
        }
    }
    wrong
}

// Reading the code

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &str) -> Vec<Source> {
    let found = Source::below(&root(), folder, ".rs");
    assert!(!found.is_empty(), "no Rust file below {folder}");
    found
}

fn all_rust_files() -> Vec<Source> {
    rust_files("src").into_iter().chain(rust_files("tests")).collect()
}

/// Code and prose of every kind that people read and write here.
fn texts() -> Vec<Source> {
    let endings = [".rs", ".wgsl", ".md", ".js", ".mjs", ".css", ".py", ".sh", ".go"];
    let folders = ["src", "shaders", "models", "image-build", "systemd", "tests"];
    let mut found: Vec<Source> = folders
        .iter()
        .flat_map(|folder| endings.iter().flat_map(|end| Source::below(&root(), folder, end)))
        .collect();
    for script in ["README.md", "tests/run", "tests/long", ".ci/run"] {
        found.push(Source::new(script, &fs::read_to_string(root().join(script)).unwrap()));
    }
    found
}

fn hold(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

fn floor_of(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// The first names after `crate::`, `smrt::`, and after as many `super::` as lead to the crate,
/// with their lines.
fn crate_paths(source: &Source) -> Vec<(String, usize)> {
    let tokens = source.tokens();
    let is = |at: usize, text: &str| tokens.get(at).is_some_and(|token| token.text == text);
    let (mut found, mut inline, mut braces) = (Vec::new(), Vec::new(), 0_usize);
    for at in 0..tokens.len() {
        match tokens[at].text.as_str() {
            "{" => {
                if at > 1 && is(at - 2, "mod") {
                    inline.push(braces);
                }
                braces += 1;
            }
            "}" => {
                braces = braces.saturating_sub(1);
                if inline.last() == Some(&braces) {
                    inline.pop();
                }
            }
            "crate" | "smrt" if is(at + 1, "::") && !(at > 0 && is(at - 1, "::")) => {
                found.extend(names_at(&tokens, at + 2))
            }
            "super" if !(at > 0 && is(at - 1, "::")) => {
                let supers = (0..)
                    .take_while(|i| is(at + 2 * i, "super") && is(at + 2 * i + 1, "::"))
                    .count();
                if supers > 0 && supers == source.depth() + inline.len() {
                    found.extend(names_at(&tokens, at + 2 * supers));
                }
            }
            _ => {}
        }
    }
    found
}

/// The name that stands here, or the first name of each path of a group.
fn names_at(tokens: &[Token], at: usize) -> Vec<(String, usize)> {
    let Some(first) = tokens.get(at) else { return Vec::new() };
    if first.text != "{" {
        return vec![(first.text.clone(), first.line)];
    }
    let (mut names, mut depth) = (Vec::new(), 0);
    for (at, token) in tokens.iter().enumerate().skip(at) {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ if depth == 1 && matches!(tokens[at - 1].text.as_str(), "{" | ",") => {
                names.push((token.text.clone(), token.line))
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

// That each rule can fail

#[test]
fn a_use_upwards_or_sideways_is_found_in_every_spelling() {
    for (path, text) in [
        ("src/limits.rs", "use crate::inquiry::Purpose;"),
        ("src/gallery/mod.rs", "use crate::store::Store;"),
        ("src/gallery/mod.rs", "use crate::{face::Face, store::{self, Store}};"),
        ("src/gallery/cpu.rs", "fn f() { super::super::store::open() }"),
        ("src/gallery.rs", "use super::vault;"),
        ("src/gallery.rs", "mod tests { use super::super::vault; }"),
        ("src/service/book.rs", "let x: crate::api::wire::Booked;"),
        ("src/embed/mod.rs", "smrt::gallery::search();"),
        ("src/tls/mod.rs", "mod a { mod b {} } fn f() {} use super::api::wire;"),
    ] {
        assert_eq!(climbs(&[Source::new(path, text)]).len(), 1, "{path}: {text}");
    }
}

#[test]
fn a_use_downwards_or_within_a_module_is_not() {
    for (path, text) in [
        (
            "src/gallery/mod.rs",
            "use crate::face::Face; use crate::gallery::cpu; // crate::store\n\"crate::store\"",
        ),
        (
            "src/client/mod.rs",
            "use crate::api::wire; use crate::tls::authority; use super::limits;",
        ),
        ("src/service/mod.rs", "mod tests { use super::api; }"),
        ("src/bin/smrtd/main.rs", "use smrt::{api, client, config};"),
        ("src/lib.rs", "pub mod api; use crate::api::wire;"),
    ] {
        assert_eq!(climbs(&[Source::new(path, text)]), [""; 0], "{path}: {text}");
    }
}

#[test]
fn a_module_without_a_floor_is_found() {
    assert_eq!(
        unlisted(&[Source::new("src/manager.rs", ""), Source::new("src/helpers/mod.rs", "")]).len(),
        2
    );
    assert_eq!(
        unlisted(&[
            Source::new("src/lib.rs", ""),
            Source::new("src/bin/a/main.rs", ""),
            Source::new("src/face.rs", "")
        ]),
        [""; 0]
    );
}

#[test]
fn a_stranger_that_names_an_owned_crate_is_found() {
    for (path, text) in [
        ("src/service/mod.rs", "use axum::Router;"),
        ("src/vault.rs", "fn f(t: redb::Table) {}"),
        ("src/bin/smrtctl/main.rs", "use wgpu;"),
        ("src/config.rs", "extern crate hyper;"),
    ] {
        assert_eq!(strangers(&[Source::new(path, text)]).len(), 1, "{path}: {text}");
    }
    for (path, text) in [
        ("src/api/mod.rs", "use axum::Router;"),
        ("src/tls/mod.rs", "use hyper_util::rt::TokioIo; // hyper::"),
        ("src/vault.rs", "self.redb.x; a::hyper::b"),
    ] {
        assert_eq!(strangers(&[Source::new(path, text)]), [""; 0], "{path}: {text}");
    }
}

#[test]
fn a_shader_without_its_host_file_is_found_and_the_other_way_round() {
    let shader = Source::new("shaders/score.wgsl", "");
    let host = Source::new("src/gallery/score.rs", "include_str!(\"../../shaders/score.wgsl\")");
    assert_eq!(
        unpaired(&[Source::new("shaders/score.wgsl", "")], std::slice::from_ref(&host)),
        [""; 0]
    );
    assert_eq!(unpaired(std::slice::from_ref(&shader), &[]).len(), 1);
    assert_eq!(unpaired(&[], &[host]).len(), 1);
    let guest = Source::new("src/gallery/gpu.rs", "include_str!(\"../../shaders/score.wgsl\")");
    assert_eq!(unpaired(&[shader], &[guest]).len(), 2);
}

#[test]
fn unsafe_and_unfinished_code_is_found() {
    let of = |text| [Source::new("src/face.rs", text)];
    assert_eq!(unsafe_blocks(&of("fn f() { unsafe { g() } }")).len(), 1);
    assert_eq!(unsafe_blocks(&of("// unsafe\n#![deny(unsafe_code)]")), [""; 0]);
    for text in [
        concat!("#[ig", "nore]"),
        concat!("#[ig", "nore = \"slow\"]"),
        concat!("to", "do!()"),
        concat!("unimple", "mented!(\"x\")"),
        concat!("// FIX", "ME later"),
    ] {
        assert_eq!(unfinished(&of(text)).len(), 1, "{text}");
    }
    assert_eq!(unfinished(&of(concat!("// to", "do!\nlet ignore = \"#[ig", "nore]\";"))), [""; 0]);
}

#[test]
fn a_name_on_a_floor_without_its_module_is_found() {
    let sources = [Source::new("src/face.rs", ""), Source::new("src/tls/mod.rs", "")];
    assert_eq!(absent(&[&["face"], &["tls"]], &sources), [""; 0]);
    assert_eq!(
        absent(&[&["face"], &["tls", "itl"]], &sources),
        ["itl has a floor, but there is no src/itl"]
    );
}

#[test]
fn a_file_of_src_that_reaches_into_tests_is_found() {
    for (path, text) in [
        ("src/face.rs", "include_str!(\"../tests/data/a.txt\")"),
        ("src/vault/upload.rs", "#[path = \"../../tests/stories/a.rs\"]\nmod a;"),
        ("src/a/b/c.rs", "Path::new(env!(\"CARGO_MANIFEST_DIR\")).join(\"tests/pdf/a.py\")"),
        ("src/a.rs", "include_bytes!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/tests/a\"))"),
    ] {
        assert_eq!(reaches_into_tests(&[Source::new(path, text)]).len(), 1, "{path}: {text}");
    }
    for (path, text) in [
        ("src/a/tests.rs", "include_str!(\"tests/a.txt\") \"tests/run says more\""),
        ("src/a/b.rs", "include_str!(\"../tests/a.txt\")"),
        ("src/a/b.rs", "// ../../tests/a.txt"),
    ] {
        assert_eq!(reaches_into_tests(&[Source::new(path, text)]), [""; 0], "{path}: {text}");
    }
}

#[test]
fn a_stray_entry_is_found() {
    let names = ["src", "LICENSE", ".ci", "target", "notes.txt"].map(str::to_owned);
    assert_eq!(
        strays(&names, &|name| name == "target"),
        ["notes.txt: does not belong at the top level"]
    );
}

#[test]
fn a_file_that_nothing_names_is_found() {
    let story = || Source::new("tests/stories/a_story.rs", "");
    let other = |text| Source::new("tests/stories/main.rs", text);
    assert_eq!(unnamed(&[story(), other("mod another_story;")]).len(), 1);
    assert_eq!(unnamed(&[story(), other("mod a_story;")]), [""; 0]);
    assert_eq!(unnamed(&[story(), other("#[path = \"../stories/a_story.rs\"] mod a;")]), [""; 0]);
}

#[test]
fn a_service_without_hardening_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let bare = Source::new("bare.service", "[Service]\nExecStart=/bin/true\n");
    fs::write(folder.path().join(&bare.path), &bare.text).unwrap();
    assert_eq!(exposed(folder.path(), &[bare]).len(), 1);
    assert_eq!(
        exposed(folder.path(), &[Source::new("a.timer", "[Timer]\nExecStartPre=/bin/true\n")])
            .len(),
        1
    );
}
