//! Calls outside any project, which `projects` answers.

use super::spec::CallSpec;
use super::table::calls;
use crate::access::Access;
use crate::problem::Code;
use crate::v1::{AccountTokenBody, Me, ProjectItem, TokenItem};

calls! {
    AccountCall of "projects":

    /// Returns the caller's subject, role, project and targets.
    Me = CallSpec::get("/api/v1/me", Access::AnyToken).answers::<Me>(200);

    /// Lists the projects that the token gives access to, by name.
    Projects = CallSpec::get("/api/v1/projects", Access::AnyToken).lists::<ProjectItem>();

    /// Lists the tokens of account admins that are not revoked.
    Tokens = CallSpec::get("/api/v1/tokens", Access::Account).lists::<TokenItem>();

    /// Issues a token for an account admin. Only this response contains the token itself.
    IssueToken = CallSpec::post("/api/v1/tokens", Access::Account)
        .takes::<AccountTokenBody>()
        .answers::<TokenItem>(201)
        .problems(&[Code::Conflict]);

    /// Revokes a token of an account admin, with immediate effect.
    RevokeToken = CallSpec::delete("/api/v1/tokens/{token}", Access::Account)
        .problems(&[Code::NotFound, Code::Conflict]);
}
