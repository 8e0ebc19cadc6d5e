//! Every key of the store, in one place. All begin with `gh:`, because Redis and others do not keep labels apart.

use domain::digest::Short;
use domain::ids::{ScanId, ScannerId, TargetId, VariantName};
use domain::journal::JournalId;

/// The register of a token, under its SHA-256.
pub fn token(sha256: &str) -> String {
    format!("gh:token:{sha256}")
}

/// The register of a token's last use, under its SHA-256.
pub fn used(sha256: &str) -> String {
    format!("gh:used:{sha256}")
}

/// The register that counts unknown tokens of the networks that share it.
pub fn guesses(bucket: u16) -> String {
    format!("gh:guess:{bucket:04x}")
}

/// The key under which the dashboard's sessions are sealed.
pub fn session_key() -> String {
    "gh:session-key".to_owned()
}

/// When all sessions of a token were ended, under its SHA-256.
pub fn signed_out(sha256: &str) -> String {
    format!("gh:signed-out:{sha256}")
}

/// What was frozen when a scan began.
pub fn scan(scan: ScanId) -> String {
    format!("gh:scan:{scan}")
}

/// The counter that decides which of several uploads with one `Idempotency-Key` freezes the scan.
pub fn scan_claims(scan: ScanId) -> String {
    format!("gh:scan:{scan}:claims")
}

/// One segment of a raw report; `attempt` keeps two uploads under one key apart until one of them is frozen.
pub fn raw(scan: ScanId, attempt: &str, n: u32) -> String {
    format!("gh:scan:{scan}:raw:{attempt}:{n}")
}

/// One segment of the sidecar that came with a raw report.
pub fn source(scan: ScanId, attempt: &str, n: u32) -> String {
    format!("gh:scan:{scan}:source:{attempt}:{n}")
}

/// The result of parsing: counts, and the manifest of the findings.
pub fn findings(scan: ScanId) -> String {
    format!("gh:scan:{scan}:findings")
}

/// The result of the fingerprint stage: the manifests of issues and occurrences.
pub fn grouped(scan: ScanId) -> String {
    format!("gh:scan:{scan}:grouped")
}

/// The result of the baseline stage: what is new, common and gone.
pub fn compared(scan: ScanId) -> String {
    format!("gh:scan:{scan}:compared")
}

/// The result of the gate stage: the verdict, and the exemptions it was judged with.
pub fn judged(scan: ScanId) -> String {
    format!("gh:scan:{scan}:judged")
}

/// The answer the upload got, with its place in the target's journal; its presence means the scan is
/// done, and counts unless it is a replay.
pub fn answer(scan: ScanId) -> String {
    format!("gh:scan:{scan}:answer")
}

/// One segment of a list that belongs to a document.
pub fn segment(list: &str, n: u32) -> String {
    format!("{list}:{n}")
}

/// The newest complete scan of a variant by a scanner. The variant is hashed: its name may hold any character.
pub fn head(target: TargetId, variant: &VariantName, tool: &ScannerId, categories: &[String]) -> String {
    let variant = Short::derive("v1:variant", &[variant.as_str().as_bytes()]).to_hex();
    let parts: Vec<&[u8]> = categories.iter().map(|category| category.as_bytes()).collect();
    let of =
        if parts.is_empty() { String::new() } else { format!(":{}", Short::derive("v1:categories", &parts).to_hex()) };
    format!("gh:head:{target}:{variant}:{tool}{of}")
}

/// The newest incomplete scan of a variant by a scanner: what tells an incomplete baseline from one that was never scanned.
pub fn head_incomplete(target: TargetId, variant: &VariantName, tool: &ScannerId, categories: &[String]) -> String {
    format!("{}:incomplete", head(target, variant, tool, categories))
}

/// The counter of the turns that a variant's scans by a tool take; also the beginning of their keys.
pub fn turns(target: TargetId, variant: &VariantName, tool: &ScannerId) -> String {
    let variant = Short::derive("v1:variant", &[variant.as_str().as_bytes()]).to_hex();
    format!("gh:turn:{target}:{variant}:{tool}")
}

/// One turn.
pub fn turn(turns: &str, n: u64) -> String {
    format!("{turns}:{n}")
}

/// The last turn that is done.
pub fn turns_done(turns: &str) -> String {
    format!("{turns}:done")
}

/// The parts that a variant's reports by a tool had so far.
pub fn parts(target: TargetId, variant: &VariantName, tool: &ScannerId) -> String {
    let variant = Short::derive("v1:variant", &[variant.as_str().as_bytes()]).to_hex();
    format!("gh:parts:{target}:{variant}:{tool}")
}

/// The register of an `Idempotency-Key` of a call that changes exemptions: who called what under which key.
pub fn idempotency(fields: &[&[u8]]) -> String {
    format!("gh:once:{}", Short::derive("v1:idempotency", fields).to_hex())
}

/// The counter of a journal; touched by `increment` alone.
pub fn journal_counter(journal: &JournalId) -> String {
    format!("gh:j:{}:seq", journal.key())
}

/// One event of a journal.
pub fn journal_event(journal: &JournalId, n: u64) -> String {
    format!("gh:j:{}:{n}", journal.key())
}

/// That an event of a journal was refused, and why.
pub fn journal_refusal(journal: &JournalId, n: u64) -> String {
    format!("gh:j:{}:{n}:refused", journal.key())
}

/// The snapshot of a journal.
pub fn journal_snapshot(journal: &JournalId) -> String {
    format!("gh:j:{}:snap", journal.key())
}

/// One part of a snapshot that is too large for one value.
pub fn journal_snapshot_part(journal: &JournalId, upto: u64, part: usize) -> String {
    format!("gh:j:{}:snap:{upto}:{part}", journal.key())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::ExecutionId;

    #[test]
    fn the_longest_keys_stay_within_what_every_store_allows() {
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
            segment(&compared(scan), u32::MAX),
            head_incomplete(
                target,
                &"ü /".repeat(80).parse().unwrap(),
                &"s".repeat(64).parse().unwrap(),
                &["python".to_owned()],
            ),
            parts(target, &"ü /".repeat(80).parse().unwrap(), &"s".repeat(64).parse().unwrap()),
            turn(&turns(target, &"v".parse().unwrap(), &"s".repeat(64).parse().unwrap()), u64::MAX),
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
