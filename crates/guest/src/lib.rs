//! The parts of the Spin SDK that components share: the store, requests and replies, service chaining, time and
//! randomness. No decisions are made here.

mod blocking_kv;
pub mod chain;
mod clock;
pub mod form;
mod kv;
pub mod memory;
mod request;
mod session;
mod version;

pub use blocking_kv::SpinBlockingKv;
pub use clock::{now, within};
pub use kv::SpinKv;
pub use request::{Body, HttpRequest, Reply, bulk_body, bulk_bytes, header, json, json_body, serve, serve_with};
pub use session::{Session, is_public};

use api::Problem;

/// `N` random bytes, for ids and keys.
///
/// # Errors
/// The host does not provide random bytes.
pub fn random_bits<const N: usize>() -> Result<[u8; N], Problem> {
    let mut bits = [0; N];
    getrandom::fill(&mut bits)
        .map_err(|error| Problem::internal(format!("the host does not provide random bytes: {error}")))?;
    Ok(bits)
}

/// A new token: [`TOKEN_PREFIX`](api::auth::TOKEN_PREFIX) and 256 random bits.
///
/// # Errors
/// The host does not provide random bytes.
pub fn random_token() -> Result<String, Problem> {
    let bits = random_bits::<32>()?;
    Ok(format!("{}{}", api::auth::TOKEN_PREFIX, domain::digest::hex(&bits)))
}

/// The value of an application variable. Absent and empty are the same.
///
/// # Errors
/// The manifest does not grant the component this variable, or its provider failed.
pub async fn variable(name: &str) -> Result<String, Problem> {
    spin_sdk::variables::get(name)
        .await
        .map_err(|error| Problem::internal(format!("the variable `{name}` cannot be read: {error:?}")))
}
