//! The decisions that a page offers to a user. The API decides; a page leaves out what the API would refuse.

use crate::person::is_same_person;
use crate::request::PageRequest;
use api::v1::ExemptionItem;
use domain::exemption::{Decision, Scope, Status};
use domain::role::Right;
use domain::time::Timestamp;

/// The permissions of the user, as far as they concern exemptions.
#[derive(Debug, Clone)]
pub(super) struct Permissions<'a> {
    pub(super) subject: &'a str,
    /// True if the user may approve and reject.
    pub(super) decides: bool,
    /// True if the user may request, withdraw own requests, and reopen.
    pub(super) develops: bool,
    pub(super) some_targets: bool,
    pub(super) account_admin: bool,
    /// True if the project allows requesters to approve their own requests.
    pub(super) self_approval: bool,
    pub(super) now: Timestamp,
}

impl<'a> Permissions<'a> {
    /// The permissions of the user of a request.
    pub(super) fn of<A>(request: &PageRequest<'a, A>, self_approval: bool) -> Self {
        Self {
            subject: &request.session.subject,
            decides: request.has_right(Right::Decide),
            develops: request.has_right(Right::Develop),
            some_targets: request.session.some_targets,
            account_admin: request.is_account_admin(),
            self_approval,
            now: request.now,
        }
    }

    /// The decisions to offer, in the order of the buttons.
    pub(super) fn decisions(&self, item: &ExemptionItem) -> Vec<Decision> {
        Decision::ALL.into_iter().filter(|decision| self.may(*decision, item)).collect()
    }

    /// True if the user could approve the request if another person had made it.
    pub(super) fn is_own_request(&self, item: &ExemptionItem) -> bool {
        !self.self_approval
            && item.status == Status::Pending
            && self.decides
            && self.covers(item.scope)
            && self.is_requester(item)
    }

    /// True if the user requested or reopened the exemption.
    fn is_requester(&self, item: &ExemptionItem) -> bool {
        let mut requesters = std::iter::once(&item.requested_by).chain(&item.also_requested_by);
        requesters.any(|requester| is_same_person(self.subject, requester))
    }

    /// The scopes at which the user may approve, the requested one first.
    pub(super) fn scopes(&self, item: &ExemptionItem) -> Vec<Scope> {
        let requested = requested_scope(item);
        let may = |scope: Scope| self.covers(scope) && (scope != Scope::Account || self.account_admin);
        Scope::ALL.into_iter().filter(|scope| requested <= *scope && may(*scope)).collect()
    }

    /// True unless the token is limited to some targets and the scope is wider than a target.
    fn covers(&self, scope: Scope) -> bool {
        match scope {
            Scope::Occurrences | Scope::Target => true,
            Scope::Pipeline | Scope::Project | Scope::Account => !self.some_targets,
        }
    }

    fn may(&self, decision: Decision, item: &ExemptionItem) -> bool {
        let has_ended =
            item.until.as_ref().and_then(|end| end.parse().ok()).is_some_and(|end: Timestamp| end <= self.now);
        let is_for_account = item.status == Status::Approved && item.scope == Scope::Account;
        if !self.covers(item.scope) || (is_for_account && !self.account_admin) {
            return false;
        }
        let is_requester = self.is_requester(item);
        match (decision, item.status) {
            (Decision::Approve, Status::Pending | Status::Rejected | Status::Expired) => {
                self.decides && !has_ended && (!is_requester || self.self_approval)
            }
            // Of two decisions with nearly the same effect, one is offered: requesters withdraw, reviewers reject and
            // revoke.
            (Decision::Reject, Status::Pending) => self.decides && !is_requester,
            (Decision::Reject, Status::Approved) => self.decides,
            (Decision::Withdraw, Status::Pending) => self.develops && is_requester,
            (Decision::Withdraw, Status::Approved) => self.develops && is_requester && !self.decides,
            (Decision::Reopen, Status::Rejected | Status::Expired) => self.develops && !has_ended,
            (Decision::Approve, Status::Approved | Status::Cancelled)
            | (Decision::Reject, Status::Rejected | Status::Expired | Status::Cancelled)
            | (Decision::Withdraw, Status::Rejected | Status::Expired | Status::Cancelled)
            | (Decision::Reopen, Status::Pending | Status::Approved | Status::Cancelled) => false,
        }
    }
}

/// The requested scope; an approval may have widened it.
pub(super) fn requested_scope(item: &ExemptionItem) -> Scope {
    item.requested_scope.unwrap_or(item.scope)
}
