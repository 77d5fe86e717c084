//! The rules once more, in another form than the machine's: facts that are true or not, sets of
//! candidates, and three questions about every move. Who may make it? Is it time for it? Is what it
//! brings complete? Nothing of the machine is used here but its lists.

use super::cast::{
    AUDITS, AUDRA, Account, Asks, CAST, CLEO, COMMANDS, EXAMINES, Grade, Move, OLGA, OPERATES,
    Order, RITA, Try, VERSIONS, WANTED, Words,
};
use crate::inquiry::{Disposition, Upshot};

/// Facts, one bit each.
mod fact {
    pub(super) const PROBE: u16 = 1;
    pub(super) const FACE: u16 = 1 << 1;
    pub(super) const SEARCHED: u16 = 1 << 2;
    pub(super) const UNDER_WAY: u16 = 1 << 3;
    pub(super) const ANSWERED: u16 = 1 << 4;
    pub(super) const FIRST: u16 = 1 << 5;
    pub(super) const FIRST_DONE: u16 = 1 << 6;
    pub(super) const SECOND: u16 = 1 << 7;
    pub(super) const SECOND_DONE: u16 = 1 << 8;
    pub(super) const AT_WORK: u16 = 1 << 9;
    pub(super) const REPORT: u16 = 1 << 10;
    pub(super) const EVIDENCE: u16 = 1 << 11;
    pub(super) const NUMBER: u16 = 1 << 12;
    pub(super) const OUTCOME: u16 = 1 << 13;
    pub(super) const DROPPED: u16 = 1 << 14;
    pub(super) const OVER: u16 = OUTCOME | DROPPED;
}
use fact::*;

/// The order in which somebody meets the candidates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Met {
    BestFirst,
    /// One that was drawn for this examiner alone.
    Drawn,
    ByName,
}

/// A set of versions or of searches, one bit each.
type Set = u8;

/// What is true of one inquiry.
#[derive(Clone, Debug)]
pub(super) struct Model {
    facts: u16,
    searches: Set,
    array: Set,
    released: Set,
    /// What the first and the second examiner have dispositioned, and what of it they took for a
    /// lead.
    said: [Set; 2],
    leads: [Set; 2],
    operator: Account,
    requester: Account,
    /// Who answers for the purpose, if anybody.
    supervisor: Option<Account>,
    examiners: [Option<Account>; 2],
    /// What the report shows.
    shows: Set,
    /// How many copies were ordered, and which of them were given out.
    ordered: u8,
    given: u64,
    /// Searches that the operator has approved.
    pub(super) approved: usize,
}

impl Model {
    /// An inquiry of rita's request, or of the first of the cast's own; none where it isn't opened.
    pub(super) fn open(operator: Account, fit: bool, asks: Asks) -> Option<Self> {
        let requester = if asks == Asks::Olga { OLGA } else { RITA };
        let supervisor = match asks {
            Asks::Supervised(by) => Some(by),
            _ => None,
        };
        // Nobody answers for what they ask, and nobody runs either.
        let bars = |by| same(operator, by) || same(requester, by);
        let asked = same(operator, requester) || supervisor.is_some_and(bars);
        (fit && operates(operator) && !asked).then_some(Self {
            facts: 0,
            searches: 0,
            array: 0,
            released: 0,
            said: [0; 2],
            leads: [0; 2],
            operator,
            requester,
            supervisor,
            examiners: [None; 2],
            shows: 0,
            ordered: 0,
            given: 0,
            approved: 0,
        })
    }

    /// Whether the inquiry takes this step; if so, what it says becomes true.
    pub(super) fn takes(&mut self, step: &Try) -> bool {
        let taken = self.who(step) && self.time(step.mv) && self.complete(step.mv);
        if taken {
            self.then(step);
        }
        taken
    }

