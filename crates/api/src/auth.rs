//! Who is calling, and what they may do. One read of the store per request.

use crate::calls::Access;
use crate::problem::{Code, Problem};
use domain::event::Actor;
use domain::ids::{ProjectId, Subject, token_digest};
use domain::project::TokenRecord;
use domain::role::{Right, Role};
use domain::time::Timestamp;
use store::kv::Kv;
use store::{document, keys};

/// How every token begins, so that secret scanners recognise one.
pub const TOKEN_PREFIX: &str = "gate_";
/// The longest `Authorization` header that is looked at, in bytes.
const HEADER_BYTES_MAX: usize = 512;

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who, for the events of journals.
    pub actor: Actor,
    /// The one project the token is good for; absent for the installation's admin.
    project: Option<ProjectId>,
}

impl Identity {
    /// Checks that the caller may make a call that is declared so; `project` is the one its path names.
    ///
    /// # Errors
    /// See [`Self::require`] and [`Self::require_installation`].
    pub fn allow(&self, project: Option<&ProjectId>, access: Access) -> Result<(), Problem> {
        match (access, project) {
            (Access::Public, _) => Ok(()),
            (Access::Account, _) => self.require_installation(),
            (Access::Right(right), Some(project)) => self.require(project, right),
            (Access::Right(_), None) => Err(Problem::internal("the call needs a right in a project and names none")),
        }
    }

    /// Checks that the caller has this right in this project.
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
        Ok(())
    }

    /// Checks that the caller is the installation's admin.
    ///
    /// # Errors
    /// `Forbidden` for any other.
    pub fn require_installation(&self) -> Result<(), Problem> {
        match self.project {
            None => Ok(()),
            Some(_) => Err(Problem::new(Code::Forbidden, "this needs the installation's admin token")),
        }
    }
}

/// The answer for a project that is not there, or not the caller's to see.
pub fn no_project(project: &ProjectId) -> Problem {
    Problem::not_found(format!("there is no project `{project}`, or the token is not one of its"))
}

/// Finds out who calls, from the value of the `Authorization` header.
///
/// # Errors
/// `Unauthenticated` without a known token, `TokenExpired` after its end.
pub async fn authenticate(
    kv: &impl Kv,
    admin_token: &str,
    authorization: Option<&str>,
    address: Option<&str>,
    now: Timestamp,
) -> Result<Identity, Problem> {
    let unknown = |detail: &str| Problem::new(Code::Unauthenticated, detail);
    let header = authorization.ok_or_else(|| unknown("send the header `Authorization: Bearer <token>`"))?;
    let token = header
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .filter(|token| !token.is_empty() && header.len() <= HEADER_BYTES_MAX)
        .ok_or_else(|| unknown("the header must read `Authorization: Bearer <token>`"))?;
    let digest = token_digest(token);
    let actor = |subject: Subject, role, token| Actor { subject, role, token, address: address.map(str::to_owned) };
    // Digests are compared, not tokens: how long it takes tells nothing about the token.
    if !admin_token.is_empty() && digest == token_digest(admin_token) {
        let subject = "admin".parse().map_err(|error| Problem::internal(format!("{error}")))?;
        return Ok(Identity { actor: actor(subject, Role::Admin, None), project: None });
    }
    let record: TokenRecord = document::find(kv, &keys::token(&digest))
        .await?
        .ok_or_else(|| unknown("the token is not known: it is misspelt, revoked, or of another installation"))?;
    if let Some(end) = record.token.expires.filter(|end| *end <= now) {
        return Err(Problem::new(Code::TokenExpired, format!("the token ended at {end}; ask an admin for a new one")));
    }
    let token = record.token;
    Ok(Identity { actor: actor(token.subject, token.role, Some(token.id)), project: Some(record.project) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::TokenId;
    use domain::project::IssuedToken;
    use futures::executor::block_on;
    use store::memory::MemoryKv;

    fn who(header: Option<&str>) -> Result<Identity, Code> {
        let kv = MemoryKv::default();
        let token = IssuedToken {
            id: TokenId::of("gate_x"),
            sha256: token_digest("gate_x"),
            name: "ci".to_owned(),
            subject: "ann".parse().unwrap(),
            role: Role::Developer,
            expires: Some(Timestamp::from_ms(1000)),
        };
        let record = TokenRecord { v: 1, project: "shop".parse().unwrap(), token };
        block_on(document::put(&kv, &keys::token(&token_digest("gate_x")), &record)).unwrap();
        let now = Timestamp::from_ms(if header == Some("Bearer gate_x late") { 1000 } else { 999 });
        let header = header.map(|header| header.trim_end_matches(" late"));
        block_on(authenticate(&kv, "root", header, None, now)).map_err(|problem| problem.code)
    }

    #[test]
    fn tokens_are_known_or_refused() {
        assert_eq!(who(None), Err(Code::Unauthenticated));
        for bad in
            ["", "Bearer", "Bearer ", "Basic gate_x", "Bearer gate_y", "gate_x", &format!("Bearer {}", "x".repeat(600))]
        {
            assert_eq!(who(Some(bad)), Err(Code::Unauthenticated), "{bad}");
        }
        assert_eq!(who(Some("Bearer gate_x late")), Err(Code::TokenExpired));
        assert!(who(Some("bearer gate_x")).is_ok() && who(Some("Bearer root")).is_ok());
        let empty = block_on(authenticate(&MemoryKv::default(), "", Some("Bearer "), None, Timestamp::from_ms(0)));
        assert!(empty.is_err(), "an empty admin token is none");
    }

    #[test]
    fn a_role_counts_in_its_own_project_only() {
        let (shop, other) = ("shop".parse().unwrap(), "other".parse().unwrap());
        let developer = who(Some("Bearer gate_x")).unwrap();
        assert!(developer.require(&shop, Right::Read).is_ok() && developer.require(&shop, Right::Develop).is_ok());
        assert_eq!(developer.require(&shop, Right::Decide).unwrap_err().code, Code::Forbidden);
        assert_eq!(developer.require(&other, Right::Read).unwrap_err().code, Code::NotFound);
        let allow = |project, access| developer.allow(project, access).map_err(|problem| problem.code);
        assert_eq!(allow(Some(&shop), Access::Right(Right::Develop)), Ok(()));
        assert_eq!(allow(Some(&shop), Access::Right(Right::Decide)), Err(Code::Forbidden));
        assert_eq!(allow(Some(&other), Access::Right(Right::Decide)), Err(Code::NotFound));
        assert_eq!(allow(Some(&shop), Access::Account), Err(Code::Forbidden));
        assert_eq!(allow(None, Access::Right(Right::Read)), Err(Code::Internal));
        assert_eq!(allow(None, Access::Public), Ok(()));
        assert_eq!(developer.require_installation().unwrap_err().code, Code::Forbidden);
        let admin = who(Some("Bearer root")).unwrap();
        assert!(admin.require(&other, Right::Administer).is_ok() && admin.require_installation().is_ok());
    }
}
