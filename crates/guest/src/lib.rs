//! What every component shares of the platform: the store, requests and responses, service chaining, time and
//! randomness. Nothing here decides anything.
#![forbid(unsafe_code)]

pub mod chain;
pub mod form;
mod kv;
pub mod memory;
mod request;
mod session;

pub use kv::SpinKv;
pub use request::{Body, Call, Reply, bulk_body, bulk_bytes, header, json, json_body, serve, serve_with};
pub use session::{Session, is_public};

use api::Problem;
use domain::time::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// The host's clock.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// 128 random bits, for ids.
///
/// # Errors
/// The host gives no randomness.
pub fn random_bits<const N: usize>() -> Result<[u8; N], Problem> {
    let mut bits = [0; N];
    getrandom::fill(&mut bits).map_err(|error| Problem::internal(format!("no randomness: {error}")))?;
    Ok(bits)
}

/// A new token: [`TOKEN_PREFIX`](api::auth::TOKEN_PREFIX) and 256 random bits.
///
/// # Errors
/// The host gives no randomness.
pub fn random_token() -> Result<String, Problem> {
    let bits = random_bits::<32>()?;
    Ok(format!("{}{}", api::auth::TOKEN_PREFIX, domain::digest::hex(&bits)))
}

/// A variable of the application; absent and empty are the same.
///
/// # Errors
/// The component is not granted the variable, or its provider failed.
pub async fn variable(name: &str) -> Result<String, Problem> {
    spin_sdk::variables::get(name)
        .await
        .map_err(|error| Problem::internal(format!("variable `{name}` can't be read: {error:?}")))
}
