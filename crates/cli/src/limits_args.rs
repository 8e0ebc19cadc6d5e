//! The host's limits as arguments. Their defaults are the host's.

use std::time::Duration;

use clap::Args;
use host::Limits;

/// Limits of requests and connections.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitsArgs {
    /// Maximum memory of one instance of a component, in MiB
    #[arg(long, value_name = "MIB", default_value_t = Limits::standard().guest_memory_bytes >> 20)]
    #[arg(value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=4096))]
    max_memory_mib: usize,
    /// Memory of all instances of all components, in MiB; while they have more, requests are answered with 503
    #[arg(long, value_name = "MIB", default_value_t = Limits::standard().total_memory_bytes >> 20)]
    #[arg(value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1 << 24))]
    max_total_memory_mib: usize,
    /// Time limit for a request, and for work after its answer
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    request_timeout: Duration,
    /// Time limit for a call to the store
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    store_timeout: Duration,
    /// Maximum size of a request's body as sent, in MiB
    #[arg(long, value_name = "MIB", default_value_t = Limits::standard().body_bytes >> 20)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    max_body_mib: u64,
    /// Maximum number of concurrent requests; more are answered with 503
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::standard().concurrent_requests)]
    #[arg(value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=100_000))]
    max_requests: usize,
    /// Maximum number of these without a token or cookie; a quarter of them for one client network
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::standard().anonymous_requests)]
    #[arg(value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=100_000))]
    max_anonymous_requests: usize,
    /// Maximum number of these with a large body; one place is for a project and a token that have none [default: the
    /// number of cores]
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::standard().large_requests, hide_default_value = true)]
    #[arg(value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=100_000))]
    max_large_requests: usize,
    /// Size from which on a body is large, in MiB; an eighth of it, if it is compressed
    #[arg(long, value_name = "MIB", default_value_t = Limits::standard().large_bytes >> 20)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    large_body_mib: u64,
    /// Maximum number of open connections; for more, idle ones are closed
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::standard().connections)]
    #[arg(value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1_000_000))]
    max_connections: usize,
    /// Of these, connections of one client network: an IPv4 address or an IPv6 /64
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::standard().connections_per_client)]
    #[arg(value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1_000_000))]
    max_connections_per_client: usize,
    /// Time limit for the head of a request
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    header_timeout: Duration,
    /// Time limit for a connection without a request
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = duration)]
    idle_timeout: Duration,
    /// Age at which a connection ends after the request in progress
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    connection_age: Duration,
    /// Time that a client is waited for while it sends a body or reads a response; each KiB gives it a second back
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = duration)]
    stall_timeout: Duration,
}

impl LimitsArgs {
    /// The host's limits.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            guest_memory_bytes: self.max_memory_mib << 20,
            total_memory_bytes: self.max_total_memory_mib << 20,
            request_timeout: self.request_timeout,
            store_timeout: self.store_timeout,
            body_bytes: self.max_body_mib << 20,
            concurrent_requests: self.max_requests,
            anonymous_requests: self.max_anonymous_requests,
            large_requests: self.max_large_requests,
            large_bytes: self.large_body_mib << 20,
            connections: self.max_connections,
            connections_per_client: self.max_connections_per_client,
            header_timeout: self.header_timeout,
            idle_timeout: self.idle_timeout,
            connection_age: self.connection_age,
            stall_timeout: self.stall_timeout,
        }
    }
}

/// The message for an illegal duration.
const DURATION_HINT: &str = "use a number with `ms`, `s`, `m`, `h` or `d`, for example 30s";

/// Reads a length of time: a number with `ms`, `s`, `m`, `h` or `d`; seconds without.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let unit_ms = match text.strip_prefix(digits).unwrap_or_default() {
        "ms" => 1,
        "s" | "" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(DURATION_HINT.to_owned()),
    };
    let number: u64 = digits.parse().map_err(|_| DURATION_HINT.to_owned())?;
    match number.checked_mul(unit_ms) {
        None => Err("it is too long".to_owned()),
        Some(ms) => Ok(Duration::from_millis(ms)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        limits: LimitsArgs,
    }

    #[test]
    fn without_arguments_the_limits_are_the_hosts_own() {
        assert_eq!(Only::try_parse_from(["x"]).ok().unwrap().limits.limits(), Limits::standard());
    }

    #[test]
    fn durations_have_units() {
        let cases = [
            ("30", 30_000),
            ("30s", 30_000),
            ("250ms", 250),
            ("2m", 120_000),
            ("12h", 43_200_000),
            ("3d", 259_200_000),
            ("0", 0),
        ];
        for (text, ms) in cases {
            assert_eq!(duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "s", "-1", "1w", "1.5s", "1 s", "99999999999999999999", "18446744073709551615m"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
