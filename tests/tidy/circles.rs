//! Circles between files: who uses a name that which file defines, and which files lead back to
//! themselves so.
//!
//! An edge is the use of a name, resolved as the compiler resolves a path: through modules, imports
//! and re-exports to the file that defines it. `mod` and `pub use` are no edges, since they only
//! say where something is found; neither is what is compiled for tests only. Methods are not
//! resolved: whoever calls one has named its type somewhere.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::source::{Source, Token, item_end, past_group};

/// The circles, each as one message: its files, and what they use of each other.
pub(crate) fn circles(sources: &[Source]) -> Vec<String> {
    let uses = Uses::of(sources);
    let mut wrong = Vec::new();
    for circle in strongly_connected(sources.len(), &uses) {
        let name = |file: usize| sources[file].path.as_str();
        let files: Vec<&str> = circle.iter().map(|file| name(*file)).collect();
        let mut text = format!("a circle of {} files: {}", files.len(), files.join(" "));
        for ((from, to), names) in &uses.0 {
            if circle.contains(from) && circle.contains(to) {
                let names: Vec<String> =
                    names.iter().map(|(name, line)| format!("{name} in line {line}")).collect();
                text +=
                    &format!("\n    {} uses of {}: {}", name(*from), name(*to), names.join(", "));
            }
        }
        wrong.push(text);
    }
    wrong
}

/// By the files that use and define: the names, each with the first line that has it.
struct Uses(BTreeMap<(usize, usize), BTreeMap<String, usize>>);

/// One module: a file, or a block of one.
struct Module {
    file: usize,
    /// The module around it; itself at the root of a crate.
    parent: usize,
    root: usize,
    items: HashMap<String, Item>,
    globs: Vec<Vec<String>>,
    imports: Vec<Import>,
    /// Pieces of code whose paths are resolved here.
    bodies: Vec<Vec<Token>>,
}

#[derive(Clone)]
enum Item {
    Defined,
    Module(usize),
    Import(Vec<String>),
}

/// What an import or a path leads to.
#[derive(Clone, Copy, PartialEq)]
enum Target {
    Module(usize),
    File(usize),
}

struct Import {
    path: Vec<String>,
    line: usize,
    public: bool,
}

struct Tree<'a> {
    sources: &'a [Source],
    modules: Vec<Module>,
    library: Option<usize>,
}

impl Uses {
    fn of(sources: &[Source]) -> Self {
        let mut tree = Tree { sources, modules: Vec::new(), library: None };
        for (file, source) in sources.iter().enumerate() {
            let is_library = source.path == "src/lib.rs";
            if is_library || source.path.ends_with("/main.rs") {
                let root = tree.add(file, None);
                tree.read(root, &source.shipped());
                tree.library = if is_library { Some(root) } else { tree.library };
            }
        }
        let mut uses = BTreeMap::new();
        for module in 0..tree.modules.len() {
            for (path, line) in tree.paths_in(module) {
                let from = tree.modules[module].file;
                // The shortest beginning that leads to a file names what the file defines.
                for length in 1..=path.len() {
                    let Some(Target::File(to)) = tree.resolve(module, &path[..length], 0) else {
                        continue;
                    };
                    if to != from {
                        let names: &mut BTreeMap<_, _> = uses.entry((from, to)).or_default();
                        names.entry(path[length - 1].clone()).or_insert(line);
                    }
                    break;
                }
            }
        }
        Self(uses)
    }
}

