//! Every bound in the system, one constant each; their relations are asserted at compile time.
//!
//! A bound's name ends in its unit and in `_MAX` or `_MIN`. Changing a number here is the only way
//! to change it anywhere.

// Photos

/// Bytes of one photo file that a door accepts.
pub const PHOTO_BYTES_MAX: usize = 16 << 20;
/// Pixels of one photo, counted from its header before anything is decoded.
pub const PHOTO_PIXELS_MAX: u64 = 50_000_000;
/// Pixels along one side of a photo.
pub const PHOTO_SIDE_PX_MAX: u32 = 16_384;
/// Pixels along one side of a photo, below which no face can be used.
pub const PHOTO_SIDE_PX_MIN: u32 = 32;
/// Bytes that decoding one photo may take.
pub const DECODE_BYTES_MAX: u64 = 400 << 20;
/// The longer side of the copy on which faces are looked for.
pub const DETECT_SIDE_PX_MAX: u32 = 640;
/// Components of a JPEG 2000 photo: three colours and transparency.
pub const PHOTO_COMPONENTS_MAX: u16 = 4;
/// Tiles of a JPEG 2000 photo: each costs the decoder memory before a pixel is seen.
pub const PHOTO_TILES_MAX: u64 = 4_096;
/// Detector's score from which something is reported as a face.
pub const FACE_SCORE_MIN: f32 = 0.5;
/// Detector's score from which a face is usable.
pub const USABLE_SCORE_MIN: f32 = 0.6;
/// Pixels between the centres of the eyes from which a face is usable.
pub const EYES_APART_PX_MIN: f32 = 10.0;
/// Faces reported of one photo; the highest scores are kept.
pub const FACES_MAX: usize = 64;
/// Bytes of one model file.
pub const MODEL_BYTES_MAX: u64 = 512 << 20;
/// Pixels along one side of a model's input.
pub const MODEL_SIDE_PX_MAX: u32 = 1_024;
/// Bytes of one model's manifest, or of one list of packages.
pub const MANIFEST_BYTES_MAX: u64 = 64 << 10;
/// Bytes of one package fetched from a registry.
pub const PACKAGE_BYTES_MAX: u64 = 1 << 30;

// Probes

/// Bytes of one probe file: what phones and scanners write, brought on removable media.
pub const PROBE_BYTES_MAX: usize = 64 << 20;
/// Bytes of one piece of a probe that arrives in pieces; only the last may be shorter.
pub const PROBE_PIECE_BYTES: usize = 1 << 20;
/// Tenths of a stop by which a probe may be made brighter or darker.
pub const EXPOSURE_TENTHS_MAX: i32 = 20;
/// Hundredths by which a probe's contrast may be lowered.
pub const CONTRAST_HUNDREDTHS_MIN: i32 = -50;
/// Hundredths by which a probe's contrast may be raised.
pub const CONTRAST_HUNDREDTHS_MAX: i32 = 100;
/// Copies of a probe's file that are in memory at once at most: sealed and opened, or opened and
/// handed to a worker.
pub const PROBE_COPIES: u64 = 2;
/// Bytes of memory that the files of all probes at work may take. What a worker decodes comes to
/// it, `DECODE_BYTES_MAX` a worker.
pub const PROBES_BYTES_MAX: u64 = 1 << 30;
/// Seconds that a request waits for its probe's share of that memory before its caller is told to
/// wait.
pub const PROBE_WAIT_SECONDS_MAX: u64 = 10;
/// Pixels along the longer side of a picture made to be looked at.
pub const PICTURE_SIDE_PX_MAX: u32 = 3_840;
/// Pixels along the longer side of a picture of one of a probe's faces, to choose it by.
pub const FACE_PICTURE_SIDE_PX_MAX: u32 = 256;

// Embeddings and the gallery

