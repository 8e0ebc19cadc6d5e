//! The limits of what projects hold and people write. Those of reports are in the `finding` crate. Each is checked
//! where the thing enters, with a test at the limit and one over.

/// Largest value written to the key-value store, in bytes (what every Spin back end holds; see `Value sizes` in ARCHITECTURE.md).
pub const VALUE_BYTES_MAX: usize = 256 * 1024;
/// Most projects of an installation; their names are one journal's state.
pub const PROJECTS_MAX: usize = 5_000;
/// Most targets of one project; they are one journal's state.
pub const TARGETS_MAX: usize = 5_000;
/// Most tokens of one project, or of the account, that are neither revoked nor expired.
pub const TOKENS_MAX: usize = 1_000;
/// Most targets that a token names, if it is not good for all.
pub const TOKEN_TARGETS_MAX: usize = 50;
/// Longest free text of a person (reason, comment), in characters.
pub const REMARK_CHARS_MAX: usize = 1024;
/// Longest life of a token or an exemption, in days.
pub const DURATION_DAYS_MAX: u32 = 3650;
/// Most exemptions of one project that are known by name: they are one journal's state, which every upload reads. Beyond
/// them those are forgotten that are over, cancelled ones first, then those decided longest ago; the journal keeps them.
pub const EXEMPTIONS_MAX: usize = 5_000;
/// Most occurrences that one exemption names; beyond them the whole issue is to be exempted.
pub const EXEMPTED_OCCURRENCES_MAX: usize = 500;
/// Most occurrences that all known exemptions of a project name together.
pub const EXEMPTED_OCCURRENCES_TOTAL_MAX: usize = 20_000;
/// Most exemptions of a project that are pending because code was edited or moved; beyond them such code only counts.
pub const RETURNED_MAX: usize = 1_000;
/// Most exemptions that were ever granted for the whole installation.
pub const PROMOTED_MAX: usize = 2_000;
/// Most requests or decisions that take effect together.
pub const BULK_MAX: usize = 100;
/// Longest title of an issue that an exemption keeps, in characters.
pub const EXEMPTION_TITLE_CHARS_MAX: usize = 256;
/// Most variants of one target, those scanned most recently, that are known by name: they are one journal's state, which an
/// upload reads where a baseline is a pattern. A pattern does not see older ones, nor does a list show them; as a fixed
/// baseline such a variant serves as before, because its newest scan stands in a register of its own.
pub const VARIANTS_KNOWN_MAX: usize = 2_000;
/// How many days a target's trend goes back. They are part of the same state as its variants.
pub const TREND_DAYS: u32 = 90;
/// Most series (tool and categories) of a target's baseline whose issues its trend counts.
pub const TREND_SERIES_MAX: usize = 20;
/// How many of a target's newest scans its trend remembers, so that one that was recorded twice counts once.
pub const TREND_SCANS_REMEMBERED: usize = 64;
/// Most scans of one run of a pipeline, the newest of them, that are told together.
pub const EXECUTION_SCANS_MAX: usize = 200;
