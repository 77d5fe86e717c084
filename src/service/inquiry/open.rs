//! Opening an inquiry for a requester, and withdrawing it.

use crate::audit::Detail;
use crate::booking::Identifier;
use crate::calendar::Time;
use crate::inquiry::{Action, Inquiry, InquiryId, NumberPattern, Participant, Request, Who};
use crate::ledger::NewLeaf;
use crate::roster::Duty;
use crate::service::appliance::Service;
use crate::service::error::ServiceError;
use crate::service::people::AtDesk;

impl Service {
    /// Opens an inquiry for a requester; gives its id.
    ///
    /// Errors: another role, an expired training; an agency that is no member; a hollow field; an
    /// attestation that isn't given.
    pub fn open_inquiry(&self, desk: &AtDesk, request: Request) -> Result<InquiryId, ServiceError> {
        self.guard.searches_allowed()?;
        let refused = |rule, reason| Detail::SearchRefused {
            rule,
            actor: desk.actor(),
            request: Some(request.clone()),
            reason,
        };
        let who = self.logged(self.may_open(desk, &request), refused)?;
        self.ledger.room()?;
        let (today, pattern) = (self.today(), self.number_pattern(&request.requester.agency));
        self.logged(
            self.ledger.open_inquiry(desk.actor(), who, request.clone(), today, pattern),
            refused,
        )
    }

    fn may_open(&self, desk: &AtDesk, request: &Request) -> Result<Who, ServiceError> {
        desk.person.may(Duty::Operate, "open inquiries", self.today())?;
        self.roster.requester(&request.requester.agency, self.today())?;
        if let Some(agency) = request.purpose.supervisors_agency() {
            self.roster.requester(agency, self.today())?;
        }
        Ok(self.who(desk))
    }

    /// How an agency writes its complaint numbers, where it has set that.
    fn number_pattern(&self, agency: &Identifier) -> Option<NumberPattern> {
        let agency = self.roster.agencies.iter().find(|known| known.id == *agency)?;
        NumberPattern::parse(agency.numbers.as_deref()?).ok()
    }

    /// The person at a desk, as an inquiry's steps name them.
    pub(in crate::service) fn who(&self, desk: &AtDesk) -> Who {
        let person = &desk.person;
        let may = |duty| person.may(duty, "", self.today()).is_ok();
        Who {
            person: Participant {
                id: person.id.clone(),
                badge: person.badge.clone(),
                agency: person.agency.clone(),
            },
            may_operate: may(Duty::Operate),
            may_examine: may(Duty::Examine),
            may_command: may(Duty::Command),
            may_audit: may(Duty::Audit),
        }
    }

    /// Withdraws an inquiry.
    pub fn withdraw(
        &self,
        desk: &AtDesk,
        id: InquiryId,
        revision: u64,
        reason: String,
    ) -> Result<(), ServiceError> {
        let (who, actor, words) = (self.who(desk), desk.actor(), reason.clone());
        let tag = self.ledger.core().inquiry(id)?.tag(&self.ledger);
        let act = move |inquiry: &mut Inquiry, _: u64, now: Time| {
            inquiry.act(&who, revision, now, Action::Withdraw { reason: reason.clone() })
        };
        let log = move |_: &Inquiry| {
            let detail = Detail::InquiryClosed {
                actor,
                inquiry: id.to_string(),
                withdrawn: true,
                reason: words,
            };
            vec![NewLeaf::new(Vec::new(), vec![tag, 1], detail)]
        };
        self.refused_at(desk, self.ledger.step(id, act, log)).map(|_| ())
    }
}
