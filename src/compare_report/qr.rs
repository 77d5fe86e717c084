//! The QR code: which leaf of which log to ask for, and under which root.

use base64::{Engine, engine::general_purpose::STANDARD};
use qrcodegen::{QrCode, QrCodeEcc};

use super::layout::Draw;
use super::supplement::ProvenLeaf;
use crate::audit::{Checkpoint, Note};

/// Modules of clear ground that belong around a code.
pub(super) const QUIET: f32 = 4.0;

/// The code's text: the log's origin, the index of the leaf, the log's size and root there.
pub(super) fn said(proven: &ProvenLeaf) -> Option<String> {
    let Checkpoint { origin, leaves, root } =
        Note::parse(&proven.proof.checkpoint).ok()?.checkpoint().ok()?;
    Some(format!(
        "SMRT {origin} leaf {} of {leaves} root {}",
        proven.proof.index,
        STANDARD.encode(root)
    ))
}

/// The code, so large.
///
/// Units: points along a side.
pub(super) fn code(said: &str, size: f32) -> Option<Draw> {
    let code = QrCode::encode_text(said, QrCodeEcc::Medium).ok()?;
    let dark = (0..code.size())
        .flat_map(|y| (0..code.size()).map(move |x| (x, y)))
        .map(|(x, y)| code.get_module(x, y))
        .collect();
    Some(Draw::QrCode { side: usize::try_from(code.size()).ok()?, dark, size })
}
