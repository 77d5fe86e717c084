//! Sessions whose end can't be logged at once.

use super::people::{Session, SessionView};
use super::watch_tests::{Home, NOON, caller, count, operator};
use crate::audit::examples::example;
use crate::audit::{Actor, LeafKind};
use crate::ids::Digest;
use crate::roster::SessionTimes;

#[test]
fn a_session_whose_end_could_not_be_logged_is_used_by_nobody_and_is_logged_later() {
    let home = Home::new();
    let service = home.open();
    let (caller, secret) = (caller("smrt:device/rtcc-1"), [7; 32]);
    let begun = service.ledger().note(Vec::new(), Vec::new(), example(LeafKind::LoggedOn));
    let session = Session {
        person: operator().id,
        fingerprint: caller.fingerprint,
        actor: Actor::at(&caller, &operator()),
        times: SessionTimes { proven: NOON, used: NOON },
        acknowledged: true,
        locked: false,
        leaf: begun.unwrap(),
        ended: None,
        ending: false,
    };
    service.guard.sessions.open().insert(Digest::of(&secret), session);
    let stands = || service.session(&caller, Some(&secret)) == SessionView::Open(operator().id);
    assert!(stands());
    service.ledger().shut(true);
    service.log_off(&caller, &secret).unwrap();
    assert_eq!((stands(), count(&service, LeafKind::LoggedOff)), (false, 0));
    assert!(service.guard.look().is_err(), "the watch tries again and again");
    service.ledger().shut(false);
    service.guard.look().unwrap();
    assert_eq!((stands(), count(&service, LeafKind::LoggedOff)), (false, 1));
    assert!(service.guard.sessions.open().is_empty());
}
