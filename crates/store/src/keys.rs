//! All keys of the store. They begin with `gh:`, because some back ends, like Redis, do not separate stores by label.

use domain::digest::Short;
use domain::ids::{ScanId, ScannerId, TargetId, TokenId, VariantName};
use domain::journal::JournalId;
use domain::trend::Day;

/// The register of a token's record; `sha256` is that of the token.
pub fn token(sha256: &str) -> String {
    format!("gh:token:{sha256}")
}

/// The register of a token's last use; `sha256` is that of the token.
pub fn used(sha256: &str) -> String {
    format!("gh:used:{sha256}")
}

/// The register that counts unknown tokens. Several networks share a bucket.
pub fn guesses(bucket: u16) -> String {
    format!("gh:guess:{bucket:04x}")
}

/// The encryption key of the dashboard's sessions.
pub fn session_key() -> String {
    "gh:session-key".to_owned()
}

/// The time at which all sessions of a token were ended; `sha256` is that of the token.
pub fn signed_out(sha256: &str) -> String {
    format!("gh:signed-out:{sha256}")
}

/// The frozen parameters of a scan.
pub fn scan(scan: ScanId) -> String {
    format!("gh:scan:{scan}")
}

/// The counter of the uploads that claim a scan under one `Idempotency-Key`. The first claim freezes the scan.
pub fn scan_claims(scan: ScanId) -> String {
    format!("gh:scan:{scan}:claims")
}

/// The sign of life of the upload that claimed a scan and has not yet frozen it.
pub fn scan_claim(scan: ScanId) -> String {
    format!("gh:scan:{scan}:claim")
}

/// A segment of a raw report; `attempt` separates uploads under the same `Idempotency-Key` until one of them is frozen.
pub fn raw(scan: ScanId, attempt: &str, n: u32) -> String {
    format!("gh:scan:{scan}:raw:{attempt}:{n}")
}

/// A segment of the sidecar of a raw report.
pub fn source(scan: ScanId, attempt: &str, n: u32) -> String {
    format!("gh:scan:{scan}:source:{attempt}:{n}")
}

/// The start of the keys of a scan's findings.
pub fn findings(scan: ScanId) -> String {
    format!("gh:scan:{scan}:findings")
}

/// The result of the fingerprint stage: issues and occurrences.
pub fn grouped(scan: ScanId) -> String {
    format!("gh:scan:{scan}:grouped")
}

/// The result of the baseline stage: the buckets of issues and occurrences.
pub fn compared(scan: ScanId) -> String {
    format!("gh:scan:{scan}:compared")
}

/// The result of the gate stage: the verdict and the effective exemptions.
pub fn judged(scan: ScanId) -> String {
    format!("gh:scan:{scan}:judged")
}

/// The answer to the upload, with the number of its event in the target's journal. If it exists, the scan is finished,
/// and counts unless it is a replay.
pub fn answer(scan: ScanId) -> String {
    format!("gh:scan:{scan}:answer")
}

/// A segment of a list that belongs to a document.
pub fn segment(list: &str, n: u32) -> String {
    format!("{list}:{n}")
}

/// The register of a series' head: the newest complete scan of a variant by a tool and categories. The variant is
/// hashed, because its name may contain any character.
pub fn head(target: TargetId, variant: &VariantName, tool: &ScannerId, categories: &[String]) -> String {
    let variant = Short::derive("v1:variant", &[variant.as_str().as_bytes()]).to_hex();
    let parts: Vec<&[u8]> = categories.iter().map(|category| category.as_bytes()).collect();
    let of =
        if parts.is_empty() { String::new() } else { format!(":{}", Short::derive("v1:categories", &parts).to_hex()) };
    format!("gh:head:{target}:{variant}:{tool}{of}")
}

/// The register of a series' newest incomplete scan. It distinguishes an incomplete baseline from one that was never
/// scanned.
pub fn head_incomplete(target: TargetId, variant: &VariantName, tool: &ScannerId, categories: &[String]) -> String {
    format!("{}:incomplete", head(target, variant, tool, categories))
}

/// The register of the newest scan of a series that a reviewer accepted.
pub fn accepted(target: TargetId, variant: &VariantName, tool: &ScannerId, categories: &[String]) -> String {
    format!("{}:accepted", head(target, variant, tool, categories))
}

/// The register of the newest scan of a series whose missing parts a reviewer accepted as no longer scanned.
pub fn accepted_missing(target: TargetId, variant: &VariantName, tool: &ScannerId, categories: &[String]) -> String {
    format!("{}:missing", head(target, variant, tool, categories))
}

