//! A probe comes to its inquiry in pieces, in their order, as it was announced; what isn't a photo
//! is no probe, and another photo takes the place of the first.

use image::imageops;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use smrt::api::wire::{InquiryView, UploadRequest, UploadState};
use smrt::client::ClientError;
use smrt::client::console_session::ConsoleSession;
use smrt::face::Edits;
use smrt::ids::Digest;
use smrt::inquiry::{InquiryId, Stage};
use smrt::limits::{PROBE_BYTES_MAX, PROBE_PIECE_BYTES};

use crate::desks::{Hand, refused};
use crate::photos::{COLLINS, OBAMA_LATER, photo, png};
use crate::site::{Site, request};

/// A file that is announced for an inquiry.
struct Sent {
    inquiry: InquiryId,
    bytes: Vec<u8>,
    sha256: Digest,
}

impl Sent {
    /// A portrait that takes several pieces, for a fresh inquiry.
    fn large(desk: &ConsoleSession) -> Self {
        let portrait = image::load_from_memory(&photo(OBAMA_LATER)).unwrap().to_rgb8();
        let height = 1_400 * portrait.height() / portrait.width();
        let large =
            png(&imageops::resize(&portrait, 1_400, height, imageops::FilterType::Triangle));
        assert!(large.len() > PROBE_PIECE_BYTES + 1_000, "{}", large.len());
        Self::of(large, desk)
    }

    fn of(bytes: Vec<u8>, desk: &ConsoleSession) -> Self {
        let inquiry = desk.open(&request()).unwrap().inquiry;
        let sha256 = Digest(Sha256::digest(&bytes).into());
        Self { inquiry, bytes, sha256 }
    }

    /// Announces it with so many bytes.
    fn announce(&self, desk: &ConsoleSession, bytes: u64) -> Result<UploadState, ClientError> {
        let announced = UploadRequest { bytes, sha256: self.sha256 };
        desk.post(&format!("/v1/inquiries/{}/upload", self.inquiry), &announced)
    }

    /// Sends a piece that is said to begin there.
    fn put(
        &self,
        desk: &ConsoleSession,
        offset: u64,
        piece: &[u8],
    ) -> Result<UploadState, ClientError> {
        desk.put_piece(self.inquiry, self.len(), self.sha256, offset, piece)
    }

    /// Says that all of it is there.
    fn end(&self, desk: &ConsoleSession) -> Result<InquiryView, ClientError> {
        let end = json!({"revision": 1, "bytes": self.len(), "sha256": self.sha256});
        desk.post(&format!("/v1/inquiries/{}/probe", self.inquiry), &end)
    }

    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn first_piece(&self) -> &[u8] {
        &self.bytes[..self.bytes.len().min(PROBE_PIECE_BYTES)]
    }
}

#[test]
fn an_upload_takes_its_pieces_in_order_and_no_other_bytes() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let desk = daemon.desk("rtcc-1");
    let probe = Sent::large(&desk);
    for bytes in [0, PROBE_BYTES_MAX as u64 + 1] {
        let refusal = "wanted 1 to 67108864 bytes";
        refused(probe.announce(&desk, bytes), 413, "probe-size", refusal);
    }
    let piece = PROBE_PIECE_BYTES as u64;
    assert_eq!(probe.announce(&desk, probe.len()).unwrap(), UploadState { received: 0, piece });
    let first = probe.first_piece();
    let rest = &probe.bytes[PROBE_PIECE_BYTES..probe.bytes.len().min(2 * PROBE_PIECE_BYTES)];
    let out_of_order = "the next piece begins there";
    refused(probe.put(&desk, piece, rest), 409, "upload-torn", out_of_order);
    refused(probe.put(&desk, 5, first), 409, "upload-torn", out_of_order);
    let short = "has 1048575 bytes, wanted 1048576";
    refused(probe.put(&desk, 0, &first[1..]), 409, "upload-torn", short);
    let long = &probe.bytes[..PROBE_PIECE_BYTES + 1];
    refused(probe.put(&desk, 0, long), 413, "too-large", "1048576 bytes");
    assert_eq!(probe.put(&desk, 0, first).unwrap().received, piece);
    let other: Vec<u8> = first.iter().map(|byte| byte ^ 1).collect();
    refused(probe.put(&desk, 0, &other), 409, "upload-torn", "came before with other bytes");
    let otherwise = "announced otherwise before";
    refused(probe.announce(&desk, probe.len() - 1), 409, "upload-torn", otherwise);
    refused(probe.end(&desk), 409, "upload-torn", "bytes have been received of");
    let hand = Hand::new(&daemon, &site.console_identity("rtcc-1")).at(&desk);
    for query in ["", "?offset=0", "?offset=0&bytes=9&sha256=xyz", "?offset=-1&bytes=9&sha256=00"] {
        let path = format!("/v1/inquiries/{}/upload{query}", probe.inquiry);
        hand.ask("PUT", &path, b"x").is_problem(400, "malformed", "a piece is not placed");
    }
    let others = daemon.desk("rtcc-2");
    refused(probe.put(&others, 0, first), 403, "not-theirs", "did not open this inquiry");
    // None of this left anything behind.
    assert_eq!(probe.announce(&desk, probe.len()).unwrap().received, piece);
    let view = desk.hand_over(&desk.inquiry(probe.inquiry).unwrap(), &probe.bytes).unwrap();
    let received = view.probe.as_ref().unwrap();
    assert_eq!((view.stage, received.faces.len()), (Stage::ProbeReceived, 1));
    assert_eq!(received.sha256, probe.sha256);
}