    fn who(&self, step: &Try) -> bool {
        let Try { who, fit, fresh, mv } = *step;
        match mv {
            Move::Answered { .. }
            | Move::Interrupted
            | Move::Released { .. }
            | Move::Refused { .. } => true,
            _ if !fresh => false,
            Move::Probe { .. } | Move::Face { .. } | Move::Ask { .. } | Move::Withdraw { .. } => {
                fit && operates(who) && same(who, self.operator)
            }
            Move::ClaimFirst { .. } => fit && examines(who) && !self.asked(who),
            Move::ClaimSecond { .. } => {
                fit && examines(who)
                    && !same(who, self.operator)
                    && !self.asked(who)
                    && !self.examines_here(0, who)
            }
            Move::Dispose { .. } | Move::Finish => {
                fit && examines(who) && self.examines_here(self.turn(), who)
            }
            Move::Issue => self.takes_part(who),
            Move::Evidence { .. } | Move::Outcome { .. } => fit && operates(who),
            Move::OrderCopy { .. } => fit && may(who, COMMANDS) && !self.is_of(who),
            Move::GiveCopy { .. } => fit && may(who, AUDITS) && !self.is_of(who),
        }
    }

    fn time(&self, mv: Move) -> bool {
        let (wanted, barred) = match mv {
            Move::Probe { .. } => (0, SEARCHED | OVER),
            Move::Face { .. } => (PROBE, UNDER_WAY | ANSWERED | OVER),
            Move::Ask { .. } => (FACE, UNDER_WAY | ANSWERED | OVER),
            Move::Answered { .. } => (UNDER_WAY, OVER),
            Move::Interrupted => (UNDER_WAY, 0),
            Move::Released { .. } => (ANSWERED, 0),
            Move::ClaimFirst { .. } => (ANSWERED, FIRST | OVER),
            Move::ClaimSecond { .. } => (FIRST_DONE, SECOND | OVER),
            Move::Dispose { .. } | Move::Finish => (AT_WORK, OVER),
            Move::Issue => (FIRST_DONE | SECOND_DONE, REPORT | OVER),
            Move::Evidence { .. } | Move::OrderCopy { .. } | Move::GiveCopy { .. } => (REPORT, 0),
            Move::Outcome { .. } => (REPORT, OVER),
            // What was answered, two must have looked at before it is dropped.
            Move::Withdraw { .. } if self.is(ANSWERED) => (SECOND_DONE, REPORT | OVER),
            Move::Withdraw { .. } | Move::Refused { .. } => (0, REPORT | OVER),
        };
        self.facts & wanted == wanted && self.facts & barred == 0
    }

    fn complete(&self, mv: Move) -> bool {
        match mv {
            Move::Probe { too_large, .. } => !too_large,
            Move::Face { index, faces, quality } => {
                index < faces && matches!(quality, Grade::Good | Grade::Poor(Words::Said))
            }
            Move::Ask { search } => self.searches & 1 << search == 0,
            Move::Answered { candidates, order } => {
                let ordered = match order {
                    Order::BestFirst => true,
                    Order::NoNumber => candidates == 0,
                    Order::WorstFirst | Order::SameTwice => candidates < 2,
                };
                usize::from(candidates) <= WANTED && ordered
            }
            Move::Released { version } => self.array & !self.released & 1 << version != 0,
            Move::Dispose { version, founded, twice, .. } => {
                let open = self.array & !self.released & !self.said[self.turn()];
                open & 1 << version != 0 && founded && !twice
            }
            Move::Finish => self.array & !self.released & !self.said[self.turn()] == 0,
            Move::Evidence { number: Words::Hollow, .. }
            | Move::Outcome { number: Words::Hollow, .. } => false,
            Move::Evidence { hollow, number } => {
                !hollow && (number == Words::Said || self.is(NUMBER) || !self.is(OUTCOME))
            }
            Move::Outcome { upshot, number, evidence } => {
                let positive = upshot == Upshot::PositiveIdentification;
                let documented =
                    number == Words::Said || self.is(NUMBER) || !positive && !self.is(EVIDENCE);
                let needs_evidence = positive
                    || matches!(upshot, Upshot::ArrestOnIndependentEvidence | Upshot::PersonFound);
                let said = evidence == Words::Said || evidence == Words::Unsaid && !needs_evidence;
                documented && said && (!positive || self.is(EVIDENCE))
            }
            Move::OrderCopy { hollow, reason } => {
                !hollow && reason == Words::Said && !self.is_withheld()
            }
            Move::GiveCopy { copy } => {
                copy < self.ordered && self.given & 1 << copy == 0 && !self.is_withheld()
            }
            Move::Withdraw { reason } | Move::Refused { reason } => reason == Words::Said,
            Move::Interrupted
            | Move::ClaimFirst { .. }
            | Move::ClaimSecond { .. }
            | Move::Issue => true,
        }
    }

