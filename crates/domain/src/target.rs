//! Types of targets.

use crate::word_enum::word_enum;

word_enum! {
    /// The type of a target.
    #[derive(PartialOrd, Ord)]
    pub enum TargetType: "a target type" {
        /// A source code repository.
        Repository = "repository",
        /// A container image.
        Container = "container",
        /// A running application or host.
        Instance = "instance",
        /// The configuration of a cloud account or cluster.
        Configuration = "configuration",
    }
}
