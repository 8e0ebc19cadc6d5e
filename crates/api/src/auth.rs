//! The caller of a request, and what they may do.

mod authenticate;

pub use authenticate::authenticate;

use crate::access::Access;
use crate::problem::{Code, Problem};
use domain::event::Actor;
use domain::exemption::Exemption;
use domain::ids::{ProjectId, TargetName};
use domain::role::{Right, Role};
use domain::upload_limits::UploadLimits;
use std::collections::BTreeSet;

/// The start of every token, so that secret scanners detect it.
pub const TOKEN_PREFIX: &str = "gate_";

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The person or machine, as events record it.
    pub actor: Actor,
    /// The project of the token; absent for an account admin.
    project: Option<ProjectId>,
    /// The targets of the token; absent if it gives access to the whole project.
    targets: Option<BTreeSet<TargetName>>,
    /// The limits of the token's uploads.
    uploads: UploadLimits,
}

impl Identity {
    /// Checks that the caller may make a call with this access; `project` is the project in the call's path.
    ///
    /// # Errors
    /// Those of [`Self::require`] and [`Self::require_installation`].
    pub fn authorize(&self, project: Option<&ProjectId>, access: Access) -> Result<(), Problem> {
        match (access, project) {
            (Access::Public | Access::AnyToken, _) => Ok(()),
            (Access::Account, _) => self.require_installation(),
            (Access::Right(right), Some(project)) => self.require(project, right),
            (Access::Right(_), None) => {
                Err(Problem::internal("the call needs a right in a project, but its path names none"))
            }
        }
    }

    /// Checks that the caller has this right in this project. A token for some targets gives no right to administer.
    /// For other rights, the caller of this function also checks the target: see [`covers`](Self::covers).
    ///
    /// # Errors
    /// `NotFound` if the token belongs to another project, so that the caller learns nothing about this one.
    /// `Forbidden` if the role does not give the right.
    pub fn require(&self, project: &ProjectId, right: Right) -> Result<(), Problem> {
        if self.project.as_ref().is_some_and(|own| own != project) {
            return Err(no_project(project));
        }
        if !self.actor.role.has(right) {
            let roles: Vec<_> = right.roles().map(Role::as_str).collect();
            let (roles, role) = (roles.join(", "), self.actor.role);
            let detail = format!("expected a token with one of the roles {roles}; this token has the role {role}");
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
    /// Those of [`require`](Self::require), and `NotFound` if the token does not cover the target, even if the target
    /// exists.
    pub fn require_target(&self, project: &ProjectId, target: &TargetName, right: Right) -> Result<(), Problem> {
        self.require(project, right)?;
        if self.covers(target) { Ok(()) } else { Err(no_target(target)) }
    }

    /// The project of the token; absent for an account admin, who has access to all projects.
    pub fn project(&self) -> Option<&ProjectId> {
        self.project.as_ref()
    }

    /// The targets of the token; absent if it gives access to the whole project.
    pub fn targets(&self) -> Option<&BTreeSet<TargetName>> {
        self.targets.as_ref()
    }

    /// The limits of the token's uploads.
    pub fn uploads(&self) -> &UploadLimits {
        &self.uploads
    }

    /// True if the token gives access to this target. Other targets are answered like ones that do not exist.
    pub fn covers(&self, target: &TargetName) -> bool {
        self.targets.as_ref().is_none_or(|targets| targets.contains(target))
    }

    /// True if the caller may see an exemption. A token for some targets shows the exemptions of these targets only.
    pub fn sees_exemption(&self, exemption: &Exemption) -> bool {
        self.covers(exemption.reach().target().unwrap_or(&exemption.seen.target))
    }

    /// Checks that the token covers all targets, as calls that affect a pipeline, the project or the account require.
    ///
    /// # Errors
    /// `Forbidden` if the token is for some targets only.
    pub fn require_all_targets(&self) -> Result<(), Problem> {
        match &self.targets {
            None => Ok(()),
            Some(_) => {
                let detail = "this affects more than single targets, but the token is for some targets only";
                Err(Problem::new(Code::Forbidden, detail))
            }
        }
    }

    /// Checks that the caller is an admin of the whole installation.
    ///
    /// # Errors
    /// `Forbidden` if the token belongs to a project.
    pub fn require_installation(&self) -> Result<(), Problem> {
        match self.project {
            None => Ok(()),
            Some(_) => {
                let detail = "expected an account admin's token or the installation's admin token";
                Err(Problem::new(Code::Forbidden, detail))
            }
        }
    }
}

/// The problem of a project that does not exist or that the token gives no access to.
pub fn no_project(project: &ProjectId) -> Problem {
    Problem::not_found(format!("project `{project}` does not exist, or the token gives no access to it"))
}

/// The problem of a target that does not exist or that the token gives no access to.
pub fn no_target(target: &TargetName) -> Problem {
    Problem::not_found(format!(
        "target `{target}` does not exist, or the token gives no access to it; the first upload creates a target"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(role: Role, project: Option<&str>, targets: Option<&[&str]>) -> Identity {
        Identity {
            actor: Actor { subject: "ann".parse().unwrap(), role, token: None, address: None },
            project: project.map(|project| project.parse().unwrap()),
            targets: targets.map(|targets| targets.iter().map(|name| name.parse().unwrap()).collect()),
            uploads: UploadLimits::default(),
        }
    }

    fn code(result: Result<(), Problem>) -> Option<Code> {
        result.err().map(|problem| problem.code)
    }

    #[test]
    fn a_role_has_rights_in_its_project_only() {
        let (shop, other) = ("shop".parse().unwrap(), "other".parse().unwrap());
        let developer = identity(Role::Developer, Some("shop"), None);
        assert!(developer.require(&shop, Right::Read).is_ok() && developer.require(&shop, Right::Develop).is_ok());
        assert_eq!(code(developer.require(&shop, Right::Decide)), Some(Code::Forbidden));
        assert_eq!(code(developer.require(&other, Right::Read)), Some(Code::NotFound));
        let allow = |project, access| code(developer.authorize(project, access));
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
    fn a_token_for_some_targets_has_rights_for_them_only() {
        let (shop, other, web, api) =
            ("shop".parse().unwrap(), "other".parse().unwrap(), "web".parse().unwrap(), "api".parse().unwrap());
        let restricted = identity(Role::Secops, Some("shop"), Some(&["web"]));
        assert_eq!(code(restricted.require_target(&shop, &web, Right::Develop)), None);
        assert_eq!(code(restricted.require_target(&shop, &api, Right::Develop)), Some(Code::NotFound));
        assert_eq!(code(restricted.require_target(&shop, &web, Right::Administer)), Some(Code::Forbidden));
        assert_eq!(code(restricted.require_target(&other, &web, Right::Read)), Some(Code::NotFound));
        assert_eq!(code(restricted.require_all_targets()), Some(Code::Forbidden));
        assert_eq!([&web, &api].map(|target| restricted.covers(target)), [true, false]);
        // The role is checked first, so the answer does not show which targets exist.
        let uploader = identity(Role::Uploader, Some("shop"), Some(&["web"]));
        for target in [&web, &api] {
            assert_eq!(code(uploader.require_target(&shop, target, Right::Read)), Some(Code::Forbidden));
        }
        let whole = identity(Role::Secops, Some("shop"), None);
        assert!(whole.covers(&api) && whole.require_all_targets().is_ok());
        // Such a token cannot be issued; if one is stored all the same, it gives no additional right.
        let admin = identity(Role::Admin, Some("shop"), Some(&["web"]));
        assert_eq!(code(admin.require(&shop, Right::Administer)), Some(Code::Forbidden));
    }
}