/// Components of an embedding, fewest.
pub const DIMENSION_MIN: usize = 16;
/// Components of an embedding, most.
pub const DIMENSION_MAX: usize = 2_048;
/// Rows of one gallery: row ids are `u32`, and one value is kept free.
pub const ROWS_MAX: u64 = (1 << 32) - 1;
/// One place in so many may be a purged row's; more, and the gallery closes the gaps.
pub const GAPS_SHARE_MAX: u32 = 16;
/// Candidates that one search may ask for.
pub const CANDIDATES_MAX: usize = 1_000;
/// Candidates that an operator's search returns when it names no number.
pub const CANDIDATES_DEFAULT: usize = 20;
/// Probes answered in one pass over the gallery.
pub const PROBES_PER_PASS_MAX: usize = 64;
/// Threads that one search on the processor may use.
pub const GALLERY_THREADS_MAX: usize = 64;
/// Rows of a gallery's first segment on the device; the segments after it make the gallery four
/// times as large each.
pub const SEGMENT_ROWS_FIRST: u32 = 1_024;
/// Bytes of one segment on the device, where its own limits don't say less.
pub const SEGMENT_BYTES_MAX: u64 = 256 << 20;
/// Bytes written to the device before the host waits for them to arrive.
pub const UPLOAD_BYTES_MAX: usize = 32 << 20;
/// Rows that an engine may hold for one probe while it scans.
pub const FOUND_LEN_MAX: u32 = 8_192;
/// Rows that the device may hold for one probe of many candidates and components.
pub const FOUND_LEN_DEVICE_MAX: u32 = 4 * FOUND_LEN_MAX;
/// Rows of one probe's list that come back with every pass, fewest; a longer list is fetched by
/// itself.
pub const FRONT_LEN_MIN: usize = 512;
/// Seconds that one pass on the device may take before it counts as lost.
pub const PASS_SECONDS_MAX: u64 = 120;

// Records

/// Characters of an agency's or a device's identifier.
pub const IDENTIFIER_CHARS_MAX: usize = 32;
/// Characters of an agency's booking number.
pub const BOOKING_NUMBER_CHARS_MAX: usize = 64;
/// Characters of one short text field: a name, a conduct, a court.
pub const TEXT_CHARS_MAX: usize = 200;
/// Characters of an inquiry's reason, most.
pub const REASON_CHARS_MAX: usize = 2_000;
/// Characters of an inquiry's reason, fewest.
pub const REASON_CHARS_MIN: usize = 12;
/// Charges of one booking.
pub const CHARGES_MAX: usize = 64;
/// Agencies and devices in the roster.
pub const ROSTER_ENTRIES_MAX: usize = 4_096;

// Inquiries

/// Words of a reason that no other field says, fewest.
pub const REASON_WORDS_MIN: usize = 3;
/// Characters of the pattern of an agency's complaint numbers.
pub const NUMBER_PATTERN_CHARS_MAX: usize = 64;
/// Candidates of one inquiry: two examiners look at each of them.
pub const REVIEWED_CANDIDATES_MAX: usize = 50;
/// Searches of one inquiry, all but the last interrupted.
pub const SEARCHES_PER_INQUIRY_MAX: usize = 16;
/// Measures, and shortfalls, of one probe's quality.
pub const QUALITY_ENTRIES_MAX: usize = 64;
/// People who may receive one report in turn once it is evidence.
pub const EVIDENCE_CHAIN_MAX: usize = 64;

// The state folder

