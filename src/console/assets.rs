//! The files that pages ask for, part of the program: one sheet and small modules, served as they
//! lie here.

/// Where they are served.
pub(super) const AT: &str = "/console/assets/";

/// What a page may load, run and do: files of our own, pictures of our own, and nothing else.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src \
    'self'; img-src 'self' blob: data:; \
connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// What goes along with every page and every file: nothing is framed, guessed, kept or told
/// elsewhere, and keys answer here only.
pub const HEADERS: [(&str, &str); 7] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("cache-control", "no-store"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), \
         microphone=(), geolocation=()",
    ),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
];

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Every file by its name.
const FILES: [(&str, &str, &[u8]); 15] = [
    ("console.css", "text/css; charset=utf-8", include_bytes!("assets/console.css")),
    ("console.js", SCRIPT, include_bytes!("assets/console.js")),
    ("compare.js", SCRIPT, include_bytes!("assets/compare.js")),
    ("enrol.js", SCRIPT, include_bytes!("assets/enrol.js")),
    ("form.js", SCRIPT, include_bytes!("assets/form.js")),
    ("icon.svg", "image/svg+xml; charset=utf-8", include_bytes!("assets/icon.svg")),
    ("idle.js", SCRIPT, include_bytes!("assets/idle.js")),
    ("key.js", SCRIPT, include_bytes!("assets/key.js")),
    ("keys.js", SCRIPT, include_bytes!("assets/keys.js")),
    ("light.js", SCRIPT, include_bytes!("assets/light.js")),
    ("probe.js", SCRIPT, include_bytes!("assets/probe.js")),
    ("touch.js", SCRIPT, include_bytes!("assets/touch.js")),
    ("upload.js", SCRIPT, include_bytes!("assets/upload.js")),
    ("verb.js", SCRIPT, include_bytes!("assets/verb.js")),
    ("policy-5-27.txt", "text/plain; charset=utf-8", crate::inquiry::SPECIAL_ORDER.as_bytes()),
];

/// A file by its name below `/console/assets/`: its content type and its bytes.
pub fn asset(name: &str) -> Option<(&'static str, &'static [u8])> {
    FILES.iter().find(|(known, ..)| *known == name).map(|&(_, kind, bytes)| (kind, bytes))
}

/// The names of all files.
pub fn assets() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, ..)| *name)
}
