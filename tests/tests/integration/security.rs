//! The promises of SECURITY.md: what each kind of attacker can and cannot do. Each module is a group of promises.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod decisions;
mod goalposts;
mod judged;
mod retries;
mod settings;
