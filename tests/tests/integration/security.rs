//! The promises of SECURITY.md: what each kind of attacker can and cannot do. Each module is a group of promises.
mod judged;
mod retries;