    fn then(&mut self, step: &Try) {
        let turn = self.turn();
        match step.mv {
            Move::Ask { search } => {
                self.searches |= 1 << search;
                self.approved += 1;
            }
            // One candidate of the same name twice is one candidate, the first.
            Move::Answered { candidates, .. } => self.array = (1 << candidates) - 1,
            Move::Released { version } => self.released |= 1 << version,
            Move::ClaimFirst { .. } => self.examiners[0] = Some(step.who),
            Move::ClaimSecond { .. } => self.examiners[1] = Some(step.who),
            Move::Dispose { version, disposition, .. } => {
                self.said[turn] |= 1 << version;
                self.leads[turn] |= u8::from(disposition == Disposition::Lead) << version;
            }
            Move::Issue => self.shows = self.array & !self.released,
            Move::OrderCopy { .. } => self.ordered += 1,
            Move::GiveCopy { copy } => self.given |= 1 << copy,
            _ => {}
        }
        let (added, gone) = match step.mv {
            Move::Probe { .. } => (PROBE, FACE),
            Move::Face { .. } => (FACE, 0),
            Move::Ask { .. } => (SEARCHED | UNDER_WAY, 0),
            Move::Answered { .. } => (ANSWERED, UNDER_WAY),
            Move::Interrupted => (0, UNDER_WAY),
            Move::ClaimFirst { .. } => (FIRST | AT_WORK, 0),
            Move::ClaimSecond { .. } => (SECOND | AT_WORK, 0),
            Move::Finish => ([FIRST_DONE, SECOND_DONE][turn], AT_WORK),
            Move::Issue => (REPORT, 0),
            Move::Evidence { number, .. } => {
                (EVIDENCE | if number == Words::Said { NUMBER } else { 0 }, 0)
            }
            Move::Outcome { number, .. } => {
                (OUTCOME | if number == Words::Said { NUMBER } else { 0 }, 0)
            }
            Move::Withdraw { .. } | Move::Refused { .. } => (DROPPED, 0),
            Move::Released { .. }
            | Move::Dispose { .. }
            | Move::OrderCopy { .. }
            | Move::GiveCopy { .. } => (0, 0),
        };
        self.facts = (self.facts | added) & !gone;
    }

    /// Whether the report shows a version that was released since.
    fn is_withheld(&self) -> bool {
        self.shows & self.released != 0
    }

    /// Whether this account's person asked, answers for it, operates or examines here, by whatever
    /// account.
    fn is_of(&self, account: Account) -> bool {
        self.asked(account) || self.takes_part(account)
    }

    /// Whether this account's person asked, or answers for the purpose.
    fn asked(&self, account: Account) -> bool {
        same(account, self.requester) || self.supervisor.is_some_and(|by| same(account, by))
    }

    /// Whether this account's person operates or examines here.
    fn takes_part(&self, account: Account) -> bool {
        same(account, self.operator)
            || self.examines_here(0, account)
            || self.examines_here(1, account)
    }

    fn examines_here(&self, turn: usize, account: Account) -> bool {
        self.examiners[turn].is_some_and(|examiner| same(account, examiner))
    }

    /// Whose turn it is: 0 is the first examiner's, 1 the second's.
    fn turn(&self) -> usize {
        usize::from(self.is(SECOND))
    }

    fn is(&self, fact: u16) -> bool {
        self.facts & fact != 0
    }

    /// Whether this account may open the probe, and of each version of the array, whether it may
    /// see the photo, and score and biography; by their names.
    pub(super) fn sees(&self, account: Account) -> (bool, Vec<(u8, bool, bool)>) {
        let examines = self.examines_here(0, account) || self.examines_here(1, account);
        let all = self.takes_part(account) && self.is(SECOND_DONE);
        let see = |version: u8| {
            let there = !self.is(DROPPED) && self.released & 1 << version == 0;
            (version, there && (all || examines), there && all)
        };
        let array = (0..VERSIONS).filter(|version| self.array & 1 << version != 0);
        (self.takes_part(account) && !self.is(OVER), array.map(see).collect())
    }