impl Tree<'_> {
    fn add(&mut self, file: usize, parent: Option<usize>) -> usize {
        let module = self.modules.len();
        let root = parent.map_or(module, |parent| self.modules[parent].root);
        self.modules.push(Module {
            file,
            parent: parent.unwrap_or(module),
            root,
            items: HashMap::new(),
            globs: Vec::new(),
            imports: Vec::new(),
            bodies: Vec::new(),
        });
        module
    }

    /// Takes in the items of a module.
    fn read(&mut self, module: usize, tokens: &[Token]) {
        let mut at = 0;
        while at < tokens.len() {
            let end = item_end(tokens, at).max(at + 1);
            self.read_item(module, &tokens[at..end]);
            at = end;
        }
    }

    fn read_item(&mut self, module: usize, item: &[Token]) {
        let text = |at: usize| item.get(at).map_or("", |token: &Token| token.text.as_str());
        let mut at = 0;
        while text(at) == "#" {
            at = past_group(item, at + 1 + usize::from(text(at + 1) == "!"));
        }
        let public = text(at) == "pub";
        if public {
            at += 1;
            if text(at) == "(" {
                at = past_group(item, at);
            }
        }
        while matches!(text(at), "unsafe" | "async" | "extern")
            || text(at) == "const" && matches!(text(at + 1), "fn" | "unsafe" | "async")
        {
            at += 1;
        }
        match text(at) {
            "mod" => self.read_module(module, text(at + 1), &item[at + 2..]),
            "use" => self.read_import(module, &item[at + 1..], public),
            "fn" | "struct" | "enum" | "union" | "trait" | "type" | "const" | "static" => {
                self.define(module, text(at + 1));
                self.modules[module].bodies.push(item[at + 2..].to_vec());
            }
            "macro_rules" => {
                self.define(module, text(at + 2));
                for pair in item.windows(2) {
                    if matches!(pair[0].text.as_str(), "struct" | "enum" | "fn" | "trait") {
                        self.define(module, &pair[1].text);
                    }
                }
                self.modules[module].bodies.push(item[at + 3..].to_vec());
            }
            _ => {
                // A macro's call defines the types that it is given names for.
                if text(at + 1) == "!" {
                    for name in item[at + 2..].iter().map(|token| &token.text) {
                        if name.starts_with(char::is_uppercase)
                            && !self.modules[module].items.contains_key(name)
                        {
                            self.define(module, name);
                        }
                    }
                }
                self.modules[module].bodies.push(item[at..].to_vec());
            }
        }
    }

    fn define(&mut self, module: usize, name: &str) {
        self.modules[module].items.insert(name.to_owned(), Item::Defined);
    }

    fn read_module(&mut self, module: usize, name: &str, rest: &[Token]) {
        let file = self.modules[module].file;
        let child = if rest.first().is_some_and(|token| token.text == "{") {
            let child = self.add(file, Some(module));
            self.read(child, &rest[1..rest.len() - 1]);
            child
        } else {
            let mut folder = self.sources[file].folder_of_children();
            for inline in self.inline_names(module) {
                folder = format!("{folder}/{inline}");
            }
            let files = [format!("{folder}/{name}.rs"), format!("{folder}/{name}/mod.rs")];
            let Some(file) = self.sources.iter().position(|source| files.contains(&source.path))
            else {
                return;
            };
            let child = self.add(file, Some(module));
            self.read(child, &self.sources[file].shipped());
            child
        };
        self.modules[module].items.insert(name.to_owned(), Item::Module(child));
    }

    /// The names of the blocks of its file in which a module lies, from the outermost.
    fn inline_names(&self, mut module: usize) -> Vec<String> {
        let mut names = Vec::new();
        loop {
            let parent = self.modules[module].parent;
            if parent == module || self.modules[parent].file != self.modules[module].file {
                break;
            }
            let items = &self.modules[parent].items;
            let name =
                items.iter().find(|(_, item)| matches!(item, Item::Module(m) if *m == module));
            names.extend(name.map(|(name, _)| name.clone()));
            module = parent;
        }
        names.reverse();
        names
    }

    fn read_import(&mut self, module: usize, tokens: &[Token], public: bool) {
        for (path, name, line) in leaves_of_use(tokens) {
            let into = &mut self.modules[module];
            if name == "*" {
                into.globs.push(path);
            } else {
                into.items.entry(name).or_insert(Item::Import(path.clone()));
                into.imports.push(Import { path, line, public });
            }
        }
    }

    /// All paths of a module that may lead to other files, with their lines.
    fn paths_in(&mut self, module: usize) -> Vec<(Vec<String>, usize)> {
        let bodies = std::mem::take(&mut self.modules[module].bodies);
        let mut paths = Vec::new();
        for body in &bodies {
            let mut at = 0;
            while at < body.len() {
                let before = at.checked_sub(1).map_or("", |at| &body[at].text);
                let after = body.get(at + 1).map_or("", |token| &token.text);
                if body[at].text == "use" && matches!(before, "{" | "}" | ";") {
                    let end = at + body[at..].iter().take_while(|token| token.text != ";").count();
                    self.read_import(module, &body[at + 1..end], false);
                    at = end;
                } else if is_name(&body[at].text)
                    && !matches!(before, "." | "::" | "'" | "$")
                    && after != ":"
                {
                    let mut path = vec![body[at].text.clone()];
                    let line = body[at].line;
                    while body.get(at + 1).is_some_and(|token| token.text == "::")
                        && body.get(at + 2).is_some_and(|token| is_name(&token.text))
                    {
                        path.push(body[at + 2].text.clone());
                        at += 2;
                    }
                    paths.push((path, line));
                    at += 1;
                } else {
                    at += 1;
                }
            }
        }
        let imports = self.modules[module].imports.iter().filter(|import| !import.public);
        paths.extend(imports.map(|import| (import.path.clone(), import.line)));
        paths
    }

    fn resolve(&self, module: usize, path: &[String], depth: usize) -> Option<Target> {
        // Imports that lead in a ring.
        if depth > 32 {
            return None;
        }
        let mut target = None;
        for (at, name) in path.iter().enumerate() {
            let here = match target {
                None => module,
                Some(Target::Module(here)) => here,
                Some(Target::File(_)) => return target,
            };
            target = match name.as_str() {
                "crate" => Some(Target::Module(self.modules[module].root)),
                "self" => Some(Target::Module(here)),
                "super" => Some(Target::Module(self.modules[here].parent)),
                _ => match self.find(here, name, depth + 1) {
                    None if at == 0 && name == "smrt" => self.library.map(Target::Module),
                    found => found,
                },
            };
            target?;
        }
        target
    }

    fn find(&self, module: usize, name: &str, depth: usize) -> Option<Target> {
        let scope = &self.modules[module];
        match scope.items.get(name) {
            Some(Item::Defined) => Some(Target::File(scope.file)),
            Some(Item::Module(child)) => Some(Target::Module(*child)),
            // An import of the crate that it is named like.
            Some(Item::Import(path)) if path.len() == 1 && path[0] == name => None,
            Some(Item::Import(path)) => self.resolve(module, path, depth + 1),
            None => {
                scope.globs.iter().find_map(|glob| match self.resolve(module, glob, depth + 1)? {
                    Target::Module(of) if of != module && depth < 32 => {
                        self.find(of, name, depth + 1)
                    }
                    _ => None,
                })
            }
        }
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Each path of an import, the name that it gets here (`*` for all names), and its line.
fn leaves_of_use(tokens: &[Token]) -> Vec<(Vec<String>, String, usize)> {
    let mut leaves = Vec::new();
    let mut prefixes: Vec<Vec<String>> = vec![Vec::new()];
    let mut path: Vec<String> = Vec::new();
    let mut alias: Option<String> = None;
    let mut line = 0;
    let mut end_leaf = |path: &mut Vec<String>, alias: &mut Option<String>, line: usize| {
        if path.last().is_some_and(|name| name == "self") && path.len() > 1 {
            path.pop();
        }
        let all = path.last().is_some_and(|name| name == "*");
        let name = alias.take().or_else(|| path.last().cloned());
        if all {
            path.pop();
        }
        if let Some(name) = name {
            leaves.push((std::mem::take(path), name, line));
        }
        path.clear();
    };
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            "{" => {
                prefixes.push(path.clone());
            }
            "}" | "," => {
                let prefix = prefixes.last().cloned().unwrap_or_default();
                if path != prefix {
                    end_leaf(&mut path, &mut alias, line);
                }
                if tokens[at].text == "}" {
                    prefixes.pop();
                }
                path = prefixes.last().cloned().unwrap_or_default();
                // What follows a closed group is a comma or the end, which are no leaf.
            }
            ";" => break,
            "::" => {}
            "as" => {
                at += 1;
                alias = tokens.get(at).map(|token| token.text.clone());
            }
            name => {
                line = tokens[at].line;
                path.push(name.to_owned());
            }
        }
        at += 1;
    }
    if !path.is_empty() {
        end_leaf(&mut path, &mut alias, line);
    }
    leaves
}

