//! Scopes of exemptions.

use crate::word_enum::word_enum;

word_enum! {
    /// The scope of an exemption, from the narrowest to the widest (section 7 of the reference product). An exemption
    /// is approved at the requested scope or a wider one.
    #[derive(PartialOrd, Ord)]
    pub enum Scope: "a scope" {
        /// Individual occurrences in one target.
        Occurrences = "occurrences",
        /// The issue in one target, with its future occurrences.
        Target = "target",
        /// The issue in all scans of one pipeline.
        Pipeline = "pipeline",
        /// The issue in the project.
        Project = "project",
        /// The issue in all projects of the installation. It cannot be requested, only approved.
        Account = "account",
    }
}
