//! The ids of events of calls that are retried under an `Idempotency-Key`.

use api::Problem;
use api::problem::Code;
use domain::digest::sha256_hex;
use domain::ids::EventId;
use store::kv::Kv;
use store::records::KeyUse;
use store::{document, keys};

/// The id of the event that a call appends; a retry of the call gets the same. `fields` are the project, path, caller
/// and key of the call.
///
/// The body is part of the id: two bodies never get the same event, even if they arrive at once.
///
/// # Errors
/// `IdempotencyMismatch`: the key was used with another body. Or the store failed.
pub async fn event_id(kv: &impl Kv, fields: &[&[u8]], body: &[u8]) -> Result<EventId, Problem> {
    let digest = sha256_hex(body);
    let key = keys::idempotency(fields);
    match document::find::<KeyUse>(kv, &key).await? {
        Some(used) if used.sha256 == digest => {}
        Some(_) => {
            let detail = "the `Idempotency-Key` was already used with another body; use a new key";
            return Err(Problem::new(Code::IdempotencyMismatch, detail));
        }
        None => document::put(kv, &key, &KeyUse { v: 1, sha256: digest.clone() }).await?,
    }
    let fields: Vec<&[u8]> = fields.iter().copied().chain([digest.as_bytes()]).collect();
    Ok(EventId::derived("v2:exemption-event", &fields))
}