/// Bytes of one key slot; slots are aligned to it.
pub const SLOT_BYTES: usize = 64;
/// Slots of one file, purged ones included until the file is rewritten.
pub const SLOTS_MAX: u32 = 1 << 28;
/// Bytes of a sealed photo beyond the photo's own.
pub const SEAL_BYTES: usize = 12 + 16;
/// Changes that one commit of the store takes together.
pub const COMMIT_CHANGES_MAX: usize = 64;
/// Photos of one commit that are written at the same time.
pub const COMMIT_THREADS_MAX: usize = 8;
/// Changes that wait for the writer; one more is told to wait.
pub const COMMIT_QUEUE_LEN_MAX: usize = 256;
/// Photos that wait for an embedding; one more is told to wait.
pub const EMBED_QUEUE_LEN_MAX: usize = 64;
/// Commands that wait for the gallery; one more search is told to wait.
pub const GALLERY_QUEUE_LEN_MAX: usize = 256;
/// Photos that a switch of the model embeds before their vectors are made durable together.
pub const SWITCH_BATCH_LEN_MAX: usize = 16;
/// One in so many workers embeds for a switch of the model at the same time, at least one: the
/// others are free for operators and agencies.
pub const SWITCH_WORKERS_ONE_IN: usize = 4;
/// Milliseconds until a switch of the model tries again what found a queue full, or looks again
/// whether a former model is out of use.
pub const SWITCH_PAUSE_MS: u64 = 100;
/// Seconds until a switch of the model tries again what failed.
pub const SWITCH_RETRY_SECONDS: u64 = 30;
/// Leaves whose vectors are read and opened together while a switch of the model fills a gallery.
pub const FILL_LEAVES: usize = 4_096;
/// Galleries that a switch of the model begins to fill before it waits to be asked for again: a
/// process that died of one must not die of it at every start.
pub const FILL_ATTEMPTS_MAX: u8 = 3;
/// Bytes that the names of one gallery row take beside its numbers.
pub const ROW_NAMES_BYTES: u64 = 96;
/// Bookings named by one leaf that says that a new model suppressed them.
pub const SUPPRESSED_PER_LEAF_MAX: usize = 400;
/// Characters of the name of a reason for which a photo has no embedding.
pub const EMBED_FAILURE_CHARS_MAX: usize = 32;
/// Vectors of a former model that one commit removes.
pub const FORMER_VECTORS_DELETED_MAX: usize = 1_024;
/// How often a photo is examined again because the model was switched meanwhile, before its agency
/// is told to wait.
pub const BOOK_TRIES_MAX: usize = 4;
/// Bytes of one leaf's detail before sealing. A change with a longer one is not written.
pub const DETAIL_BYTES_MAX: usize = 256 << 10;
/// Leaves that one leaf may name as followed.
pub const LEAF_FOLLOWS_MAX: usize = 8;
/// Counts that one leaf may carry.
pub const LEAF_COUNTS_MAX: usize = 8;
/// Signatures of one signed note.
pub const SIGNATURES_MAX: usize = 72;
/// Witnesses of one log.
pub const WITNESSES_MAX: usize = 64;
/// Seconds by which the clock may stand behind the newest leaf before nobody searches: what a time
/// service puts right every day is less.
pub const CLOCK_BEHIND_SECONDS_MAX: u64 = 2;
/// Seconds by which the clock may go ahead of what passed before holds and extensions stop
/// expiring.
pub const CLOCK_AHEAD_SECONDS_MAX: u64 = 3_600;
/// Seconds between two looks at clock, medium and witnesses.
pub const WATCH_SECONDS: u64 = 10;
/// Seconds by which a witness' clock may be behind when it confirms the log that a start has found.
pub const COSIGNED_BEFORE_SECONDS_MAX: u64 = 60;
/// Seconds by which the site's time source and the clock may differ and still agree.
pub const CLOCK_AGREE_SECONDS_MAX: u64 = 60;
/// MiB of the medium that are kept free for releases, purges and the log, where the configuration
/// doesn't say otherwise.
pub const DISK_RESERVE_MIB_DEFAULT: u64 = 256;
/// Details that one answer opens: with its JSON around each, well below what a client reads.
pub const DETAILS_PER_ANSWER_MAX: u64 = 128;
/// Days for which the log's details are kept, fewest.
pub const DETAILS_KEPT_DAYS_MIN: u64 = 1_096;
/// Days for which an inquiry is kept after its last search, fewest.
pub const INQUIRIES_KEPT_DAYS_MIN: u64 = 1_096;
/// Details that one leaf says have expired.
pub const EXPIRED_PER_LEAF_MAX: u64 = 4_096;
/// Inquiries that one leaf says are gone with their probes.
pub const INQUIRIES_EXPIRED_PER_LEAF_MAX: usize = 1_024;
/// Hours from one look for inquiries whose term is over to the next.
pub const EXPIRY_LOOK_HOURS: u64 = 24;
/// Days from an audit's sample to the last of its reviews.
pub const REVIEW_DAYS_MAX: u64 = 30;
/// Days from one audit's sample to the next.
pub const SAMPLE_DAYS_MAX: u64 = 31;
/// Days from one look of an auditor through the log to the next.
pub const LOG_REVIEW_DAYS_MAX: u64 = 7;
/// Samples that are shown with their reviews.
pub const SAMPLES_SHOWN_MAX: usize = 64;
/// Kept checkpoints that one answer gives.
pub const CHECKPOINTS_PER_ANSWER_MAX: usize = 512;
/// Hashes of a consistency proof.
pub const CONSISTENCY_PROOF_LEN_MAX: usize = 63;
/// Bytes of refusals of one kind, caller and hour that are kept in words; of more, their number.
pub const REFUSALS_KEPT_BYTES_MAX: usize = 48 << 10;
/// Further copies of one report that the commander may order.
pub const COPIES_MAX: usize = 20;
/// Days for which such an order holds.
pub const COPY_ORDER_DAYS_MAX: u64 = 30;
/// Characters of a refusal's words that a leaf keeps.
pub const REFUSAL_CHARS_MAX: usize = 400;
/// Readers of sealed things or of the log whose reads of an hour are gathered at the same time; of
/// more, each read has a leaf of its own.
pub const READERS_GATHERED_MAX: usize = 1 << 16;
/// Days from a release to its purge, longer only where a notice or an extension stopped it (SO-D3).
pub const RELEASE_TO_PURGE_DAYS_MAX: u64 = 10;
/// Hours for which a booking that was released or replaced stays on the box before it is purged:
/// its agency's notice of evidentiary value may come behind it.
pub const PURGE_AFTER_HOURS: u64 = 24;
/// Hours between two looks for what is to be purged: each purge writes all key slots anew.
pub const PURGE_LOOK_HOURS: u64 = 12;
/// Hours after which a booking that was released or replaced must be purged; later is an alarm.
pub const PURGE_WITHIN_HOURS: u64 = 48;
/// Versions that are purged in one go.
pub const PURGED_AT_ONCE_MAX: usize = 1_024;
/// Seconds by which a leaf's time may differ from what cosignatures say: a witness reads a
/// checkpoint some time before it cosigns it, and its clock isn't the box's.
pub const COSIGN_TOLERANCE_SECONDS: u64 = 300;
/// Remarks of one kind, violations or observations, that checking a log keeps; more are counted.
pub const REMARKS_MAX: usize = 1_000;
/// Files that a log may lack before the rest isn't looked for: nobody need wait for a size that
/// somebody merely claims.
pub const MISSING_FILES_MAX: u64 = 100;
/// Bundles that each core hashes in one go while a log is verified.
pub const VERIFY_BUNDLES_PER_CORE: usize = 32;
/// A count below this that the log itself doesn't publish is not shown in a public report: nobody
/// is to be singled out.
pub const PUBLIC_COUNT_MIN: u64 = 5;
/// Days that one public report may be about: ten years.
pub const REPORT_DAYS_MAX: i64 = 3_653;
/// Bytes of a photo file that a compare report holds as it is stored; a larger one is made smaller.
pub const PRINTED_BYTES_MAX: usize = 512 << 10;
/// Pixels along one side of a photo that was made smaller: 300 to the inch in the largest place
/// that a page has.
pub const PRINTED_SIDE_PX_MAX: u32 = 1_200;
/// Alarms that one public report lists; more are counted.
pub const REPORT_ALARMS_MAX: usize = 500;
/// Threads that a start works with; no more than there are cores.
pub const START_WORKERS_MAX: usize = 16;
/// Leaves that one thread takes at a time while it starts: it holds as many vectors at most.
pub const START_BATCH_LEAVES: u64 = 1_024;
/// Results that each of these threads may have ready before they are taken.
pub const START_AHEAD_MAX: usize = 1;
/// Seconds between two lines of a start's progress in the journal.
pub const START_LINE_SECONDS: u64 = 5;
/// Seconds between two tellings of it to systemd.
pub const START_STATUS_SECONDS: u64 = 1;
/// Seconds that a start may take from one telling to the next before systemd gives it up.
pub const START_EXTEND_SECONDS: u64 = 300;
/// Threads that read the store's file from end to end while a start walks over it.
pub const READ_AHEAD_THREADS: usize = 2;
/// Bytes that each of them reads at a time.
pub const READ_AHEAD_BYTES: usize = 1 << 20;
/// Bytes of the store's page cache.
pub const STORE_CACHE_BYTES: usize = 64 << 20;