    /// The order in which this account meets the candidates.
    pub(super) fn meets(&self, account: Account) -> Met {
        if self.takes_part(account) && self.is(SECOND_DONE) && !self.is(DROPPED) {
            return Met::BestFirst;
        }
        match self.examines_here(0, account) || self.examines_here(1, account) {
            true => Met::Drawn,
            false => Met::ByName,
        }
    }

    /// Versions that one examiner took for a lead and the other did not, once both are done: best
    /// first, who have the last names.
    pub(super) fn disagreements(&self) -> Option<Vec<u8>> {
        let differ = (self.leads[0] ^ self.leads[1]) & self.said[0] & self.said[1];
        self.is(SECOND_DONE)
            .then(|| (0..VERSIONS).rev().filter(|version| differ & 1 << version != 0).collect())
    }

    /// The move that leads on from here, for a walk that is to come far; who makes it is drawn
    /// where several may.
    pub(super) fn onward(&self, drawn: u8) -> Try {
        let open = self.array & !self.released & !self.said[self.turn()];
        let disposition = [Disposition::Lead, Disposition::NoLead, Disposition::Inconclusive]
            [usize::from(drawn % 3)];
        let at_work = self.examiners[self.turn()].unwrap_or(OLGA);
        let anybody = drawn % 7;
        let maybe = if drawn.is_multiple_of(4) { Words::Said } else { Words::Unsaid };
        let (who, mv) = match self.facts {
            facts if facts & PROBE == 0 => {
                (self.operator, Move::Probe { faces: 1 + drawn % 2, too_large: false })
            }
            facts if facts & FACE == 0 => {
                (self.operator, Move::Face { index: 0, faces: 1, quality: Grade::Good })
            }
            facts if facts & (UNDER_WAY | ANSWERED) == 0 => {
                (self.operator, Move::Ask { search: drawn % 3 })
            }
            facts if facts & UNDER_WAY != 0 => {
                (self.operator, Move::Answered { candidates: drawn % 3, order: Order::BestFirst })
            }
            facts if facts & FIRST == 0 => (anybody, Move::ClaimFirst { order: drawn }),
            facts if facts & AT_WORK != 0 && open != 0 => {
                let version = u8::try_from(open.trailing_zeros()).unwrap();
                (at_work, Move::Dispose { version, disposition, founded: true, twice: false })
            }
            facts if facts & AT_WORK != 0 => (at_work, Move::Finish),
            facts if facts & SECOND == 0 => (anybody, Move::ClaimSecond { order: drawn / 2 }),
            facts if facts & REPORT == 0 => (self.operator, Move::Issue),
            facts if facts & EVIDENCE == 0 && drawn.is_multiple_of(2) => {
                (self.operator, Move::Evidence { hollow: false, number: maybe })
            }
            facts if facts & OUTCOME == 0 => (
                self.operator,
                Move::Outcome { upshot: Upshot::NoArrest, number: maybe, evidence: Words::Unsaid },
            ),
            _ if self.given.count_ones() < u32::from(self.ordered) => {
                let copy = u8::try_from(self.given.trailing_ones()).unwrap();
                (AUDRA, Move::GiveCopy { copy })
            }
            _ => (CLEO, Move::OrderCopy { hollow: false, reason: Words::Said }),
        };
        Try { who, fit: true, fresh: true, mv }
    }
}

fn operates(account: Account) -> bool {
    may(account, OPERATES)
}

fn examines(account: Account) -> bool {
    may(account, EXAMINES)
}

fn may(account: Account, what: u8) -> bool {
    CAST[usize::from(account)].3 & what != 0
}

/// The pairs of accounts that are one person, by their places in the cast.
fn same(a: Account, b: Account) -> bool {
    a == b || [(0, 5), (2, 6)].contains(&(a.min(b), a.max(b)))
}
