//! What somebody is offered to do with an exemption. The API decides; what it would surely refuse is not offered.

use crate::visit::Visit;
use api::v1::ExemptionItem;
use domain::exemption::{Scope, Status};
use domain::ids::Subject;
use domain::role::Right;
use domain::time::Timestamp;

/// What can be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Approve,
    Reject,
    Cancel,
    Reopen,
}

impl Decision {
    const ALL: [Self; 4] = [Self::Approve, Self::Reject, Self::Cancel, Self::Reopen];

    /// The decision of this name in paths and bodies, if there is one.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|decision| decision.as_str() == name)
    }

    /// The name in paths and bodies.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Cancel => "cancel",
            Self::Reopen => "reopen",
        }
    }

    /// What the button says on an exemption that stands so.
    pub(super) fn button(self, status: Status) -> &'static str {
        match (self, status) {
            (Self::Approve, _) => "Approve",
            (Self::Reject, Status::Approved) => "Take back",
            (Self::Reject, _) => "Reject",
            (Self::Cancel, _) => "Cancel",
            (Self::Reopen, _) => "Request again",
        }
    }

    /// The word of the notice that tells that it was done.
    pub(super) fn done(self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Reject => "rejected",
            Self::Cancel => "cancelled",
            Self::Reopen => "reopened",
        }
    }

    /// The class of its button.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Approve => "",
            Self::Reject => "danger",
            Self::Cancel | Self::Reopen => "second",
        }
    }
}

/// Who reads the page, as far as it matters to what they are offered.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    pub(super) subject: &'a str,
    pub(super) decides: bool,
    pub(super) develops: bool,
    pub(super) some_targets: bool,
    pub(super) account_admin: bool,
    /// Whether the project lets people approve what they asked for.
    pub(super) self_approval: bool,
    pub(super) now: Timestamp,
}

impl<'a> Reader<'a> {
    pub(super) fn of<A>(visit: &Visit<'a, A>, self_approval: bool) -> Self {
        Self {
            subject: &visit.session.subject,
            decides: visit.may(Right::Decide),
            develops: visit.may(Right::Develop),
            some_targets: visit.session.some_targets,
            account_admin: visit.is_account_admin(),
            self_approval,
            now: visit.now,
        }
    }

    /// What they are offered of these, in this order.
    pub(super) fn offers(&self, item: &ExemptionItem) -> Vec<Decision> {
        Decision::ALL.into_iter().filter(|decision| self.may(*decision, item)).collect()
    }

    /// Whether nothing stands against their approval but that they asked for it.
    pub(super) fn is_own(&self, item: &ExemptionItem) -> bool {
        !self.self_approval
            && item.status == Status::Pending
            && self.decides
            && self.reaches(item.scope)
            && is_same_person(self.subject, &item.requested_by)
    }

    /// The scopes that they can grant it at, the one that was asked for first.
    pub(super) fn scopes(&self, item: &ExemptionItem) -> Vec<Scope> {
        let asked = asked(item);
        let may = |scope: Scope| self.reaches(scope) && (scope != Scope::Account || self.account_admin);
        Scope::ALL.into_iter().filter(|scope| asked <= *scope && may(*scope)).collect()
    }

    /// A token for some targets reaches no further than these.
    fn reaches(&self, scope: Scope) -> bool {
        match scope {
            Scope::Occurrences | Scope::Target => true,
            Scope::Pipeline | Scope::Project | Scope::Account => !self.some_targets,
        }
    }

    fn may(&self, decision: Decision, item: &ExemptionItem) -> bool {
        let is_over =
            item.until.as_ref().and_then(|end| end.parse().ok()).is_some_and(|end: Timestamp| end <= self.now);
        let is_grant_to_all = item.status == Status::Approved && item.scope == Scope::Account;
        if !self.reaches(item.scope) || (is_grant_to_all && !self.account_admin) {
            return false;
        }
        match (decision, item.status) {
            (Decision::Approve, Status::Pending | Status::Rejected | Status::Expired) => {
                let own = is_same_person(self.subject, &item.requested_by) && !self.self_approval;
                self.decides && !is_over && !own
            }
            (Decision::Reject, Status::Pending | Status::Approved) => self.decides,
            (Decision::Cancel, Status::Pending | Status::Approved | Status::Rejected | Status::Expired) => {
                self.develops
            }
            (Decision::Reopen, Status::Rejected | Status::Expired) => self.develops && !is_over,
            (Decision::Approve, Status::Approved | Status::Cancelled)
            | (Decision::Reject, Status::Rejected | Status::Expired | Status::Cancelled)
            | (Decision::Cancel, Status::Cancelled)
            | (Decision::Reopen, Status::Pending | Status::Approved | Status::Cancelled) => false,
        }
    }
}

/// What it was asked for.
pub(super) fn asked(item: &ExemptionItem) -> Scope {
    item.requested_scope.unwrap_or(item.scope)
}

fn is_same_person(one: &str, other: &str) -> bool {
    let person = |text: &str| text.parse::<Subject>().ok();
    matches!((person(one), person(other)), (Some(one), Some(other)) if one.is_same_person(&other))
}