/// The counter of the turns of a variant's scans by a tool; also the start of their keys.
pub fn turns(target: TargetId, variant: &VariantName, tool: &ScannerId) -> String {
    let variant = Short::derive("v1:variant", &[variant.as_str().as_bytes()]).to_hex();
    format!("gh:turn:{target}:{variant}:{tool}")
}

/// The counter of the series that a token begins in a target on a day (UTC).
pub fn series_begun(token: TokenId, target: TargetId, day: Day) -> String {
    format!("gh:begun:{token}:{target}:{day}")
}

/// The sign of life of the upload that has a turn.
pub fn turn(turns: &str, n: u64) -> String {
    format!("{turns}:{n}")
}

/// The register of the last finished turn.
pub fn turns_done(turns: &str) -> String {
    format!("{turns}:done")
}

/// The register of the parts (sets of SARIF runs and categories) of a variant's complete reports by a tool.
pub fn parts(target: TargetId, variant: &VariantName, tool: &ScannerId) -> String {
    let variant = Short::derive("v1:variant", &[variant.as_str().as_bytes()]).to_hex();
    format!("gh:parts:{target}:{variant}:{tool}")
}

/// The register of an `Idempotency-Key` of a call that changes exemptions; `fields` are the caller, the call and the
/// key.
pub fn idempotency(fields: &[&[u8]]) -> String {
    format!("gh:once:{}", Short::derive("v1:idempotency", fields).to_hex())
}

/// The counter of a journal. Only `increment` uses it.
pub fn journal_counter(journal: &JournalId) -> String {
    format!("gh:j:{}:seq", journal.key())
}

/// An event of a journal.
pub fn journal_event(journal: &JournalId, n: u64) -> String {
    format!("gh:j:{}:{n}", journal.key())
}

/// The refusal of a journal's event.
pub fn journal_refusal(journal: &JournalId, n: u64) -> String {
    format!("gh:j:{}:{n}:refused", journal.key())
}

/// The snapshot of a journal.
pub fn journal_snapshot(journal: &JournalId) -> String {
    format!("gh:j:{}:snap", journal.key())
}

/// A part of a snapshot that is too large for one value.
pub fn journal_snapshot_part(journal: &JournalId, upto: u64, part: usize) -> String {
    format!("gh:j:{}:snap:{upto}:{part}", journal.key())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::ExecutionId;
    use domain::time::Timestamp;

    #[test]
    fn the_longest_keys_fit_into_every_store() {
        let project = "p".repeat(64).parse().unwrap();
        let target = TargetId::of(&project, &"t".repeat(128).parse().unwrap());
        let scan = ScanId::from_bits([255; 16]);
        let execution = ExecutionId::of(&"p".parse().unwrap(), &"e".parse().unwrap());
        let of_execution = JournalId::Execution { project: project.clone(), execution };
        let journal = JournalId::Scans { project, target };
        let keys = [
            token(&"f".repeat(64)),
            used(&"f".repeat(64)),
            guesses(u16::MAX),
            raw(scan, &"f".repeat(32), u32::MAX),
            source(scan, &"f".repeat(32), u32::MAX),
            scan_claim(scan),
            segment(&compared(scan), u32::MAX),
            head_incomplete(
                target,
                &"ü /".repeat(80).parse().unwrap(),
                &"s".repeat(64).parse().unwrap(),
                &["python".to_owned()],
            ),
            accepted(target, &"v".parse().unwrap(), &"s".repeat(64).parse().unwrap(), &["go".to_owned()]),
            accepted_missing(target, &"v".parse().unwrap(), &"s".repeat(64).parse().unwrap(), &["go".to_owned()]),
            parts(target, &"ü /".repeat(80).parse().unwrap(), &"s".repeat(64).parse().unwrap()),
            turn(&turns(target, &"v".parse().unwrap(), &"s".repeat(64).parse().unwrap()), u64::MAX),
            series_begun(TokenId::from_bits([255; 16]), target, Day::of(Timestamp::from_ms(i64::MAX))),
            journal_snapshot_part(&journal, u64::MAX, usize::MAX),
            journal_event(&journal, u64::MAX),
            journal_refusal(&journal, u64::MAX),
            journal_event(&of_execution, u64::MAX),
        ];
        for key in keys {
            assert!(key.len() <= 200, "{} bytes: {key}", key.len());
            assert!(key.bytes().all(|c| c.is_ascii_alphanumeric() || b"._:-".contains(&c)), "{key}");
            assert!(key.starts_with("gh:"), "{key}");
        }
    }
}
