//! Who is calling, and what they may do.

mod authenticate;

pub use authenticate::authenticate;

use crate::calls::Access;
use crate::problem::{Code, Problem};
use crate::v1::Scan;
use domain::event::Actor;
use domain::exemption::Exemption;
use domain::ids::{ProjectId, TargetName};
use domain::role::{Right, Role};
use std::collections::BTreeSet;

/// How every token begins, so that secret scanners recognise one.
pub const TOKEN_PREFIX: &str = "gate_";

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who, for the events of journals.
    pub actor: Actor,
    /// The one project the token is good for; absent for an account admin.
    project: Option<ProjectId>,
    /// The targets the token is good for; absent: all, and what concerns the project as a whole.
    targets: Option<BTreeSet<TargetName>>,
}

impl Identity {
    /// Checks that the caller may make a call that is declared so; `project` is the one its path names.
    ///
    /// # Errors
    /// See [`Self::require`] and [`Self::require_installation`].
    pub fn allow(&self, project: Option<&ProjectId>, access: Access) -> Result<(), Problem> {
        match (access, project) {
            (Access::Public | Access::Anybody, _) => Ok(()),
            (Access::Account, _) => self.require_installation(),
            (Access::Right(right), Some(project)) => self.require(project, right),
            (Access::Right(_), None) => Err(Problem::internal("the call needs a right in a project and names none")),
        }
    }

    /// Checks that the caller has this right in this project. A token for some targets has none to administer, and for
    /// the others what it asks for must be of its targets: see [`covers`](Self::covers).
    ///
    /// # Errors
    /// `NotFound` when the token is another project's: its holder learns nothing of this one. `Forbidden` when the role
    /// does not give it.
    pub fn require(&self, project: &ProjectId, right: Right) -> Result<(), Problem> {
        if self.project.as_ref().is_some_and(|own| own != project) {
            return Err(no_project(project));
        }
        if !self.actor.role.has(right) {
            let roles: Vec<_> = right.roles().map(Role::as_str).collect();
            let detail =
                format!("this needs one of the roles {}; the token has the role {}", roles.join(", "), self.actor.role);
            return Err(Problem::new(Code::Forbidden, detail));
        }
        match right {
            Right::Administer => self.require_all_targets(),
            Right::Upload | Right::Read | Right::Develop | Right::Decide => Ok(()),
        }
    }

    /// Checks that the caller has this right for this target of this project.
    ///
    /// # Errors
    /// Those of [`require`](Self::require); `NotFound` when the token is for other targets, whether this one is there or
    /// not.
    pub fn require_target(&self, project: &ProjectId, target: &TargetName, right: Right) -> Result<(), Problem> {
        self.require(project, right)?;
        if self.covers(target) { Ok(()) } else { Err(no_target(target)) }
    }

    /// The one project the token is good for; absent for an account admin, who sees all of them.
    pub fn project(&self) -> Option<&ProjectId> {
        self.project.as_ref()
    }

    /// The targets the token is good for; absent: all, and what concerns the project as a whole.
    pub fn targets(&self) -> Option<&BTreeSet<TargetName>> {
        self.targets.as_ref()
    }

    /// Whether the token is good for this target. What it is not good for is, for its holder, not there.
    pub fn covers(&self, target: &TargetName) -> bool {
        self.targets.as_ref().is_none_or(|targets| targets.contains(target))
    }

    /// Whether this scan is one of the project's, and of a target that the token is good for.
    pub fn sees(&self, project: &ProjectId, scan: &Scan) -> bool {
        scan.project == project.as_str() && scan.target.name.parse().is_ok_and(|target| self.covers(&target))
    }

    /// Whether the caller may know of an exemption: one with a token for some targets sees what concerns these.
    pub fn sees_exemption(&self, held: &Exemption) -> bool {
        self.covers(held.reach().target().unwrap_or(&held.seen.target))
    }

    /// Checks that the token is good for all targets: what concerns a pipeline, the project or the account is not for one
    /// that is good for some.
    ///
    /// # Errors
    /// `Forbidden` when it is good for some only.
    pub fn require_all_targets(&self) -> Result<(), Problem> {
        match &self.targets {
            None => Ok(()),
            Some(_) => {
                let detail = "this concerns more than single targets, and the token is good for some targets only";
                Err(Problem::new(Code::Forbidden, detail))
            }
        }
    }

