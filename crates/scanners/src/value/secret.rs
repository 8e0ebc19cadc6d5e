//! The parts of a secret that may be stored: a hash, by which equal secrets are matched, and the first characters.

use finding::{Finding, Secret};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// Most characters of a secret that are shown; never more than a quarter of it.
const SHOWN_MAX: usize = 4;
/// The replacement of the other characters.
const MASK: &str = "****";
/// Least characters of a text that is masked elsewhere in the finding. Shorter texts are parts of ordinary words.
const MASKED_MIN: usize = 4;
/// Least characters of a secret that is masked in the identifying texts. Shorter secrets can be ordinary words
/// (`admin`, `test`).
const MASKED_EVERYWHERE_MIN: usize = 16;

/// The storable parts of a secret in clear.
pub(crate) fn of(secret: &str) -> Secret {
    let mut hash = Sha256::new();
    hash.update(b"gatehouse:v1:secret:");
    hash.update(secret.trim());
    let mut digest = "sha256:".to_owned();
    for byte in hash.finalize().iter().take(16) {
        let _ = write!(digest, "{byte:02x}");
    }
    Secret { digest, masked: masked(secret.trim()) }
}

/// The storable parts of a secret of which the report has only a hash of this kind, or a masked form.
pub(crate) fn hashed(kind: &str, hash: &str) -> Secret {
    Secret { digest: format!("{kind}:{hash}"), masked: String::new() }
}

fn masked(secret: &str) -> String {
    let shown = (secret.chars().count() / 4).min(SHOWN_MAX);
    secret.chars().take(shown).chain(MASK.chars()).collect()
}

/// Attaches a secret to a finding, and masks it in all texts of the finding.
pub(crate) fn attach(finding: &mut Finding, secret: &str) {
    redact(finding, secret);
    finding.secret = Some(of(secret));
}

/// Masks a secret in all texts of a finding, and each of its lines if it has several. A short secret is not masked in
/// the rule, the paths and the scanner's words: a password `test` must not change `tests/api.py`.
pub(crate) fn redact(finding: &mut Finding, secret: &str) {
    let mut parts: Vec<&str> = vec![secret.trim()];
    if secret.trim().contains('\n') {
        parts.extend(secret.lines().map(str::trim));
    }
    for part in parts.into_iter().filter(|part| part.chars().count() >= MASKED_MIN) {
        let mask = masked(part);
        let kept = (part.chars().count() < MASKED_EVERYWHERE_MIN).then(|| identifying_texts(finding));
        finding.for_each_text(&mut |text| {
            if text.contains(part) {
                *text = text.replace(part, &mask);
            }
        });
        if let Some(kept) = kept {
            identifying_texts_mut(finding).zip(kept).for_each(|(text, kept)| *text = kept);
        }
    }
}

fn identifying_texts(finding: &mut Finding) -> Vec<String> {
    identifying_texts_mut(finding).map(|text| text.clone()).collect()
}

/// The texts by which a finding is matched, and the scanner's own words.
fn identifying_texts_mut(finding: &mut Finding) -> impl Iterator<Item = &mut String> {
    let Finding { rule, tool, severity_word, confidence, location, other_locations, .. } = finding;
    let paths = location.iter_mut().chain(other_locations).map(|location| &mut location.path);
    [rule].into_iter().chain(tool).chain(severity_word).chain(confidence).chain(paths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use finding::{Excerpt, Kind};

    #[test]
    fn a_secret_has_its_own_digest_and_only_its_beginning_is_shown() {
        let one = of("AKIAIOSFODNN7EXAMPLE");
        assert_eq!(one.masked, "AKIA****");
        assert_eq!(one, of(" AKIAIOSFODNN7EXAMPLE\n"));
        assert_ne!(one.digest, of("AKIAIOSFODNN7EXAMPLF").digest);
        assert_eq!([of("abc").masked, of("abcdefgh").masked, of("").masked], ["****", "ab****", "****"]);
        assert_eq!(hashed("sha1", "0a").digest, "sha1:0a");
    }

    #[test]
    fn a_secret_is_masked_in_all_texts_of_its_finding() {
        let mut finding = Finding::new(Kind::Secret, "key", "A key", "found `hunter2hunter2` here");
        finding.code = Some(Excerpt { first_line: 3, lines: vec!["password = 'hunter2hunter2'".to_owned()] });
        finding.raw.insert("match".to_owned(), "hunter2hunter2".to_owned());
        attach(&mut finding, "hunter2hunter2");
        let stored = serde_json::to_string(&finding).unwrap();
        assert!(!stored.contains("hunter2hunter2"), "{stored}");
        assert_eq!(finding.message, "found `hun****` here");
    }

    #[test]
    fn a_short_secret_is_not_masked_in_the_rule_and_the_path() {
        for (secret, kept) in [("test", true), ("hunter2hunter2hunter2", false)] {
            let path = format!("{secret}s/api.py");
            let mut finding = Finding::new(Kind::Secret, format!("{secret}-password"), "t", format!("found {secret}"));
            finding.location = Some(finding::Location::file(path.clone()));
            attach(&mut finding, secret);
            assert_eq!(finding.location.as_ref().unwrap().path == path, kept, "{secret}");
            assert_eq!(finding.rule == format!("{secret}-password"), kept, "{secret}");
            assert!(!finding.message.contains(secret));
        }
    }

    #[test]
    fn each_line_of_a_secret_is_masked() {
        let mut finding = Finding::new(Kind::Secret, "key", "A key", "m");
        let lines = ["-----BEGIN KEY-----", "MIIEpAIBAAKCAQEA", "-----END KEY-----"];
        finding.code = Some(Excerpt { first_line: 1, lines: lines.map(|line| format!("  {line}")).to_vec() });
        attach(&mut finding, &lines.join("\n"));
        assert!(!serde_json::to_string(&finding).unwrap().contains("MIIEpAIBAAKCAQEA"));
    }
}
