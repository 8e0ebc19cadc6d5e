//! The calls to the account, which `projects` answers.

use super::{Access, Row, calls};
use crate::problem::Code;
use crate::v1::{AccountTokenBody, TokenItem};

calls! {
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
