//! Reverse proxy of the demonstration, on loopback: a browser asks it at `http://localhost:PORT`,
//! it asks the server over mutual TLS under a console's certificate, and it signs with the software
//! keys of the demonstration's people in place of hardware.
//!
//! It takes one request a connection, and bounds what it reads. It passes the server's answers on
//! unchanged, except the one script that calls the security key, in whose place it serves its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use ureq::http::{self, Method, header};

use super::connection::Client;
use super::error::ClientError;
use super::staff::Staff;
use crate::audit::touch::{RelyingParty, Touch};
use crate::booking::Identifier;
use crate::limits::{ANSWER_BYTES_MAX, BODY_BYTES_MAX, HEADER_BYTES_MAX, HEADER_SECONDS_MAX};

/// The console's script that calls the security key.
const KEY_MODULE: &str = "/console/assets/key.js";
const KEY_PATH: &str = "/demo/key";
/// The script that is served in its place.
const SOFTWARE_KEY_MODULE: &str = r#"
// DEMONSTRATION: these people's keys are software, held by the proxy in front of the server.
import { fromBase64Url, toBase64Url } from "./touch.js";

export async function get(publicKey) {
  // At the log-on no key is named: it is the one of whose name was typed.
  const known = publicKey.allowCredentials[0];
  const asked = { challenge: toBase64Url(publicKey.challenge),
      key: known ? toBase64Url(known.id) : null,
      person: document.querySelector("input[name=person]")?.value ?? null };
  const answer = await fetch("/demo/key",
      { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(asked)
      });
  if (!answer.ok) throw new DOMException("no such key in the demonstration", "NotAllowedError");
  const touch = await answer.json();
  return {
    rawId: fromBase64Url(touch.credential),
    response: {
      authenticatorData: fromBase64Url(touch.authenticator_data),
      clientDataJSON: fromBase64Url(touch.client_data),
      signature: fromBase64Url(touch.signature),
    },
  };
}

export function create(publicKey) {
  return navigator.credentials.create({ publicKey });
}
"#;
/// Hop-by-hop headers, which are not passed on; the length is set anew.
const HOP: [&str; 6] =
    ["connection", "keep-alive", "transfer-encoding", "content-length", "host", "upgrade"];

/// The server's answer: status, headers, body.
type Answer = (u16, Vec<(String, String)>, Vec<u8>);

/// A page's request to a software key.
#[derive(Deserialize)]
struct KeyRequest {
    challenge: String,
    /// The credential that is to answer.
    key: Option<String>,
    /// Whose key it is, where none is named.
    person: Option<String>,
}

/// A proxy that listens, and doesn't answer yet.
pub struct DemoProxy {
    listener: TcpListener,
    relying_party: RelyingParty,
}

/// What each connection of the proxy needs.
struct Forwarding {
    client: Client,
    relying_party: RelyingParty,
    staff: Staff,
}

/// A browser's request.
struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl DemoProxy {
    /// Listens on a loopback port that the system chooses.
    ///
    /// Errors: no port is free.
    pub fn listen() -> Result<Self, ClientError> {
        let listen = || -> std::io::Result<(TcpListener, u16)> {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let port = listener.local_addr()?.port();
            Ok((listener, port))
        };
        let unexpected = |e: String| ClientError::Unexpected { status: 0, found: e };
        let (listener, port) = listen().map_err(|e| unexpected(e.to_string()))?;
        let relying_party = RelyingParty::new(&format!("http://localhost:{port}"))
            .map_err(|e| unexpected(e.to_string()))?;
        Ok(Self { listener, relying_party })
    }

    /// The origin of its pages; security keys are bound to its host name.
    pub fn relying_party(&self) -> &RelyingParty {
        &self.relying_party
    }

    /// Serves until the process ends, as the console of this client, with these people's keys.
    pub fn serve(self, client: Client, staff: Staff) {
        let front = Arc::new(Forwarding { client, relying_party: self.relying_party, staff });
        let listener = self.listener;
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let front = front.clone();
                thread::spawn(move || {
                    // Nobody is left to be told of a browser that went away.
                    let _ = front.answer(stream);
                });
            }
        });
    }
}

