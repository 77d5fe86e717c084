//! A witness of the public network, which speaks C2SP `tlog-witness` and knows nothing of the box,
//! cosigns over a bridge on another host.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::{Engine, engine::general_purpose::STANDARD};
use smrt::audit::{Checkpoint, CosignerKey, Hash, Note, VerifierKey, is_consistent};

use crate::photos::{COLLINS, photo};
use crate::site::{Daemon, Ended, Site, booking, number};

/// What such a witness remembers of the one log that it knows.
struct Remembered {
    log: VerifierKey,
    key: CosignerKey,
    latest: Option<Checkpoint>,
    asked: Vec<u64>,
}

/// Answers until the listener is gone.
fn serve(listener: TcpListener, remembered: Arc<Mutex<Remembered>>) {
    for stream in listener.incoming() {
        let Ok(stream) = stream else { return };
        let (status, kind, body) = answer(&stream, &remembered);
        let mut stream = stream;
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: \
             close\r\n\r\n",
            body.len()
        );
        // A bridge that left doesn't mind.
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
    }
}

fn answer(
    stream: &TcpStream,
    remembered: &Mutex<Remembered>,
) -> (&'static str, &'static str, String) {
    const PLAIN: &str = "text/plain; charset=utf-8";
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end().to_ascii_lowercase().strip_prefix("content-length: ") {
            Some(bytes) => length = bytes.parse().unwrap(),
            None if line.trim_end().is_empty() => break,
            None => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    if !first.starts_with("POST /w/add-checkpoint ") {
        return ("404 Not Found", PLAIN, String::new());
    }
    let body = String::from_utf8(body).unwrap();
    let (head, note) = body.split_once("\n\n").unwrap();
    let mut lines = head.lines();
    let old: u64 = lines.next().unwrap().strip_prefix("old ").unwrap().parse().unwrap();
    let proof: Vec<Hash> =
        lines.map(|line| STANDARD.decode(line).unwrap().try_into().unwrap()).collect();
    let mut known = remembered.lock().unwrap();
    known.asked.push(old);
    let mut note = Note::parse(note).unwrap();
    let Ok(checkpoint) = note.checkpoint_of(&known.log) else {
        return ("403 Forbidden", PLAIN, String::new());
    };
    let (size, root) =
        known.latest.as_ref().map_or((0, [0; 32]), |latest| (latest.leaves, latest.root));
    if old != size {
        return ("409 Conflict", "text/x.tlog.size", format!("{size}\n"));
    }
    if old > 0 && !is_consistent(old, &root, checkpoint.leaves, &checkpoint.root, &proof) {
        return ("422 Unprocessable Entity", PLAIN, "the proof does not hold".to_owned());
    }
    known.latest = Some(checkpoint);
    known.key.cosign(&mut note, 1_800_000_000);
    let line = note.to_string().lines().last().unwrap().to_owned() + "\n";
    ("200 OK", PLAIN, line)
}

fn bridge(site: &Site, daemon: &Daemon<'_>, url: &str, key: &str) -> Ended {
    let folder = site.path("bridge");
    let words = [
        "witness",
        "run",
        "--dir",
        folder.to_str().unwrap(),
        "--log",
        &site.log_verifier().to_string(),
        "--bridge",
        url,
        "--bridge-key",
        key,
    ];
    daemon.smrtctl(&site.witness_identity("network"), &words)
}

#[test]
fn a_witness_of_the_public_network_cosigns_over_a_bridge_and_the_box_calls_nobody() {
    let site = Site::new();
    // The secret that the story's site makes up for its first witness is that of the witness behind
    // the bridge.
    site.add_witnesses(&[("network", None)], 1, 60);
    let secret = std::fs::read(site.witness_secret("network")).unwrap();
    let key = CosignerKey::new(&crate::site::witness_name("network"), &secret).unwrap();
    let verifier = key.verifier().to_string();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}/w", listener.local_addr().unwrap().port());
    let remembered = Arc::new(Mutex::new(Remembered {
        log: site.log_verifier(),
        key,
        latest: None,
        asked: Vec::new(),
    }));
    let shared = remembered.clone();
    std::thread::spawn(move || serve(listener, shared));

    let daemon = site.start("test");
    let push = |n: &str| {
        daemon
            .feed("slmpd")
            .put_booking(&number(n), &booking("Roe, Jane"), &photo(COLLINS))
            .unwrap()
    };
    push("26-1");
    let first = bridge(&site, &daemon, &url, &verifier);
    assert_eq!(
        (first.status, &*first.stdout),
        (Some(0), "cosigned 2 leaves; a quorum has cosigned it\n"),
        "{first:?}"
    );
    push("26-2");
    assert_eq!(bridge(&site, &daemon, &url, &verifier).status, Some(0));
    assert_eq!(
        remembered.lock().unwrap().asked,
        [0, 2],
        "each with a proof from what it remembered"
    );

    // It lost its memory since, or was told of the log by somebody else: it names the size that it
    // remembers, and is asked from there.
    remembered.lock().unwrap().latest = None;
    push("26-3");
    let again = bridge(&site, &daemon, &url, &verifier);
    assert_eq!(again.status, Some(0), "{again:?}");
    assert_eq!(remembered.lock().unwrap().asked[3..], [0]);

    // One that has seen another log gives no cosignature.
    let wrong = Checkpoint { origin: "test.example/smrt".to_owned(), leaves: 3, root: [9; 32] };
    remembered.lock().unwrap().latest = Some(wrong);
    push("26-4");
    let refused = bridge(&site, &daemon, &url, &verifier);
    assert_eq!(refused.status, Some(1), "{refused:?}");
    assert!(
        refused
            .stderr
            .contains("the witness behind the bridge answered 422: the proof does not hold"),
        "{refused:?}"
    );
    let elsewhere = bridge(&site, &daemon, "http://192.0.2.1/w", &verifier);
    assert_eq!(
        elsewhere.status,
        Some(1),
        "without an authority only this very machine is called: {elsewhere:?}"
    );
    assert_eq!(daemon.stop(), Some(0));
}