// Security keys

/// Bytes of a credential's id, fewest: what a security key may choose without its being guessed.
pub const CREDENTIAL_ID_BYTES_MIN: usize = 16;
/// Bytes of a credential's id, most (WebAuthn Level 3).
pub const CREDENTIAL_ID_BYTES_MAX: usize = 1_023;
/// Bytes of a public key as a COSE_Key: the longer of the two forms.
pub const COSE_KEY_BYTES_MAX: usize = 77;
/// Bytes of a touch's authenticator data.
pub const AUTHENTICATOR_DATA_BYTES_MAX: usize = 2 << 10;
/// Bytes of the client data JSON of a touch or a registration.
pub const CLIENT_DATA_BYTES_MAX: usize = 4 << 10;
/// Bytes of a touch's signature: ECDSA's longest on P-256, in DER.
pub const TOUCH_SIGNATURE_BYTES_MAX: usize = 72;
/// Bytes of a registration's attestation object, certificates of its maker among them.
pub const ATTESTATION_OBJECT_BYTES_MAX: usize = 16 << 10;
/// Levels of nesting in what a security key writes: CTAP2 allows itself four, attestation
/// statements a few more.
pub const CBOR_DEPTH_MAX: usize = 8;
/// Characters of a host name.
pub const HOST_NAME_CHARS_MAX: usize = 253;

