//! Limits of what projects contain and people write. The limits of reports are in the `finding` crate. Each limit is
//! checked on input, and tested with the limit and one more.

/// The number of days for which an `Idempotency-Key` holds. After them the same key begins a new scan, or a new change.
pub const IDEMPOTENCY_KEY_DAYS: u32 = 7;
/// The maximum size of a value in the key-value store, in bytes. All of Spin's back ends support it; see "Value sizes"
/// in ARCHITECTURE.md.
pub const VALUE_BYTES_MAX: usize = 256 * 1024;
/// The maximum number of projects of an installation. Their names are the state of one journal.
pub const PROJECTS_MAX: usize = 5_000;
/// The maximum number of targets of a project. They are the state of one journal.
pub const TARGETS_MAX: usize = 5_000;
/// The maximum number of targets that one token creates, so that it cannot take the room of others.
pub const TARGETS_OF_TOKEN_MAX: usize = 1_000;
/// The maximum number of series of scans that one token begins in one target on one day (UTC). A series is that of a
/// variant and a tool, so this bounds the variants that it makes up.
pub const SERIES_OF_TOKEN_PER_DAY_MAX: u64 = 5_000;
/// The maximum number of a project's pending requests to accept scans. They are part of the state that every upload
/// reads.
pub const ACCEPT_REQUESTS_MAX: usize = 100;
/// The maximum number of tokens of a project, or of the account, that are neither revoked nor expired.
pub const TOKENS_MAX: usize = 1_000;
/// The maximum number of targets of a token that is limited to some.
pub const TOKEN_TARGETS_MAX: usize = 50;
/// The life of a token that is issued without a term, in days.
pub const TOKEN_DAYS_DEFAULT: u32 = 90;
/// The maximum length of a free text (reason, comment), in characters.
pub const REMARK_CHARS_MAX: usize = 1024;
/// The maximum life of a token or an exemption, in days.
pub const DURATION_DAYS_MAX: u32 = 3650;
/// The maximum number of a project's exemptions that are stored by id. They are the state of one journal, which every
/// upload reads. Beyond it exemptions that are over are forgotten: withdrawn ones first, then those whose decision is
/// oldest. Their events stay in the journal.
pub const EXEMPTIONS_MAX: usize = 5_000;
/// The maximum number of occurrences of one exemption. For more, the whole issue must be exempted.
pub const EXEMPTED_OCCURRENCES_MAX: usize = 500;
/// The maximum number of occurrences of all stored exemptions of a project.
pub const EXEMPTED_OCCURRENCES_TOTAL_MAX: usize = 20_000;
/// The maximum number of a project's exemptions that are pending because they were returned to review: code was edited
/// or moved, or an issue became worse. Beyond it such code and issues count at the gate, but no exemption is requested.
pub const RETURNED_MAX: usize = 1_000;
/// The maximum number of exemptions that were ever approved for the whole installation.
pub const PROMOTED_MAX: usize = 2_000;
/// The maximum number of requests or decisions in one group, which take effect together.
pub const BULK_MAX: usize = 100;
/// The maximum length of an issue's title in an exemption, in characters.
pub const EXEMPTION_TITLE_CHARS_MAX: usize = 256;
/// The maximum number of a target's variants that are stored by name, the most recently scanned ones. They are the
/// state of one journal, which an upload reads if the baseline is a pattern. Older variants are not matched by a
/// pattern and not listed. As a fixed baseline they still work, because each variant's newest scan has a register of
/// its own.
pub const VARIANTS_KNOWN_MAX: usize = 2_000;
/// The number of days of a target's trend, which is part of the same state as its variants.
pub const TREND_DAYS: u32 = 90;
/// The maximum number of series (tool and categories) of a target's baseline whose issues its trend counts.
pub const TREND_SERIES_MAX: usize = 20;
/// The number of a target's newest scans that its trend remembers, so that a scan that is recorded twice counts once.
pub const TREND_SCANS_REMEMBERED: usize = 64;
/// The number of days of 24 hours between the time at which a report was made and the start of its upload, above which
/// the upload is shown as late. A report that a pipeline makes and uploads is minutes old; one of the day before may be
/// that of a nightly scan.
pub const REPORT_LATE_DAYS: u32 = 1;
/// The maximum number of days of 24 hours that the time at which a report was made may be after the start of its
/// upload. Times without a zone count as UTC and may be 14 hours ahead; a time above the limit is that of a wrong
/// clock.
pub const REPORT_AHEAD_DAYS_MAX: u32 = 1;
/// The maximum number of scans of one run of a pipeline that are stored, the newest ones.
pub const EXECUTION_SCANS_MAX: usize = 200;
