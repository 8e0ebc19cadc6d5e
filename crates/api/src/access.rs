//! The callers that a call permits.

use domain::role::{Right, Role};

/// The callers that a call permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everyone, without a token.
    Public,
    /// Everyone with a valid token of any role and project.
    AnyToken,
    /// Callers who have this right in the project that the path names.
    Right(Right),
    /// An account admin, who is an admin of the whole installation.
    Account,
}

impl Access {
    /// The permission as one word, as the OpenAPI document writes it: `public`, `anybody`, `account` or a right's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::AnyToken => "anybody",
            Self::Account => "account",
            Self::Right(Right::Upload) => "upload",
            Self::Right(Right::Read) => "read",
            Self::Right(Right::Develop) => "develop",
            Self::Right(Right::Decide) => "decide",
            Self::Right(Right::Administer) => "administer",
        }
    }

    /// The permitted callers in words, for `docs/api.md`.
    pub fn callers(self) -> String {
        match self {
            Self::Public => "everyone".to_owned(),
            Self::AnyToken => "everyone with a token".to_owned(),
            Self::Account => "account admin".to_owned(),
            Self::Right(right) => right.roles().map(Role::as_str).collect::<Vec<_>>().join(", "),
        }
    }
}
