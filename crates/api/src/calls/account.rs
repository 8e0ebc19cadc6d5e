//! The calls that are to no project, which `projects` answers.

use super::{Access, Row, calls};
use crate::problem::Code;
use crate::v1::{AccountTokenBody, Me, ProjectItem, TokenItem};

calls! {
    "projects":

    /// Who the token is for, and what it allows.
    Me = Row::get("/api/v1/me", Access::Anybody).answers::<Me>(200);

    /// The projects that the token is good for, by name.
    Projects = Row::get("/api/v1/projects", Access::Anybody).lists::<ProjectItem>();

    /// The account admins' tokens that were issued and not revoked.
    Tokens = Row::get("/api/v1/tokens", Access::Account).lists::<TokenItem>();

    /// Issues a token of an account admin. It is in this answer alone.
    IssueToken = Row::post("/api/v1/tokens", Access::Account)
        .takes::<AccountTokenBody>()
        .answers::<TokenItem>(201)
        .problems(&[Code::Conflict]);

    /// Revokes an account admin's token, at once.
    RevokeToken = Row::delete("/api/v1/tokens/{token}", Access::Account).problems(&[Code::NotFound, Code::Conflict]);
}