/// The sets of more than one file in which each leads to each.
fn strongly_connected(files: usize, uses: &Uses) -> Vec<BTreeSet<usize>> {
    let mut edges = vec![Vec::new(); files];
    for (from, to) in uses.0.keys() {
        edges[*from].push(*to);
    }
    let reached: Vec<BTreeSet<usize>> = (0..files)
        .map(|start| {
            let (mut seen, mut next) = (BTreeSet::new(), edges[start].clone());
            while let Some(file) = next.pop() {
                if seen.insert(file) {
                    next.extend(&edges[file]);
                }
            }
            seen
        })
        .collect();
    let mut circles: Vec<BTreeSet<usize>> = Vec::new();
    for start in 0..files {
        let circle: BTreeSet<usize> =
            reached[start].iter().copied().filter(|file| reached[*file].contains(&start)).collect();
        if circle.len() > 1 && !circles.contains(&circle) {
            circles.push(circle);
        }
    }
    circles
}

fn house(files: &[(&str, &str)]) -> Vec<Source> {
    files.iter().map(|(path, text)| Source::new(path, text)).collect()
}

#[test]
fn a_circle_is_found_in_every_spelling() {
    for (a, b) in [
        ("use crate::b::B; pub struct A;", "use crate::a::A; pub struct B;"),
        ("pub fn a() { super::b::b() }", "pub fn b() { crate::a::a() }"),
        ("use crate::{b}; pub struct A(b::B);", "pub struct B(Vec<crate::a::A>);"),
        ("use crate::b::*; pub struct A(B);", "pub struct B; fn f() { use super::a::A as C; }"),
        ("use crate::b::{self as c, B}; pub type A = c::B;", "pub enum B { C(crate::a::A) }"),
        (
            "m! { AnId } fn f() { crate::b::m!() }",
            "macro_rules! m { () => {} } use crate::a::AnId;",
        ),
        ("use crate::B; pub struct A;", "use crate::inner::deep::A; pub struct B;"),
        (
            "pub const A: u8 = crate::b::B;",
            "pub const B: u8 = 1; mod x { use super::super::a::A; }",
        ),
    ] {
        let root = "pub mod a; mod b; pub use b::B; \
            mod inner { pub mod deep { pub use super::super::a::*; } }";
        let files = house(&[("src/lib.rs", root), ("src/a.rs", a), ("src/b.rs", b)]);
        let found = circles(&files);
        assert_eq!(found.len(), 1, "{a} and {b}");
        let named = "a circle of 2 files: src/a.rs src/b.rs\n    src/a.rs uses of src/b.rs: ";
        assert!(found[0].starts_with(named), "{}", found[0]);
    }
}