    /// Checks that the caller is an admin of the whole installation.
    ///
    /// # Errors
    /// `Forbidden` for any other.
    pub fn require_installation(&self) -> Result<(), Problem> {
        match self.project {
            None => Ok(()),
            Some(_) => {
                let detail = "this needs an account admin's token, or the installation's admin token";
                Err(Problem::new(Code::Forbidden, detail))
            }
        }
    }
}

/// The answer for a project that is not there, or not the caller's to see.
pub fn no_project(project: &ProjectId) -> Problem {
    Problem::not_found(format!("there is no project `{project}`, or the token is not one of its"))
}

/// The answer for a target that is not there, or not the caller's to see.
pub fn no_target(target: &TargetName) -> Problem {
    let detail = format!("there is no target `{target}`, or the token is not good for it; its first upload creates it");
    Problem::not_found(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(role: Role, project: Option<&str>, targets: Option<&[&str]>) -> Identity {
        Identity {
            actor: Actor { subject: "ann".parse().unwrap(), role, token: None, address: None },
            project: project.map(|project| project.parse().unwrap()),
            targets: targets.map(|targets| targets.iter().map(|name| name.parse().unwrap()).collect()),
        }
    }

    fn code(result: Result<(), Problem>) -> Option<Code> {
        result.err().map(|problem| problem.code)
    }

    #[test]
    fn a_role_counts_in_its_own_project_only() {
        let (shop, other) = ("shop".parse().unwrap(), "other".parse().unwrap());
        let developer = identity(Role::Developer, Some("shop"), None);
        assert!(developer.require(&shop, Right::Read).is_ok() && developer.require(&shop, Right::Develop).is_ok());
        assert_eq!(code(developer.require(&shop, Right::Decide)), Some(Code::Forbidden));
        assert_eq!(code(developer.require(&other, Right::Read)), Some(Code::NotFound));
        let allow = |project, access| code(developer.allow(project, access));
        assert_eq!(allow(Some(&shop), Access::Right(Right::Develop)), None);
        assert_eq!(allow(Some(&shop), Access::Right(Right::Decide)), Some(Code::Forbidden));
        assert_eq!(allow(Some(&other), Access::Right(Right::Decide)), Some(Code::NotFound));
        assert_eq!(allow(Some(&shop), Access::Account), Some(Code::Forbidden));
        assert_eq!(allow(None, Access::Right(Right::Read)), Some(Code::Internal));
        assert_eq!(allow(None, Access::Public), None);
        assert_eq!(code(developer.require_installation()), Some(Code::Forbidden));
        let admin = identity(Role::Admin, None, None);
        assert!(admin.require(&other, Right::Administer).is_ok() && admin.require_installation().is_ok());
        let own = identity(Role::Admin, Some("shop"), None);
        assert_eq!(code(own.require_installation()), Some(Code::Forbidden), "a project's admin is not the account's");
    }

    #[test]
    fn a_token_for_some_targets_has_its_rights_for_them_alone() {
        let (shop, other, web, api) =
            ("shop".parse().unwrap(), "other".parse().unwrap(), "web".parse().unwrap(), "api".parse().unwrap());
        let restricted = identity(Role::Secops, Some("shop"), Some(&["web"]));
        assert_eq!(code(restricted.require_target(&shop, &web, Right::Develop)), None);
        assert_eq!(code(restricted.require_target(&shop, &api, Right::Develop)), Some(Code::NotFound));
        assert_eq!(code(restricted.require_target(&shop, &web, Right::Administer)), Some(Code::Forbidden));
        assert_eq!(code(restricted.require_target(&other, &web, Right::Read)), Some(Code::NotFound));
        assert_eq!(code(restricted.require_all_targets()), Some(Code::Forbidden));
        assert_eq!([&web, &api].map(|target| restricted.covers(target)), [true, false]);
        // The role is judged first: which targets there are makes no difference to one that may not ask.
        let uploader = identity(Role::Uploader, Some("shop"), Some(&["web"]));
        for target in [&web, &api] {
            assert_eq!(code(uploader.require_target(&shop, target, Right::Read)), Some(Code::Forbidden));
        }
        let whole = identity(Role::Secops, Some("shop"), None);
        assert!(whole.covers(&api) && whole.require_all_targets().is_ok());
        // None can be issued; a record that says otherwise gives nothing more.
        let admin = identity(Role::Admin, Some("shop"), Some(&["web"]));
        assert_eq!(code(admin.require(&shop, Right::Administer)), Some(Code::Forbidden));
    }
}
