//! Random inquiries, played by the machine and by the model side by side.

use std::cell::Cell;
use std::collections::BTreeMap;

use time::macros::date;

use super::cast::{
    Account, Asks, CAST, Grade, Move, OLGA, Order, RITA, SEARCHES, Try, VERSIONS, Words, given,
    person, request, who,
};
use super::model::{Met, Model};
use crate::calendar::Time;
use crate::inquiry::{
    ActionError, CandidateSight, Disposition, Inquiry, InquiryId, Participant, Stage, Upshot,
};

/// Tries of one inquiry; from opening to outcome it takes ten to eighteen steps, to a further copy
/// of its report two more.
const TRIES: u64 = 28;

thread_local! {
    static REMOVED: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// Whether a test has removed the rule that would refuse this.
pub(in crate::inquiry) fn removed(refusal: &ActionError) -> bool {
    REMOVED.get().is_some_and(|rule| rule == name(refusal))
}

/// Runs something with one rule of the machine removed, on this thread alone.
pub(super) fn without<T>(rule: &'static str, run: impl FnOnce() -> T) -> T {
    REMOVED.set(Some(rule));
    let done = run();
    REMOVED.set(None);
    done
}

/// A refusal's own name.
pub(super) fn name(refusal: &ActionError) -> String {
    format!("{refusal:?}").chars().take_while(char::is_ascii_alphanumeric).collect()
}

/// Plays so many random inquiries and shows every refusal to `refused`.
///
/// Errors: the first try after which machine and model differ, or after which a promise is broken
/// whatever the model says.
pub(super) fn play(inquiries: u64, mut refused: impl FnMut(&ActionError)) -> Result<(), String> {
    let mut openings = BTreeMap::new();
    for seed in 0..inquiries {
        let mut dice = Dice(seed);
        let drawn = dice.opening();
        // Reading a request is most of an opening, and there are few of them: each is done once.
        let opened = openings.entry(drawn).or_insert_with(|| open(drawn));
        let opened = opened.as_ref().map_err(|wrong| format!("{drawn:?}: {wrong}"))?;
        match opened {
            Ok((inquiry, model)) => walk(inquiry.clone(), model.clone(), &mut dice, &mut refused)
                .map_err(|wrong| format!("inquiry {seed}: {wrong}"))?,
            Err(refusal) => refused(refusal),
        }
    }
    Ok(())
}

type Opened = Result<(Inquiry, Model), ActionError>;

fn open((operator, fit, asks): (Account, bool, Asks)) -> Result<Opened, String> {
    let opened = Inquiry::open(
        InquiryId([7; 16]),
        request(asks),
        &who(operator, fit),
        date!(2026 - 11 - 23),
        None,
        Time::EPOCH,
    );
    match (opened, Model::open(operator, fit, asks)) {
        (Ok(inquiry), Some(model)) => Ok(Ok((inquiry, model))),
        (Err(refusal), None) => Ok(Err(refusal)),
        (opened, _) => Err(format!("the machine says {opened:?}")),
    }
}

fn walk(
    mut inquiry: Inquiry,
    mut model: Model,
    dice: &mut Dice,
    refused: &mut impl FnMut(&ActionError),
) -> Result<(), String> {
    for leaf in 0..TRIES {
        let onward = model.onward(dice.below(84));
        let step = if dice.one_in(3) { dice.step(onward.who) } else { onward };
        let before = dice.one_in(16).then(|| inquiry.clone());
        let revision = inquiry.revision();
        let taken = match given(step.mv, leaf) {
            Ok(action) => inquiry.act(
                &who(step.who, step.fit),
                if step.fresh { revision } else { revision + 1 },
                Time::from_cs(leaf),
                action,
            ),
            Err(event) => inquiry.happen(Time::from_cs(leaf), event),
        };
        if model.takes(&step) != taken.is_ok() {
            return Err(format!("{step:?}: the machine says {taken:?} at {model:?}"));
        }
        match &taken {
            Ok(()) => {
                promises(&inquiry, &model, leaf).map_err(|broken| format!("{step:?}: {broken}"))?
            }
            Err(refusal) => refused(refusal),
        }
        let (raised, changed) =
            (inquiry.revision() - revision, before.is_some_and(|before| before != inquiry));
        if raised != u64::from(taken.is_ok()) || taken.is_err() && changed {
            return Err(format!(
                "{step:?}: a step taken raises the revision by one, one refused changes nothing"
            ));
        }
    }
    Ok(())
}

/// What holds after every step, said of the record itself; and that the account whose turn it is to
/// look sees what the model says.
fn promises(inquiry: &Inquiry, model: &Model, turn: u64) -> Result<(), String> {
    let account = u8::try_from(turn % CAST.len() as u64).unwrap();
    let hold = |promise: bool, words: &str| if promise { Ok(()) } else { Err(words.to_owned()) };
    let reviews: Vec<_> = inquiry.first().into_iter().chain(inquiry.second()).collect();
    let finished = reviews.iter().filter(|review| review.is_finished()).count();
    hold(inquiry.searches().len() == model.approved, "no search without its approval")?;
    hold(inquiry.answer().is_none() || model.approved > 0, "no answer without a search")?;
    hold(inquiry.report().is_none() || finished == 2, "no report without two who have finished")?;
    let own = inquiry.request().requester.agency == person(OLGA).agency;
    let requester = person(if own { OLGA } else { RITA });
    let at_it = reviews.iter().map(|review| &review.examiner).chain([inquiry.operator()]);
    hold(
        at_it.into_iter().all(|person| human(person) != human(requester)),
        "the requester neither searches nor compares",
    )?;
    if let [first, second] = reviews[..] {
        let others = [inquiry.operator(), &first.examiner];
        hold(
            others.iter().all(|other| human(other) != human(&second.examiner)),
            "the second is neither operator nor first",
        )?;
        let [mine, theirs] =
            [first, second].map(|review| inquiry.sight(&review.examiner).candidates);
        let order =
            |seen: &[CandidateSight]| seen.iter().map(|seen| seen.version).collect::<Vec<_>>();
        hold(
            finished == 2 || mine.len() < 2 || order(&mine) != order(&theirs),
            "each examiner meets another order",
        )?;
    }
    let dropped = inquiry.stage() == Stage::Withdrawn;
    hold(
        !dropped || inquiry.answer().is_none() || finished == 2,
        "nothing answered is withdrawn before two have looked",
    )?;
    for review in reviews.iter().filter(|review| review.is_finished()) {
        hold(
            inquiry.candidates().iter().all(|candidate| review.disposed(candidate).is_some()),
            "no candidate is skipped",
        )?;
    }
    let sight = inquiry.sight(person(account));
    for seen in &sight.candidates {
        let candidate = inquiry.candidate(seen.version).ok_or("a candidate of the array")?;
        hold(!seen.score_and_biography || finished == 2, "no name before two have looked")?;
        hold(
            !(seen.photo || seen.score_and_biography) || candidate.released_cs.is_none(),
            "nothing of a released candidate",
        )?;
    }
    hold(!sight.others || finished == 2, "no disposition of another before both have finished")?;
    let (probe, candidates) = model.sees(account);
    let seen = sight.candidates.iter();
    let mut seen: Vec<_> =
        seen.map(|seen| (seen.version.0[0], seen.photo, seen.score_and_biography)).collect();
    let met: Vec<u8> = seen.iter().map(|(version, ..)| *version).collect();
    hold(
        match model.meets(account) {
            Met::BestFirst => met.is_sorted_by(|a, b| a > b),
            Met::ByName => met.is_sorted(),
            Met::Drawn => true,
        },
        "the order says what the model says",
    )?;
    seen.sort_unstable();
    hold(
        sight.probe == probe && seen == candidates,
        "what an account sees is what the model says",
    )?;
    let differ = inquiry
        .disagreements()
        .map(|differ| differ.iter().map(|version| version.0[0]).collect::<Vec<u8>>());
    hold(differ == model.disagreements(), "disagreements are what the model says")
}

/// Who is behind an account.
fn human(person: &Participant) -> &str {
    person.id.as_str().trim_end_matches("-too")
}

/// SplitMix64: the same seed, the same inquiry, on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: u8) -> u8 {
        u8::try_from(self.next() % u64::from(end)).unwrap()
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.next().is_multiple_of(times)
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::from(self.below(u8::try_from(all.len()).unwrap()))]
    }

    /// Who opens an inquiry, whether they may now, and who asks.
    fn opening(&mut self) -> (Account, bool, Asks) {
        let anybody = self.below(7);
        let operator = if self.one_in(8) { anybody } else { anybody % 2 };
        let asks = match self.below(16) {
            0 => Asks::Olga,
            1..4 => Asks::Supervised(self.below(7)),
            _ => Asks::Rita,
        };
        (operator, !self.one_in(32), asks)
    }

    /// Anything by anybody, half of it by the one whose turn it is.
    fn step(&mut self, turn: Account) -> Try {
        let words = self.of(&[Words::Said, Words::Hollow, Words::Unsaid]);
        let mv = match self.below(17) {
            0 => Move::Probe { faces: self.below(3), too_large: self.one_in(4) },
            1 => {
                let quality = self.of(&[Grade::Good, Grade::Poor(words), Grade::TooManyMeasures]);
                Move::Face { index: self.below(3), faces: self.below(4), quality }
            }
            2 => Move::Ask { search: self.below(SEARCHES) },
            3 => {
                let order = self.of(&[
                    Order::BestFirst,
                    Order::WorstFirst,
                    Order::NoNumber,
                    Order::SameTwice,
                ]);
                Move::Answered { candidates: self.below(4), order }
            }
            4 => Move::Interrupted,
            5 => Move::Released { version: self.below(VERSIONS) },
            6 => Move::ClaimFirst { order: self.below(9) },
            7 => Move::ClaimSecond { order: self.below(9) },
            8 => {
                let disposition =
                    self.of(&[Disposition::Lead, Disposition::NoLead, Disposition::Inconclusive]);
                Move::Dispose {
                    version: self.below(VERSIONS),
                    disposition,
                    founded: !self.one_in(3),
                    twice: self.one_in(4),
                }
            }
            9 => Move::Finish,
            10 => Move::Issue,
            11 => Move::Evidence { hollow: self.one_in(4), number: words },
            12 => {
                let upshot = self.of(&[
                    Upshot::NoLead,
                    Upshot::ArrestOnIndependentEvidence,
                    Upshot::PositiveIdentification,
                ]);
                Move::Outcome {
                    upshot,
                    number: self.of(&[Words::Said, Words::Hollow, Words::Unsaid]),
                    evidence: words,
                }
            }
            // An end cuts the walk short, so it comes late or seldom.
            13 if self.one_in(3) => Move::Withdraw { reason: words },
            14 if self.one_in(3) => Move::Refused { reason: words },
            15 => Move::OrderCopy { hollow: self.one_in(4), reason: words },
            16 => Move::GiveCopy { copy: self.below(3) },
            _ => Move::Finish,
        };
        let who = if self.one_in(2) { turn } else { self.below(9) };
        Try { who, fit: !self.one_in(8), fresh: !self.one_in(8), mv }
    }
}
