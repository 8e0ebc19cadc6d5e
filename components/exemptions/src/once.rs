//! Calls that are sent again under one `Idempotency-Key`.

use api::Problem;
use api::problem::Code;
use domain::digest::sha256_hex;
use domain::ids::EventId;
use store::kv::Kv;
use store::records::KeyUse;
use store::{document, keys};

/// The id of the event that a call appends: the same again for the same call. `fields` say who called what under which key.
///
/// The body is part of the id, so that no two bodies are ever taken for one event, even if they come at once.
///
/// # Errors
/// `IdempotencyMismatch`: the key was used for another body. Or the store failed.
pub async fn event(kv: &impl Kv, fields: &[&[u8]], body: &[u8]) -> Result<EventId, Problem> {
    let digest = sha256_hex(body);
    let key = keys::idempotency(fields);
    match document::find::<KeyUse>(kv, &key).await? {
        Some(used) if used.sha256 == digest => {}
        Some(_) => {
            let detail = "the key was used for another request of this kind; use a new key";
            return Err(Problem::new(Code::IdempotencyMismatch, detail));
        }
        None => document::put(kv, &key, &KeyUse { v: 1, sha256: digest.clone() }).await?,
    }
    let fields: Vec<&[u8]> = fields.iter().copied().chain([digest.as_bytes()]).collect();
    Ok(EventId::derived("v2:exemption-event", &fields))
}