// The door

/// Bytes of the JSON part of a request.
pub const JSON_BYTES_MAX: usize = 64 << 10;
/// Bytes of a request's body: JSON, photo and the multipart frame around them.
pub const BODY_BYTES_MAX: usize = PHOTO_BYTES_MAX + JSON_BYTES_MAX + (16 << 10);
/// Bytes of a request's header block.
pub const HEADER_BYTES_MAX: usize = 16 << 10;
/// Connections open at the same time.
pub const CONNECTIONS_MAX: usize = 512;
/// Streams that one HTTP/2 connection may have open.
pub const STREAMS_PER_CONNECTION_MAX: u32 = 32;
/// Requests at work at the same time; one more is told to wait.
pub const REQUESTS_IN_FLIGHT_MAX: usize = 64;
/// Bytes of memory that the bodies of all requests at work may take, each once as sent and once in
/// its parts: a request has its place among those at work before its body is read.
pub const BODIES_BYTES_MAX: usize = 3 << 30;
/// Seconds for a TLS handshake.
pub const HANDSHAKE_SECONDS_MAX: u64 = 10;
/// Seconds until a request's headers are complete.
pub const HEADER_SECONDS_MAX: u64 = 10;
/// Seconds from a request's headers to its answer.
pub const REQUEST_SECONDS_MAX: u64 = 120;
/// Days before the end of a certificate or of the revocation list from which an alarm stands, where
/// none are configured.
pub const CREDENTIAL_WARN_DAYS_DEFAULT: u64 = 7;
/// Seconds that one connection lives, whatever it is doing.
pub const CONNECTION_SECONDS_MAX: u64 = 1_800;
/// Seconds for which the body of a caller that is refused unread is thrown away as it comes.
pub const DISCARD_SECONDS_MAX: u64 = 1;
/// Seconds for which a connection whose certificate stands no more has the answer that says so.
pub const CONNECTION_OVER_SECONDS: u64 = 1;
/// Seconds that a connection's requests have to end when the daemon stops.
pub const DRAIN_SECONDS_MAX: u64 = 20;
/// Seconds that a caller told to wait is asked to stay away.
pub const RETRY_AFTER_SECONDS: u64 = 1;

// The other side of the door

/// Bytes of an answer that a client reads, photos apart.
pub const ANSWER_BYTES_MAX: usize = 64 << 20;
/// Bytes of a tile or bundle: 256 hashes, or 256 of the longest leaves behind their lengths.
pub const TILE_BYTES_MAX: usize = 256 * (2 + 48 + 8 * (LEAF_FOLLOWS_MAX + LEAF_COUNTS_MAX));
/// Bytes of a checkpoint with all its cosignatures.
pub const CHECKPOINT_BYTES_MAX: usize = 64 << 10;
/// Bytes of a proof that lays its leaf open: a detail, escaped and in base64, and a checkpoint with
/// all its cosignatures.
pub const SHOWN_PROOF_BYTES_MAX: u64 = 1 << 20;
/// Seconds that a client waits for each step of an answer: the server gives up first and says so.
pub const ANSWER_SECONDS_MAX: u64 = REQUEST_SECONDS_MAX + 10;
/// Bookings of one feed file.
pub const FEED_ROWS_MAX: usize = 2_000_000;
/// Bytes of one feed file.
pub const FEED_BYTES_MAX: u64 = 1 << 30;
/// Bookings that a feed pushes at the same time, most.
pub const FEED_JOBS_MAX: usize = 32;
/// Bookings that a feed pushes at the same time when it names no number.
pub const FEED_JOBS_DEFAULT: usize = 4;
/// Seconds that a feed goes on trying while the server doesn't take anything, when it names no
/// number.
pub const FEED_PATIENCE_SECONDS: u64 = 60;
/// Milliseconds of a feed's shortest pause between two tries.
pub const FEED_PAUSE_MS_MIN: u64 = 200;
/// Milliseconds of a feed's longest pause between two tries.
pub const FEED_PAUSE_MS_MAX: u64 = 5_000;
/// Milliseconds between two looks of somebody who waits for a switch of the model.
pub const SWITCH_LOOK_MS: u64 = 1_000;
/// Connections that one booking may lose on a server that answers otherwise, before it is refused
/// rather than tried again.
pub const FEED_LOSSES_MAX: u32 = 3;