impl Forwarding {
    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(HEADER_SECONDS_MAX)))?;
        let Some(request) = read(&stream)? else {
            return write(
                &mut stream,
                400,
                &[],
                b"this is not an HTTP request that the proxy understands",
            );
        };
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", KEY_MODULE) => write(
                &mut stream,
                200,
                &[("content-type".to_owned(), "text/javascript; charset=utf-8".to_owned())],
                SOFTWARE_KEY_MODULE.as_bytes(),
            ),
            ("POST", KEY_PATH) => match self.touch(&request.body) {
                Some(touch) => {
                    let body = serde_json::to_vec(&touch).unwrap_or_default();
                    write(
                        &mut stream,
                        200,
                        &[("content-type".to_owned(), "application/json".to_owned())],
                        &body,
                    )
                }
                None => write(&mut stream, 404, &[], b"this demonstration has no such key"),
            },
            _ => match self.forward(&request) {
                Ok((status, headers, body)) => write(&mut stream, status, &headers, &body),
                Err(e) => write(&mut stream, 502, &[], e.to_string().as_bytes()),
            },
        }
    }

    fn touch(&self, body: &[u8]) -> Option<Touch> {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        let KeyRequest { challenge, key, person } = serde_json::from_slice(body).ok()?;
        let challenge = URL_SAFE_NO_PAD.decode(challenge).ok()?.try_into().ok()?;
        let key = match (key, person) {
            (Some(key), _) => self.staff.key_of_credential(&key)?,
            (None, person) => self.staff.key(&Identifier::parse(&person?).ok()?)?,
        };
        key.lock().ok()?.touch(&challenge, &self.relying_party).ok()
    }

    fn forward(&self, asked: &Request) -> Result<Answer, ClientError> {
        let wrong = |e: http::Error| ClientError::Unexpected { status: 400, found: e.to_string() };
        let method = Method::from_bytes(asked.method.as_bytes()).map_err(|e| wrong(e.into()))?;
        let mut request = http::Request::builder().method(method).uri(self.client.url(&asked.path));
        for (name, value) in asked.headers.iter().filter(|(name, _)| !HOP.contains(&name.as_str()))
        {
            request = request.header(name, value);
        }
        let request = request.body(asked.body.clone()).map_err(wrong)?;
        let mut answer = self.client.agent().run(request)?;
        let headers = answer.headers().iter().filter(|(name, _)| !HOP.contains(&name.as_str()));
        let headers: Vec<(String, String)> = headers
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect();
        let status = answer.status().as_u16();
        let limit = u64::try_from(ANSWER_BYTES_MAX).unwrap_or(u64::MAX);
        let body = answer.body_mut().with_config().limit(limit).read_to_vec()?;
        Ok((status, headers, body))
    }
}

/// Reads one request; none where it isn't HTTP of a form that the proxy knows.
fn read(stream: &TcpStream) -> std::io::Result<Option<Request>> {
    let mut reader = BufReader::new(
        stream.take(u64::try_from(HEADER_BYTES_MAX + BODY_BYTES_MAX).unwrap_or(u64::MAX)),
    );
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (Some(method), Some(path)) =
        (words.next(), words.next().filter(|path| path.starts_with('/')))
    else {
        return Ok(None);
    };
    let (method, path) = (method.to_owned(), path.to_owned());
    let (mut headers, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        let (name, value) = (name.to_ascii_lowercase(), value.trim().to_owned());
        if name == header::CONTENT_LENGTH.as_str() {
            length = value.parse().unwrap_or(usize::MAX);
        }
        headers.push((name, value));
    }
    if length > BODY_BYTES_MAX {
        return Ok(None);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(Request { method, path, headers, body }))
}

fn write(
    stream: &mut TcpStream,
    status: u16,
    headers: &[(String, String)],
    body: &[u8],
) -> std::io::Result<()> {
    let mut head =
        format!("HTTP/1.1 {status} -\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    stream.write_all(body)?;
    stream.flush()
}
