//! `multipart/form-data` body, built whole in memory: a photo is bounded, and a retry needs the
//! same bytes again.

use crate::crypto::random;

/// A form under construction.
pub(super) struct Multipart {
    boundary: String,
    body: Vec<u8>,
}

impl Multipart {
    pub(super) fn new() -> Self {
        // 128 random bits can't be found in a photo, so nothing needs to be searched or escaped.
        Self { boundary: format!("smrt-{}", hex::encode(random::<16>())), body: Vec::new() }
    }

    pub(super) fn part(&mut self, name: &str, content_type: &str, bytes: &[u8]) {
        self.push(&format!("form-data; name=\"{name}\""), content_type, bytes);
    }

    pub(super) fn file(&mut self, name: &str, file_name: &str, bytes: &[u8]) {
        self.push(
            &format!("form-data; name=\"{name}\"; filename=\"{file_name}\""),
            "application/octet-stream",
            bytes,
        );
    }

    pub(super) fn end(mut self) -> Self {
        self.body.extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        self
    }

    pub(super) fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.body
    }

    fn push(&mut self, disposition: &str, content_type: &str, bytes: &[u8]) {
        let head = format!(
            "--{}\r\nContent-Disposition: {disposition}\r\nContent-Type: {content_type}\r\n\r\n",
            self.boundary
        );
        self.body.reserve(head.len() + bytes.len() + 2);
        self.body.extend_from_slice(head.as_bytes());
        self.body.extend_from_slice(bytes);
        self.body.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_its_parts_between_boundaries() {
        let mut body = Multipart::new();
        body.part("booking", "application/json", b"{}");
        body.file("photo", "photo", b"\xff\xd8\r\n--");
        let body = body.end();
        let boundary = body.content_type().split_once('=').unwrap().1.to_owned();
        let mut wanted = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"booking\"\r\nContent-Type: \
             application/json\r\n\r\n{{}}\r\n--{boundary}\r\n\
             Content-Disposition: form-data; name=\"photo\"; filename=\"photo\"\r\nContent-Type: \
             application/octet-stream\r\n\r\n"
        )
        .into_bytes();
        wanted.extend_from_slice(b"\xff\xd8\r\n--");
        wanted.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        assert_eq!(body.as_bytes(), wanted);
    }
}