// Certificates

/// Days that a site authority's own certificate is valid.
pub const AUTHORITY_DAYS: i64 = 3_650;
/// Days that an issued certificate is valid.
pub const CERTIFICATE_DAYS: i64 = 397;
/// Days until a revocation list must be written again.
pub const REVOCATION_LIST_DAYS: i64 = 30;
/// Minutes by which a certificate is dated back, for clocks that are behind.
pub const CERTIFICATE_BACKDATE_MINUTES: i64 = 5;
/// Characters of a site authority's name: X.509 bounds a common name.
pub const AUTHORITY_NAME_CHARS_MAX: usize = 64;
/// Host names and addresses of one server certificate.
pub const SERVER_NAMES_MAX: usize = 16;

// The compare report

/// Pixels along the longer side of a booking photo in a compare report.
pub const PRINTED_FACE_PX_MAX: u32 = 1_200;
/// Pixels along the longer side of a probe in a compare report.
pub const PRINTED_PROBE_PX_MAX: u32 = 1_600;

// Searches by hand (SO-B4)

/// Searches an hour that a roster may let one operator have at most, where bookings are real.
pub const SEARCHES_PER_HOUR_MAX: usize = 60;
/// The same for a day.
pub const SEARCHES_PER_DAY_MAX: usize = 200;
/// Days over which it is told how regular an operator's searches are.
pub const RHYTHM_DAYS: u64 = 90;
/// Gaps between searches below which nothing is said of their rhythm.
pub const RHYTHM_GAPS_MIN: u64 = 10;
/// Coefficient of variation below which gaps between searches are called regular: those of a clock
/// have 0, of people at work about 1 or more.
pub const RHYTHM_REGULAR_BELOW: f64 = 0.5;
/// Inquiries that are kept.
pub const INQUIRIES_MAX: u64 = 10_000_000;

// People and sessions (CJIS AC-2, AC-7, AC-11, AC-12, IA-2, IA-4)