#[test]
fn a_circle_of_a_module_and_its_children_and_of_a_program_is_found() {
    let library = [
        ("src/lib.rs", "pub mod a;"),
        ("src/a/mod.rs", "mod b; mod c; use b::B; pub struct A;"),
        ("src/a/b.rs", "use super::c::C; pub struct B;"),
        ("src/a/c.rs", "pub struct C(super::A);"),
    ];
    let found = circles(&house(&library));
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("a circle of 3 files: src/a/mod.rs src/a/b.rs src/a/c.rs\n"));
    let program = [
        ("src/lib.rs", "pub fn l() {}"),
        ("src/bin/p/main.rs", "mod b; pub(crate) fn a() { smrt::l() } fn main() { b::f() }"),
        ("src/bin/p/b.rs", "pub fn f() { crate::a() }"),
    ];
    assert_eq!(circles(&house(&program)).len(), 1);
}

#[test]
fn what_only_says_where_something_is_makes_no_circle() {
    for (a, child) in [
        ("mod b; pub use b::B; pub struct A;", "use super::A; pub struct B;"),
        ("mod b; pub(crate) use b::{self, B}; pub struct A;", "pub struct B(super::A);"),
        ("mod b; pub struct A; #[cfg(test)] mod t { use super::b::B; }", "use super::A; struct B;"),
        (
            "mod b; use b::B; pub struct A;",
            "pub struct B; #[cfg(test)] mod t { use super::super::A; }",
        ),
        ("mod b; use b::B; pub struct A;", "pub struct B; // super::A\nfn f() { x.A(); y::A(); }"),
        ("mod b; use b::B; pub struct A;", "use std::A; pub struct B; fn f(A: u8) {}"),
    ] {
        let files = house(&[("src/lib.rs", "mod a;"), ("src/a.rs", a), ("src/a/b.rs", child)]);
        assert_eq!(circles(&files), [""; 0], "{a} and {child}");
    }
}
