//! Unguessable names from the system's random numbers.

use anyhow::{Context as _, Result};

/// `N` random bytes in hexadecimal digits.
///
/// # Errors
/// The system has no random numbers.
pub(crate) fn hex<const N: usize>() -> Result<String> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).context("the system has no random numbers")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