/// Refused log-ons that lock an account, within `LOG_ON_TRIES_MINUTES`.
pub const LOG_ON_TRIES_MAX: u64 = 5;
/// Minutes for which a refused log-on counts.
pub const LOG_ON_TRIES_MINUTES: u64 = 15;
/// Days without a log-on after which an account goes off.
pub const ACCOUNT_UNUSED_DAYS_MAX: u64 = 90;
/// Days from the last log-on after which an account goes off whose agency the roster doesn't let
/// in; a week is allowed, and that long a wrong roster file turns nobody off who was at work.
pub const ACCOUNT_UNASSOCIATED_DAYS_MAX: u64 = 7;
/// Days after which somebody must confirm that an account is still needed.
pub const ACCOUNT_REVIEW_DAYS: u64 = 365;
/// Days for which nobody else has the name of an account that went off.
pub const PERSON_ID_REUSE_DAYS: u64 = 365;
/// Hours that a temporary account lasts at most.
pub const TEMPORARY_HOURS_MAX: u64 = 72;
/// Minutes without use after which a session hides its screen.
pub const SESSION_LOCKS_MINUTES: u64 = 30;
/// Minutes without use after which a session ends.
pub const SESSION_ENDS_MINUTES: u64 = 60;
/// Hours after which a session wants its key touched again.
pub const SESSION_PROVES_HOURS: u64 = 12;
/// Sessions at once.
pub const SESSIONS_MAX: usize = 256;
/// Random bytes of a session's secret.
pub const SESSION_SECRET_BYTES: usize = 32;
/// Seconds for which a challenge may be answered.
pub const TOUCH_SECONDS_MAX: u64 = 60;
/// Challenges that wait to be answered, of all callers.
pub const CHALLENGES_MAX: usize = 4_096;
/// The same of one device.
pub const CHALLENGES_WAITING_MAX: usize = 64;
/// Challenges to log on that a device is given in an hour.
pub const LOG_ON_CHALLENGES_PER_HOUR_MAX: usize = 120;
/// All others that it is given in an hour.
pub const CHALLENGES_PER_HOUR_MAX: usize = 600;
/// Certificates in a security key's statement.
pub const ATTESTATION_CERTIFICATES_MAX: u64 = 6;
/// Certificates that an alarm names.
pub const ALARM_LISTS_MAX: usize = 20;
/// Bytes of a revocation list that a caller brings.
pub const REVOCATION_LIST_BYTES_MAX: usize = 1 << 20;
/// Days for which an alarm says that an account was released at the box.
pub const AT_BOX_ALARM_DAYS: u64 = 7;
/// Accounts, those that are off included.
pub const ACCOUNTS_MAX: usize = 4_096;
/// Days for which a change of the roster waits for the commander.
pub const GRANT_DAYS_MAX: u64 = 7;
/// Hours for which the code holds by which a person who was appointed at the box enrols a key.
pub const APPOINTMENT_HOURS_MAX: u64 = 72;

