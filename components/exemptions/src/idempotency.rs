//! The ids of events of calls that are retried under an `Idempotency-Key`.

use api::Problem;
use api::problem::Code;
use domain::digest::sha256_hex;
use domain::ids::EventId;
use domain::limits::IDEMPOTENCY_KEY_DAYS;
use domain::time::Timestamp;
use store::kv::Kv;
use store::records::KeyUse;
use store::{document, keys};

/// The event of a call under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyedEvent {
    /// The id of the event that the call appends; a retry of the call gets the same.
    pub id: EventId,
    /// True if the key was used before: the event may have been appended.
    pub is_known: bool,
}

/// Finds the event of a call under a key. `fields` are the project, path, caller and key of the call.
///
/// The body is part of the id: two bodies never get the same event, even if they arrive at once. A key holds for some
/// days; then its next use is another one.
///
/// # Errors
/// `IdempotencyMismatch`: the key was used with another body. Or the store failed.
pub async fn keyed_event(kv: &impl Kv, fields: &[&[u8]], body: &[u8], now: Timestamp) -> Result<KeyedEvent, Problem> {
    let sha256 = sha256_hex(body);
    let key = keys::idempotency(fields);
    let used: Option<KeyUse> = document::find(kv, &key).await?;
    let (current, is_known) = match used {
        Some(used) if used.at.is_some_and(|at| at.plus_days(IDEMPOTENCY_KEY_DAYS) <= now) => {
            (KeyUse { v: 1, sha256, at: Some(now), uses: used.uses.saturating_add(1) }, false)
        }
        Some(used) if used.sha256 != sha256 => {
            let detail = "the `Idempotency-Key` was already used with another body; use a new key";
            return Err(Problem::new(Code::IdempotencyMismatch, detail));
        }
        // An earlier version did not store the time. The key holds from now on.
        Some(used) if used.at.is_none() => (KeyUse { at: Some(now), ..used }, true),
        Some(used) => return Ok(KeyedEvent { id: event_id(fields, &used), is_known: true }),
        None => (KeyUse { v: 1, sha256, at: Some(now), uses: 0 }, false),
    };
    document::put(kv, &key, &current).await?;
    Ok(KeyedEvent { id: event_id(fields, &current), is_known })
}

/// The id of the event for this use of a key. The time is not part of it: retries that come at once have different
/// ones.
fn event_id(fields: &[&[u8]], used: &KeyUse) -> EventId {
    let uses = used.uses.to_be_bytes();
    let again: &[&[u8]] = if used.uses == 0 { &[] } else { &[&uses] };
    let fields: Vec<&[u8]> =
        fields.iter().copied().chain([used.sha256.as_bytes()]).chain(again.iter().copied()).collect();
    EventId::derived("v2:exemption-event", &fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use store::memory::MemoryKv;

    const DAY: i64 = 24 * 60 * 60 * 1000;

    fn event(kv: &MemoryKv, subject: &str, body: &str, ms: i64) -> Result<KeyedEvent, Code> {
        let fields = ["shop", "exemptions", subject, "the-key"].map(str::as_bytes);
        block_on(keyed_event(kv, &fields, body.as_bytes(), Timestamp::from_ms(ms))).map_err(|problem| problem.code)
    }

    #[test]
    fn a_key_means_one_call_of_one_subject() {
        let kv = MemoryKv::default();
        let first = event(&kv, "ann", "{}", 0).unwrap();
        assert_eq!(event(&kv, "ann", "{}", 1), Ok(KeyedEvent { is_known: true, ..first }));
        assert_eq!(event(&kv, "ann", "{ }", 1), Err(Code::IdempotencyMismatch));
        let other = event(&kv, "bob", "{ }", 1).unwrap();
        assert!(!first.is_known && !other.is_known && first.id != other.id);
    }

    #[test]
    fn a_key_holds_for_seven_days() {
        let kv = MemoryKv::default();
        let first = event(&kv, "ann", "{}", 0).unwrap();
        assert!(event(&kv, "ann", "{}", 7 * DAY - 1).unwrap().is_known);
        let later = event(&kv, "ann", "{}", 7 * DAY).unwrap();
        assert!(!later.is_known && later.id != first.id);
        assert_eq!(
            event(&kv, "ann", "{}", 8 * DAY),
            Ok(KeyedEvent { is_known: true, ..later }),
            "from its own time on"
        );
        let last = event(&kv, "ann", "another body", 14 * DAY).unwrap();
        assert!(!last.is_known && last.id != later.id);
    }

    #[test]
    fn a_key_that_an_earlier_version_stored_is_known() {
        let kv = MemoryKv::default();
        let first = event(&kv, "ann", "{}", 0).unwrap();
        let key = keys::idempotency(&["shop", "exemptions", "ann", "the-key"].map(str::as_bytes));
        let old = serde_json::json!({"v": 1, "sha256": sha256_hex(b"{}")});
        block_on(document::put(&kv, &key, &old)).unwrap();
        assert_eq!(event(&kv, "ann", "{}", 30 * DAY), Ok(KeyedEvent { is_known: true, ..first }));
        assert_eq!(event(&kv, "ann", "{}", 36 * DAY), Ok(KeyedEvent { is_known: true, ..first }));
        assert!(!event(&kv, "ann", "{}", 37 * DAY).unwrap().is_known);
    }
}
