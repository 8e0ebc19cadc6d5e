//! How far exemptions hold.

use crate::word_enum::word_enum;

word_enum! {
    /// How far an exemption holds, from the narrowest on (section 7 of the reference product). It is granted at the scope
    /// that was asked for or a wider one.
    #[derive(PartialOrd, Ord)]
    pub enum Scope: "a scope" {
        /// For chosen occurrences in one target.
        Occurrences = "occurrences",
        /// For the issue in one target, occurrences to come included.
        Target = "target",
        /// For the issue in all scans of one pipeline.
        Pipeline = "pipeline",
        /// For the issue in the project.
        Project = "project",
        /// For the issue in all projects of the installation; granted only, never asked for.
        Account = "account",
    }
}
