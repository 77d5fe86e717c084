//! A caller that doesn't use the client library: whatever bytes and whatever certificates a story
//! wants at the door.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned,
    SupportedProtocolVersion,
};

use crate::site::PATIENCE;

/// A certificate and its key.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// What the box answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// An open connection.
pub(crate) struct Line(StreamOwned<ClientConnection, TcpStream>);

/// A multipart body in the making.
pub(crate) struct Form(Vec<u8>);

const BOUNDARY: &str = "a-boundary-of-the-stories";

impl Line {
    /// Connects; the handshake comes with the first bytes.
    pub(crate) fn open(
        address: SocketAddr,
        ca: &Path,
        identity: Option<&Identity>,
        version: &'static SupportedProtocolVersion,
    ) -> io::Result<Self> {
        Self::connect(address, &Self::config(ca, identity, version))
    }

    /// What a caller's handshakes go by; whoever connects by it again resumes its session, where
    /// the box lets it.
    pub(crate) fn config(
        ca: &Path,
        identity: Option<&Identity>,
        version: &'static SupportedProtocolVersion,
    ) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots);
        Arc::new(match identity {
            None => builder.with_no_client_auth(),
            Some(Identity { certificate, key }) => {
                let chain = CertificateDer::pem_file_iter(certificate)
                    .unwrap()
                    .collect::<Result<_, _>>()
                    .unwrap();
                builder
                    .with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(key).unwrap())
                    .unwrap()
            }
        })
    }

    /// As `open`, by a configuration that connected before.
    pub(crate) fn connect(address: SocketAddr, config: &Arc<ClientConfig>) -> io::Result<Self> {
        let tcp = TcpStream::connect(address)?;
        tcp.set_read_timeout(Some(PATIENCE))?;
        tcp.set_write_timeout(Some(PATIENCE))?;
        let tls = ClientConnection::new(config.clone(), ServerName::try_from("localhost").unwrap())
            .unwrap();
        Ok(Self(StreamOwned::new(tls, tcp)))
    }

    /// Whether the handshake resumed a session, and showed no certificate.
    pub(crate) fn is_resumed(&self) -> bool {
        self.0.conn.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// Sends bytes.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)?;
        self.0.flush()
    }

    /// Sends a request and reads its answer, which may come before the whole body was wanted.
    pub(crate) fn ask(
        &mut self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &[u8],
    ) -> io::Result<Answer> {
        self.ask_as(method, path, content_type, &[], body)
    }

    /// As `ask`, with more headers.
    pub(crate) fn ask_as(
        &mut self,
        method: &str,
        path: &str,
        content_type: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Answer> {
        let more: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = head(method, path, content_type, body.len());
        let head = [&head[..head.len() - 2], more.as_bytes(), b"\r\n"].concat();
        let sent = self.send(&head).and_then(|()| self.send(body));
        match sent {
            Err(e)
                if !matches!(
                    e.kind(),
                    io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
                ) =>
            {
                Err(e)
            }
            _ => self.answer(),
        }
    }

    /// Reads one answer.
    pub(crate) fn answer(&mut self) -> io::Result<Answer> {
        let mut bytes = Vec::new();
        let mut chunk = [0; 16 << 10];
        loop {
            if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
                let text = String::from_utf8_lossy(&bytes[..end]).into_owned();
                let mut lines = text.lines();
                let status = lines
                    .next()
                    .and_then(|l| l.split(' ').nth(1))
                    .and_then(|s| s.parse().ok())
                    .unwrap_or(0);
                let headers: HashMap<String, String> = lines
                    .filter_map(|line| line.split_once(':'))
                    .map(|(name, value)| {
                        (name.trim().to_ascii_lowercase(), value.trim().to_owned())
                    })
                    .collect();
                let wanted =
                    headers.get("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
                let body = &bytes[end + 4..];
                if body.len() >= wanted {
                    return Ok(Answer { status, headers, body: body[..wanted].to_vec() });
                }
            }
            match self.0.conn.reader().read(&mut chunk) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => bytes.extend_from_slice(&chunk[..read]),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => self.receive()?,
                Err(e) => return Err(e),
            }
        }
    }

    /// Takes in what came, without sending first what can't be sent any more.
    fn receive(&mut self) -> io::Result<()> {
        let StreamOwned { conn, sock } = &mut self.0;
        if conn.read_tls(sock)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        conn.process_new_packets().map(|_| ()).map_err(io::Error::other)
    }
}

/// The head of a request.
pub(crate) fn head(method: &str, path: &str, content_type: &str, bytes: usize) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: \
        {content_type}\r\ncontent-length: {bytes}\r\n\r\n"
    )
    .into_bytes()
}

impl Answer {
    /// The body's JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// Holds that this is a problem of this status and type whose detail has these words.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, kind: &str, words: &str) {
        let body = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{body}");
        assert_eq!(
            self.headers.get("content-type").map(String::as_str),
            Some("application/problem+json"),
            "{body}"
        );
        let problem = self.json();
        assert_eq!(
            (&problem["type"], &problem["status"]),
            (&kind.into(), &status.into()),
            "{body}"
        );
        assert!(problem["detail"].as_str().unwrap().contains(words), "wanted '{words}' in {body}");
        assert!(problem["request"].as_str().is_some_and(|id| !id.is_empty()), "{body}");
    }
}

impl Form {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    /// A form of a JSON part and a photo.
    pub(crate) fn of(name: &str, json: &serde_json::Value, photo: &[u8]) -> Vec<u8> {
        Self::new().part(name, json.to_string().as_bytes()).part("photo", photo).end()
    }

    pub(crate) fn part(mut self, name: &str, content: &[u8]) -> Self {
        let head =
            format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n");
        self.0.extend_from_slice(head.as_bytes());
        self.0.extend_from_slice(content);
        self.0.extend_from_slice(b"\r\n");
        self
    }

    pub(crate) fn end(mut self) -> Vec<u8> {
        self.0.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        self.0
    }

    pub(crate) fn content_type() -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }
}