#[test]
fn an_upload_goes_on_where_it_was_after_a_restart() {
    let site = Site::staffed();
    let mut daemon = site.start("test");
    let desk = daemon.desk("rtcc-1");
    let probe = Sent::large(&desk);
    probe.put(&desk, 0, probe.first_piece()).unwrap();
    daemon.kill();

    let daemon = site.start("test");
    let desk = daemon.desk("rtcc-1");
    assert_eq!(
        probe.announce(&desk, probe.len()).unwrap().received,
        PROBE_PIECE_BYTES as u64,
        "what was acknowledged is there"
    );
    let view = desk.hand_over(&desk.inquiry(probe.inquiry).unwrap(), &probe.bytes).unwrap();
    assert_eq!((view.stage, view.probe.as_ref().unwrap().faces.len()), (Stage::ProbeReceived, 1));
    let chosen = desk.choose(&view, None, Edits::default(), None).unwrap().view;
    assert_eq!(desk.approve(&chosen).unwrap().view.stage, Stage::Answered);
}

#[test]
fn another_probe_takes_the_place_of_the_first_and_its_choice_is_gone() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let desk = daemon.desk("rtcc-1");
    let view = desk.hand_over(&desk.open(&request()).unwrap(), &photo(OBAMA_LATER)).unwrap();
    let chosen = desk.choose(&view, None, Edits::default(), None).unwrap().view;
    let again = desk.hand_over(&chosen, &photo(COLLINS)).unwrap();
    assert!(again.choice.is_none() && again.stage == Stage::ProbeReceived);
    let again = desk.choose(&again, None, Edits::default(), None).unwrap().view;
    assert_eq!(desk.approve(&again).unwrap().view.stage, Stage::Answered);
}

#[test]
fn other_bytes_than_were_announced_and_what_is_no_photo_are_no_probe() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let desk = daemon.desk("rtcc-1");
    let mut lie = Sent::of(photo(COLLINS), &desk);
    lie.sha256 = Digest(Sha256::digest(b"something else").into());
    lie.put(&desk, 0, lie.first_piece()).unwrap();
    refused(lie.end(&desk), 409, "upload-torn", "the upload begins anew");
    let wrong = desk.inquiry(lie.inquiry).unwrap();
    for (file, kind, words) in [
        (&b"GIF89a, not a photo of ours"[..], "photo-kind", "begins with 474946383961"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "photo-kind", "wanted a JPEG, PNG or JPEG 2000 photo"),
        (b"%PDF-1.7", "photo-kind", "wanted a JPEG, PNG or JPEG 2000 photo"),
        (&lie.bytes[..lie.bytes.len() / 2], "photo-damaged", "wanted a complete file"),
    ] {
        refused(desk.hand_over(&wrong, file), 422, kind, words);
    }
    assert_eq!(desk.inquiry(wrong.inquiry).unwrap().stage, Stage::Opened);
    desk.hand_over(&wrong, &lie.bytes).expect("the inquiry goes on");
}
