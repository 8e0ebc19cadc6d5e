//! Random names that nobody can guess, from the system alone.

use anyhow::{Context as _, Result};

/// `N` random bytes in hexadecimal digits.
///
/// # Errors
/// The system gives no random numbers.
pub(crate) fn hex<const N: usize>() -> Result<String> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).context("the system gives no random numbers")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