const _: () = {
    assert!(BODY_BYTES_MAX > PHOTO_BYTES_MAX + JSON_BYTES_MAX);
    // RGB8 of the largest photo and the decoder's own copy of it fit.
    assert!(DECODE_BYTES_MAX >= PHOTO_PIXELS_MAX * 3 * 2);
    assert!(
        PROBE_BYTES_MAX >= PHOTO_BYTES_MAX && PROBE_BYTES_MAX.is_multiple_of(PROBE_PIECE_BYTES)
    );
    // One of the largest fits, whatever else; who waits for it hears of it before the request's own
    // time is over.
    assert!(
        PROBES_BYTES_MAX >= PROBE_COPIES * PROBE_BYTES_MAX as u64
            && 2 * PROBE_WAIT_SECONDS_MAX < REQUEST_SECONDS_MAX
    );
    assert!(DETECT_SIDE_PX_MAX.is_multiple_of(32) && DETECT_SIDE_PX_MAX <= MODEL_SIDE_PX_MAX);
    assert!(FACE_SCORE_MIN <= USABLE_SCORE_MIN);
    assert!(COMMIT_CHANGES_MAX <= COMMIT_QUEUE_LEN_MAX);
    // Every request at work may wait for the writer without being refused by a full queue.
    assert!(REQUESTS_IN_FLIGHT_MAX <= COMMIT_QUEUE_LEN_MAX);
    assert!(2 * REQUESTS_IN_FLIGHT_MAX * BODY_BYTES_MAX <= BODIES_BYTES_MAX);
    assert!(
        CANDIDATES_DEFAULT <= REVIEWED_CANDIDATES_MAX && REVIEWED_CANDIDATES_MAX <= CANDIDATES_MAX
    );
    // systemd is told in microseconds of 32 bits.
    assert!(
        START_STATUS_SECONDS < START_EXTEND_SECONDS
            && START_EXTEND_SECONDS <= (u32::MAX / 1_000_000) as u64
    );
    // Trees over batches of leaves are joined at the edge.
    assert!(START_BATCH_LEAVES.is_power_of_two());
    // At least one thread works, and its vectors and those that wait take less than 1 GiB at the
    // largest dimension.
    assert!(START_WORKERS_MAX > 0);
    assert!(
        (START_WORKERS_MAX * (START_AHEAD_MAX + 1) * DIMENSION_MAX * 4) as u64 * START_BATCH_LEAVES
            <= 1 << 30
    );
    // The first segment is scanned without a threshold, so all of it must fit. A later chunk brings
    // about k rows for each time that it is as long as all before it, and as many again that are
    // only close, beside the k best so far.
    assert!(SEGMENT_ROWS_FIRST <= FOUND_LEN_MAX);
    // The lists of a whole batch, 16 bytes a row, fit into the 128 MiB that every device binds at
    // once.
    assert!(16 * PROBES_PER_PASS_MAX as u64 * FOUND_LEN_DEVICE_MAX as u64 <= 128 << 20);
    assert!(4 * CANDIDATES_MAX < FOUND_LEN_MAX as usize);
    assert!(FRONT_LEN_MIN <= FOUND_LEN_MAX as usize);
    // A block of the longest rows, 64 of D codes and 8 bytes each, fits into one upload and into
    // one segment.
    assert!(
        64 * (DIMENSION_MAX + 8) <= UPLOAD_BYTES_MAX
            && UPLOAD_BYTES_MAX as u64 <= SEGMENT_BYTES_MAX
    );
    // A feed alone never makes the server tell it to wait.
    assert!(FEED_JOBS_MAX <= REQUESTS_IN_FLIGHT_MAX && FEED_JOBS_DEFAULT <= FEED_JOBS_MAX);
    assert!(FEED_PAUSE_MS_MIN < FEED_PAUSE_MS_MAX);
    // A version id is 32 digits; with its reason and the JSON around both it stays well below what
    // one detail holds.
    assert!(SUPPRESSED_PER_LEAF_MAX * (EMBED_FAILURE_CHARS_MAX + 64) < DETAIL_BYTES_MAX);
    // An inquiry's name is 32 digits.
    assert!(INQUIRIES_EXPIRED_PER_LEAF_MAX * 40 < DETAIL_BYTES_MAX);
    assert!(
        PURGE_AFTER_HOURS + PURGE_LOOK_HOURS < PURGE_WITHIN_HOURS
            && PURGE_WITHIN_HOURS < 24 * RELEASE_TO_PURGE_DAYS_MAX
    );
    assert!(SWITCH_BATCH_LEN_MAX <= EMBED_QUEUE_LEN_MAX);
    assert!(SLOT_BYTES == 64);
    assert!(REFUSALS_KEPT_BYTES_MAX < DETAIL_BYTES_MAX);
    assert!(SHOWN_PROOF_BYTES_MAX > (DETAIL_BYTES_MAX * 2 * 4 / 3 + CHECKPOINT_BYTES_MAX) as u64);
    // Escaped into JSON, a detail can double.
    assert!(DETAILS_PER_ANSWER_MAX * DETAIL_BYTES_MAX as u64 * 2 <= ANSWER_BYTES_MAX as u64);
    // All witnesses and the log itself sign one note, a line of some hundred bytes each, names of
    // 200 among them.
    assert!(WITNESSES_MAX < SIGNATURES_MAX && SIGNATURES_MAX * 400 < CHECKPOINT_BYTES_MAX);
    assert!(REASON_CHARS_MIN < REASON_CHARS_MAX);
    assert!(
        SESSION_LOCKS_MINUTES < SESSION_ENDS_MINUTES
            && SESSION_LOCKS_MINUTES <= 30
            && SESSION_ENDS_MINUTES <= 60
    );
    assert!(8 * SESSION_SECRET_BYTES >= 128);
    // One device can't take the places of all others.
    assert!(CHALLENGES_WAITING_MAX * 16 <= CHALLENGES_MAX);
    // Nobody locks an account by asking alone.
    assert!(LOG_ON_TRIES_MAX < LOG_ON_CHALLENGES_PER_HOUR_MAX as u64);
    assert!(CREDENTIAL_ID_BYTES_MIN < CREDENTIAL_ID_BYTES_MAX);
    // In base64url, a touch and its credential leave most of a detail to what was approved, and a
    // registration fits into a request.
    assert!(
        (2 * CREDENTIAL_ID_BYTES_MAX + AUTHENTICATOR_DATA_BYTES_MAX + CLIENT_DATA_BYTES_MAX) * 4
            / 3
            < DETAIL_BYTES_MAX / 4
    );
    assert!((ATTESTATION_OBJECT_BYTES_MAX + CLIENT_DATA_BYTES_MAX) * 4 / 3 < JSON_BYTES_MAX / 2);
    assert!(REVOCATION_LIST_DAYS < CERTIFICATE_DAYS && CERTIFICATE_DAYS < AUTHORITY_DAYS);
};
